//! What measurements share: components, a runtime, an account whose platform answers from memory.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use async_trait::async_trait;
use bytes::Bytes;
use serde_json::json;
use tradepost_platforms::{Credentials, Platform, Wcfm};
use tradepost_runtime::egress::{SendError, Source};
use tradepost_runtime::{Account, AccountConfig, Connector, Egress, Grants, MemoryStorage, Runtime};

/// The URL of a platform that is never dialled.
pub(crate) const SCRIPTED_URL: &str = "https://shop.example";

/// Builds a component of the workspace and reads it.
pub(crate) fn component(package: &str) -> anyhow::Result<Vec<u8>> {
    let path: PathBuf = tradepost_components::build_package(package, |line| eprintln!("{line}"))?;
    std::fs::read(&path).with_context(|| path.display().to_string())
}

/// A platform that gives the same answer to everything.
pub(crate) struct Canned(pub(crate) Bytes);

#[async_trait]
impl Source for Canned {
    async fn answer(&self, _request: http::Request<Bytes>) -> Result<http::Response<Bytes>, SendError> {
        let mut answer = http::Response::new(self.0.clone());
        answer.headers_mut().insert("content-type", http::HeaderValue::from_static("application/json; charset=UTF-8"));
        Ok(answer)
    }
}

/// The same, after a while: what calls were sent is under way for so long.
pub(crate) struct Delayed {
    pub(crate) answer: Canned,
    pub(crate) after: Duration,
}

#[async_trait]
impl Source for Delayed {
    async fn answer(&self, request: http::Request<Bytes>) -> Result<http::Response<Bytes>, SendError> {
        tokio::time::sleep(self.after).await;
        self.answer.answer(request).await
    }
}

/// A runtime whose connectors talk to a source instead of the network.
pub(crate) fn scripted_runtime(source: Arc<dyn Source>) -> anyhow::Result<Runtime> {
    Runtime::builder().egress(Egress::builder().source(source).build()?).build()
}

/// A WCFM account on a platform at `url`.
pub(crate) fn wcfm_account(
    runtime: &Runtime,
    connector: &Connector,
    url: &str,
    platform: Option<&Wcfm>,
) -> anyhow::Result<Account> {
    let (username, password) = platform.map_or(("vendor".to_owned(), "not-a-secret".to_owned()), |platform| {
        let Credentials { username, password } = platform.credentials();
        (username.to_owned(), password.to_owned())
    });
    let origin = url.parse()?;
    let config = AccountConfig {
        id: "bench/wcfm".into(),
        settings: serde_json::from_value(json!({ "site-url": url, "username": username }))?,
        secrets: [("password".to_owned(), password.into())].into(),
        grants: Grants { private_hosts: vec![origin], ..Grants::default() },
        ..AccountConfig::default()
    };
    Ok(runtime.open(connector, config, Arc::new(MemoryStorage::new()))?)
}

/// An account of this id on a connector for WCFM, at the platform of [`SCRIPTED_URL`].
pub(crate) fn scripted_wcfm_account(runtime: &Runtime, connector: &Connector, id: &str) -> anyhow::Result<Account> {
    let config = AccountConfig {
        id: id.into(),
        settings: serde_json::from_value(json!({ "site-url": SCRIPTED_URL, "username": "vendor" }))?,
        secrets: [("password".to_owned(), "not-a-secret".into())].into(),
        grants: Grants { private_hosts: vec![SCRIPTED_URL.parse()?], ..Grants::default() },
        ..AccountConfig::default()
    };
    Ok(runtime.open(connector, config, Arc::new(MemoryStorage::new()))?)
}

/// An executor for one side's calls.
pub(crate) fn executor() -> anyhow::Result<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Builder::new_current_thread().enable_all().build()?)
}

/// An executor with a thread for each processor, as a daemon has it.
pub(crate) fn threaded_executor() -> anyhow::Result<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Builder::new_multi_thread().enable_all().build()?)
}

/// A directory for databases, gone when it is dropped. Beside this program, because the system's place for temporary files
/// may be memory, where nothing is ever written to a disk.
pub(crate) fn directory() -> anyhow::Result<tempfile::TempDir> {
    let program = std::env::current_exe()?;
    let beside = program.parent().context("a program stands in a directory")?;
    tempfile::tempdir_in(beside).with_context(|| beside.display().to_string())
}
