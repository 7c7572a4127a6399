//! The pace that a platform allows is kept by the host, logins included. The clock of this test stands still but for what waits on it, so
//! what is counted is the host's doing and not the machine's.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use tokio::time::Instant;
use tradepost_runtime::commerce::ListQuery;
use tradepost_runtime::egress::{SendError, Source};
use tradepost_runtime::{AccountConfig, Egress, Grants, MemoryStorage, Runtime};

/// A hardtofind whose lists are empty, which notes when it is asked.
#[derive(Default)]
struct Noting(Mutex<Vec<Instant>>);

#[async_trait]
impl Source for Noting {
    async fn answer(&self, request: http::Request<Bytes>) -> Result<http::Response<Bytes>, SendError> {
        self.0.lock().unwrap().push(Instant::now());
        let body = match request.uri().path() {
            "/authenticate" => r#"{"person": {"id": "1", "role": "ROLE_SELLER"}, "token": "a-token-of-some-length"}"#,
            _ => r#"{"data": [], "page_size": 10, "page_number": 1, "total_results": 0, "pages": 0}"#,
        };
        Ok(http::Response::new(Bytes::from_static(body.as_bytes())))
    }
}

#[test]
fn five_requests_a_second_and_no_more() {
    let component = tradepost_components::build("hardtofind", |_| {}).unwrap();
    let executor = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
    executor.block_on(async {
        let source = Arc::new(Noting::default());
        let egress = Egress::builder().source(source.clone()).build().unwrap();
        let runtime = Runtime::builder().egress(egress).build().unwrap();
        let connector = runtime.load(std::fs::read(component).unwrap()).await.unwrap();
        let pace = connector.manifest().pace.unwrap();
        assert_eq!((pace.requests, pace.per_ms), (5, 1000));
        let config = AccountConfig {
            id: "pace/hardtofind".into(),
            settings: serde_json::from_str(r#"{"username": "somebody"}"#).unwrap(),
            secrets: [("password".to_owned(), "not-a-real-password".to_owned().into())].into(),
            grants: Grants { hosts: vec!["https://api.hardtofind.com.au".parse().unwrap()], ..Grants::default() },
            auth: None,
        };
        let account = runtime.open(&connector, config, Arc::new(MemoryStorage::new())).unwrap();
        // Two callers at once share the pace.
        let query = ListQuery::default();
        let (one, other) = tokio::join!(account.list_orders(&query, None), account.list_orders(&query, None));
        assert!(one.is_ok() && other.is_ok(), "{:?} {:?}", one.err(), other.err());
        let asked = source.0.lock().unwrap().clone();
        assert!(asked.len() >= 13, "a login and a request for each status, twice: {}", asked.len());
        for from in &asked {
            let second = *from..*from + Duration::from_secs(1);
            let within = asked.iter().filter(|instant| second.contains(instant)).count();
            assert!(within <= 5, "{within} requests in one second");
        }
    });
}
