//! The way out, tried by a real component (HC-41 to HC-56). Each layer's tables, the reference's address vectors among
//! them, are tested beside the egress module; here it is shown that a component's requests pass through it.
//!
//! Judged by the server: by its ledger, and by connections that were opened at all.

use std::time::Duration;

use tradepost_hostile::core_module::SCRATCH_AT;
use tradepost_hostile::evil::Findings;
use tradepost_hostile::stage::tight;
use tradepost_hostile::{CoreModule, EvilAccount, Server, Stage, evil};
use tradepost_runtime::{AccountError, CallError, Connector, Egress, Grants, Limits, Runtime};

fn limits() -> Limits {
    Limits { cpu: Duration::from_secs(20), memory_bytes: 64 << 20, ..tight() }
}

async fn evil_stage() -> (Stage, Connector) {
    let stage = Stage::new(limits()).await;
    let connector = stage.runtime.load(evil::component()).await.expect("it loads");
    (stage, connector)
}

/// The refusal as the connector gets to know it: which layer refused. Grants and addresses are for the operator's eyes.
fn refusal(findings: &Findings) -> &str {
    assert!(findings.get("error").contains("Forbidden"), "expected a refusal: {findings:?}");
    findings.get("detail")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_granted_server_is_reached() {
    let (stage, connector) = evil_stage().await;
    let server = Server::start().await;
    let findings =
        EvilAccount::new("send").at(&server).with("url", "/orders?page=2").findings(&stage, &connector).await;
    assert_eq!((findings.get("status"), findings.get("body")), ("200", "ok"));
    assert_eq!(server.seen()[0].target, "/orders?page=2");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hc_41_a_host_that_is_not_declared_is_denied() {
    let (stage, connector) = evil_stage().await;
    let (server, elsewhere) = (Server::start().await, Server::start().await);
    let mut account = EvilAccount::new("send").at(&server).with("url", elsewhere.url());
    // The operator granted it, and the manifest does not ask for it.
    account.grants.private_hosts.push(elsewhere.origin());
    let findings = account.findings(&stage, &connector).await;
    assert!(refusal(&findings).contains("manifest layer"), "{findings:?}");
    assert_eq!(elsewhere.connections(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hc_41_a_host_that_is_declared_and_not_granted_fails_when_the_account_is_opened() {
    let (stage, connector) = evil_stage().await;
    let server = Server::start().await;
    let account = EvilAccount { grants: Grants::default(), ..EvilAccount::new("send").at(&server) };
    let error = account.try_open(&stage, &connector).expect_err("nothing is granted");
    assert!(matches!(error, AccountError::Denied(_)), "{error:?}");
    let text = error.to_string();
    assert!(text.contains("hosts not granted") && text.contains("grants.private_hosts = ["), "{text}");
    assert_eq!(server.connections(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hc_42_other_ports_of_a_granted_host_are_denied() {
    let (stage, connector) = evil_stage().await;
    let (server, database) = (Server::start().await, Server::start().await);
    let urls =
        [22, 5432, 4222, 6379].map(|port| format!("http://127.0.0.1:{port}/")).into_iter().chain([database.url()]);
    for url in urls {
        let findings = EvilAccount::new("send").at(&server).with("url", &url).findings(&stage, &connector).await;
        assert!(refusal(&findings).contains("manifest layer"), "{url}: {findings:?}");
    }
    assert_eq!(database.connections(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hc_43_other_schemes_are_denied() {
    let (stage, connector) = evil_stage().await;
    let server = Server::start().await;
    let authority = server.address();
    for scheme in ["file", "ftp", "gopher", "ws", "wss", "unix", "data", "javascript", "HTTPX"] {
        let url = format!("{scheme}://{authority}/");
        let findings = EvilAccount::new("send").at(&server).with("url", &url).findings(&stage, &connector).await;
        assert!(refusal(&findings).contains("url layer"), "{url}: {findings:?}");
    }
    // The same host over TLS is another origin.
    let findings = EvilAccount::new("send")
        .at(&server)
        .with("url", format!("https://{authority}/"))
        .findings(&stage, &connector)
        .await;
    assert!(refusal(&findings).contains("manifest layer"), "{findings:?}");
    assert_eq!(server.connections(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hc_44_address_literals_are_checked_however_they_are_written() {
    let (stage, connector) = evil_stage().await;
    let server = Server::start().await;
    let port = server.address().port();
    // Declared and granted, but not as private addresses. Metadata services are not dialled with any grant.
    for (host, private_grant) in [
        ("127.0.0.1", false),
        ("2130706433", false),
        ("0x7f.1", false),
        ("0177.0.0.1", false),
        ("[::1]", false),
        ("[::ffff:127.0.0.1]", false),
        ("0.0.0.0", false),
        ("10.0.0.5", false),
        ("localhost", false),
        ("169.254.169.254", true),
        ("[::ffff:a9fe:a9fe]", true),
        ("0.0.0.0", true),
        ("[64:ff9b::7f00:1]", true),
    ] {
        let url = format!("http://{host}:{port}");
        let mut account = EvilAccount::new("send").with("root-url", &url).with("url", "/");
        let origin = url.parse().expect("an origin");
        if private_grant { &mut account.grants.private_hosts } else { &mut account.grants.hosts }.push(origin);
        let findings = account.findings(&stage, &connector).await;
        assert!(refusal(&findings).contains("address layer"), "{url}: {findings:?}");
    }
    assert_eq!(server.connections(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hc_47_48_redirects_are_answers_and_are_not_followed() {
    let (stage, connector) = evil_stage().await;
    let (server, elsewhere) = (Server::start().await, Server::start().await);
    let metadata = "http://169.254.169.254/latest/meta-data/".to_owned();
    // The second host is granted, so that nothing but the refusal to follow keeps the request away from it.
    for to in [elsewhere.url(), metadata, format!("{}/again", server.url())] {
        for status in ["301", "302", "303", "307", "308"] {
            let account =
                EvilAccount::new("send").at(&server).and(&elsewhere).with("url", format!("/redirect/{status}?to={to}"));
            let findings = account.findings(&stage, &connector).await;
            assert_eq!((findings.get("status"), findings.get("header location")), (status, to.as_str()));
        }
    }
    assert_eq!(elsewhere.connections(), 0);
    assert!(server.seen().iter().all(|seen| seen.target.starts_with("/redirect/")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hc_51_urls_that_hide_their_host_are_denied() {
    let (stage, connector) = evil_stage().await;
    let (server, elsewhere) = (Server::start().await, Server::start().await);
    let (granted, hidden) = (server.address(), elsewhere.address());
    for url in [
        format!("http://{granted}@{hidden}/"),
        format!("http://user:pw@{granted}/"),
        format!("http://{hidden}\\@{granted}/"),
        format!("http://{hidden}#@{granted}/"),
        format!("http://{hidden}%2f@{granted}/"),
        format!("http://{hidden} @{granted}/"),
        format!("http:{hidden}/"),
        format!("//{hidden}/"),
        format!("http://127.0.0.1.:{}/", granted.port() ^ 1),
        "http://127.0.0.1:0/".to_owned(),
        format!("http://①②⑦.⓪.⓪.①:{}/", hidden.port()),
        "https://xn--shop-.example/".to_owned(),
        "https://shop.example@evil.example/".to_owned(),
        "https://shop.example.evil.example/".to_owned(),
        // The letter o of another alphabet.
        "https://sh\u{43e}p.example/".to_owned(),
    ] {
        let findings = EvilAccount::new("send").at(&server).with("url", &url).findings(&stage, &connector).await;
        assert!(!refusal(&findings).is_empty(), "{url}: {findings:?}");
    }
    assert_eq!((server.connections(), elsewhere.connections()), (0, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hc_52_line_ends_never_reach_the_wire() {
    let (stage, connector) = evil_stage().await;
    let server = Server::start().await;
    let smuggled = "x\r\nX-Smuggled: 1";
    for (name, value, url) in [
        ("accept", "a\r\nx-smuggled: 1", "/"),
        ("accept", "a\n b", "/"),
        ("accept", "a\0b", "/"),
        ("accept", "a\r\n folded", "/"),
        ("accept\r\nx-smuggled", "1", "/"),
        ("accept ", "1", "/"),
        ("acc\0ept", "1", "/"),
        (":authority", "evil.example", "/"),
        ("", "1", "/"),
        ("accept", "a", "/\r\nX-Smuggled: 1"),
        ("accept", "a", "/ HTTP/1.1\r\nX-Smuggled: 1\r\n\r\nGET /"),
        ("accept", "a", "/\0"),
        (smuggled, smuggled, smuggled),
    ] {
        let account =
            EvilAccount::new("send").at(&server).with("url", url).with("header-name", name).with("header-value", value);
        let findings = account.findings(&stage, &connector).await;
        assert!(!refusal(&findings).is_empty(), "{name:?}: {value:?} {url:?}: {findings:?}");
    }
    assert_eq!(server.connections(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hc_53_headers_of_the_host_are_refused() {
    let (stage, connector) = evil_stage().await;
    let server = Server::start().await;
    for name in [
        "Host",
        "Authorization",
        "Cookie",
        "Content-Length",
        "Transfer-Encoding",
        "TE",
        "Trailer",
        "Connection",
        "Upgrade",
        "Proxy-Authorization",
        "Proxy-Connection",
        "X-Forwarded-For",
        "X-Forwarded-Host",
        "Forwarded",
        "Via",
        "Expect",
        "Accept-Encoding",
        "X-HTTP-Method-Override",
        "X-Original-URL",
        "X-Auth-Token",
        "X-Anything",
    ] {
        let account =
            EvilAccount::new("send").at(&server).with("url", "/").with("header-name", name).with("header-value", "1");
        let findings = account.findings(&stage, &connector).await;
        assert!(refusal(&findings).contains("header layer"), "{name}: {findings:?}");
    }
    assert_eq!(server.connections(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hc_54_a_seventh_method_cannot_be_said() {
    // The methods are an enum: CONNECT, TRACE and `G ET` have no number, and a number beyond the last is a trap.
    let stage = Stage::new(limits()).await;
    let module = CoreModule {
        imports: r#"(import "tradepost:connector/http@0.1.0" "send"
            (func $send (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32)))"#
            .into(),
        ..CoreModule::checking(format!(
            "(call $send (i32.const 6) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0)
               (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const {SCRATCH_AT}))
             (unreachable)"
        ))
    };
    let error = stage.attack(&module).await.result;
    assert!(matches!(&error, CallError::Trap { message, .. } if message.contains("discriminant")), "{error}");

    let server = Server::start().await;
    let connector = stage.runtime.load(evil::component()).await.expect("it loads");
    for method in ["GET", "HEAD"] {
        let account = EvilAccount::new("send").at(&server).with("url", "/").with("method", method).with("body", "x");
        let findings = account.findings(&stage, &connector).await;
        assert!(refusal(&findings).contains("method layer"), "{method}: {findings:?}");
    }
    assert_eq!(server.connections(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hc_55_the_hosts_own_listeners_are_not_dialled() {
    let own = Server::start().await;
    let egress = Egress::builder().own_addresses(vec![own.address()]).build().expect("egress starts");
    let stage = Stage::with(Runtime::builder().limits(limits()).egress(egress)).await;
    let connector = stage.runtime.load(evil::component()).await.expect("it loads");
    let findings = EvilAccount::new("send").at(&own).with("url", "/metrics").findings(&stage, &connector).await;
    assert!(refusal(&findings).contains("address layer"), "{findings:?}");
    assert_eq!(own.connections(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hc_56_requests_stop_at_sixty_four() {
    let (stage, connector) = evil_stage().await;
    let server = Server::start().await;
    let findings = EvilAccount::new("send-many").at(&server).with("url", "/").findings(&stage, &connector).await;
    assert_eq!(findings.get("answered"), "64");
    assert!(findings.get("refused").contains("more than 64 HTTP requests"), "{findings:?}");
    assert_eq!(server.seen().len(), 64);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hc_56_four_requests_are_in_flight() {
    let (stage, connector) = evil_stage().await;
    let server = Server::start().await;
    // The gate opens for four at a time: with fewer in flight this call would reach its wall-clock limit.
    let findings =
        EvilAccount::new("send-parallel").at(&server).with("url", "/gate").findings(&stage, &connector).await;
    assert_eq!((findings.get("answered"), findings.get("outcomes")), ("64", "100"));
    assert_eq!((server.most_in_flight(), server.seen().len()), (4, 64));
}
