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
    let mut text = String::new();
    for key in storage.list(account.id(), "", None, 1000).await.unwrap() {
        let value = storage.get(account.id(), &key).await.unwrap().unwrap_or_default();
        text.push_str(&format!("{key}={}\n", String::from_utf8_lossy(&value)));
    }
    text
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
            let paths = Arc::new(Mutex::new(String::new()));
            let seen = paths.clone();
            platform
                .between_requests(Box::new(move |served| seen.lock().unwrap().push_str(&format!("{}\n", served.path))));
            let storage = Arc::new(MemoryStorage::new());
            let account = host().open(connector(platform.name()).await, config(platform), storage.clone()).unwrap();
            let mut heard = format!("{account:?}");

            let reply = account.check().await.unwrap();
            heard.push_str(&format!("{reply:?}"));
            keep(Ok(reply)).await.unwrap();
            let (orders, mark) =
                walk_orders(&account, &ListQuery { include_raw: true, ..ListQuery::default() }, None).await.unwrap();
            heard.push_str(&format!("{orders:?}{mark:?}"));
            heard.push_str(&format!("{:?}", keep(account.get_order("0").await).await));
            heard.push_str(&format!("{:?}", keep(account.ship(&orders[0].id, &Shipment::default()).await).await));
            for fault in ["500", "html", "truncated", "401"] {
                let Ok(fault) = fault.parse() else { continue };
                platform.set_fault(Some(fault));
                let error = walk_orders(&account, &ListQuery::default(), None).await.unwrap_err();
                heard.push_str(&format!("{error}{error:?}"));
            }
            platform.set_fault(None);

            let password = platform.credentials().password;
            let pair = BASE64_STANDARD.encode(format!("{}:{password}", platform.credentials().username));
            let stored = stored(&account, &storage).await;
            let paths = paths.lock().unwrap().clone();
            let ledger = format!("{:?}", platform.ledger().entries());
            let logged = String::from_utf8_lossy(&log.0.lock().unwrap()).into_owned();
            assert!(!logged.is_empty() && !paths.is_empty() && heard.len() > 1000);
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
