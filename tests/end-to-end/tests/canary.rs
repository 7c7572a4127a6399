//! A secret is in no log, no error, no stored value and no request but the one that carries it.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use tradepost_end_to_end::{config, connector, host, keep, run, walk_orders};
use tradepost_platforms::{HardToFind, Platform, Wcfm};
use tradepost_runtime::commerce::{ListQuery, Shipment};
use tradepost_runtime::storage::Storage;
use tradepost_runtime::{Account, MemoryStorage};

/// Everything that is logged, whoever logs it, at the lowest level.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

async fn stored(account: &Account, storage: &MemoryStorage) -> String {
    let mut lines = Vec::new();
    for key in storage.list(account.id(), "", None, 1000).await.unwrap() {
        let value = storage.get(account.id(), &key).await.unwrap().unwrap_or_default();
        lines.push(format!("{key}={}", String::from_utf8_lossy(&value)));
    }
    lines.join("\n")
}

#[test]
fn a_secret_stays_with_the_host() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt().with_env_filter("trace").with_writer(move || writer.clone()).finish();
    tracing::subscriber::set_global_default(subscriber).unwrap();
    run(async {
        let hardtofind = HardToFind::builder().orders(25).start().await.unwrap();
        let wcfm = Wcfm::builder().start().await.unwrap();
        for platform in [&hardtofind as &dyn Platform, &wcfm] {
            let paths = Arc::new(Mutex::new(Vec::new()));
            let seen = paths.clone();
            platform.between_requests(Box::new(move |served| seen.lock().unwrap().push(served.path.clone())));
            let storage = Arc::new(MemoryStorage::new());
            let account =
                host().open(&connector(platform.name()).await, config(platform).await, storage.clone()).unwrap();
            let mut heard = vec![format!("{account:?}")];

            let reply = account.check().await.unwrap();
            heard.push(format!("{reply:?}"));
            keep(Ok(reply)).await.unwrap();
            let (orders, mark) =
                walk_orders(&account, &ListQuery { include_raw: true, ..ListQuery::default() }, None).await.unwrap();
            heard.push(format!("{orders:?}{mark:?}"));
            heard.push(format!("{:?}", keep(account.get_order("0").await).await));
            heard.push(format!("{:?}", keep(account.ship(&orders[0].id, &Shipment::default()).await).await));
            for fault in ["500", "html", "truncated"] {
                platform.set_fault(Some(fault.parse().unwrap()));
                let error = walk_orders(&account, &ListQuery::default(), None).await.unwrap_err();
                heard.push(format!("{error}{error:?}"));
            }
            platform.set_fault(None);

            let password = platform.credentials().password;
            let pair = BASE64_STANDARD.encode(format!("{}:{password}", platform.credentials().username));
            let stored = stored(&account, &storage).await;
            let paths = paths.lock().unwrap().join("\n");
            let heard = heard.join("\n");
            let ledger = format!("{:?}", platform.ledger().entries());
            let logged = String::from_utf8_lossy(&log.0.lock().unwrap()).into_owned();
            assert!(
                logged.contains("127.0.0.1") && !paths.is_empty() && heard.len() > 1000,
                "there is something to look through"
            );
            for (place, text) in [
                ("an answer", &heard),
                ("storage", &stored),
                ("a URL", &paths),
                ("a write", &ledger),
                ("the log", &logged),
            ] {
                for canary in [password, &pair] {
                    assert!(!text.contains(canary), "{}: a secret is in {place}", platform.name());
                }
                assert!(!text.contains("eyJ0eXAiOiJKV1Qi"), "{}: a token is in {place}", platform.name());
            }
        }
    });
}
