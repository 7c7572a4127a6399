//! Servers that answer what nobody should (HS-01 to HS-18): bombs, floods, drips, broken framing, bad certificates.
//!
//! A component asks each of them with a POST that must be carried out once, so that it also shows what the connector is told:
//! that nobody knows whether the request was carried out, wherever a byte may have arrived, and never a part of an answer.

use std::io::Write as _;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use flate2::Compression;
use flate2::write::{GzEncoder, ZlibEncoder};
use tokio::io::AsyncWriteExt as _;
use tokio::sync::Notify;
use tradepost_engine::stream::StreamKey;
use tradepost_engine::{Engine, EngineOptions, Happening, store};
use tradepost_runtime::egress::Timeouts;
use tradepost_runtime::{Connector, Egress, Runtime};

use super::short;
use super::tls_server::{Flaw, curious, flawed};
use crate::arena::Arena;
use crate::case::{Case, MustFail as _, Outcome, attack, ensure_eq};
use crate::evil::Findings;
use crate::stage::{ATTACKER, BYSTANDER, spacious};
use crate::{EvilAccount, RawServer, Stage};

pub(super) const CASES: &[Case] = &[
    Case::starred(
        "HS-01",
        "a gzip bomb, 1:1000",
        "refused where it unpacks to more than 100 times its size",
        attack!(gzip_bomb),
    ),
    Case::starred(
        "HS-02",
        "zstd, br and deflate bombs; encodings in encodings",
        "one layer of gzip or deflate is taken, anything else refused",
        attack!(other_encodings),
    ),
    Case::starred(
        "HS-03",
        "headers that come a byte at a time",
        "given up at the first-byte limit",
        attack!(slow_headers),
    ),
    Case::starred("HS-04", "a body that comes a byte at a time, or stops", "given up: too slow", attack!(slow_body)),
    Case::starred("HS-05", "a body without end", "ended at 16 MiB", attack!(endless_body)),
    Case::plain("HS-06", "10,000 headers; one of 1 MiB", "refused", attack!(header_floods)),
    Case::plain(
        "HS-07",
        "broken framing, cut bodies, two lengths",
        "an error, never a part of an answer",
        attack!(broken_framing),
    ),
    Case::plain("HS-08", "interim answers without end", "given up at the first-byte limit", attack!(interim_answers)),
    Case::plain(
        "HS-09",
        "HTTP/2 floods",
        "cannot happen: HTTP/2 is not offered; its frames are no answer",
        attack!(http_2_is_not_offered, http_2_frames),
    ),
    Case::plain(
        "HS-10",
        "closed after our POST was sent",
        "sent once; the connector is told that the outcome is unknown",
        attack!(closed_after_sending),
    ),
    Case::plain(
        "HS-11",
        "certificates that are expired, another's, self-signed, of nobody; TLS 1.1; a handshake that stalls",
        "no connection; nothing is sent, and the connector is told so",
        attack!(bad_certificates, bad_handshakes),
    ),
    Case::plain(
        "HS-12",
        "accepted and never answered",
        "given up at the first-byte limit; outcome unknown",
        attack!(never_answers),
    ),
    Case::plain("HS-13", "cookies", "neither shown nor sent back", attack!(cookies)),
    Case::plain(
        "HS-14",
        "Retry-After of 10^9 s, negative, past, no number",
        "the account waits between 1 s and 15 min",
        attack!(retry_after),
    ),
    Case::plain("HS-15", "429 without end", "few attempts; other accounts are served", attack!(rate_limited_for_ever)),
    Case::plain(
        "HS-16",
        "JSON bombs: depth, keys, numbers",
        "an error, in connectors and where the host itself reads a login",
        attack!(json_bombs, json_bombs_at_login),
    ),
    Case::plain(
        "HS-17",
        "a list whose pages lead in a circle",
        "refused where it leads to itself or back",
        attack!(page_circle),
    ),
    Case::plain(
        "HS-18",
        "a page for people, with status 200",
        "an error that shows its beginning",
        attack!(captive_portal),
    ),
];

/// Short steps, so that a slow server is soon given up. Connecting keeps its time: the machine may be busy.
fn hasty() -> Timeouts {
    Timeouts {
        first_byte: Duration::from_millis(300),
        connect: Duration::from_millis(700),
        between_bytes: Duration::from_millis(300),
        slow_after: Duration::from_millis(500),
        ..Timeouts::default()
    }
}

/// A stage whose HTTP is in a hurry.
struct Customer {
    stage: Stage,
    evil: Connector,
}

impl Customer {
    async fn new(arena: &Arena) -> anyhow::Result<Self> {
        let egress = Egress::builder().timeouts(hasty()).build()?;
        let stage = arena.stage_with(Runtime::builder().limits(spacious()).egress(egress)).await?;
        let evil = stage.load_evil().await?;
        Ok(Self { stage, evil })
    }

    /// What the connector is told of a POST.
    async fn post(&self, server: &RawServer) -> anyhow::Result<Findings> {
        let account =
            EvilAccount::new("send").at_raw(server).with("method", "POST").with("url", "/").with("body", "{}");
        account.findings(&self.stage, &self.evil).await
    }

    /// What it is told of a POST to a server that answers with these bytes.
    async fn told(&self, answer: impl Into<Vec<u8>>) -> anyhow::Result<Findings> {
        self.post(&RawServer::answering(answer).await).await
    }
}

/// The outcome is unknown, and nothing of the answer came through. Gives the reason.
fn unknown<'f>(what: &str, findings: &'f Findings) -> anyhow::Result<&'f str> {
    ensure!(findings.get("error").contains("OutcomeUnknown"), "{what}: {findings:?}");
    ensure!(findings.get("status").is_empty() && findings.get("body").is_empty(), "{what}: {findings:?}");
    Ok(findings.get("detail"))
}

fn answer(status: &str, headers: &[&str], body: &[u8]) -> Vec<u8> {
    let mut bytes =
        format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n", body.len()).into_bytes();
    for header in headers {
        bytes.extend_from_slice(format!("{header}\r\n").as_bytes());
    }
    bytes.extend_from_slice(b"\r\n");
    bytes.extend_from_slice(body);
    bytes
}

fn encoded(coding: &str, body: &[u8]) -> Vec<u8> {
    answer("200 OK", &[&format!("content-encoding: {coding}")], body)
}

fn gzip(body: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(body).expect("memory takes it");
    encoder.finish().expect("memory takes it")
}

fn zlib(body: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(body).expect("memory takes it");
    encoder.finish().expect("memory takes it")
}

async fn gzip_bomb(arena: &Arena) -> Outcome {
    let customer = Customer::new(arena).await?;
    let bytes = arena.scaled(10 << 20, 1 << 30);
    let bomb = gzip(&vec![0; bytes]);
    let told = customer.told(encoded("gzip", &bomb)).await?;
    let reason = unknown("bomb", &told)?;
    ensure!(reason.contains("bomb"), "{reason}");
    let small = customer.told(encoded("gzip", &gzip(&vec![b' '; 60 << 10]))).await?;
    ensure_eq!(small.get("status"), "200", "60 KiB that compress well, which is no bomb");
    Ok(format!("{} KiB for {} MiB: {reason}", bomb.len() >> 10, bytes >> 20))
}

async fn other_encodings(arena: &Arena) -> Outcome {
    let customer = Customer::new(arena).await?;
    let zeros = vec![0; 10 << 20];
    let told = customer.told(encoded("deflate", &zlib(&zeros))).await?;
    ensure!(unknown("deflate bomb", &told)?.contains("bomb"), "{told:?}");
    let nested = gzip(&gzip(&gzip(&zeros)));
    for coding in [
        "gzip, gzip",
        "gzip, gzip, gzip",
        "gzip\r\ncontent-encoding: gzip",
        "deflate, gzip, br",
        "br",
        "zstd",
        "compress",
        "x-evil",
    ] {
        let told = customer.told(encoded(coding, &nested)).await?;
        let reason = unknown(coding, &told)?;
        ensure!(reason.contains("more than once") || reason.contains("only gzip and deflate"), "{coding}: {reason}");
    }
    // Three layers, announced as one: what is inside stays as it is.
    let told = customer.told(encoded("gzip", &nested)).await?;
    ensure_eq!(told.get("status"), "200", "{told:?}");
    Ok("a deflate bomb and 8 encodings refused; of three layers announced as one, one is taken off".into())
}

async fn slow_headers(arena: &Arena) -> Outcome {
    let customer = Customer::new(arena).await?;
    let server = RawServer::dripping("HTTP/1.1 200 OK\r\nx-slow: ", "a", Some(Duration::from_millis(20))).await;
    let told = customer.post(&server).await?;
    let reason = unknown("slow headers", &told)?;
    ensure!(reason.contains("no answer came in time"), "{reason}");
    Ok(format!("limit 300 ms instead of 20 s: {reason}"))
}

async fn slow_body(arena: &Arena) -> Outcome {
    let customer = Customer::new(arena).await?;
    let head = "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n";
    let dripping = RawServer::dripping(head, "a", Some(Duration::from_millis(20))).await;
    let told = customer.post(&dripping).await?;
    let slow = unknown("a byte at a time", &told)?.to_owned();
    ensure!(slow.contains("slower than 1024 bytes"), "{slow}");
    let stopping = RawServer::start(|mut connection| async move {
        connection.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc").await?;
        std::future::pending().await
    })
    .await;
    let told = customer.post(&stopping).await?;
    let stopped = unknown("a body that stops", &told)?;
    ensure!(stopped.contains("stopped after 3 bytes"), "{stopped}");
    Ok(format!("{slow}; {stopped}"))
}

async fn endless_body(arena: &Arena) -> Outcome {
    let customer = Customer::new(arena).await?;
    let chunk = [b"4000\r\n".as_slice(), &[b'a'; 0x4000], b"\r\n"].concat();
    let chunked = RawServer::dripping("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n", chunk, None).await;
    let told = customer.post(&chunked).await?;
    let reason = unknown("chunks", &told)?.to_owned();
    ensure!(reason.contains("16777216"), "{reason}");
    // Compressed blocks that hold nothing, for ever: the wire has a limit of its own.
    let head = "HTTP/1.1 200 OK\r\ncontent-encoding: deflate\r\nconnection: close\r\n\r\n";
    let empty = RawServer::dripping(head, [0, 0, 0, 0xff, 0xff].repeat(4096), None).await;
    let told = customer.post(&empty).await?;
    unknown("empty blocks", &told)?;
    Ok(reason)
}

async fn header_floods(arena: &Arena) -> Outcome {
    let customer = Customer::new(arena).await?;
    let flood = |count: usize, value: usize| {
        let lines: Vec<String> = (0..count).map(|number| format!("x-{number}: {}", "a".repeat(value))).collect();
        answer("200 OK", &lines.iter().map(String::as_str).collect::<Vec<_>>(), b"ok")
    };
    ensure_eq!(customer.told(flood(90, 10)).await?.get("status"), "200", "90 headers");
    for (count, value) in [(10_000, 10), (101, 1), (1, 1 << 20), (70, 1024)] {
        unknown(&format!("{count} headers of {value} bytes"), &customer.told(flood(count, value)).await?)?;
    }
    Ok("90 are read; 101, 10,000, one of 1 MiB, 70 of 1 KiB: refused".into())
}

async fn broken_framing(arena: &Arena) -> Outcome {
    let customer = Customer::new(arena).await?;
    let broken = [
        ("short body", "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n[{\"id\":1},"),
        ("no last chunk", "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\n[1,2,\r\n"),
        ("short chunk", "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nff\r\n[1,2,"),
        ("bad chunk size", "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n[1]\r\n0\r\n\r\n"),
        (
            "huge chunk size",
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nfffffffffffffffff\r\n[1]\r\n0\r\n\r\n",
        ),
        ("two lengths", "HTTP/1.1 200 OK\r\ncontent-length: 3\r\ncontent-length: 5\r\n\r\n[1]  "),
        ("negative length", "HTTP/1.1 200 OK\r\ncontent-length: -3\r\n\r\n[1]"),
        ("no answer", ""),
        ("half a head", "HTTP/1.1 200 OK\r\ncontent-"),
        ("not HTTP", "SSH-2.0-OpenSSH_9.6\r\n"),
        (
            "length and chunks",
            "HTTP/1.1 200 OK\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\n3\r\n[1]\r\n0\r\n\r\n",
        ),
    ];
    for (what, bytes) in broken {
        unknown(what, &customer.told(bytes).await?)?;
    }
    Ok(format!("{} ways, each an error without a part of the answer", broken.len()))
}

async fn interim_answers(arena: &Arena) -> Outcome {
    let customer = Customer::new(arena).await?;
    let piece = "HTTP/1.1 103 Early Hints\r\nlink: <x>\r\n\r\n";
    let told = customer.post(&RawServer::dripping("", piece, None).await).await?;
    Ok(unknown("interim answers", &told)?.to_owned())
}

/// An account at a server that speaks TLS.
fn at_tls(url: &str) -> anyhow::Result<EvilAccount> {
    let mut account =
        EvilAccount::new("send").with("root-url", url).with("method", "POST").with("url", "/").with("body", "{}");
    account.grants.private_hosts.push(url.parse()?);
    Ok(account)
}

async fn http_2_is_not_offered(arena: &Arena) -> Outcome {
    let customer = Customer::new(arena).await?;
    let (server, offers) = curious().await;
    at_tls(&format!("https://{}", server.address()))?.findings(&customer.stage, &customer.evil).await?;
    let offers = crate::arena::locked(&offers).clone();
    ensure!(!offers.is_empty(), "no handshake began");
    ensure!(offers.iter().flatten().all(|protocol| protocol == "http/1.1"), "offered: {offers:?}");
    Ok(format!("protocols offered by ALPN: {:?}", offers[0]))
}

async fn http_2_frames(arena: &Arena) -> Outcome {
    let customer = Customer::new(arena).await?;
    // SETTINGS, then RST_STREAM, empty DATA, CONTINUATION and SETTINGS again and again.
    let settings = b"\0\0\0\x04\0\0\0\0\0";
    let floods: [(&str, &[u8]); 4] = [
        ("RST_STREAM", b"\0\0\x04\x03\0\0\0\0\x01\0\0\0\x08"),
        ("empty DATA", b"\0\0\0\0\0\0\0\0\x01"),
        ("CONTINUATION", b"\0\0\0\x09\0\0\0\0\x01"),
        ("SETTINGS", settings),
    ];
    for (what, frame) in floods {
        let server = RawServer::dripping(settings, frame.repeat(64), None).await;
        unknown(what, &customer.post(&server).await?)?;
        ensure_eq!(server.requests().len(), 1, "{what}: requests");
    }
    Ok("4 floods of frames: no answer".into())
}

async fn closed_after_sending(arena: &Arena) -> Outcome {
    let customer = Customer::new(arena).await?;
    let closing = RawServer::start(|_connection| async { Ok(()) }).await;
    let resetting = RawServer::start(|connection| async move { connection.set_zero_linger() }).await;
    for (what, server) in [("closed", closing), ("reset", resetting)] {
        unknown(what, &customer.post(&server).await?)?;
        ensure_eq!(server.requests().len(), 1, "{what}: requests that arrived");
    }
    Ok("closed and reset: 1 request each, outcome unknown (the GOAWAY of HTTP/1.1)".into())
}

/// Nothing was sent, and the connector knows it.
fn not_sent<'f>(what: &str, findings: &'f Findings) -> anyhow::Result<&'f str> {
    ensure!(findings.get("error").contains("Transient"), "{what}: {findings:?}");
    Ok(findings.get("detail"))
}

async fn bad_certificates(arena: &Arena) -> Outcome {
    let customer = Customer::new(arena).await?;
    let mut reasons = Vec::new();
    for flaw in [Flaw::UnknownAuthority, Flaw::SelfSigned, Flaw::Expired, Flaw::WrongName, Flaw::LongChain] {
        let server = flawed(flaw).await?;
        let told = at_tls(&server.url())?.findings(&customer.stage, &customer.evil).await?;
        let reason = not_sent(&format!("{flaw:?}"), &told)?;
        ensure!(server.server.connections() > 0, "{flaw:?}: no connection was tried");
        ensure_eq!(server.received.load(std::sync::atomic::Ordering::SeqCst), 0, "{flaw:?}: bytes that arrived");
        reasons.push(format!("{flaw:?}: {}", reason.rsplit(": ").next().unwrap_or(reason)));
    }
    Ok(format!("{} (no authority is known, so that a wrong name is not looked at)", reasons.join(", ")))
}

async fn bad_handshakes(arena: &Arena) -> Outcome {
    let customer = Customer::new(arena).await?;
    // An alert in the words of TLS 1.1: protocol version.
    let old = RawServer::untouched(|mut connection| async move {
        let _ = connection.write_all(&[0x15, 3, 2, 0, 2, 2, 70]).await;
    })
    .await;
    let plain = RawServer::untouched(|mut connection| async move {
        let _ = connection.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
    })
    .await;
    for (what, server) in [("TLS 1.1", old), ("stalled", RawServer::silent().await), ("plain HTTP", plain)] {
        let url = format!("https://{}", server.address());
        let told = at_tls(&url)?.findings(&customer.stage, &customer.evil).await?;
        not_sent(what, &told)?;
        ensure!(server.requests().is_empty(), "{what}: a request arrived");
    }
    Ok("TLS 1.1, a stalled handshake, plain HTTP: nothing is sent".into())
}

async fn never_answers(arena: &Arena) -> Outcome {
    let customer = Customer::new(arena).await?;
    let server = RawServer::start(|connection| async move {
        let _kept_open = connection;
        std::future::pending().await
    })
    .await;
    let told = customer.post(&server).await?;
    ensure_eq!(server.requests().len(), 1, "requests that arrived");
    Ok(unknown("no answer", &told)?.to_owned())
}

async fn cookies(arena: &Arena) -> Outcome {
    let customer = Customer::new(arena).await?;
    let server =
        RawServer::answering(answer("200 OK", &["set-cookie: session=tracker; Path=/", "set-cookie2: a=b"], b"ok"))
            .await;
    for tenant in [ATTACKER, "mallory/other"] {
        let account = EvilAccount::new("send-twice").at_raw(&server).with("url", "/").of(tenant);
        let told = account.findings(&customer.stage, &customer.evil).await?;
        ensure_eq!(told.all("status"), ["200", "200"], "{told:?}");
        ensure!(!format!("{told:?}").contains("tracker"), "the connector is shown the cookie: {told:?}");
    }
    let requests = server.requests();
    ensure_eq!(requests.len(), 4, "requests");
    ensure!(requests.iter().all(|request| !request.to_ascii_lowercase().contains("cookie")), "{requests:?}");
    Ok("4 requests of two tenants, none with a cookie".into())
}

/// An engine for these accounts, on a store of its own, that looks for work all the time.
fn engine(customer: &Customer, accounts: &[EvilAccount]) -> anyhow::Result<Engine> {
    let options = EngineOptions {
        tick: Duration::from_millis(10),
        every: Duration::from_millis(100),
        ..EngineOptions::default()
    };
    let open = |account: &EvilAccount| account.open(&customer.stage, &customer.evil);
    let accounts = accounts.iter().map(open).collect::<anyhow::Result<Vec<_>>>()?;
    Ok(Engine::new(std::sync::Arc::new(store::in_memory()?), accounts, options))
}

fn milliseconds_now() -> anyhow::Result<u64> {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?;
    Ok(u64::try_from(since.as_millis())?)
}

async fn retry_after(arena: &Arena) -> Outcome {
    let customer = Customer::new(arena).await?;
    let mut waits = Vec::new();
    for value in ["1000000000", "18446744073709551616", "-5", "0", "NaN", "Wed, 21 Oct 2015 07:28:00 GMT", "1e9", ""] {
        let header = format!("retry-after: {value}");
        let server = RawServer::answering(answer("429 Too Many Requests", &[&header], b"slow down")).await;
        let engine = engine(&customer, &[EvilAccount::new("honest").at_raw(&server)])?;
        let key = StreamKey::new(ATTACKER, "orders");
        let began = milliseconds_now()?;
        let pulled = customer.stage.during(engine.pull(&key, |_| {})).await.result;
        pulled.must_fail("the platform says 429")?;
        let streams = engine.store().streams().await?;
        let due = streams.first().context("the stream is known")?.due_at;
        let (least, most) = (began + 1_000, milliseconds_now()? + 900_000);
        ensure!(
            (least..=most).contains(&due),
            "{value:?}: tried again after {} ms",
            i128::from(due) - i128::from(began)
        );
        waits.push(format!("{value:?} {} s", (due - began) / 1000));
    }
    Ok(waits.join(", "))
}

async fn rate_limited_for_ever(arena: &Arena) -> Outcome {
    let customer = Customer::new(arena).await?;
    let limited = RawServer::answering(answer("429 Too Many Requests", &[], b"slow down")).await;
    let shop = RawServer::answering(answer("200 OK", &[], b"3")).await;
    let accounts =
        [EvilAccount::new("honest").at_raw(&limited), EvilAccount::new("honest").at_raw(&shop).of(BYSTANDER)];
    let engine = engine(&customer, &accounts)?;
    let (done, mut walks, mut failures) = (Notify::new(), 0, 0);
    let wanted = arena.scaled(10, 100);
    let run = engine.run(done.notified(), |happening| match happening {
        Happening::Pulled(pulled) if pulled.complete && pulled.key.account == BYSTANDER => {
            walks += 1;
            if walks == wanted {
                done.notify_one();
            }
        }
        Happening::PullFailed(..) => failures += 1,
        _ => {}
    });
    let after = customer.stage.during(tokio::time::timeout(Duration::from_secs(120), run)).await;
    ensure!(after.result.is_ok(), "the other account is not served: {walks} of {wanted} walks in two minutes");
    let requests = limited.requests().len();
    let most = usize::try_from(after.took.as_secs())? + 2;
    ensure!(requests <= most, "{requests} requests in {:?}", after.took);
    Ok(format!(
        "in {:.1?} the other account is walked {wanted} times, and the platform that says 429 is asked {requests} times ({failures} failures told)",
        after.took
    ))
}

/// Bombs in JSON, each an object that a login could give.
fn bombs() -> Vec<(&'static str, String)> {
    let keys: String = (0..100_000).map(|number| format!("\"k{number}\":0,")).collect();
    vec![
        ("100,000 deep", format!("{{\"note\":{}", "[".repeat(100_000))),
        ("100,000 deep and closed", format!("{{\"other\":{}{}}}", "[".repeat(100_000), "]".repeat(100_000))),
        ("100,000 keys", format!("{{{keys}\"total\":1}}")),
        ("a number of 1e400", "{\"total\":1e400}".to_owned()),
        ("a number of a million digits", format!("{{\"total\":{}}}", "9".repeat(1_000_000))),
        ("half a surrogate", "{\"note\":\"\\ud800\"}".to_owned()),
        ("cut", "{\"total\":1".to_owned()),
    ]
}

async fn json_bombs(arena: &Arena) -> Outcome {
    let customer = Customer::new(arena).await?;
    let mut told = Vec::new();
    for (what, bomb) in bombs() {
        let server = RawServer::answering(answer("200 OK", &[], bomb.as_bytes())).await;
        let account =
            EvilAccount::new("read-json").at_raw(&server).with("url", "/").open(&customer.stage, &customer.evil)?;
        match customer.stage.during(account.check()).await.result {
            Ok(reply) => {
                let found = Findings(reply.value.facts);
                let kind = found.get("error").split('(').next().unwrap_or_default().to_owned();
                told.push(format!("{what}: {}", if kind.is_empty() { "read".into() } else { kind }));
            }
            Err(error) => {
                ensure!(error.is_guest_fault(), "{what}: {error:?}");
                told.push(format!("{what}: {}", short(&error.to_string())));
            }
        }
    }
    Ok(told.join(", "))
}

async fn json_bombs_at_login(arena: &Arena) -> Outcome {
    let customer = Customer::new(arena).await?;
    for (what, bomb) in bombs() {
        let server = RawServer::answering(answer("200 OK", &[], bomb.as_bytes())).await;
        let account = EvilAccount {
            auth: Some("login".into()),
            ..EvilAccount::new("send").at_raw(&server).with("url", "/orders")
        };
        let told = account.findings(&customer.stage, &customer.evil).await?;
        ensure!(!told.get("error").is_empty(), "{what} is no login: {told:?}");
        ensure!(server.requests().iter().all(|request| request.starts_with("POST /login ")), "{what}: {told:?}");
    }
    Ok("as a login, which the host reads: no token, nothing else is sent".into())
}

async fn page_circle(arena: &Arena) -> Outcome {
    let customer = Customer::new(arena).await?;
    let server = RawServer::answering(answer("200 OK", &[], b"page-2")).await;
    let engine = engine(&customer, &[EvilAccount::new("server-pages").at_raw(&server)])?;
    let key = StreamKey::new(ATTACKER, "orders");
    let error = customer.stage.during(engine.pull(&key, |_| {})).await.result.must_fail("it has no end")?;
    ensure!(error.to_string().contains("leads to itself"), "{error}");
    ensure_eq!(server.requests().len(), 2, "requests");
    Ok(error.to_string())
}

async fn captive_portal(arena: &Arena) -> Outcome {
    let customer = Customer::new(arena).await?;
    let page = b"<!doctype html><html><title>Sign in to the hotel's network</title></html>";
    let server = RawServer::answering(answer("200 OK", &["content-type: text/html"], page)).await;
    let account = EvilAccount::new("read-json").at_raw(&server).with("url", "/");
    let told = account.findings(&customer.stage, &customer.evil).await?;
    ensure!(told.get("error").contains("Protocol") && told.get("error").contains("doctype"), "{told:?}");
    let login =
        EvilAccount { auth: Some("login".into()), ..EvilAccount::new("send").at_raw(&server).with("url", "/orders") };
    let refused = login.findings(&customer.stage, &customer.evil).await?;
    ensure!(!refused.get("error").is_empty(), "{refused:?}");
    Ok(format!("{}; as a login: {}", short(told.get("error")), refused.get("detail")))
}
