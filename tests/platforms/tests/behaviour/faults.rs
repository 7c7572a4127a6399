//! Each fault as a client meets it, and what it leaves behind in the ledger.

use std::io::ErrorKind;
use std::time::{Duration, Instant};

use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tradepost_platforms::{HardToFind, Platform, Wcfm};

use crate::client::Client;

const ORDER: &str = "/order/123456";
const TRANSITION: &str = "/order/123456/transition";

async fn started(fault: &str) -> (HardToFind, Client) {
    let platform = HardToFind::builder().start().await.unwrap();
    let client = Client::logged_in(&platform).await;
    platform.set_fault(Some(fault.parse().unwrap()));
    (platform, client)
}

#[tokio::test]
async fn a_fault_that_keeps_the_request_away_applies_nothing() {
    for (fault, status, media_type, retry_after) in [
        ("429", 429, "text/html", None),
        ("429=2", 429, "text/html", Some("2")),
        ("500", 500, "text/html", None),
        ("503", 503, "text/html", None),
        ("503=600", 503, "text/html", Some("600")),
        ("html", 200, "text/html", None),
        ("empty", 200, "application/json", None),
    ] {
        let (platform, client) = started(fault).await;
        let answer = client.post(TRANSITION, &json!({"action": "process"})).await;
        assert_eq!(answer.status, status, "{fault}");
        assert!(answer.header("content-type").unwrap().starts_with(media_type), "{fault}");
        assert_eq!(answer.header("retry-after"), retry_after, "{fault}");
        assert_eq!(answer.body.is_empty(), fault == "empty", "{fault}");
        assert!(platform.ledger().is_empty(), "{fault}");
        platform.set_fault(None);
        assert_eq!(client.get(ORDER).await.json()["status"], "READY", "{fault}");
    }
}

#[tokio::test]
async fn a_reset_is_a_tcp_reset_and_applies_nothing() {
    let (platform, client) = started("reset").await;
    let error = client.send("POST", TRANSITION, Some("application/json"), r#"{"action":"process"}"#).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    assert!(platform.ledger().is_empty());
}

#[tokio::test]
async fn apply_then_reset_applies_a_write_and_leaves_reads_alone() {
    let (platform, client) = started("apply-then-reset:next=1").await;
    assert_eq!(client.get(ORDER).await.status, 200);
    let error = client.send("POST", TRANSITION, Some("application/json"), r#"{"action":"process"}"#).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    assert_eq!(platform.ledger().effects()["order.process"], 1);
    assert_eq!(client.get(ORDER).await.json()["status"], "PROCESSED");
    assert_eq!(client.post(TRANSITION, &json!({"action": "process"})).await.status, 409, "a refused write is not hit");
}

#[tokio::test]
async fn a_truncated_answer_breaks_off_half_way() {
    let (_platform, client) = started("truncated").await;
    let answer = client.get(ORDER).await;
    assert_eq!(answer.status, 200);
    assert!(answer.is_truncated());
    assert!(!answer.body.is_empty());
}

#[tokio::test]
async fn a_notice_stands_before_json_that_is_intact() {
    let platform = Wcfm::builder().start().await.unwrap();
    let client = Client::basic(&platform, platform.credentials());
    platform.set_fault(Some("notice".parse().unwrap()));
    let answer = client.get("/wp-json/wcfmmp/v1/orders?per_page=1").await;
    assert_eq!(answer.header("content-type"), Some("text/html; charset=UTF-8"));
    let (notice, json) = answer.text().split_at(answer.text().find('[').unwrap());
    assert!(notice.starts_with("<br />\n<b>Deprecated</b>:"));
    assert_eq!(serde_json::from_str::<serde_json::Value>(json).unwrap()[0]["id"], 75);
}

#[tokio::test]
async fn a_slow_answer_is_the_right_one_after_the_delay() {
    let (_platform, client) = started("slow=120ms:path=/orders").await;
    let start = Instant::now();
    assert_eq!(client.get("/orders?status=READY").await.json()["total_results"], 1);
    assert!(start.elapsed() >= Duration::from_millis(120));
}

#[tokio::test]
async fn a_stopped_marketplace_refuses_connections_and_keeps_its_ledger() {
    let platform = HardToFind::builder().start().await.unwrap();
    let client = Client::logged_in(&platform).await;
    client.post(TRANSITION, &json!({"action": "process"})).await;
    platform.stop().await;
    let error = client.send("GET", ORDER, None, "").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
    assert_eq!(platform.ledger().len(), 1);
}

#[tokio::test]
async fn stopping_ends_connections_that_are_kept_open() {
    let platform = HardToFind::builder().start().await.unwrap();
    let address = platform.root_url().strip_prefix("http://").unwrap().to_owned();
    let mut stream = TcpStream::connect(&address).await.unwrap();
    stream.write_all(b"GET /info HTTP/1.1\r\nhost: here\r\n\r\n").await.unwrap();
    let mut answer = [0; 16];
    stream.read_exact(&mut answer).await.unwrap();
    assert!(answer.starts_with(b"HTTP/1.1 401"));
    platform.stop().await;
    let rest = stream.read_to_end(&mut Vec::new()).await;
    assert!(rest.is_ok_and(|length| length > 0), "the rest of the answer, then the end");
}

#[tokio::test]
async fn a_port_that_is_taken_is_named() {
    let platform = HardToFind::builder().start().await.unwrap();
    let port = platform.root_url().rsplit(':').next().unwrap().parse().unwrap();
    let error = HardToFind::builder().port(port).start().await.err().expect("the port is taken").to_string();
    assert!(error.contains(&format!("127.0.0.1:{port}")) && error.contains("port 0"), "{error}");
}
