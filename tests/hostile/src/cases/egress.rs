//! The way out, tried by a real component (HC-41 to HC-57).
//!
//! Judged by the server: by its ledger, and by connections that were opened at all.

use std::collections::HashMap;
use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Context as _, ensure};
use async_trait::async_trait;
use tradepost_runtime::egress::{Resolve, Timeouts};
use tradepost_runtime::{AccountError, CallError, Egress, Grants, Limits, Origin, Runtime};

use crate::arena::Arena;
use crate::case::{Case, MustFail as _, Outcome, attack, ensure_eq};
use crate::core_module::SCRATCH_AT;
use crate::evil::Findings;
use crate::stage::spacious;
use crate::{CoreModule, EvilAccount, RawServer, Server};

/// What is expected of most of them.
const DENIED: &str = "refused, with the layer that refuses; no connection is opened";

pub(super) const CASES: &[Case] = &[
    Case::starred("HC-41", "a host that was not granted", DENIED, attack!(not_declared, not_granted)),
    Case::starred("HC-42", "other ports of a granted host", DENIED, attack!(other_ports)),
    Case::starred("HC-43", "other schemes", DENIED, attack!(other_schemes)),
    Case::starred("HC-44", "special addresses however they are written (69 vectors)", DENIED, attack!(vectors)),
    Case::starred("HC-45", "names that lead to private addresses", DENIED, attack!(private_names)),
    Case::starred(
        "HC-46",
        "names that change their mind; answers that mix public and private",
        "what was checked is what is dialled; a mixed answer is refused whole",
        attack!(rebinding, mixed_answers),
    ),
    Case::starred("HC-47", "redirects to another host", "an answer, not followed", attack!(redirects)),
    Case::starred("HC-48", "redirects to 169.254.169.254", "an answer, not followed", attack!(redirect_to_metadata)),
    Case::plain("HC-49", "redirects to another scheme", "an answer, not followed", attack!(redirect_to_other_scheme)),
    Case::plain("HC-50", "redirects in a circle", "one request, one answer", attack!(redirect_circle)),
    Case::starred("HC-51", "URLs that hide their host", DENIED, attack!(hidden_hosts)),
    Case::starred("HC-52", "line ends and NUL in headers, path and method", DENIED, attack!(line_ends)),
    Case::starred("HC-53", "headers that are the host's", DENIED, attack!(hosts_headers)),
    Case::plain(
        "HC-54",
        "the methods CONNECT, TRACE and `G ET`",
        "cannot be said: methods are an enum, and a seventh is a trap",
        attack!(other_methods),
    ),
    Case::starred("HC-55", "the host's own listeners", DENIED, attack!(own_listeners)),
    Case::starred(
        "HC-56",
        "10,000 requests in a call, 100 at once",
        "64 are sent, 4 at a time",
        attack!(many_requests, parallel_requests),
    ),
    Case::plain(
        "HC-57",
        "a request body without end, and a server that does not read it",
        "there is no streaming: a body is a list, at most 8 MiB in a call; who does not read runs into a time limit",
        attack!(large_body, body_that_is_not_read),
    ),
    Case::starred("TP-06", "the control: a granted server", "reached", attack!(granted_server)),
];

/// The refusal as the connector gets to know it: which layer refused. Grants and addresses are for the operator's eyes.
fn refusal(findings: &Findings) -> anyhow::Result<&str> {
    ensure!(findings.get("error").contains("Forbidden"), "expected a refusal: {findings:?}");
    Ok(findings.get("detail"))
}

async fn granted_server(arena: &Arena) -> Outcome {
    let (stage, connector) = arena.evil(spacious()).await?;
    let server = Server::start().await;
    let findings =
        EvilAccount::new("send").at(&server).with("url", "/orders?page=2").findings(&stage, &connector).await?;
    ensure_eq!((findings.get("status"), findings.get("body")), ("200", "ok"));
    ensure_eq!(server.seen()[0].target, "/orders?page=2");
    Ok("200".into())
}

async fn not_declared(arena: &Arena) -> Outcome {
    let (stage, connector) = arena.evil(spacious()).await?;
    let (server, elsewhere) = (Server::start().await, arena.stranger().await);
    let mut account = EvilAccount::new("send").at(&server).with("url", elsewhere.url());
    // The operator granted it, and the manifest does not ask for it.
    account.grants.private_hosts.push(elsewhere.origin());
    let findings = account.findings(&stage, &connector).await?;
    ensure!(refusal(&findings)?.contains("manifest layer"), "{findings:?}");
    ensure_eq!(elsewhere.connections(), 0);
    Ok(refusal(&findings)?.to_owned())
}

async fn not_granted(arena: &Arena) -> Outcome {
    let (stage, connector) = arena.evil(spacious()).await?;
    let server = Server::start().await;
    let account = EvilAccount { grants: Grants::default(), ..EvilAccount::new("send").at(&server) };
    let error = account.try_open(&stage, &connector).must_fail("nothing is granted")?;
    ensure!(matches!(error, AccountError::Denied(_)), "{error:?}");
    let text = error.to_string();
    ensure!(text.contains("hosts not granted") && text.contains("grants.private_hosts = ["), "{text}");
    ensure_eq!(server.connections(), 0);
    Ok(format!("when the account is opened: {}", super::short(&text)))
}

async fn other_ports(arena: &Arena) -> Outcome {
    let (stage, connector) = arena.evil(spacious()).await?;
    let (server, database) = (Server::start().await, arena.stranger().await);
    let urls =
        [22, 5432, 4222, 6379].map(|port| format!("http://127.0.0.1:{port}/")).into_iter().chain([database.url()]);
    for url in urls {
        let findings = EvilAccount::new("send").at(&server).with("url", &url).findings(&stage, &connector).await?;
        ensure!(refusal(&findings)?.contains("manifest layer"), "{url}: {findings:?}");
    }
    ensure_eq!(database.connections(), 0);
    Ok("5 ports refused, 0 connections".into())
}

async fn other_schemes(arena: &Arena) -> Outcome {
    let (stage, connector) = arena.evil(spacious()).await?;
    let server = Server::start().await;
    let authority = server.address();
    for scheme in ["file", "ftp", "gopher", "ws", "wss", "unix", "data", "javascript", "HTTPX"] {
        let url = format!("{scheme}://{authority}/");
        let findings = EvilAccount::new("send").at(&server).with("url", &url).findings(&stage, &connector).await?;
        ensure!(refusal(&findings)?.contains("url layer"), "{url}: {findings:?}");
    }
    // The same host over TLS is another origin.
    let findings = EvilAccount::new("send")
        .at(&server)
        .with("url", format!("https://{authority}/"))
        .findings(&stage, &connector)
        .await?;
    ensure!(refusal(&findings)?.contains("manifest layer"), "{findings:?}");
    ensure_eq!(server.connections(), 0);
    Ok("9 schemes and TLS on the same port refused, 0 connections".into())
}

async fn hidden_hosts(arena: &Arena) -> Outcome {
    let (stage, connector) = arena.evil(spacious()).await?;
    let (server, elsewhere) = (Server::start().await, arena.stranger().await);
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
        let findings = EvilAccount::new("send").at(&server).with("url", &url).findings(&stage, &connector).await?;
        ensure!(!refusal(&findings)?.is_empty(), "{url}: {findings:?}");
    }
    ensure_eq!((server.connections(), elsewhere.connections()), (0, 0));
    Ok("15 URLs refused, 0 connections".into())
}

async fn line_ends(arena: &Arena) -> Outcome {
    let (stage, connector) = arena.evil(spacious()).await?;
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
        let findings = account.findings(&stage, &connector).await?;
        ensure!(!refusal(&findings)?.is_empty(), "{name:?}: {value:?} {url:?}: {findings:?}");
    }
    ensure_eq!(server.connections(), 0);
    Ok("13 ways refused, 0 connections".into())
}

async fn hosts_headers(arena: &Arena) -> Outcome {
    let (stage, connector) = arena.evil(spacious()).await?;
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
        let findings = account.findings(&stage, &connector).await?;
        ensure!(refusal(&findings)?.contains("header layer"), "{name}: {findings:?}");
    }
    ensure_eq!(server.connections(), 0);
    Ok("21 names refused, 0 connections".into())
}

async fn other_methods(arena: &Arena) -> Outcome {
    // The methods are an enum: CONNECT, TRACE and `G ET` have no number, and a number beyond the last is a trap.
    let stage = arena.stage(spacious()).await?;
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
    let error = stage.attack(&module).await?.result;
    ensure!(matches!(&error, CallError::Trap { message, .. } if message.contains("discriminant")), "{error}");

    let server = Server::start().await;
    let connector = stage.load_evil().await?;
    for method in ["GET", "HEAD"] {
        let account = EvilAccount::new("send").at(&server).with("url", "/").with("method", method).with("body", "x");
        let findings = account.findings(&stage, &connector).await?;
        ensure!(refusal(&findings)?.contains("method layer"), "{method}: {findings:?}");
    }
    ensure_eq!(server.connections(), 0);
    Ok("a number beyond the last is a trap; GET and HEAD with a body are refused".into())
}

async fn own_listeners(arena: &Arena) -> Outcome {
    let own = Server::start().await;
    let egress = Egress::builder().own_addresses(vec![own.address()]).build()?;
    let stage = arena.stage_with(Runtime::builder().limits(spacious()).egress(egress)).await?;
    let connector = stage.load_evil().await?;
    let findings = EvilAccount::new("send").at(&own).with("url", "/metrics").findings(&stage, &connector).await?;
    ensure!(refusal(&findings)?.contains("address layer"), "{findings:?}");
    ensure_eq!(own.connections(), 0);
    Ok("refused although granted, 0 connections".into())
}

async fn many_requests(arena: &Arena) -> Outcome {
    let (stage, connector) = arena.evil(spacious()).await?;
    let server = Server::start().await;
    let findings = EvilAccount::new("send-many").at(&server).with("url", "/").findings(&stage, &connector).await?;
    ensure_eq!(findings.get("answered"), "64");
    ensure!(findings.get("refused").contains("more than 64 HTTP requests"), "{findings:?}");
    ensure_eq!(server.seen().len(), 64);
    Ok("64 of 10,000 are sent".into())
}

async fn parallel_requests(arena: &Arena) -> Outcome {
    let (stage, connector) = arena.evil(spacious()).await?;
    let server = Server::start().await;
    // The gate opens for four at a time: with fewer in flight this call would reach its wall-clock limit.
    let findings =
        EvilAccount::new("send-parallel").at(&server).with("url", "/gate").findings(&stage, &connector).await?;
    ensure_eq!((findings.get("answered"), findings.get("outcomes")), ("64", "100"));
    ensure_eq!((server.most_in_flight(), server.seen().len()), (4, 64));
    Ok(format!("{} in flight", server.most_in_flight()))
}

/// A resolver that answers from a script: each name's answers in turn, the last one for ever.
#[derive(Default)]
pub(super) struct Script {
    names: HashMap<&'static str, Vec<Vec<IpAddr>>>,
    lookups: AtomicUsize,
}

impl Script {
    fn name(mut self, name: &'static str, answers: &[&[&str]]) -> Self {
        let parsed = |answer: &&[&str]| answer.iter().map(|text| text.parse().expect("an address")).collect();
        self.names.insert(name, answers.iter().map(parsed).collect());
        self
    }

    /// An egress that asks it.
    pub(super) fn egress(self) -> anyhow::Result<(Egress, Arc<Self>)> {
        let script = Arc::new(self);
        Ok((Egress::builder().resolver(script.clone()).build()?, script))
    }
}

impl Script {
    /// How often it was asked.
    pub(super) fn lookups(&self) -> usize {
        self.lookups.load(Ordering::SeqCst)
    }
}

#[async_trait]
impl Resolve for Script {
    async fn resolve(&self, host: &str) -> io::Result<Vec<IpAddr>> {
        let lookup = self.lookups.fetch_add(1, Ordering::SeqCst);
        let answers = self.names.get(host).ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, "no such name"))?;
        Ok(answers[lookup.min(answers.len() - 1)].clone())
    }
}

/// An account whose second host is this one, granted as private or as public, and asked.
fn asking(url: &str, private: bool) -> EvilAccount {
    let mut account = EvilAccount::new("send").with("url", url).with("anonymous", "yes");
    if let Ok(origin) = url.trim_end_matches('/').parse::<Origin>() {
        account = account.with("other-url", origin.to_string());
        if private { &mut account.grants.private_hosts } else { &mut account.grants.hosts }.push(origin);
    }
    account
}

/// How vectors begin that are private and not this machine, or nobody's.
const NOT_HERE: [&str; 6] = ["10.", "172.", "192.", "app.", "[fc", "127.255."];

/// Every vector is declared and granted as far as it can be; listeners on all of loopback show what is dialled. Of the
/// vectors that may be dialled with a private grant, those of this machine are; the public ones are left to the egress's own
/// tests, which decide without dialling.
async fn vectors(arena: &Arena) -> Outcome {
    let spy = RawServer::start_at("0.0.0.0:0", |_| async { Ok(()) }).await;
    let port = spy.address().port();
    let spy6 = RawServer::start_at(&format!("[::1]:{port}"), |_| async { Ok(()) }).await;
    let (egress, _) = Script::default()
        .name("localhost", &[&["127.0.0.1", "::1"]])
        .name("metadata.google.internal", &[&["169.254.169.254"]])
        .name("127.0.0.1.nip.io", &[&["127.0.0.1"]])
        .name("169-254-169-254.nip.io", &[&["169.254.169.254"]])
        .name("app.10.0.0.5.sslip.io", &[&["10.0.0.5"]])
        .egress()?;
    let stage = arena.stage_with(Runtime::builder().limits(spacious()).egress(egress)).await?;
    let evil = stage.load_evil().await?;
    let (mut vectors, mut refused, mut reached) = (0, 0, 0);
    for line in include_str!("../../../fixtures/ssrf-vectors.txt").lines().filter(|line| !line.starts_with('#')) {
        let (kind, host) = line.split_once('\t').context("a vector has a kind and a host")?;
        vectors += 1;
        let url = if host == "http:127.0.0.1" { format!("{host}:{port}") } else { format!("http://{host}:{port}/") };
        for private in [false, true] {
            let before = spy.connections() + spy6.connections();
            let account = asking(&url, private);
            match (kind, private) {
                ("public", _) => {}
                ("private", true) if NOT_HERE.iter().any(|start| host.starts_with(start)) => {}
                ("private", true) => {
                    account.findings(&stage, &evil).await?;
                    ensure!(spy.connections() + spy6.connections() > before, "{host}: allowed, and not dialled here");
                    reached += 1;
                }
                _ => {
                    let findings = account.findings(&stage, &evil).await?;
                    let layer = if kind == "url" { "url layer" } else { "address layer" };
                    ensure!(refusal(&findings)?.contains(layer), "{host}: {findings:?}");
                    ensure_eq!(spy.connections() + spy6.connections(), before, "{host}: connections");
                    refused += 1;
                }
            }
        }
    }
    ensure_eq!(vectors, 69);
    Ok(format!("{vectors} vectors: {refused} refusals without a connection, {reached} private ones reached as granted"))
}

async fn private_names(arena: &Arena) -> Outcome {
    let (egress, script) = Script::default()
        .name("a.example", &[&["10.0.0.5"]])
        .name("b.example", &[&["::1"]])
        .name("c.example", &[&["fd12::1"]])
        .name("d.example", &[&["192.168.1.1"]])
        .name("e.example", &[&["127.0.0.1"]])
        .egress()?;
    let stage = arena.stage_with(Runtime::builder().limits(spacious()).egress(egress)).await?;
    let evil = stage.load_evil().await?;
    for name in ["a", "b", "c", "d", "e"] {
        let findings = asking(&format!("http://{name}.example/"), false).findings(&stage, &evil).await?;
        ensure!(refusal(&findings)?.contains("address layer"), "{name}: {findings:?}");
    }
    ensure_eq!(script.lookups(), 5, "lookups");
    Ok("5 addresses, IPv4 and IPv6, refused".into())
}

async fn rebinding(arena: &Arena) -> Outcome {
    let server = RawServer::answering("HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok").await;
    let port = server.address().port();
    let spy = RawServer::start_at(&format!("127.0.0.2:{port}"), |_| async { Ok(()) }).await;
    // A name with a time to live of zero: another answer for every lookup.
    let (egress, script) = Script::default()
        .name("shop.example", &[&["127.0.0.1"], &["127.0.0.2", "169.254.169.254"], &["10.0.0.1"]])
        .egress()?;
    let stage = arena.stage_with(Runtime::builder().limits(spacious()).egress(egress)).await?;
    let evil = stage.load_evil().await?;
    let url = format!("http://shop.example:{port}/");
    let first = asking(&url, true).findings(&stage, &evil).await?;
    ensure_eq!(first.get("status"), "200", "{first:?}");
    ensure_eq!(script.lookups(), 1, "lookups for one request");
    let second = asking(&url, true).findings(&stage, &evil).await?;
    ensure!(refusal(&second)?.contains("address layer"), "{second:?}");
    ensure_eq!((server.connections(), spy.connections()), (1, 0));
    Ok("one lookup a request; the second answer is refused, nobody else is dialled".into())
}

async fn mixed_answers(arena: &Arena) -> Outcome {
    let (egress, _) = Script::default()
        .name("a.example", &[&["1.1.1.1", "127.0.0.1"]])
        .name("b.example", &[&["10.0.0.1", "2606:4700:4700::1111"]])
        .egress()?;
    let stage = arena.stage_with(Runtime::builder().limits(spacious()).egress(egress)).await?;
    let evil = stage.load_evil().await?;
    for url in ["http://a.example/", "http://b.example/"] {
        for private in [false, true] {
            let findings = asking(url, private).findings(&stage, &evil).await?;
            ensure!(refusal(&findings)?.contains("address layer"), "{url}: {findings:?}");
        }
    }
    Ok("mixed answers refused with any grant".into())
}

/// Has the server redirect to a place with every status, and sees to it that the connector is told so, and no more.
async fn redirected(arena: &Arena, to: &str) -> anyhow::Result<()> {
    let (stage, connector) = arena.evil(spacious()).await?;
    let (server, elsewhere) = (Server::start().await, arena.stranger().await);
    let to = to.replace("ELSEWHERE", &elsewhere.address().to_string()).replace("ITSELF", &server.address().to_string());
    for status in ["301", "302", "303", "307", "308"] {
        // The second host is granted, so that nothing but the refusal to follow keeps the request away from it.
        let account =
            EvilAccount::new("send").at(&server).and(&elsewhere).with("url", format!("/redirect/{status}?to={to}"));
        let findings = account.findings(&stage, &connector).await?;
        ensure_eq!((findings.get("status"), findings.get("header location")), (status, to.as_str()));
    }
    ensure_eq!(elsewhere.connections(), 0, "connections to where it leads");
    ensure_eq!(server.seen().len(), 5, "requests for 5 answers");
    Ok(())
}

async fn redirects(arena: &Arena) -> Outcome {
    redirected(arena, "http://ELSEWHERE/").await?;
    Ok("5 statuses, each an answer; 0 connections to the other host".into())
}

async fn redirect_to_metadata(arena: &Arena) -> Outcome {
    redirected(arena, "http://169.254.169.254/latest/meta-data/").await?;
    Ok("5 statuses, each an answer".into())
}

async fn redirect_to_other_scheme(arena: &Arena) -> Outcome {
    for to in ["https://ELSEWHERE/", "ftp://ELSEWHERE/", "file:///etc/passwd"] {
        redirected(arena, to).await?;
    }
    Ok("https, ftp and file: each an answer, 0 connections".into())
}

async fn redirect_circle(arena: &Arena) -> Outcome {
    redirected(arena, "http://ITSELF/again").await?;
    redirected(arena, "/again").await?;
    Ok("one request for each answer".into())
}

async fn large_body(arena: &Arena) -> Outcome {
    let (stage, connector) = arena.evil(spacious()).await?;
    let server = Server::start().await;
    let sent = |bytes: usize| {
        EvilAccount::new("send")
            .at(&server)
            .with("method", "POST")
            .with("url", "/")
            .with("body-bytes", bytes.to_string())
    };
    // Method, path and headers count, too.
    let whole = sent((8 << 20) - (64 << 10)).findings(&stage, &connector).await?;
    ensure_eq!(whole.get("status"), "200", "a little below 8 MiB: {}", whole.get("detail"));
    let beyond = sent((8 << 20) + 1).findings(&stage, &connector).await?;
    ensure!(beyond.get("detail").contains("8388608") || beyond.get("detail").contains("8 MiB"), "{beyond:?}");
    ensure_eq!(server.seen().len(), 1, "requests that arrived");
    Ok(format!("a little less is sent; 8 MiB and a byte: {}", beyond.get("detail")))
}

async fn body_that_is_not_read(arena: &Arena) -> Outcome {
    let server = RawServer::silent().await;
    let timeouts = Timeouts { first_byte: Duration::from_millis(700), ..Timeouts::default() };
    let egress = Egress::builder().timeouts(timeouts).build()?;
    let limits = Limits { wall: Duration::from_secs(10), ..spacious() };
    let stage = arena.stage_with(Runtime::builder().limits(limits).egress(egress)).await?;
    let evil = stage.load_evil().await?;
    let mut account = EvilAccount::new("send")
        .with("root-url", server.url())
        .with("method", "POST")
        .with("url", "/")
        .with("body-bytes", "8000000");
    account.grants.private_hosts.push(server.origin());
    let findings = account.findings(&stage, &evil).await?;
    ensure!(findings.get("error").contains("OutcomeUnknown"), "{findings:?}");
    Ok(format!("not read: {}", findings.get("detail")))
}
