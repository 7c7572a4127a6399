//! Storage filled, misnamed, and searched for what belongs to others (HC-34 to HC-40).

use std::time::Duration;

use tradepost_hostile::stage::{ATTACKER, tight};
use tradepost_hostile::{CoreModule, EvilAccount, Stage, evil};
use tradepost_runtime::storage::{StorageUsage, StorageWrite, StorageWrites};
use tradepost_runtime::{Connector, Limits, Storage};

async fn evil_stage() -> (Stage, Connector) {
    let limits = Limits { cpu: Duration::from_secs(20), memory_bytes: 64 << 20, ..tight() };
    let stage = Stage::new(limits).await;
    let connector = stage.runtime.load(evil::component()).await.expect("it loads");
    (stage, connector)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hc_34_keys_stop_at_the_quota() {
    let (stage, connector) = evil_stage().await;
    let account = EvilAccount::new("storage-keys").open(&stage, &connector);
    let reply = stage.during(account.check()).await.result.expect("the refusal is an answer");
    assert!(reply.value.facts.contains(&("stored".into(), "10000".into())), "{:?}", reply.value.facts);
    assert!(reply.value.facts[1].1.contains("quota"), "{:?}", reply.value.facts);
    stage.assert_nothing_stored().await;
    reply.commit().await.expect("what was accepted can be committed");
    assert_eq!(stage.storage.usage(ATTACKER).await.unwrap().keys, 10_000);

    // What is stored counts in the next call, too.
    let findings = EvilAccount::new("storage-key").with("key", "one more").findings(&stage, &connector).await;
    assert!(findings.get("written").contains("quota"), "{findings:?}");
    let overwritten = EvilAccount::new("storage-key").with("key", "k1").findings(&stage, &connector).await;
    assert_eq!(overwritten.get("written"), "stored", "a key that is there may be written");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hc_34_bytes_stop_at_the_quota() {
    let (stage, connector) = evil_stage().await;
    let account = EvilAccount::new("storage-bytes").open(&stage, &connector);
    let reply = stage.during(account.check()).await.result.expect("the refusal is an answer");
    // 64 values of 256 KiB would be 16 MiB, and the keys come on top.
    assert!(reply.value.facts.contains(&("stored".into(), "63".into())), "{:?}", reply.value.facts);
    reply.commit().await.expect("what was accepted can be committed");
    assert!(stage.storage.usage(ATTACKER).await.unwrap().bytes <= 16 << 20);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hc_35_a_value_beyond_256_kibibytes_is_refused() {
    let (stage, connector) = evil_stage().await;
    let findings = EvilAccount::new("storage-value").findings(&stage, &connector).await;
    assert_eq!(findings.get("262144"), "stored");
    assert!(findings.get("262145").contains("256 KiB"), "{findings:?}");
    assert!(findings.get("10485760").contains("256 KiB"), "{findings:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hc_36_no_key_leads_to_another_accounts_rows() {
    let (stage, connector) = evil_stage().await;
    // Ids that are prefixes of each other, and rows named like what an attacker would try.
    let victims = ["mallory/shop2", "mallory", "alice/private", "mallory/shop/x"];
    for victim in victims {
        let write = |key: &str| StorageWrite { key: key.into(), value: Some(b"theirs".to_vec()), time_to_live: None };
        let writes = StorageWrites {
            preconditions: Vec::new(),
            writes: ["mark", "x/mark", "2/mark", "caf\u{e9}"].map(write).into(),
        };
        stage.storage.commit(victim, writes).await.expect("memory storage answers");
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
        let findings = account.findings(&stage, &connector).await;
        for place in ["read", "listed"] {
            let found = findings.get(place);
            assert!(found.is_empty() || found == "nothing" || found.starts_with("refused"), "{key:?} {place}: {found}");
        }
        assert_eq!(findings.get("written") == "stored", accepted, "{key:?}: {findings:?}");
        let reply = account.open(&stage, &connector).check().await.expect("it writes again");
        assert_eq!(
            reply.writes.writes.iter().map(|write| write.key.as_str()).collect::<Vec<_>>(),
            if accepted { vec![key] } else { vec![] }
        );
        reply.commit().await.expect("an accepted key can be committed");
        stage.storage.commit(ATTACKER, removal(key)).await.expect("memory storage answers");
    }
    for victim in victims {
        assert_eq!(stage.storage.get(victim, "mark").await.unwrap().as_deref(), Some(&b"theirs"[..]), "{victim}");
        assert_eq!(stage.storage.usage(victim).await.unwrap().keys, 4, "{victim}");
    }
    assert_eq!(stage.storage.usage(ATTACKER).await.unwrap(), StorageUsage::default());
}

fn removal(key: &str) -> StorageWrites {
    let write = StorageWrite { key: key.into(), value: None, time_to_live: None };
    StorageWrites { preconditions: Vec::new(), writes: vec![write] }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hc_37_listing_everything_gives_only_own_keys_in_pages_of_256() {
    let (stage, connector) = evil_stage().await;
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
    stage.storage.commit(ATTACKER, rows(600, "own")).await.unwrap();
    stage.storage.commit("alice/private", rows(10, "theirs")).await.unwrap();
    let findings = EvilAccount::new("storage-list").findings(&stage, &connector).await;
    assert_eq!(findings.all("page"), ["256", "256", "88", "0"]);
    assert_eq!(findings.all("key").len(), 600);
    assert!(findings.all("key").iter().all(|key| key.starts_with("own")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hc_38_what_was_written_before_a_trap_is_gone() {
    let (stage, connector) = evil_stage().await;
    let before =
        StorageWrite { key: "trace".into(), value: Some(b"from an earlier call".to_vec()), time_to_live: None };
    stage.storage.commit(ATTACKER, StorageWrites { preconditions: Vec::new(), writes: vec![before] }).await.unwrap();
    let account = EvilAccount::new("panic").with("text", "now").open(&stage, &connector);
    stage.during(account.check()).await.result.expect_err("it panics");
    let kept = stage.storage.get(ATTACKER, "trace").await.unwrap();
    assert_eq!(kept.as_deref(), Some(&b"from an earlier call"[..]), "neither lost nor overwritten");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hc_39_overwriting_a_key_is_one_write() {
    // The reference's million, a hundredth of it: what is tested is that the writes are joined.
    let (stage, connector) = evil_stage().await;
    let account = EvilAccount::new("storage-overwrite").open(&stage, &connector);
    let reply = stage.during(account.check()).await.result.expect("overwriting is allowed");
    let expected = StorageWrite { key: "mark".into(), value: Some(b"9999".to_vec()), time_to_live: None };
    assert_eq!(reply.writes.writes, [expected]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reply_that_is_not_committed_leaves_nothing() {
    let stage = Stage::new(tight()).await;
    let connector = stage.runtime.load(CoreModule::default().component()).await.expect("it loads");
    let reply = stage.open(&connector).check().await.expect("a healthy connector");
    assert_eq!(reply.writes.writes.len(), 1);
    drop(reply);
    stage.assert_nothing_stored().await;
}
