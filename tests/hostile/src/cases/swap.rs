//! Calls, walks and commands that are under way while their version is swapped, and which version answers then (SW-02 to SW-04, SW-13,
//! HC-33).

use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use futures_util::future::join_all;
use semver::Version;
use serde_json::json;
use tokio::sync::Notify;
use tradepost_engine::command::{CommandOutcome, CommandState};
use tradepost_engine::event::{Change, EventFilter};
use tradepost_engine::stream::StreamKey;
use tradepost_engine::versions::{Activation, Fleet, FleetNews, FleetOptions, Following, TrialScope};
use tradepost_engine::{Engine, EngineOptions, Order};
use tradepost_platforms::{HardToFind, Platform as _};
use tradepost_runtime::contract::AccountIdentity;
use tradepost_runtime::{CallError, Reply, Runtime};

use crate::arena::Arena;
use crate::case::{Case, MustFail as _, Outcome, attack, ensure_eq};
use crate::evil::{self, Findings};
use crate::installation::{account, look, telling, told, version_of};
use crate::server::GATE;
use crate::stage::{ATTACKER, spacious, tight};
use crate::{EvilAccount, Installation, Server, Stage, hardtofind};

pub(super) const CASES: &[Case] = &[
    Case::starred(
        "HC-33",
        "a handle kept across a swap",
        "no handle outlives its call, and a call is one version's; an account kept past the deadline is refused",
        attack!(kept_across),
    ),
    Case::starred("SW-02", "a long call in flight", "ends on the old code", attack!(in_flight)),
    Case::starred(
        "SW-03",
        "a call in flight past the drain deadline",
        "ended, rolled back, tried again on the new code",
        attack!(past_the_deadline),
    ),
    Case::starred(
        "SW-04",
        "a swap between request and answer of a write",
        "the journal pins the digest; nothing is sent twice",
        attack!(during_a_write),
    ),
    Case::starred("SW-13", "is it the new code that answers", "proved after each swap", attack!(new_code)),
];

pub(super) fn version(text: &str) -> Version {
    text.parse().expect("a version of this suite")
}

/// Waits until so many requests are at a server.
async fn arrived(server: &Server, requests: usize) {
    while server.seen().len() < requests {
        tokio::task::yield_now().await;
    }
}

/// Two versions of the evil connector, the first of them active, and an account on it whose calls wait at the server's gate.
struct Gate {
    stage: Stage,
    installation: Installation,
    server: Server,
    engine: Engine,
    fleet: Fleet,
}

impl Gate {
    async fn new(arena: &Arena, url: &str, drain: Duration) -> anyhow::Result<Self> {
        let stage = arena.stage_keeping_code(spacious()).await?;
        let server = Server::start().await;
        let components = [evil::component(), evil::as_version("0.2.0")];
        let installation = Installation::with(&stage.runtime, components).await?;
        let old = installation.connector("evil").await?;
        let opened = EvilAccount::new("version").at(&server).with("url", url).open(&stage, &old)?;
        let options = FleetOptions { drain, ..FleetOptions::default() };
        let (engine, mut fleet) = installation.fleet(vec![opened], EngineOptions::default(), options);
        look(&mut fleet).await?;
        Ok(Self { stage, installation, server, engine, fleet })
    }

    /// Puts the account on the next version.
    async fn swap(&mut self) -> anyhow::Result<()> {
        self.installation.activate("evil", &version("0.2.0")).await?;
        let told = look(&mut self.fleet).await?;
        ensure!(matches!(told.as_slice(), [FleetNews::Moved { .. }]), "{told:?}");
        ensure_eq!(version_of(&self.engine, ATTACKER)?, "0.2.0");
        Ok(())
    }
}

/// Fails unless a call was this version's from its beginning to its end.
fn whole(reply: Result<Reply<AccountIdentity>, CallError>, version: &str) -> anyhow::Result<Reply<AccountIdentity>> {
    let reply = reply.with_context(|| format!("a call on version {version}"))?;
    let findings = Findings(reply.value.facts.clone());
    for (name, expected) in [("begun by", version), ("status", "200"), ("ended by", version)] {
        ensure_eq!(findings.get(name), expected, "{name}");
    }
    Ok(reply)
}

async fn in_flight(arena: &Arena) -> Outcome {
    let mut gate = Gate::new(arena, "/gate", Duration::from_secs(60)).await?;
    let old = account(&gate.engine, ATTACKER)?;
    let under_way = tokio::spawn({
        let old = old.clone();
        async move { old.check().await }
    });
    arrived(&gate.server, 1).await;
    gate.swap().await?;
    ensure_eq!(old.calls_under_way(), 1, "calls under way on the old version");
    // The gate opens for all at once: the old call ends after the new ones have begun.
    let now = account(&gate.engine, ATTACKER)?;
    let new = gate.stage.during(join_all((1..GATE).map(|_| now.check()))).await.result;
    for reply in new {
        whole(reply, "0.2.0")?.commit().await?;
    }
    whole(under_way.await?, "0.1.0")?.commit().await?;
    let mut ended = Vec::new();
    gate.fleet.drained(|news| ended.push(news)).await;
    ensure!(ended.is_empty(), "{ended:?}");
    Ok(format!("1 call ends on 0.1.0 after {} have begun on 0.2.0; its writes are kept", GATE - 1))
}

async fn kept_across(arena: &Arena) -> Outcome {
    let mut gate = Gate::new(arena, "/never", Duration::from_millis(50)).await?;
    // All that anybody can keep is the account: the contract has no handle that outlives a call.
    let kept = account(&gate.engine, ATTACKER)?;
    let under_way = tokio::spawn({
        let kept = kept.clone();
        async move { kept.check().await }
    });
    arrived(&gate.server, 1).await;
    gate.swap().await?;
    let mut told = Vec::new();
    gate.stage.during(gate.fleet.drained(|news| told.push(news))).await;
    ensure!(matches!(told.as_slice(), [FleetNews::Ended { calls: 1, .. }]), "{told:?}");
    let ended = under_way.await?.must_fail("the server never answers")?;
    let again = kept.check().await.must_fail("the account was taken out of service")?;
    for error in [ended, again] {
        ensure!(matches!(&error, CallError::Retired { connector, .. } if connector == "evil 0.1.0"), "{error:?}");
    }
    ensure_eq!(gate.server.seen().len(), 1, "requests");
    gate.stage.nothing_stored().await?;
    Ok("the call under way and each later one on the kept account: ended, told why; nothing stored, nothing sent"
        .into())
}

/// Two versions of hardtofind, the first of them active, and an account on it at a loopback marketplace whose orders have been read.
struct Shop {
    stage: Stage,
    installation: Installation,
    platform: HardToFind,
    engine: Engine,
    fleet: Fleet,
}

impl Shop {
    async fn new(arena: &Arena, drain: Duration) -> anyhow::Result<Self> {
        let builder =
            Runtime::builder().limits(spacious()).code_cache(arena.code_cache()?).egress(hardtofind::unpaced()?);
        let stage = arena.stage_with(builder).await?;
        let components = [hardtofind::component(), hardtofind::next()];
        let installation = Installation::with(&stage.runtime, components).await?;
        let platform = HardToFind::builder().orders(20).start().await?;
        let old = installation.connector(hardtofind::ID).await?;
        let opened = hardtofind::account(&stage.runtime, &old, &platform, ATTACKER)?;
        let options = EngineOptions { tick: Duration::from_millis(20), ..EngineOptions::default() };
        let fleet = FleetOptions { drain, ..FleetOptions::default() };
        let (engine, mut fleet) = installation.fleet(vec![opened], options, fleet);
        look(&mut fleet).await?;
        ensure_eq!(engine.pull(&orders(), |_| {}).await?.records.created, 20);
        Ok(Self { stage, installation, platform, engine, fleet })
    }

    /// Puts the account on the next version while a call of it is under way, and waits until its time is over.
    async fn swap(&mut self) -> anyhow::Result<Vec<FleetNews>> {
        let old = account(&self.engine, ATTACKER)?;
        self.installation.activate(hardtofind::ID, &version("0.2.0")).await?;
        let mut told = look(&mut self.fleet).await?;
        ensure!(matches!(told.as_slice(), [FleetNews::Moved { .. }]), "{told:?}");
        ensure!(old.calls_under_way() > 0, "the swap came too late to prove anything");
        told.clear();
        self.fleet.drained(|news| told.push(news)).await;
        Ok(told)
    }
}

fn orders() -> StreamKey {
    StreamKey::new(ATTACKER, "orders")
}

async fn past_the_deadline(arena: &Arena) -> Outcome {
    let mut shop = Shop::new(arena, Duration::from_millis(50)).await?;
    shop.platform.shop().insert_order("777777", "READY");
    let requests = shop.platform.ledger().requests();
    shop.platform.set_fault(Some("slow=600s:next=1:path=/orders".parse()?));
    let engine = shop.engine.clone();
    let pull = tokio::spawn(async move { engine.pull(&orders(), |_| {}).await });
    while shop.platform.ledger().requests() == requests {
        tokio::task::yield_now().await;
    }
    let ended = shop.swap().await?;
    ensure!(matches!(ended.as_slice(), [FleetNews::Ended { calls: 1, .. }]), "{ended:?}");
    let pulled = shop.stage.during(pull).await.result??;
    ensure!(pulled.complete && pulled.records.created == 1, "{pulled:?}");
    let filter = EventFilter { account: None, kind: Some("orders".into()) };
    let events = shop.installation.store.events(0, usize::MAX, &filter).await?;
    let of_order: Vec<_> = events.iter().filter(|event| event.id == "777777").collect();
    let [event] = of_order.as_slice() else { bail!("{} events of the order", of_order.len()) };
    let currency = event.record.as_ref().and_then(|record| record["currency"].as_str());
    ensure_eq!((event.change, currency), (Change::Created, Some(hardtofind::OTHER_CURRENCY)));
    Ok("ended after 50 ms, the page read again by 0.2.0: 1 event".into())
}

async fn during_a_write(arena: &Arena) -> Outcome {
    for (drain, is_ended) in [(Duration::from_secs(60), false), (Duration::from_millis(50), true)] {
        let mut shop = Shop::new(arena, drain).await?;
        let began = account(&shop.engine, ATTACKER)?.connector().digest().to_string();
        let acknowledge =
            Order { operation: "order-acceptance.acknowledge".into(), arguments: json!({"id": "123456"}), key: None };
        let acknowledged = shop.engine.enqueue(ATTACKER, acknowledge).await?;
        shop.engine.carry_out(acknowledged.id).await?;
        let shipment = json!({
            "id": null, "carrier": "Australia Post", "tracking_number": "AP-1", "tracking_url": null,
            "shipped_at": null, "lines": [],
        });
        let arguments = json!({"order_id": "123456", "shipment": shipment});
        let order = Order { operation: "shipments.ship".into(), arguments, key: None };
        let command = shop.engine.enqueue(ATTACKER, order).await?.id;
        shop.platform.set_fault(Some("slow=1500ms:path=/order/".parse()?));
        let (engine, store, done) = (shop.engine.clone(), shop.installation.store.clone(), Notify::new());
        let swapping = async {
            let swapped = async {
                // Something of it is in the journal: a request is under way.
                while store.requests_of(command).await?.is_empty() {
                    tokio::task::yield_now().await;
                }
                let ended = shop.swap().await?;
                anyhow::Ok((ended, engine.settled(command).await?))
            };
            let swapped = swapped.await;
            done.notify_one();
            swapped
        };
        let (swapped, ()) = tokio::join!(swapping, engine.run(done.notified(), |_| {}));
        let (ended, settled) = swapped?;
        ensure_eq!(ended.iter().any(|news| matches!(news, FleetNews::Ended { .. })), is_ended, "{ended:?}");
        ensure_eq!(settled.state, CommandState::Done, "{:?}", settled.reason);
        ensure!(matches!(settled.outcome, Some(CommandOutcome::Applied(_))), "{:?}", settled.outcome);
        ensure_eq!(settled.digest, Some(began));
        ensure_eq!(version_of(&shop.engine, ATTACKER)?, "0.2.0");
        ensure_eq!(shop.platform.ledger().of("order.ship").len(), 1, "ships in the marketplace's ledger");
    }
    Ok("let end, and ended after 50 ms: done on the digest that began it, shipped once by the marketplace's ledger"
        .into())
}

async fn new_code(arena: &Arena) -> Outcome {
    const OLD: &str = "1.0.0";
    const NEW: &str = "1.1.0";
    const ID: &str = "hand-written";
    let stage = arena.stage(tight()).await?;
    let installation =
        Installation::with(&stage.runtime, [OLD, NEW].map(|version| telling(version).component())).await?;
    let opened = stage.open(&installation.connector(ID).await?)?;
    let (engine, mut fleet) = installation.fleet(vec![opened], EngineOptions::default(), FleetOptions::default());
    let (versions, rounds) = (&installation.versions, arena.scaled(2, 20));
    let canary = TrialScope { accounts: vec![ATTACKER.into()], ..TrialScope::default() };
    let mut swaps = 0;
    for _ in 0..rounds {
        for (way, expected) in
            [("activate", NEW), ("roll back", OLD), ("canary", NEW), ("end it", OLD), ("pin", NEW), ("let go", OLD)]
        {
            match way {
                "activate" => drop(versions.activate(ID, &version(NEW), Activation::default()).await?),
                "canary" => {
                    let trial = Activation { trial: Some(canary.clone()), ..Activation::default() };
                    versions.activate(ID, &version(NEW), trial).await?;
                }
                "pin" => drop(versions.follow(ATTACKER, ID, Some(Following::Pin(version(NEW)))).await?),
                "let go" => drop(versions.follow(ATTACKER, ID, None).await?),
                _ => drop(versions.roll_back(ID, None, None, false).await?),
            }
            look(&mut fleet).await?;
            let said = told(stage.during(account(&engine, ATTACKER)?.check()).await.result)?;
            ensure_eq!(said, expected, "{way}: the version that its code says");
            ensure_eq!(version_of(&engine, ATTACKER)?, expected, "{way}: the version that the host says");
            swaps += 1;
        }
    }
    Ok(format!("{swaps} of {swaps}: by activating, rolling back, a canary, a pin"))
}
