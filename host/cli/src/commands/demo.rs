//! `tradepost demo`: every marketplace is opened on loopback, everything in it is pulled and something is written; whether it worked
//! is judged by what the marketplace holds and by its ledger, not by what the connector says.

use std::collections::{BTreeMap, HashSet};
use std::net::Ipv4Addr;
use std::sync::Arc;

use clap::Args;
use serde::Serialize;
use tradepost_engine::event::EventFilter;
use tradepost_engine::receive::ORDER_STATUSES;
use tradepost_engine::{Engine, EngineOptions, store};
use tradepost_platforms::{Hft71Shop, Platform, SentSecret};
use tradepost_runtime::commerce::{Address, ProductFields, ProductKind, Shipment, StockChange, StockOutcome};
use tradepost_runtime::contract::{FulfilmentItem, FulfilmentOrder};
use tradepost_runtime::{AccountConfig, Connector, Decimal, Grants, Limits, MemoryStorage, Runtime, Timestamp};

use super::Context;
use crate::explain;
use crate::failure::{Exit, Failure, Result, Stop};
use crate::marketplaces::{self, Fields, MARKETPLACES, Marketplace, Open, Opening, Task};
use crate::output::{printable, word};
use crate::progress;
use crate::session::{self, Session};
use crate::walk::{Stream, Walk, Wanted};
use crate::webhook_receiver::WebhookReceiver;

/// Open every loopback marketplace, pull everything, write something, and judge it by the marketplaces' ledgers
#[derive(Debug, Args)]
#[command(after_help = "\
Needs no account and no network. Ends with exit code 1 unless every stream was pulled whole, every write is in the ledger exactly
once, and the order at the producer was followed to its end.

Examples:
  tradepost demo
  tradepost demo --orders 2000 --json | jq .ok")]
pub(crate) struct Demo {
    /// How many orders each marketplace holds
    #[arg(long, value_name = "N", default_value_t = 250, value_parser = clap::value_parser!(u64).range(1..))]
    orders: u64,
}

/// What happened.
#[derive(Debug, Serialize)]
struct Report {
    ok: bool,
    platforms: Vec<PlatformReport>,
}

/// What happened at one marketplace.
#[derive(Debug, Serialize)]
struct PlatformReport {
    connector: String,
    version: String,
    root_url: String,
    /// Who the platform says we are.
    seller: Option<String>,
    /// Unique records by stream.
    pulled: BTreeMap<&'static str, u64>,
    /// What the marketplace holds of the same streams.
    held: BTreeMap<&'static str, u64>,
    effects: Vec<EffectReport>,
    #[serde(skip_serializing_if = "Option::is_none")]
    production: Option<ProductionReport>,
    /// Writes in the ledger that no effect accounts for.
    other_writes: usize,
    requests: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<serde_json::Value>,
}

/// What became of one write.
#[derive(Debug, Serialize)]
struct EffectReport {
    what: String,
    /// How often the ledger has it.
    in_ledger: usize,
}

/// How an order was followed at the producer, in the producer's words.
#[derive(Debug, Serialize)]
struct ProductionReport {
    order: String,
    /// What asking told, each word once.
    by_poll: Vec<String>,
    /// What webhooks told, in their order.
    by_webhook: Vec<String>,
    /// Whether a webhook with a wrong secret, and one with none, were refused and kept nothing.
    forged_refused: bool,
}

impl ProductionReport {
    fn is_ok(&self) -> bool {
        let ended = |words: &[String]| words.last().is_some_and(|word| word == "Closed");
        ended(&self.by_poll) && ended(&self.by_webhook) && self.forged_refused
    }
}

/// A write, and how the marketplace's ledger names it.
struct Effect {
    what: String,
    entered_as: &'static str,
    key: String,
}

impl PlatformReport {
    fn is_ok(&self) -> bool {
        self.error.is_none()
            && self.pulled == self.held
            && self.other_writes == 0
            && self.production.as_ref().is_none_or(ProductionReport::is_ok)
            && self.effects.iter().all(|effect| effect.in_ledger == 1)
    }
}

impl Demo {
    pub(crate) async fn run(self, context: &Context) -> Result<()> {
        let runtime = session::runtime(Limits::default())?;
        let mut platforms = Vec::new();
        for marketplace in &MARKETPLACES {
            platforms.push(self.visit(marketplace, &runtime).await?);
        }
        let report = Report { ok: platforms.iter().all(PlatformReport::is_ok), platforms };
        context.output.single(&report, text)?;
        if report.ok {
            return Ok(());
        }
        let failed: Vec<&str> = report
            .platforms
            .iter()
            .filter(|platform| !platform.is_ok())
            .map(|platform| platform.connector.as_str())
            .collect();
        Err(Failure::new(
            Exit::Unexpected,
            "demo-failed",
            format!("the demo did not come out right at {}", failed.join(", ")),
        )
        .into())
    }

    /// Everything at one marketplace. What goes wrong at the account is part of the report.
    async fn visit(&self, marketplace: &Marketplace, runtime: &Runtime) -> Result<PlatformReport> {
        let component = marketplace.build_connector().await?;
        let connector = session::load(runtime, &component).await?;
        let open = marketplace.start(Opening { port: 0, orders: self.orders, ledger: None }).await?;
        let platform = open.platform.as_ref();
        let mut report = PlatformReport {
            connector: connector.manifest().id.clone(),
            version: connector.manifest().version.clone(),
            root_url: platform.root_url().to_owned(),
            seller: None,
            pulled: BTreeMap::new(),
            held: BTreeMap::new(),
            effects: Vec::new(),
            production: None,
            other_writes: 0,
            requests: 0,
            error: None,
        };
        let visited = self.use_account(runtime, &connector, &open, marketplace.tasks, &mut report).await;
        match visited {
            Ok(()) => {}
            Err(Stop::Failed(failure)) => report.error = Some(failure.to_json()["error"].take()),
            Err(Stop::PipeClosed) => return Err(Stop::PipeClosed),
        }
        let accounted: usize = report.effects.iter().map(|effect| effect.in_ledger).sum();
        report.other_writes = platform.ledger().len().saturating_sub(accounted);
        report.requests = platform.ledger().requests();
        platform.stop().await;
        Ok(report)
    }

    async fn use_account(
        &self,
        runtime: &Runtime,
        connector: &Connector,
        open: &Open,
        tasks: &[Task],
        report: &mut PlatformReport,
    ) -> Result<()> {
        let platform = open.platform.as_ref();
        let session = account(runtime, connector, platform)?;
        let identity = session.keep(session.account.check().await).await?;
        report.seller = identity.name.or(identity.id);
        for stream in Stream::ALL.into_iter().filter(|stream| connector.has(stream.capability())) {
            report.held.insert(stream.name(), platform.held().get(stream.name()).copied().unwrap_or_default());
            report.pulled.insert(stream.name(), pull(&session, stream).await?);
        }
        for task in tasks {
            let effects = match (task, &open.producer) {
                (Task::Produce, Some(producer)) => {
                    let (effect, production) = produce(&session, producer).await?;
                    report.production = Some(production);
                    vec![effect]
                }
                _ => carry_out(&session, task).await?,
            };
            for Effect { what, entered_as, key } in effects {
                let in_ledger = platform.ledger().of(entered_as).iter().filter(|entry| entry.key == key).count();
                report.effects.push(EffectReport { what, in_ledger });
            }
        }
        Ok(())
    }
}

fn account(runtime: &Runtime, connector: &Connector, platform: &dyn Platform) -> Result<Session> {
    let fields = Fields::of(connector.manifest(), platform);
    let config = AccountConfig {
        id: format!("demo/{}", platform.name()),
        settings: fields.settings,
        secrets: fields.secrets.into_iter().map(|(name, value)| (name, value.into())).collect(),
        auth: None,
        grants: Grants { private_hosts: vec![marketplaces::origin(platform)?], ..Grants::default() },
    };
    let account = runtime
        .open(connector, config, Arc::new(MemoryStorage::new()))
        .map_err(|error| explain::account_error(&error, "the demo's own account"))?;
    Ok(Session::of(account))
}

/// Walks a stream and counts its records, each once.
async fn pull(session: &Session, stream: Stream) -> Result<u64> {
    let bar = progress::walk(&format!("{} {}", session.account.id(), stream.name()));
    let mut walk = Walk::new(session, stream, Wanted::default());
    let mut ids = HashSet::new();
    while let Some(page) = walk.next_page().await? {
        if let Some(total) = page.total {
            progress::set_total(&bar, total);
        }
        ids.extend(page.items.into_iter().map(|item| item.id));
        bar.set_position(ids.len() as u64);
    }
    bar.finish_and_clear();
    Ok(ids.len() as u64)
}

/// Does what a task says. Tells what was done, and to what.
async fn carry_out(session: &Session, task: &Task) -> Result<Vec<Effect>> {
    let account = &session.account;
    Ok(match *task {
        Task::Acknowledge(order) => {
            session.keep(account.acknowledge_order(order).await).await?;
            vec![Effect {
                what: format!("order {order} acknowledged"),
                entered_as: "order.process",
                key: order.to_owned(),
            }]
        }
        Task::Ship(order, carrier) => {
            let shipment = Shipment {
                carrier: Some(carrier.to_owned()),
                tracking_number: Some(format!("DEMO-{order}")),
                ..Shipment::default()
            };
            session.keep(account.ship(order, &shipment).await).await?;
            vec![Effect { what: format!("order {order} shipped"), entered_as: "order.ship", key: order.to_owned() }]
        }
        Task::SetStock => {
            let (what, key) = set_stock(session).await?;
            vec![Effect { what, entered_as: "product.quick-edit", key }]
        }
        Task::ProductLife => product_life(session).await?,
        Task::Produce => Vec::new(),
    })
}

/// Makes a product, changes its price, and removes it.
async fn product_life(session: &Session) -> Result<Vec<Effect>> {
    let account = &session.account;
    let fields = ProductFields {
        name: Some("Demo Beanie".to_owned()),
        kind: Some(ProductKind::Simple),
        sku: Some("DEMO-BEANIE".to_owned()),
        regular_price: Some(price("19.90")?),
        ..ProductFields::default()
    };
    let made = session.keep(account.create_product(&fields).await).await?;
    let id = made.id;
    let change = ProductFields { regular_price: Some(price("24.50")?), ..ProductFields::default() };
    let changed = session.keep(account.update_product(&id, &change).await).await?;
    session.keep(account.delete_product(&id).await).await?;
    let effect = |what: String, entered_as| Effect { what, entered_as, key: id.clone() };
    let costs = changed.regular_price.map(|price| price.to_string()).unwrap_or_default();
    Ok(vec![
        effect(format!("product {id} created"), "product.create"),
        effect(format!("product {id} updated, it costs {costs} now"), "product.quick-edit"),
        effect(format!("product {id} deleted"), "product.delete"),
    ])
}

fn price(text: &str) -> Result<Decimal> {
    text.parse().map_err(|_| Failure::unexpected(format!("{text} is not a price")).into())
}

/// Hands an order to the producer and follows it to its end.
async fn produce(session: &Session, producer: &Hft71Shop) -> Result<(Effect, ProductionReport)> {
    let account = &session.account;
    let store = Arc::new(store::in_memory().map_err(|error| explain::open_error(&error))?);
    let engine = Engine::new(store, [account.clone()], EngineOptions::default());
    let receiver = WebhookReceiver::start((Ipv4Addr::LOCALHOST, 0).into(), engine.clone()).await?;
    producer.send_webhooks_to(receiver.url(&format!("{}/order-status", account.id())), producer.webhook_secret());
    let reference = "DEMO-1";
    let receipt = session.keep(account.submit_fulfilment(&demo_order(reference)?).await).await?;
    let number = receipt.id.parse().map_err(|_| Failure::unexpected("the producer's id is not a number"))?;
    let mut by_poll: Vec<String> = Vec::new();
    loop {
        let status = session.keep(account.fulfilment_status(&receipt.id).await).await?.status;
        if by_poll.last() != Some(&status.raw) {
            by_poll.push(status.raw);
        }
        if !producer.advance(number) {
            break;
        }
    }
    producer.settled_deliveries().await;
    let by_webhook = told_words(&engine, &receipt.id).await?;
    for secret in [SentSecret::Wrong, SentSecret::Missing] {
        producer.announce(&receipt.id, "Cancelled by a stranger", secret);
    }
    let deliveries = producer.settled_deliveries().await;
    let refused = deliveries
        .iter()
        .filter(|delivery| delivery.secret != SentSecret::Right)
        .all(|delivery| delivery.answer.as_ref().is_ok_and(|answer| answer.status == 401));
    let forged_refused = refused && told_words(&engine, &receipt.id).await? == by_webhook;
    producer.send_no_webhooks();
    receiver.stop().await;
    let what = format!("order {reference} handed over as {}", receipt.id);
    let effect = Effect { what, entered_as: "order.submit", key: reference.to_owned() };
    Ok((effect, ProductionReport { order: receipt.id, by_poll, by_webhook, forged_refused }))
}

/// The source's words that webhooks told of an order's status, in their order.
async fn told_words(engine: &Engine, order: &str) -> Result<Vec<String>> {
    let filter = EventFilter { account: None, kind: Some(ORDER_STATUSES.to_owned()) };
    let events = engine.store().events(0, usize::MAX, &filter).await.map_err(|error| explain::store_error(&error))?;
    let of_order = events.into_iter().filter(|event| event.id == order);
    Ok(of_order.filter_map(|event| Some(event.record?["status"]["raw"].as_str()?.to_owned())).collect())
}

/// The documentation's sample order (seed 000).
fn demo_order(reference: &str) -> Result<FulfilmentOrder> {
    let placed_at: Timestamp = "2026-03-02T09:30:00Z"
        .parse()
        .map_err(|error| Failure::unexpected(format!("the demo's own date does not read: {error}")))?;
    Ok(FulfilmentOrder {
        reference: reference.to_owned(),
        placed_at,
        address: Address {
            first_name: "John".into(),
            last_name: "Doe".into(),
            company: String::new(),
            lines: vec!["Main Street 10".into()],
            city: "Wroclaw".into(),
            postcode: "50-001".into(),
            region_code: Some("DS".into()),
            region_name: None,
            country_code: Some("PL".into()),
            country_name: None,
            phone: Some("+48123456789".into()),
            email: Some("john@example.com".into()),
        },
        items: vec![FulfilmentItem { sku: "GL64000-00007-0046".into(), quantity: Decimal::from(2) }],
    })
}

/// Gives the first counted product one more than it has.
async fn set_stock(session: &Session) -> Result<(String, String)> {
    let account = &session.account;
    let mut cursor = None;
    loop {
        let page = session.keep(account.list_stock(cursor.as_deref()).await).await?;
        let counted =
            page.items.iter().find_map(|level| match (&level.product_id, &level.variant_id, level.available) {
                (Some(product), None, Some(available)) => Some((product.clone(), available)),
                _ => None,
            });
        let Some((product, available)) = counted else {
            match page.next {
                Some(next) if !page.end => cursor = Some(next),
                _ => return Err(Failure::unexpected("the marketplace counts the stock of no simple product").into()),
            }
            continue;
        };
        let one_more = Decimal::from(available.to_string().parse::<i64>().unwrap_or_default().saturating_add(1));
        let change = StockChange {
            sku: None,
            product_id: Some(product.clone()),
            variant_id: None,
            available: one_more,
            list_price: None,
            as_of: None,
        };
        let results = session.keep(account.set_stock(&[change]).await).await?;
        return match results.as_slice() {
            [result] if result.outcome == StockOutcome::Confirmed => {
                Ok((format!("stock of product {product} set from {available} to {one_more}"), product))
            }
            _ => {
                let outcomes: Vec<String> =
                    results.iter().map(|result| format!("{} {}", word(&result.outcome), result.message)).collect();
                Err(Failure::unexpected(format!(
                    "setting the stock of product {product} was not confirmed: {}",
                    outcomes.join(", ")
                ))
                .into())
            }
        };
    }
}

fn text(report: &Report) -> String {
    report.platforms.iter().flat_map(lines).collect::<Vec<_>>().join("\n")
}

/// What happened at one marketplace, a line each.
fn lines(platform: &PlatformReport) -> Vec<String> {
    let line = |good: bool, text: String| format!("  {} {text}", if good { "ok  " } else { "FAIL" });
    let mut lines = vec![format!("{} {} at {}", platform.connector, platform.version, platform.root_url)];
    if let Some(seller) = &platform.seller {
        lines.push(line(true, format!("checked: the account is {}", printable(seller))));
    }
    for (stream, pulled) in &platform.pulled {
        let held = platform.held.get(stream).copied().unwrap_or_default();
        lines.push(line(*pulled == held, format!("pulled {pulled} {stream}; the marketplace holds {held}")));
    }
    for effect in &platform.effects {
        let times = if effect.in_ledger == 1 { "once".to_owned() } else { format!("{} times", effect.in_ledger) };
        lines.push(line(effect.in_ledger == 1, format!("{}; in the marketplace's ledger {times}", effect.what)));
    }
    if let Some(production) = &platform.production {
        let followed = format!(
            "order {} followed by asking ({}) and by webhook ({})",
            production.order,
            printable(&production.by_poll.join(", ")),
            printable(&production.by_webhook.join(", "))
        );
        lines.push(line(production.is_ok(), followed));
        let forged = if production.forged_refused { "were refused" } else { "were NOT refused" };
        lines.push(line(production.forged_refused, format!("webhooks with a wrong secret and with none {forged}")));
    }
    if platform.other_writes > 0 {
        lines.push(line(false, format!("{} further writes in the ledger", platform.other_writes)));
    }
    if let Some(error) = &platform.error {
        lines.push(line(false, printable(error["message"].as_str().unwrap_or_default())));
    }
    lines.push(format!("       {} requests", platform.requests));
    lines
}
