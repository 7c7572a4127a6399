//! Senders of webhooks that are not who they say (WH-01 to WH-14).
//!
//! Received by a real engine with a real store, for a connector that verifies as Standard Webhooks asks: an HMAC of id, time
//! and body, made by the host, whose key the connector never sees.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures_util::future::join_all;
use hmac::{Hmac, Mac as _};
use sha2::Sha256;
use tradepost_engine::delivery::DeliveryCounts;
use tradepost_engine::event::EventFilter;
use tradepost_engine::receive::{MOST_BODY, ORDER_STATUSES, ReceiveError};
use tradepost_engine::store::{self, Store};
use tradepost_engine::{Engine, EngineOptions};
use tradepost_runtime::contract::{WebhookAnswer, WebhookRequest};

use crate::EvilAccount;
use crate::arena::Arena;
use crate::canary::PASSWORD;
use crate::case::{Case, MustFail as _, Outcome, Run, attack, ensure_eq};
use crate::stage::{ATTACKER, BYSTANDER, Stage, spacious};

/// What is expected of most of them.
const REFUSED: &str = "401; nothing is kept";

pub(super) const CASES: &[Case] = &[
    Case::starred("WH-01", "a wrong signature", REFUSED, attack!(wrong_signature)),
    Case::starred("WH-02", "a header missing", REFUSED, attack!(missing_headers)),
    Case::starred("WH-03", "a body changed by a byte, or written anew", REFUSED, attack!(changed_body)),
    Case::starred(
        "WH-04",
        "the same delivery again within the window",
        "200, and 0 new events",
        attack!(replay_inside),
    ),
    Case::starred("WH-05", "an old delivery again, outside the window", REFUSED, attack!(replay_outside)),
    Case::plain("WH-06", "a time in the future", REFUSED, attack!(future)),
    Case::plain("WH-07", "times that are no numbers, or too large", REFUSED, attack!(odd_times)),
    Case::plain(
        "WH-08",
        "a key exchanged: two signatures, then the old key alone",
        "taken while the old key is kept, refused after that",
        attack!(key_exchange),
    ),
    Case::plain("WH-09", "another algorithm, a weaker one, none", REFUSED, attack!(other_algorithms)),
    Case::plain("WH-10", "a point in the id, to move the signed parts", REFUSED, attack!(point_in_the_id)),
    Case::starred("WH-11", "one tenant's delivery at another's address", REFUSED, attack!(other_tenant)),
    Case::plain(
        "WH-12",
        "a body or headers too large",
        "413 before anything is kept or verified; slow senders are ended by the command's receiver, 10 s",
        attack!(too_large),
    ),
    Case::plain(
        "WH-13",
        "the signature guessed byte by byte, by time",
        "compared in constant time; what was measured is shown and not judged",
        attack!(timing),
    ),
    Case::starred("WH-14", "100 times the same at once", "100 times 200, 1 event", attack!(parallel)),
    Case::starred(
        "TP-09",
        "a forged copy that arrives at the same moment as the genuine delivery",
        "the genuine one is answered 200",
        attack!(forged_copies),
    ),
    Case::plain(
        "TP-10",
        "a sender of a byte a second",
        "ended after 10 s",
        Run::NotRun("the receiver belongs to the command and is not a library"),
    ),
];

/// An engine that receives for two tenants with keys of their own.
struct Post {
    engine: Engine,
    store: Arc<dyn Store>,
    stage: Stage,
}

/// The other tenant's key.
const OTHER_KEY: &str = "another tenant's webhook key";
/// The key before the present one.
const OLD_KEY: &str = "the webhook key of last year";

impl Post {
    async fn new(arena: &Arena) -> anyhow::Result<Self> {
        let (stage, evil) = arena.evil(spacious()).await?;
        let accounts = [
            EvilAccount::new("honest"),
            EvilAccount { password: OTHER_KEY.into(), ..EvilAccount::new("honest").of(BYSTANDER) },
            EvilAccount { previous_key: Some(OLD_KEY.into()), ..EvilAccount::new("honest").of("mallory/exchanging") },
        ];
        let accounts =
            accounts.iter().map(|account| account.open(&stage, &evil)).collect::<anyhow::Result<Vec<_>>>()?;
        let store: Arc<dyn Store> = Arc::new(store::in_memory()?);
        let engine = Engine::new(Arc::clone(&store), accounts, EngineOptions::default());
        Ok(Self { engine, store, stage })
    }

    async fn send(&self, account: &str, request: WebhookRequest) -> Result<WebhookAnswer, ReceiveError> {
        self.stage.during(self.engine.receive(account, request)).await.result
    }

    async fn accepts(&self, what: &str, request: WebhookRequest) -> anyhow::Result<()> {
        let answer = self.send(ATTACKER, request).await.with_context(|| what.to_owned())?;
        ensure_eq!(answer.status, 200, "{what}");
        Ok(())
    }

    /// Refused as not genuine, and nothing of it is kept.
    async fn refuses(&self, what: &str, request: WebhookRequest) -> anyhow::Result<()> {
        let before = (self.counts().await?, self.told().await?);
        let error = self.send(ATTACKER, request).await.must_fail(what)?;
        ensure_eq!(error.status(), 401, "{what}: {error}");
        ensure_eq!((self.counts().await?, self.told().await?), before, "{what}: what is kept");
        Ok(())
    }

    async fn counts(&self) -> anyhow::Result<DeliveryCounts> {
        Ok(self.store.delivery_counts().await?)
    }

    /// Events that tell of statuses.
    async fn told(&self) -> anyhow::Result<usize> {
        let filter = EventFilter { account: None, kind: Some(ORDER_STATUSES.into()) };
        Ok(self.store.events(0, usize::MAX, &filter).await?.len())
    }
}

fn now() -> anyhow::Result<u64> {
    Ok(SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs())
}

fn signature(key: &str, id: &str, at: &str, body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).expect("any key will do");
    for part in [id.as_bytes(), b".", at.as_bytes(), b".", body] {
        mac.update(part);
    }
    format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
}

/// A delivery with headers as they are given.
fn delivery(id: &str, at: &str, signatures: &str, body: &[u8]) -> WebhookRequest {
    let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    WebhookRequest {
        method: "POST".into(),
        path: "/order-status".into(),
        headers: vec![
            header("webhook-id", id),
            header("webhook-timestamp", at),
            header("webhook-signature", signatures),
        ],
        body: body.to_vec(),
    }
}

/// A genuine delivery of the account under attack, sent at this time.
fn signed_at(at: &str, body: &str) -> WebhookRequest {
    delivery("msg_1", at, &signature(PASSWORD, "msg_1", at, body.as_bytes()), body.as_bytes())
}

fn genuine(body: &str) -> anyhow::Result<WebhookRequest> {
    Ok(signed_at(&now()?.to_string(), body))
}

async fn wrong_signature(arena: &Arena) -> Outcome {
    let post = Post::new(arena).await?;
    let at = now()?.to_string();
    let right = signature(PASSWORD, "msg_1", &at, b"7 Closed");
    let mut flipped = right.clone().into_bytes();
    flipped[10] = if flipped[10] == b'A' { b'B' } else { b'A' };
    let flipped = String::from_utf8(flipped)?;
    let wrong = [
        signature("", "msg_1", &at, b"7 Closed"),
        signature("another key", "msg_1", &at, b"7 Closed"),
        signature(PASSWORD, "msg_2", &at, b"7 Closed"),
        flipped,
        right[..right.len() - 1].to_owned(),
        format!("{right}="),
        right.to_uppercase(),
        "v1,".to_owned(),
    ];
    for signature in &wrong {
        post.refuses(signature, delivery("msg_1", &at, signature, b"7 Closed")).await?;
    }
    post.accepts("the control", delivery("msg_1", &at, &right, b"7 Closed")).await?;
    ensure_eq!(post.told().await?, 1, "events");
    Ok(format!("{} signatures: 401; the right one: 200", wrong.len()))
}

async fn missing_headers(arena: &Arena) -> Outcome {
    let post = Post::new(arena).await?;
    for missing in 0..3 {
        let mut request = genuine("7 Closed")?;
        let (name, _) = request.headers.remove(missing);
        post.refuses(&name, request).await?;
    }
    let mut request = genuine("7 Closed")?;
    request.headers.clear();
    post.refuses("all of them", request).await?;
    Ok("each of the 3, and all of them: 401".into())
}

async fn changed_body(arena: &Arena) -> Outcome {
    let post = Post::new(arena).await?;
    for body in ["7 closed", "8 Closed", "7  Closed", "7 Closed\n", " 7 Closed", "", "7 Closed\0"] {
        let request = WebhookRequest { body: body.into(), ..genuine("7 Closed")? };
        post.refuses(&format!("{body:?}"), request).await?;
    }
    Ok("7 bodies that differ a little: 401".into())
}

async fn replay_inside(arena: &Arena) -> Outcome {
    let post = Post::new(arena).await?;
    let request = genuine("7 Closed")?;
    for _ in 0..3 {
        post.accepts("the same delivery", request.clone()).await?;
    }
    // Sent anew by the platform: another id and time, the same content.
    let at = (now()? + 1).to_string();
    let again = delivery("msg_9", &at, &signature(PASSWORD, "msg_9", &at, b"7 Closed"), b"7 Closed");
    post.accepts("sent anew", again).await?;
    ensure_eq!(post.told().await?, 1, "events");
    Ok("4 times: 200 each, 1 event".into())
}

async fn replay_outside(arena: &Arena) -> Outcome {
    let post = Post::new(arena).await?;
    for seconds in [301, 600, 86_400, 1_000_000_000] {
        let request = signed_at(&(now()? - seconds).to_string(), "7 Closed");
        post.refuses(&format!("{seconds} s old"), request).await?;
    }
    post.accepts("280 s old", signed_at(&(now()? - 280).to_string(), "7 Closed")).await?;
    Ok("301 s and older: 401; 280 s: 200".into())
}

async fn future(arena: &Arena) -> Outcome {
    let post = Post::new(arena).await?;
    for seconds in [320, 86_400, 1_000_000_000] {
        let request = signed_at(&(now()? + seconds).to_string(), "7 Closed");
        post.refuses(&format!("in {seconds} s"), request).await?;
    }
    Ok("320 s ahead and more: 401".into())
}

async fn odd_times(arena: &Arena) -> Outcome {
    let post = Post::new(arena).await?;
    let at = now()?;
    let odd = [
        String::new(),
        "now".into(),
        format!("{at}.0"),
        format!("{at}e0"),
        format!("-{at}"),
        format!(" {at}"),
        format!("0x{at:x}"),
        "18446744073709551616".into(),
        u64::MAX.to_string(),
        "9".repeat(1_000),
        "\u{661}\u{662}".into(),
    ];
    for at in &odd {
        post.refuses(&format!("{at:.40?}"), signed_at(at, "7 Closed")).await?;
    }
    Ok(format!("{} times, each signed: 401", odd.len()))
}

async fn key_exchange(arena: &Arena) -> Outcome {
    let post = Post::new(arena).await?;
    let at = now()?.to_string();
    let signed = |key: &str, body: &str| signature(key, "msg_1", &at, body.as_bytes());
    let both = format!("{} {}", signed(OLD_KEY, "7 Closed"), signed(PASSWORD, "7 Closed"));
    post.accepts("both signatures", delivery("msg_1", &at, &both, b"7 Closed")).await?;
    let exchanging =
        post.send("mallory/exchanging", delivery("msg_1", &at, &signed(OLD_KEY, "8 Closed"), b"8 Closed")).await?;
    ensure_eq!(exchanging.status, 200, "the old key while it is kept");
    post.refuses("the old key when it is gone", delivery("msg_1", &at, &signed(OLD_KEY, "9 Closed"), b"9 Closed"))
        .await?;
    Ok("both signatures and the old key while it is kept: 200; the old key when it is gone: 401".into())
}

async fn other_algorithms(arena: &Arena) -> Outcome {
    let post = Post::new(arena).await?;
    let at = now()?.to_string();
    let right = signature(PASSWORD, "msg_1", &at, b"7 Closed");
    let digits = right.strip_prefix("v1,").context("a signature of the first version")?;
    for signatures in [
        digits.to_owned(),
        format!("v1a,{digits}"),
        format!("v0,{digits}"),
        format!("V1,{digits}"),
        format!("none,{digits}"),
        "v1a,".into(),
        "none".into(),
        String::new(),
        format!("v1,,{digits}"),
        format!("v1 {digits}"),
    ] {
        post.refuses(&signatures, delivery("msg_1", &at, &signatures, b"7 Closed")).await?;
    }
    Ok("10 other labels for the right signature: 401".into())
}

async fn point_in_the_id(arena: &Arena) -> Outcome {
    let post = Post::new(arena).await?;
    let at = now()?.to_string();
    // The platform signs id `msg_1`, time and the body `AT.7 Closed`: the same bytes as id `msg_1.AT` with another body.
    let body = format!("{at}.7 Closed");
    let signed = signature(PASSWORD, "msg_1", &at, body.as_bytes());
    post.refuses("parts moved into the id", delivery(&format!("msg_1.{at}"), &at, &signed, b"7 Closed")).await?;
    for id in ["msg.1", ".", ""] {
        let signed = signature(PASSWORD, id, &at, b"7 Closed");
        post.refuses(&format!("{id:?}"), delivery(id, &at, &signed, b"7 Closed")).await?;
    }
    Ok("moved parts, points and no id: 401".into())
}

async fn other_tenant(arena: &Arena) -> Outcome {
    let post = Post::new(arena).await?;
    let error = post.send(BYSTANDER, genuine("7 Closed")?).await.must_fail("it is for somebody else")?;
    ensure_eq!(error.status(), 401, "{error}");
    let at = now()?.to_string();
    let theirs = delivery("msg_1", &at, &signature(OTHER_KEY, "msg_1", &at, b"7 Closed"), b"7 Closed");
    post.refuses("the other way round", theirs.clone()).await?;
    let nobody = post.send("nobody/here", theirs).await.must_fail("there is no such account")?;
    ensure_eq!(nobody.status(), 404, "{nobody}");
    ensure_eq!((post.counts().await?, post.told().await?), (DeliveryCounts::default(), 0), "what is kept");
    Ok("both ways: 401; nobody's address: 404".into())
}

async fn too_large(arena: &Arena) -> Outcome {
    let post = Post::new(arena).await?;
    for bytes in [MOST_BODY + 1, (5 << 20) + 1] {
        let request = WebhookRequest { body: vec![b' '; bytes], ..genuine("7 Closed")? };
        let after = post.stage.during(post.engine.receive(ATTACKER, request)).await;
        let error = after.result.must_fail("it is too large")?;
        ensure_eq!(error.status(), 413, "{bytes} bytes: {error}");
    }
    let mut request = genuine("7 Closed")?;
    request.headers.push(("x-large".into(), "x".repeat(64 << 10)));
    let error = post.send(ATTACKER, request).await.must_fail("its headers are too large")?;
    ensure_eq!(error.status(), 413, "{error}");
    ensure_eq!(post.counts().await?, DeliveryCounts::default(), "what is kept");
    Ok("1 MiB and a byte, 5 MiB and a byte, 64 KiB of headers: 413, nothing kept".into())
}

async fn timing(arena: &Arena) -> Outcome {
    // What the host offers to compare with, and nothing else, decides: a comparison that stops at the first difference would be
    // seen in its source sooner than in time.
    let source = include_str!("../../../../host/runtime/src/state.rs");
    ensure!(source.contains(".ct_eq("), "the host's comparison of secrets is not that of `subtle`");
    let post = Post::new(arena).await?;
    let at = now()?.to_string();
    let right = signature(PASSWORD, "msg_1", &at, b"7 Closed");
    let changed = |place: usize| {
        let mut text = right.clone().into_bytes();
        text[place] = if text[place] == b'A' { b'B' } else { b'A' };
        String::from_utf8(text).context("still ASCII")
    };
    let (first, last) = (changed(3)?, changed(right.len() - 2)?);
    let rounds = arena.scaled(20, 200);
    let (mut early, mut late) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        for (signature, times) in [(&first, &mut early), (&last, &mut late)] {
            let started = Instant::now();
            let outcome = post.engine.receive(ATTACKER, delivery("msg_1", &at, signature, b"7 Closed")).await;
            let error = outcome.must_fail("it is wrong")?;
            // The allowance of an account is 500 at once.
            ensure_eq!(error.status(), 401, "{error}");
            times.push(started.elapsed());
        }
    }
    let median = |times: &mut Vec<Duration>| {
        times.sort_unstable();
        times[times.len() / 2]
    };
    Ok(format!(
        "medians of {rounds}: wrong at the first place {:.1?}, at the last {:.1?}",
        median(&mut early),
        median(&mut late)
    ))
}

async fn parallel(arena: &Arena) -> Outcome {
    let post = Post::new(arena).await?;
    let request = genuine("7 Closed")?;
    let all = (0..100).map(|_| post.engine.receive(ATTACKER, request.clone()));
    for answer in post.stage.during(join_all(all)).await.result {
        ensure_eq!(answer?.status, 200);
    }
    ensure_eq!(post.told().await?, 1, "events");
    Ok("100 times 200, 1 event".into())
}

async fn forged_copies(arena: &Arena) -> Outcome {
    let post = Post::new(arena).await?;
    let rounds: usize = arena.scaled(20, 100);
    let mut turned_away = 0;
    for round in 0..rounds {
        let body = format!("{round} Closed");
        let real = genuine(&body)?;
        let mut forged = real.clone();
        forged.headers[2].1 = "v1,AAAA".into();
        let both =
            async { tokio::join!(post.engine.receive(ATTACKER, forged), post.engine.receive(ATTACKER, real.clone())) };
        let (_, genuine) = Box::pin(post.stage.during(both)).await.result;
        turned_away += usize::from(genuine.is_err());
        // Whatever happened, the platform's next try gets through.
        post.accepts("the second try", real).await?;
    }
    ensure_eq!(post.told().await?, rounds, "events");
    ensure!(
        turned_away == 0,
        "{turned_away} of {rounds} genuine deliveries were answered 401 because of a forged copy; sent again, each got through"
    );
    Ok(format!("{rounds} rounds: each genuine delivery is answered 200"))
}
