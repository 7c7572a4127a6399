//! Storage filled, misnamed, and searched for what belongs to others (HC-34 to HC-40).

use anyhow::{Context as _, ensure};
use tradepost_runtime::storage::{StorageUsage, StorageWrite, StorageWrites};
use tradepost_runtime::{Limits, Storage as _};

use super::{HOSTILE, harmless};
use crate::arena::Arena;
use crate::case::{Case, MustFail as _, Outcome, attack, ensure_eq};
use crate::stage::{ATTACKER, spacious, tight};
use crate::{CoreModule, EvilAccount};

pub(super) const CASES: &[Case] = &[
    Case::starred(
        "HC-34",
        "a million keys",
        "refused at 10,000 keys and at 16 MiB; what is stored counts in the next call",
        attack!(keys, bytes),
    ),
    Case::starred("HC-35", "a value of 10 MiB", "refused beyond 256 KiB", attack!(large_value)),
    Case::starred(
        "HC-36",
        "keys that lead to another account's rows",
        "0 foreign rows read or written",
        attack!(foreign_keys),
    ),
    Case::plain("HC-37", "everything listed", "own keys only, at most 256 a page", attack!(list_everything)),
    Case::starred("HC-38", "written, then a trap", "0 rows changed", attack!(written_before_a_trap)),
    Case::plain("HC-39", "one key overwritten a million times", "joined into one write", attack!(overwritten)),
    Case::plain(
        "HC-40",
        "values that are log lines, JSON or SQL",
        "stored byte for byte, shown escaped",
        attack!(injected_values),
    ),
    Case::starred("TP-05", "a result that nobody commits", "leaves nothing", attack!(not_committed)),
];

async fn keys(arena: &Arena) -> Outcome {
    let (stage, connector) = arena.evil(spacious()).await?;
    let account = EvilAccount::new("storage-keys").open(&stage, &connector)?;
    let reply = stage.during(account.check()).await.result.context("the refusal is an answer")?;
    ensure!(reply.value.facts.contains(&("stored".into(), "10000".into())), "{:?}", reply.value.facts);
    ensure!(reply.value.facts[1].1.contains("quota"), "{:?}", reply.value.facts);
    stage.nothing_stored().await?;
    reply.commit().await.context("what was accepted can be committed")?;
    ensure_eq!(stage.storage.usage(ATTACKER).await?.keys, 10_000);

    // What is stored counts in the next call, too.
    let findings = EvilAccount::new("storage-key").with("key", "one more").findings(&stage, &connector).await?;
    ensure!(findings.get("written").contains("quota"), "{findings:?}");
    let overwritten = EvilAccount::new("storage-key").with("key", "k1").findings(&stage, &connector).await?;
    ensure_eq!(overwritten.get("written"), "stored", "a key that is there may be written");
    Ok("refused after 10,000 keys, in the next call too".into())
}

async fn bytes(arena: &Arena) -> Outcome {
    let (stage, connector) = arena.evil(spacious()).await?;
    let account = EvilAccount::new("storage-bytes").open(&stage, &connector)?;
    let reply = stage.during(account.check()).await.result.context("the refusal is an answer")?;
    // 64 values of 256 KiB would be 16 MiB, and the keys come on top.
    ensure!(reply.value.facts.contains(&("stored".into(), "63".into())), "{:?}", reply.value.facts);
    reply.commit().await.context("what was accepted can be committed")?;
    ensure!(stage.storage.usage(ATTACKER).await?.bytes <= 16 << 20);
    Ok("refused after 63 values of 256 KiB".into())
}

async fn large_value(arena: &Arena) -> Outcome {
    let (stage, connector) = arena.evil(spacious()).await?;
    let findings = EvilAccount::new("storage-value").findings(&stage, &connector).await?;
    ensure_eq!(findings.get("262144"), "stored");
    ensure!(findings.get("262145").contains("256 KiB"), "{findings:?}");
    ensure!(findings.get("10485760").contains("256 KiB"), "{findings:?}");
    Ok("262,144 bytes are stored, 262,145 and 10 MiB refused".into())
}

async fn foreign_keys(arena: &Arena) -> Outcome {
    let (stage, connector) = arena.evil(spacious()).await?;
    // Ids that are prefixes of each other, and rows named like what an attacker would try.
    let victims = ["mallory/shop2", "mallory", "alice/private", "mallory/shop/x"];
    for victim in victims {
        let write = |key: &str| StorageWrite { key: key.into(), value: Some(b"theirs".to_vec()), time_to_live: None };
        let writes = StorageWrites {
            preconditions: Vec::new(),
            writes: ["mark", "x/mark", "2/mark", "caf\u{e9}"].map(write).into(),
        };
        stage.storage.commit(victim, writes).await.context("memory storage answers")?;
    }
    let long = "k".repeat(64 << 10);
    let keys = [
        ("../shop2/mark", true),
        ("../../alice/private/mark", true),
        ("/alice/private/mark", true),
        ("%2e%2e/shop2/mark", true),
        ("2/mark", true),
        ("x/mark", true),
        ("mark", true),
        ("cafe\u{301}", true),
        ("'; DROP TABLE storage; --", true),
        ("alice/private\u{1f}mark", false),
        ("a\0b", false),
        ("mark\n", false),
        ("", false),
        (&long, false),
    ];
    for (key, accepted) in keys {
        let account = EvilAccount::new("storage-key").with("key", key);
        let findings = account.findings(&stage, &connector).await?;
        for place in ["read", "listed"] {
            let found = findings.get(place);
            ensure!(found.is_empty() || found == "nothing" || found.starts_with("refused"), "{key:?} {place}: {found}");
        }
        ensure_eq!(findings.get("written") == "stored", accepted, "{key:?}: {findings:?}");
        let reply = account.open(&stage, &connector)?.check().await.context("it writes again")?;
        ensure_eq!(
            reply.writes.writes.iter().map(|write| write.key.as_str()).collect::<Vec<_>>(),
            if accepted { vec![key] } else { vec![] }
        );
        reply.commit().await.context("an accepted key can be committed")?;
        stage.storage.commit(ATTACKER, removal(key)).await.context("memory storage answers")?;
    }
    for victim in victims {
        ensure_eq!(stage.storage.get(victim, "mark").await?.as_deref(), Some(&b"theirs"[..]), "{victim}");
        ensure_eq!(stage.storage.usage(victim).await?.keys, 4, "{victim}");
    }
    ensure_eq!(stage.storage.usage(ATTACKER).await?, StorageUsage::default());
    Ok(format!("{} keys, 0 foreign rows", keys.len()))
}

fn removal(key: &str) -> StorageWrites {
    let write = StorageWrite { key: key.into(), value: None, time_to_live: None };
    StorageWrites { preconditions: Vec::new(), writes: vec![write] }
}

async fn list_everything(arena: &Arena) -> Outcome {
    let (stage, connector) = arena.evil(spacious()).await?;
    let rows = |count: usize, prefix: &str| StorageWrites {
        preconditions: Vec::new(),
        writes: (0..count)
            .map(|number| StorageWrite {
                key: format!("{prefix}{number:04}"),
                value: Some(Vec::new()),
                time_to_live: None,
            })
            .collect(),
    };
    stage.storage.commit(ATTACKER, rows(600, "own")).await?;
    stage.storage.commit("alice/private", rows(10, "theirs")).await?;
    let findings = EvilAccount::new("storage-list").findings(&stage, &connector).await?;
    ensure_eq!(findings.all("page"), ["256", "256", "88", "0"]);
    ensure_eq!(findings.all("key").len(), 600);
    ensure!(findings.all("key").iter().all(|key| key.starts_with("own")));
    Ok("600 own keys in pages of 256, none of the others".into())
}

async fn written_before_a_trap(arena: &Arena) -> Outcome {
    let (stage, connector) = arena.evil(spacious()).await?;
    let before =
        StorageWrite { key: "trace".into(), value: Some(b"from an earlier call".to_vec()), time_to_live: None };
    stage.storage.commit(ATTACKER, StorageWrites { preconditions: Vec::new(), writes: vec![before] }).await?;
    let account = EvilAccount::new("panic").with("text", "now").open(&stage, &connector)?;
    stage.during(account.check()).await.result.must_fail("it panics")?;
    let kept = stage.storage.get(ATTACKER, "trace").await?;
    ensure_eq!(kept.as_deref(), Some(&b"from an earlier call"[..]), "neither lost nor overwritten");
    Ok("the earlier value stands".into())
}

async fn overwritten(arena: &Arena) -> Outcome {
    let count: u64 = arena.scaled(10_000, 1_000_000);
    let limits = Limits { host_calls: count + 1_000, wall: spacious().wall * 4, cpu: spacious().cpu * 4, ..spacious() };
    let (stage, connector) = arena.evil(limits).await?;
    let account = EvilAccount::new("storage-overwrite").with("times", count.to_string()).open(&stage, &connector)?;
    let reply = stage.during(account.check()).await.result.context("overwriting is allowed")?;
    let expected =
        StorageWrite { key: "mark".into(), value: Some((count - 1).to_string().into_bytes()), time_to_live: None };
    ensure_eq!(reply.writes.writes, [expected]);
    Ok(format!("{count} times: one write"))
}

async fn not_committed(arena: &Arena) -> Outcome {
    let stage = arena.stage(tight()).await?;
    let connector = stage.runtime.load(CoreModule::default().component()).await.context("it loads")?;
    let reply = stage.open(&connector)?.check().await.context("a healthy connector")?;
    ensure_eq!(reply.writes.writes.len(), 1);
    drop(reply);
    stage.nothing_stored().await?;
    Ok("nothing".into())
}

/// Values that would be something else in another place.
const INJECTED: [&str; 4] =
    [HOSTILE, "'; DROP TABLE value; --", "{\"a\":1}\n{\"level\":\"ERROR\"}", "</script><script>alert(1)</script>"];

async fn injected_values(arena: &Arena) -> Outcome {
    let (stage, connector) = arena.evil(spacious()).await?;
    let durable = tradepost_engine::store::in_memory()?;
    for value in INJECTED {
        let account = EvilAccount::new("storage-put").with("key", "injected").with("value", value);
        let reply = stage.during(account.open(&stage, &connector)?.check()).await.result?;
        for line in &reply.log {
            harmless("the log line that repeats it", &line.message)?;
        }
        let write = reply.writes.writes.first().context("one write")?.clone();
        ensure_eq!(write.value.as_deref(), Some(value.as_bytes()), "the write");
        durable.commit(ATTACKER, StorageWrites { preconditions: Vec::new(), writes: vec![write] }).await?;
        ensure_eq!(
            durable.get(ATTACKER, "injected").await?.as_deref(),
            Some(value.as_bytes()),
            "what SQLite gives back"
        );
        reply.commit().await?;
        ensure_eq!(stage.storage.get(ATTACKER, "injected").await?.as_deref(), Some(value.as_bytes()), "what is stored");
    }
    Ok(format!("{} values, the same bytes in memory and in SQLite, escaped in the log", INJECTED.len()))
}
