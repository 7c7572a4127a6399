//! What a program that works for long does about installed versions: it says at its start what is wrong with those in use, follows the
//! catalogue, and tells what comes of that.

use std::future::Future;

use serde_json::{Value, json};
use tradepost_engine::Engine;
use tradepost_engine::versions::{Fleet, FleetNews, FleetOptions, Versions};

use crate::account_versions::{UNSIGNED, accounts_on};
use crate::config::AccountEntry;
use crate::explain_versions::version_error;
use crate::failure::Result;
use crate::session::Opener;
use crate::voice::Voice;

/// The accounts of an engine that are on installed connectors, kept on their versions.
pub(crate) struct Followed {
    fleet: Fleet,
    voice: Voice,
}

impl Followed {
    /// Says what is wrong with the versions in use. None where no account is on an installed connector.
    pub(crate) async fn begin(
        opener: &mut Opener<'_>,
        entries: &[AccountEntry],
        engine: &Engine,
        voice: Voice,
    ) -> Result<Option<Self>> {
        let installed = |entry: &AccountEntry| Some((entry.id.clone(), entry.connector.installed()?.to_owned()));
        let accounts: Vec<(String, String)> = entries.iter().filter_map(installed).collect();
        if accounts.is_empty() {
            return Ok(None);
        }
        let versions = opener.versions()?;
        warn(&versions, entries, voice).await?;
        let fleet = Fleet::new(engine.clone(), versions, accounts, FleetOptions::default());
        Ok(Some(Self { fleet, voice }))
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
        self.fleet.run(stop, &mut tell).await;
        self.fleet.drained(tell).await;
    }
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
