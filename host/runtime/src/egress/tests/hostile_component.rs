//! What a hostile connector may try with requests: the HC cases on egress.

use std::sync::atomic::AtomicUsize;

use axum::extract::State;
use axum::routing::post as post_route;
use tokio::sync::Barrier;

use super::*;

#[tokio::test]
async fn hc_41_a_host_that_is_not_granted_is_denied_by_name_and_line() {
    let account = Account::new("https://api.example.com", &["https://api.example.com"]);
    let door = account.door();
    let expected = r#"hosts not granted: https://api.example.com (connector hft71 0.1.0 asks for it; allow it with "grants.hosts = [\"https://api.example.com\"]" in account acme/hft71)"#;
    assert_eq!(door.missing_grants().unwrap().to_string(), expected);
    let denial = denial(door.exchange(HttpLimits::default()).send(get("/orders")).await);
    assert_eq!(denial.layer(), Layer::Grant);
    assert_eq!(denial.to_string(), expected);
    assert_eq!(denial.allow_with(), Some(r#"grants.hosts = ["https://api.example.com"]"#));
}

#[tokio::test]
async fn hc_41_the_line_keeps_what_is_already_granted() {
    let mut account =
        Account::new("https://a.example", &["https://a.example", "https://b.example", "https://c.example"]);
    account.policy.grants.hosts = vec!["https://a.example".parse().unwrap()];
    let line = r#"grants.hosts = ["https://a.example", "https://b.example", "https://c.example"]"#;
    assert_eq!(account.door().missing_grants().unwrap().allow_with(), Some(line));
}

#[tokio::test]
async fn hc_41_a_host_that_the_manifest_does_not_declare_is_denied_even_if_granted() {
    let mut account = Account::new("https://a.example", &["https://a.example"]).granted();
    account.policy.grants.hosts.push("https://b.example".parse().unwrap());
    let denial = denial(account.exchange().send(get("https://b.example/")).await);
    assert_eq!(denial.layer(), Layer::Manifest);
    assert!(denial.to_string().contains("hft71 0.1.0") && denial.allow_with().is_none(), "{denial}");
}

#[tokio::test]
async fn hc_42_another_port_is_another_origin() {
    let exchange = Account::new("https://a.example", &["https://a.example"]).granted().exchange();
    for port in [22, 5432, 4222, 6379, 80, 8443] {
        let denial = denial(exchange.send(get(&format!("https://a.example:{port}/"))).await);
        assert_eq!(denial.layer(), Layer::Manifest, "{port}");
    }
}

#[tokio::test]
async fn hc_43_other_schemes_are_denied_and_http_only_where_granted_as_http() {
    let exchange = Account::new("https://a.example", &["https://a.example"]).granted().exchange();
    for url in [
        "file:///etc/passwd",
        "ftp://a.example/",
        "gopher://a.example/",
        "ws://a.example/",
        "unix:///run/x.sock",
        "data:,x",
    ] {
        assert_eq!(denial(exchange.send(get(url)).await).layer(), Layer::Url, "{url}");
    }
    assert_eq!(denial(exchange.send(get("http://a.example/")).await).layer(), Layer::Manifest);
}

#[tokio::test]
async fn hc_51_urls_that_hide_their_host_are_denied() {
    let exchange = Account::new("https://ok.example", &["https://ok.example"]).granted().exchange();
    for (url, layer) in [
        ("https://user@ok.example/", Layer::Url),
        ("https://user:pw@ok.example/", Layer::Url),
        ("https://ok.example\\@127.0.0.1/", Layer::Url),
        ("https://ok.example#@127.0.0.1/", Layer::Url),
        ("https://ok.example:0/", Layer::Url),
        ("https://ok.example./", Layer::Url),
        ("https://оk.example/", Layer::Manifest), // a Cyrillic o
        ("https://ok.example.evil.example/", Layer::Manifest),
        ("https://evil.example/?https://ok.example/", Layer::Manifest),
    ] {
        let denial = denial(exchange.send(get(url)).await);
        assert_eq!(denial.layer(), layer, "{url}: {denial}");
    }
}

#[tokio::test]
async fn hc_51_case_is_not_a_difference() {
    let server = RawServer::answering(ok("ok")).await;
    let url = format!("HTTP://{}/x", server.address);
    assert_eq!(Account::at(&server.origin()).exchange().send(get(&url)).await.unwrap().body, "ok");
}

#[tokio::test]
async fn hc_52_line_ends_and_control_characters_never_reach_the_wire() {
    let server = RawServer::answering(ok("ok")).await;
    let exchange = Account::at(&server.origin()).exchange();
    let header = |name: &str, value: &str| Request { headers: vec![(name.to_owned(), value.to_owned())], ..get("/") };
    for request in [
        header("accept", "a\r\nhost: evil"),
        header("accept", "a\nb"),
        header("accept", "a\0b"),
        header("accept", "a\r\n folded"),
        header("accept", "caf\u{e9}"),
        header("acc\r\nept", "x"),
        header("acc ept", "x"),
        header("accept:", "x"),
        header("", "x"),
        get("/a\r\nhost: evil"),
        get("/a b"),
        get("/a\0"),
    ] {
        let denial = denial(exchange.send(request.clone()).await);
        assert!(matches!(denial.layer(), Layer::Header | Layer::Url), "{request:?}: {denial}");
    }
    // Encoded, they are data.
    exchange.send(get("/a%0D%0Ahost:%20evil")).await.unwrap();
    assert_eq!(server.requests().len(), 1);
    assert!(server.requests()[0].starts_with("GET /a%0D%0Ahost:%20evil HTTP/1.1\r\n"));
}

#[tokio::test]
async fn hc_53_headers_of_the_host_are_refused() {
    let server = RawServer::answering(ok("ok")).await;
    let mut account = Account::at(&server.origin()).credential(Credential::Fixed {
        value: secrecy::SecretString::from("key-123456"),
        placement: Placement::Header { name: "X-Auth-Token".to_owned(), prefix: String::new() },
    });
    account.policy.request_headers = ["X-Shop-Id", "Host", "Trailer"].map(str::to_owned).to_vec();
    let door = account.door();
    assert_eq!(door.policy_problems().len(), 2, "the manifest may not ask for Host and Trailer");
    let exchange = door.exchange(HttpLimits::default());
    for name in [
        "Host",
        "Authorization",
        "Cookie",
        "Content-Length",
        "Transfer-Encoding",
        "TE",
        "Trailer",
        "Connection",
        "Keep-Alive",
        "Upgrade",
        "Proxy-Authorization",
        "Proxy-Connection",
        "X-Forwarded-For",
        "X-Forwarded-Host",
        "Forwarded",
        "X-Real-IP",
        "X-HTTP-Method-Override",
        "X-Original-URL",
        "Accept-Encoding",
        "Referer",
        "X-Unknown",
        "x-auth-token",
    ] {
        let request = Request { headers: vec![(name.to_owned(), "x".to_owned())], ..get("/") };
        let denial = denial(exchange.send(request).await);
        assert_eq!(denial.layer(), Layer::Header, "{name}");
        let reason = match name {
            "X-Unknown" => "manifest's request-headers",
            "x-auth-token" => "carries the account's credential",
            _ => "not a connector's to set",
        };
        assert!(denial.to_string().contains(reason), "{name}: {denial}");
    }
    let allowed = [("Accept", "application/json"), ("If-None-Match", "\"1\""), ("X-Shop-Id", "7")];
    let headers = allowed.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
    exchange.send(Request { headers, ..get("/") }).await.unwrap();
    let requests = server.requests();
    assert_eq!(requests.len(), 1, "refused requests are not sent");
    for line in [
        "accept: application/json",
        "if-none-match: \"1\"",
        "x-shop-id: 7",
        "x-auth-token: key-123456",
        "accept-encoding: gzip, deflate",
    ] {
        assert!(requests[0].contains(&format!("{line}\r\n")), "{line}: {}", requests[0]);
    }
    assert!(!requests[0].to_ascii_lowercase().contains("referer"));
}

#[tokio::test]
async fn hc_54_only_six_methods_exist_and_get_has_no_body() {
    let methods = [Method::Get, Method::Head, Method::Post, Method::Put, Method::Patch, Method::Delete];
    assert_eq!(methods.map(|method| method.to_string()), ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]);
    let exchange = Account::new("https://a.example", &["https://a.example"]).granted().exchange();
    for method in [Method::Get, Method::Head] {
        let request = Request { body: Some(Bytes::from_static(b"x")), ..request(method, "/") };
        assert_eq!(denial(exchange.send(request).await).layer(), Layer::Method);
    }
}

/// Requests wait for each other in fours, so fewer than four at a time would hang; the highest number seen is the proof
/// that there are never more.
#[tokio::test]
async fn hc_56_sixty_four_requests_a_call_four_at_a_time() {
    struct Ledger {
        now: AtomicUsize,
        most: AtomicUsize,
        all: AtomicUsize,
        four: Barrier,
    }
    async fn handle(State(ledger): State<Arc<Ledger>>, body: String) -> String {
        ledger.all.fetch_add(1, Ordering::SeqCst);
        let now = ledger.now.fetch_add(1, Ordering::SeqCst) + 1;
        ledger.most.fetch_max(now, Ordering::SeqCst);
        ledger.four.wait().await;
        ledger.now.fetch_sub(1, Ordering::SeqCst);
        body
    }
    let ledger = Arc::new(Ledger {
        now: AtomicUsize::new(0),
        most: AtomicUsize::new(0),
        all: AtomicUsize::new(0),
        four: Barrier::new(4),
    });
    let origin = serve(Router::new().route("/echo", post_route(handle)).with_state(ledger.clone())).await;
    let exchange = Account::at(&origin).exchange();
    let requests =
        (0..100).map(|number| Request { effect: Effect::Read, ..post("/echo", &number.to_string()) }).collect();
    let outcomes = exchange.send_all(requests).await;

    assert_eq!(outcomes.len(), 100);
    for (number, outcome) in outcomes.into_iter().enumerate() {
        match outcome {
            Ok(response) => assert_eq!(response.body, number.to_string(), "answers stand in the order of the requests"),
            Err(error) => {
                assert!(number >= 64, "{number}: {error}");
                assert_eq!(
                    error,
                    SendError::Budget(BudgetExceeded { limit: Limit::Requests, allowed: 64, sent: false })
                );
                assert!(!error.may_have_been_sent());
            }
        }
    }
    assert_eq!(ledger.all.load(Ordering::SeqCst), 64);
    assert_eq!(ledger.most.load(Ordering::SeqCst), 4);
    assert_eq!(exchange.usage().requests, 64);
    assert!(!exchange.usage().wrote);
}

#[tokio::test]
async fn hc_57_a_call_sends_at_most_its_bytes() {
    let server = RawServer::answering(ok("ok")).await;
    let exchange = Account::at(&server.origin()).exchange();
    let big = "x".repeat(5 * 1024 * 1024);
    exchange.send(post("/upload", &big)).await.unwrap();
    let error = exchange.send(post("/upload", &big)).await.unwrap_err();
    assert_eq!(
        error,
        SendError::Budget(BudgetExceeded { limit: Limit::BytesOut, allowed: 8 * 1024 * 1024, sent: false })
    );
    assert!(error.to_string().contains("8388608"), "{error}");
    assert_eq!(server.requests().len(), 1);
    assert!(exchange.usage().bytes_out > 5 * 1024 * 1024 && exchange.usage().wrote);
}

#[tokio::test]
async fn a_post_without_body_says_that_it_has_none() {
    let server = RawServer::answering(ok("ok")).await;
    Account::at(&server.origin()).exchange().send(request(Method::Post, "/orders/1/process")).await.unwrap();
    assert!(server.requests()[0].to_ascii_lowercase().contains("content-length: 0\r\n"), "{}", server.requests()[0]);
}
