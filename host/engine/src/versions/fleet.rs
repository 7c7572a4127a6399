//! A running engine follows the catalogue: each account is put on the version that it is to be on, versions on trial are judged, and what
//! was replaced is let go when its calls have ended.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::time::Duration;

use semver::Version;
use tokio::task::JoinSet;
use tradepost_runtime::{Account, AccountError, Digest};

use super::catalogue::{Catalogue, STABLE};
use super::error::VersionError;
use super::trial::{TrialKind, Verdict};
use super::{Versions, now};
use crate::engine::{Engine, ReplaceError};
use crate::store::StoreError;
use crate::tally::CallCounts;

/// How a fleet works.
#[derive(Clone, Copy, Debug)]
pub struct FleetOptions {
    /// How often it looks whether something has changed, and judges.
    pub every: Duration,
    /// How long calls that began on a version may go on when another has its place. Then they are ended; what they had to do is done again.
    pub drain: Duration,
}

impl Default for FleetOptions {
    /// Twice a second; half a minute.
    fn default() -> Self {
        Self { every: Duration::from_millis(500), drain: Duration::from_secs(30) }
    }
}

/// Something that a fleet did or could not do.
#[derive(Debug)]
pub enum FleetNews {
    /// An account is on another version now.
    Moved {
        /// The account.
        account: String,
        /// Id and version of the connector that it was on, with the mark of its build where nobody signed it.
        before: String,
        /// Of the one that it is on.
        now: String,
        /// Whether nobody signed the one that it is on.
        unsigned: bool,
    },
    /// An account stays on the version that it is on, because it cannot be opened on the other.
    Stays {
        /// The account.
        account: String,
        /// The connector's version that it was to be on.
        wanted: Version,
        /// Why it is not.
        reason: String,
    },
    /// A canary proved itself: all accounts of its channel get it.
    Promoted {
        /// The connector.
        connector: String,
        /// The version.
        version: Version,
    },
    /// A version was taken back.
    RolledBack {
        /// The connector.
        connector: String,
        /// The version that failed.
        failed: Option<Version>,
        /// The version that is in its place.
        version: Version,
        /// Why.
        reason: String,
    },
    /// Calls that began on a version did not end in time, and were ended.
    Ended {
        /// The account.
        account: String,
        /// Id and version of the connector.
        connector: String,
        /// How many calls.
        calls: usize,
    },
    /// It could not look; it tries again.
    Failed(VersionError),
}

/// Keeps the accounts of an engine on their versions.
pub struct Fleet {
    versions: Versions,
    engine: Engine,
    options: FleetOptions,
    /// Accounts on connectors that are installed, with the connectors' ids.
    accounts: BTreeMap<String, String>,
    /// The catalogue as it was seen last.
    seen: Option<(u64, Catalogue)>,
    /// What is being counted: connector, channel, version.
    counted: BTreeSet<(String, String, Version)>,
    draining: JoinSet<Option<FleetNews>>,
}

/// Why an account is not on another version.
enum NotMoved {
    /// It cannot be opened on it.
    Account(String),
    Version(VersionError),
}

impl From<VersionError> for NotMoved {
    fn from(error: VersionError) -> Self {
        Self::Version(error)
    }
}

impl From<AccountError> for NotMoved {
    fn from(error: AccountError) -> Self {
        Self::Account(error.to_string())
    }
}

impl From<StoreError> for NotMoved {
    fn from(error: StoreError) -> Self {
        Self::Version(error.into())
    }
}

impl Fleet {
    /// A fleet for those accounts of an engine that are on installed connectors: account ids with connector ids.
    pub fn new(
        engine: Engine,
        versions: Versions,
        accounts: impl IntoIterator<Item = (String, String)>,
        options: FleetOptions,
    ) -> Self {
        let accounts = accounts.into_iter().collect();
        Self { versions, engine, options, accounts, seen: None, counted: BTreeSet::new(), draining: JoinSet::new() }
    }

    /// Keeps one more account on its versions, which was [added](Engine::add) to the engine.
    pub fn add(&mut self, account: String, connector: String) {
        self.accounts.insert(account, connector);
        self.seen = None;
    }

    /// Follows the catalogue until `stop` is ready. `tell` hears what happens.
    pub async fn run(&mut self, stop: impl Future<Output = ()>, mut tell: impl FnMut(FleetNews)) {
        tokio::pin!(stop);
        let mut tick = tokio::time::interval(self.options.every);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = &mut stop => return,
                _ = tick.tick() => match self.look(&mut tell).await {
                    Ok(()) => {}
                    Err(error) => tell(FleetNews::Failed(error)),
                },
            }
        }
    }

    /// Looks once: puts accounts on their versions where the catalogue has changed, and judges what is on trial.
    pub async fn look(&mut self, tell: &mut impl FnMut(FleetNews)) -> Result<(), VersionError> {
        while let Some(ended) = self.draining.try_join_next() {
            if let Ok(Some(news)) = ended {
                tell(news);
            }
        }
        let generation = self.versions.generation().await?;
        if self.seen.as_ref().is_none_or(|(seen, _)| *seen != generation) {
            let (generation, catalogue) = self.versions.catalogue().await?;
            self.follow(&catalogue, tell).await?;
            self.seen = Some((generation, catalogue));
        }
        self.judge(tell).await
    }

    /// Puts each account on its version.
    async fn follow(&mut self, catalogue: &Catalogue, tell: &mut impl FnMut(FleetNews)) -> Result<(), VersionError> {
        self.begin_counting(catalogue);
        let mut failed = BTreeMap::new();
        for (id, connector) in &self.accounts.clone() {
            let Some(account) = self.engine.account(id) else { continue };
            let (version, wanted, unsigned) = match catalogue.version_for(id, connector) {
                Ok((version, installed)) => (version.clone(), installed.digest.clone(), installed.is_unsigned()),
                // It had one when it was opened, and keeps it.
                Err(_) => continue,
            };
            if account.connector().digest().to_string() != wanted {
                match self.put_on(&account, &wanted).await {
                    Ok(()) => tell(FleetNews::Moved {
                        account: id.clone(),
                        before: label(catalogue, connector, &account),
                        now: format!("{connector} {version}"),
                        unsigned,
                    }),
                    Err(NotMoved::Version(error @ VersionError::Store(_))) => return Err(error),
                    Err(error) => {
                        let reason = match error {
                            NotMoved::Account(reason) => reason,
                            NotMoved::Version(error) => error.to_string(),
                        };
                        failed.entry((connector.clone(), version.clone())).or_insert_with(|| format!("{id}: {reason}"));
                        tell(FleetNews::Stays { account: id.clone(), wanted: version, reason });
                    }
                }
            }
            self.set_shadow(catalogue, id, connector).await;
        }
        self.finish_what_began().await?;
        let mut needed = catalogue.digests_in_use();
        needed.extend(self.engine.accounts().iter().map(|account| account.connector().digest().to_string()));
        self.versions.let_go(|digest| needed.contains(digest));
        // One on trial that an account cannot be opened on has failed.
        for ((connector, version), reason) in failed {
            if let Some(channel) = channel_on_trial(catalogue, &connector, &version) {
                self.take_back(&connector, &channel, reason, tell).await?;
            }
        }
        Ok(())
    }

    /// Opens an account on another component and puts it in the place of the one that it is on.
    async fn put_on(&mut self, account: &Account, digest: &str) -> Result<(), NotMoved> {
        let connector = self.versions.connector(digest).await?;
        let opened = account.on(&connector)?;
        let before = match self.engine.replace(opened).await {
            Ok(before) => before,
            // It is there; its new streams are told to the store with the next change.
            Err(ReplaceError::Store(error)) => return Err(error.into()),
            Err(ReplaceError::NoAccount(_)) => return Ok(()),
        };
        let (engine, drain) = (self.engine.clone(), self.options.drain);
        self.draining.spawn(async move {
            if tokio::time::timeout(drain, before.drained()).await.is_ok() {
                return None;
            }
            let calls = before.calls_under_way();
            before.retire();
            // What it began is finished on the same component.
            if let Ok(again) = before.on(before.connector()) {
                engine.open_accounts().add_before(again);
            }
            let (account, connector) = (before.id().to_owned(), before.connector().label().to_owned());
            Some(FleetNews::Ended { account, connector, calls })
        });
        Ok(())
    }

    /// Has the version on trial read along, if one is to.
    async fn set_shadow(&self, catalogue: &Catalogue, id: &str, connector: &str) {
        let shadow = match (catalogue.shadow_for(id, connector), self.engine.account(id)) {
            (Some((_, installed)), Some(account)) => {
                let loaded = self.versions.connector(&installed.digest).await;
                loaded.ok().and_then(|connector| account.on(&connector).ok())
            }
            _ => None,
        };
        self.engine.open_accounts().set_shadow(id, shadow);
    }

    /// Opens accounts on the components on which commands of theirs were begun, and lets go of those that are done. [`Fleet::look`] does it as
    /// well; by itself it is for a program that carries out one command and judges nothing.
    pub async fn finish_what_began(&self) -> Result<(), VersionError> {
        let begun: BTreeSet<(String, String)> = self.versions.store.begun_commands().await?.into_iter().collect();
        for (id, digest) in &begun {
            if self.accounts.contains_key(id) && self.engine.open_accounts().on(id, digest).is_none() {
                let Some(account) = self.engine.account(id) else { continue };
                // Where it is not installed any more, the command stays where it is, for a person to see.
                if let Ok(connector) = self.versions.connector(digest).await
                    && let Ok(before) = account.on(&connector)
                {
                    self.engine.open_accounts().add_before(before);
                }
            }
        }
        self.engine.open_accounts().let_go_but(&begun);
        Ok(())
    }

    /// Begins to count calls of versions that come on trial now.
    fn begin_counting(&mut self, catalogue: &Catalogue) {
        let mut counted = BTreeSet::new();
        for (connector, known) in &catalogue.connectors {
            for (name, channel) in &known.channels {
                let Some(trial) = &channel.trial else { continue };
                let key = (connector.clone(), name.clone(), trial.version.clone());
                if !self.counted.contains(&key) {
                    let digest = |version: &Version| known.versions.get(version).and_then(|found| parse(&found.digest));
                    // What was counted of the version before is what a version is held against that all accounts get at once.
                    let mut begun: Vec<Digest> = digest(&trial.version).into_iter().collect();
                    if trial.kind == TrialKind::Canary {
                        begun.extend(digest(&trial.before));
                    }
                    self.engine.health().tally().begin(&begun);
                }
                counted.insert(key);
            }
        }
        self.counted = counted;
    }

    /// Judges what is on trial.
    async fn judge(&mut self, tell: &mut impl FnMut(FleetNews)) -> Result<(), VersionError> {
        let Some((_, catalogue)) = &self.seen else { return Ok(()) };
        let mut sentences = Vec::new();
        for (connector, known) in &catalogue.connectors {
            for (name, channel) in &known.channels {
                let Some(trial) = &channel.trial else { continue };
                let counts = |version: &Version| {
                    let digest = known.versions.get(version).and_then(|found| parse(&found.digest));
                    digest.map_or_else(CallCounts::default, |digest| self.engine.health().tally().of(digest))
                };
                match trial.judge(now(), &counts(&trial.version), &counts(&trial.before)) {
                    Verdict::Wait => {}
                    verdict => sentences.push((connector.clone(), name.clone(), trial.version.clone(), verdict)),
                }
            }
        }
        for (connector, channel, version, verdict) in sentences {
            match verdict {
                Verdict::RollBack(reason) => self.take_back(&connector, &channel, reason, tell).await?,
                Verdict::Promote => {
                    if done(self.versions.promote(&connector, &channel).await)?.is_some() {
                        tell(FleetNews::Promoted { connector, version });
                    }
                }
                Verdict::Settled => drop(done(self.versions.promote(&connector, &channel).await)?),
                Verdict::Wait => {}
            }
        }
        Ok(())
    }

    /// Puts the version before in the place of one that failed, and its accounts back on it at once.
    async fn take_back(
        &mut self,
        connector: &str,
        channel: &str,
        reason: String,
        tell: &mut impl FnMut(FleetNews),
    ) -> Result<(), VersionError> {
        let back = self.versions.roll_back(connector, Some(channel), Some(reason.clone()), true).await;
        if let Some(moved) = done(back)? {
            let connector = connector.to_owned();
            tell(FleetNews::RolledBack { connector, failed: moved.before, version: moved.version, reason });
            // The next look, which comes at once, moves the accounts.
            self.seen = None;
        }
        Ok(())
    }

    /// Waits until the calls have ended that began on versions which have been replaced, or their time is over.
    pub async fn drained(&mut self, mut tell: impl FnMut(FleetNews)) {
        while let Some(ended) = self.draining.join_next().await {
            if let Ok(Some(news)) = ended {
                tell(news);
            }
        }
    }
}

/// Id and version of the connector that an account is on, as it is installed; as it says itself where it is not any more.
fn label(catalogue: &Catalogue, connector: &str, account: &Account) -> String {
    let digest = account.connector().digest().to_string();
    let versions = catalogue.connectors.get(connector).map(|known| &known.versions);
    let version = versions.into_iter().flatten().find(|(_, installed)| installed.digest == digest);
    version.map_or_else(|| account.connector().label().to_owned(), |(version, _)| format!("{connector} {version}"))
}

/// Somebody else changed the versions meanwhile: it is looked at anew.
fn done<T>(result: Result<T, VersionError>) -> Result<Option<T>, VersionError> {
    match result {
        Ok(done) => Ok(Some(done)),
        Err(VersionError::ChangedMeanwhile) => Ok(None),
        Err(error) => Err(error),
    }
}

/// The channel on which this version is on trial.
fn channel_on_trial(catalogue: &Catalogue, connector: &str, version: &Version) -> Option<String> {
    let channels = &catalogue.connectors.get(connector)?.channels;
    let is_it = |name: &&String| channels[*name].trial.as_ref().is_some_and(|trial| trial.version == *version);
    // The channel that most accounts follow, where several try it.
    let stable = channels.keys().find(|name| *name == STABLE).filter(&is_it);
    stable.or_else(|| channels.keys().find(is_it)).cloned()
}

fn parse(digest: &str) -> Option<Digest> {
    digest.parse().ok()
}
