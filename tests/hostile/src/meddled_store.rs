//! A store of versions in which something happens just before a changed catalogue is kept: another operator comes in between, a file is
//! changed, the disk is full.

use std::sync::Arc;

use async_trait::async_trait;
use futures_util::future::BoxFuture;
use tradepost_engine::store::StoreError;
use tradepost_engine::versions::{NewVersionNote, ShadowPage, ShadowReport, VersionNote, VersionStore};

type Meddling = Box<dyn Fn() -> BoxFuture<'static, Result<(), StoreError>> + Send + Sync>;

/// The store.
pub struct MeddledStore {
    behind: Arc<dyn VersionStore>,
    meddling: Meddling,
}

impl MeddledStore {
    /// A store in front of another one. What `meddling` fails with is what whoever wants to keep something gets; then nothing is kept.
    pub fn new<F, Fut>(behind: Arc<dyn VersionStore>, meddling: F) -> Arc<Self>
    where
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<(), StoreError>> + Send + 'static,
    {
        Arc::new(Self { behind, meddling: Box::new(move || Box::pin(meddling())) })
    }
}

#[async_trait]
impl VersionStore for MeddledStore {
    async fn versions(&self) -> Result<(u64, Option<String>), StoreError> {
        self.behind.versions().await
    }

    async fn versions_generation(&self) -> Result<u64, StoreError> {
        self.behind.versions_generation().await
    }

    async fn keep_versions(
        &self,
        generation: u64,
        document: String,
        notes: Vec<NewVersionNote>,
    ) -> Result<Option<u64>, StoreError> {
        (self.meddling)().await?;
        self.behind.keep_versions(generation, document, notes).await
    }

    async fn version_notes(&self, connector: Option<&str>, limit: usize) -> Result<Vec<VersionNote>, StoreError> {
        self.behind.version_notes(connector, limit).await
    }

    async fn begun_commands(&self) -> Result<Vec<(String, String)>, StoreError> {
        self.behind.begun_commands().await
    }

    async fn keep_shadow_page(&self, page: ShadowPage) -> Result<(), StoreError> {
        self.behind.keep_shadow_page(page).await
    }

    async fn shadow_report(&self, digest: &str) -> Result<ShadowReport, StoreError> {
        self.behind.shadow_report(digest).await
    }
}
