//! What happened to versions and why, and what a store keeps of them.

use async_trait::async_trait;
use semver::Version;
use serde::{Deserialize, Serialize};

use crate::store::StoreError;

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum VersionChange {
    /// A version was installed.
    Installed,
    /// It became the channel's version.
    Activated,
    /// Some accounts got it.
    CanaryBegun,
    /// It began to read along.
    ShadowBegun,
    /// A canary proved itself and became the channel's version.
    Promoted,
    /// A version that was watched had proved itself.
    Settled,
    /// A trial was ended; its version has no accounts any more.
    TrialEnded,
    /// The version before took its place again.
    RolledBack,
    /// An account was pinned, put on a channel, or set free.
    AccountMoved,
    /// A key is trusted, or not any more.
    KeyChanged,
    /// A version must not be used any more.
    VersionRevoked,
    /// Nothing below this version is used.
    FloorSet,
    /// A version was removed.
    Removed,
}

/// Something that happened, to be kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewVersionNote {
    /// The connector.
    pub connector: String,
    /// What happened.
    pub change: VersionChange,
    /// The version.
    pub version: Option<Version>,
    /// The one that was in its place.
    pub before: Option<Version>,
    /// The channel.
    pub channel: Option<String>,
    /// Why, or more about it.
    pub reason: Option<String>,
    /// Whether Tradepost did it by itself.
    pub by_itself: bool,
}

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct VersionNote {
    /// When, milliseconds since 1970.
    pub at: u64,
    /// What.
    #[serde(flatten)]
    pub note: NewVersionNote,
}

/// A page that a shadow read along, compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShadowPage {
    /// The digest of the version that read along.
    pub digest: String,
    /// The account.
    pub account: String,
    /// The stream.
    pub kind: String,
    /// Records that were compared.
    pub records: usize,
    /// Why it brought no page.
    pub failure: Option<String>,
    /// What differs.
    pub differences: Vec<ShadowDifference>,
}

/// A record that two versions read differently.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ShadowDifference {
    /// The account.
    pub account: String,
    /// The stream.
    pub kind: String,
    /// The record's id.
    pub id: String,
    /// What differs: a JSON pointer with both values, or that one has no such record.
    pub what: String,
}

/// What was found by having a version read along.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ShadowReport {
    /// Pages that both read.
    pub pages: u64,
    /// Records that were compared.
    pub records: u64,
    /// Those that differed, each time they did.
    pub differing: u64,
    /// Pages at which the version that reads along failed.
    pub failed: u64,
    /// The last failure.
    pub failure: Option<String>,
    /// Records that differ, with the newest difference of each; at most 200 of a stream.
    pub differences: Vec<ShadowDifference>,
}

/// What a store keeps of versions. A part of [`Store`](crate::store::Store).
#[async_trait]
pub trait VersionStore: Send + Sync {
    /// The document and its generation; 0 and none where there is none yet.
    async fn versions(&self) -> Result<(u64, Option<String>), StoreError>;

    /// The generation of the document.
    async fn versions_generation(&self) -> Result<u64, StoreError>;

    /// Replaces the document, and keeps what happened, in one transaction. Gives the new generation; none where the document is not of the
    /// generation given any more, and then nothing is changed.
    async fn keep_versions(
        &self,
        generation: u64,
        document: String,
        notes: Vec<NewVersionNote>,
    ) -> Result<Option<u64>, StoreError>;

    /// What happened, newest first.
    async fn version_notes(&self, connector: Option<&str>, limit: usize) -> Result<Vec<VersionNote>, StoreError>;

    /// Accounts with the digests of components on which commands of theirs have sent something and are not done.
    async fn begun_commands(&self) -> Result<Vec<(String, String)>, StoreError>;

    /// Keeps what came of a page that was read along.
    async fn keep_shadow_page(&self, page: ShadowPage) -> Result<(), StoreError>;

    /// What was found by having the version of this digest read along.
    async fn shadow_report(&self, digest: &str) -> Result<ShadowReport, StoreError>;
}
