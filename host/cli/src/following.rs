//! What a program that works for long does about installed versions: it says at its start what is wrong with those in use, follows the
//! catalogue, and tells what comes of that.

use std::future::Future;

use serde_json::{Value, json};
use tokio::time::{MissedTickBehavior, interval};
use tradepost_engine::Engine;
use tradepost_engine::versions::{Fleet, FleetNews, FleetOptions, Versions};

use crate::account_versions::{UNSIGNED, accounts_on};
use crate::config::AccountEntry;
use crate::explain_versions::version_error;
use crate::failure::Result;
use crate::session::Opener;
use crate::voice::Voice;

/// The accounts of an engine that are on installed connectors, kept on their versions.
pub(crate) struct Followed<'a> {
    fleet: Fleet,
    engine: Engine,
    versions: Versions,
    opener: Opener<'a>,
    /// Accounts that did not open, and the catalogue's generation when that was tried last.
    left_out: Vec<AccountEntry>,
    tried_at: Option<u64>,
    voice: Voice,
}

impl<'a> Followed<'a> {
    /// Says what is wrong with the versions in use. None where no account is on an installed connector. Of accounts that did not open, those
    /// are worked on as well that open when the versions change.
    pub(crate) async fn begin(
        mut opener: Opener<'a>,
        entries: &[AccountEntry],
        mut left_out: Vec<AccountEntry>,
        engine: &Engine,
        voice: Voice,
    ) -> Result<Option<Self>> {
        let accounts: Vec<(String, String)> = entries.iter().filter_map(on_installed).collect();
        left_out.retain(|entry| entry.connector.installed().is_some());
        if accounts.is_empty() && left_out.is_empty() {
            return Ok(None);
        }
        let versions = opener.versions()?;
        warn(&versions, entries, voice).await?;
        let fleet = Fleet::new(engine.clone(), versions.clone(), accounts, FleetOptions::default());
        let engine = engine.clone();
        Ok(Some(Self { fleet, engine, versions, opener, left_out, tried_at: None, voice }))
    }

    /// Follows the catalogue until `stop` is ready, and waits for calls that began on versions which have been replaced.
    pub(crate) async fn run(mut self, stop: impl Future<Output = ()>) {
        let voice = self.voice;
        // What goes on failing is told once.
        let mut last = None;
        let mut tell = |news: FleetNews| {
            let (what, fields, text) = words(&news);
            if last.as_ref() != Some(&text) {
                voice.say(what, &fields, &text);
            }
            last = matches!(news, FleetNews::Failed(_)).then_some(text);
        };
        tokio::pin!(stop);
        let mut tick = interval(FleetOptions::default().every);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = &mut stop => break,
                _ = tick.tick() => {}
            }
            if let Err(error) = self.fleet.look(&mut tell).await {
                tell(FleetNews::Failed(error));
            }
            self.let_join().await;
        }
        self.fleet.drained(tell).await;
    }

    /// Opens accounts that did not open before, where the versions have changed since.
    async fn let_join(&mut self) {
        if self.left_out.is_empty() {
            return;
        }
        // Where the store fails, the fleet has said so.
        let Ok(generation) = self.versions.generation().await else { return };
        if self.tried_at.replace(generation) == Some(generation) {
            return;
        }
        for entry in std::mem::take(&mut self.left_out) {
            let Ok(session) = self.opener.open(&entry).await else {
                self.left_out.push(entry);
                continue;
            };
            let label = session.account.connector().label().to_owned();
            if let Err(error) = self.engine.add(session.account).await {
                // It is there; its streams are told to the store with the next change.
                self.voice.say("store-failed", &json!({ "reason": error.to_string() }), &error.to_string());
            }
            if let Some((account, connector)) = on_installed(&entry) {
                self.fleet.add(account, connector);
            }
            let text = format!("{} is worked on from now on: {label}", entry.id);
            self.voice.say("joined", &json!({ "account": entry.id, "connector": label }), &text);
        }
    }
}

/// An account on an installed connector, and the connector.
fn on_installed(entry: &AccountEntry) -> Option<(String, String)> {
    Some((entry.id.clone(), entry.connector.installed()?.to_owned()))
}

/// Says of each version in use whether nobody signed it, or it must not be used any more.
async fn warn(versions: &Versions, entries: &[AccountEntry], voice: Voice) -> Result<()> {
    let failed = |error| version_error(&error, "versions");
    let (_, catalogue) = versions.catalogue().await.map_err(failed)?;
    for ((connector, version), accounts) in accounts_on(&catalogue, entries) {
        let fields = json!({ "connector": connector, "version": version.to_string(), "accounts": accounts });
        let (label, list) = (format!("{connector} {version}"), accounts.join(", "));
        if catalogue.connectors[&connector].versions[&version].is_unsigned() {
            let text = format!("warning: {label} is {UNSIGNED}: nobody vouches for it ({list})");
            voice.say("unsigned-version", &fields, &text);
        }
        if versions.unusable_in_use(&connector).await.map_err(failed)?.contains(&version) {
            let text = format!(
                "warning: {label} must not be used any more, and is ({list}); `tradepost versions {connector}` shows why and what \
                 else there is"
            );
            voice.say("unusable-version", &fields, &text);
        }
    }
    Ok(())
}

/// News as event and fields, for programs, and as a line for people.
fn words(news: &FleetNews) -> (&'static str, Value, String) {
    match news {
        FleetNews::Moved { account, before, now, unsigned } => {
            let mark = if *unsigned { format!(" ({UNSIGNED})") } else { String::new() };
            (
                "moved",
                json!({ "account": account, "before": before, "now": now, "unsigned": unsigned }),
                format!("{account}: {now}{mark} is in the place of {before}"),
            )
        }
        FleetNews::Stays { account, wanted, reason } => (
            "stays",
            json!({ "account": account, "wanted": wanted.to_string(), "reason": reason }),
            format!("{account}: stays on its version; it was to be on {wanted}: {reason}"),
        ),
        FleetNews::Promoted { connector, version } => (
            "promoted",
            json!({ "connector": connector, "version": version.to_string() }),
            format!("{connector} {version} proved itself: all accounts of its channel get it"),
        ),
        FleetNews::RolledBack { connector, failed, version, reason } => {
            let left = failed.as_ref().map(ToString::to_string);
            let fields = json!({
                "connector": connector, "failed": left, "version": version.to_string(), "reason": reason,
            });
            let left = left.unwrap_or_default();
            ("rolled-back", fields, format!("{connector} {left} is taken back, {version} is in its place: {reason}"))
        }
        FleetNews::Ended { account, connector, calls } => (
            "calls-ended",
            json!({ "account": account, "connector": connector, "calls": calls }),
            format!(
                "{account}: {calls} calls did not end in time on {connector} and were ended; what they had to do is done again"
            ),
        ),
        FleetNews::Failed(error) => {
            let reason = error.to_string();
            let text = format!("the versions could not be looked at: {reason}");
            ("versions-failed", json!({ "reason": reason }), text)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_roll_back_tells_what_failed_what_is_there_and_why() {
        let news = FleetNews::RolledBack {
            connector: "shop".into(),
            failed: Some("0.2.0".parse().unwrap()),
            version: "0.1.0".parse().unwrap(),
            reason: "3 of 3 calls failed".into(),
        };
        let (what, fields, text) = words(&news);
        assert_eq!(what, "rolled-back");
        assert_eq!((&fields["failed"], &fields["version"]), (&"0.2.0".into(), &"0.1.0".into()));
        assert_eq!(text, "shop 0.2.0 is taken back, 0.1.0 is in its place: 3 of 3 calls failed");
    }
}
