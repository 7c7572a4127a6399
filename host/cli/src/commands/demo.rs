//! `tradepost demo`: every marketplace is opened on loopback, everything in it is pulled and something is written; whether it worked
//! is judged by what the marketplace holds and by its ledger, not by what the connector says.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use clap::Args;
use serde::Serialize;
use tradepost_platforms::Platform;
use tradepost_runtime::commerce::{Shipment, StockChange, StockOutcome};
use tradepost_runtime::{AccountConfig, Connector, Decimal, Grants, Limits, MemoryStorage, Runtime};

use super::Context;
use crate::explain;
use crate::failure::{Exit, Failure, Result, Stop};
use crate::marketplaces::{self, Action, Fields, MARKETPLACES, Marketplace, Opening, Task};
use crate::output::{printable, word};
use crate::progress;
use crate::session::{self, Session};
use crate::walk::{Stream, Walk, Wanted};

/// Open every loopback marketplace, pull everything, write something, and judge it by the marketplaces' ledgers
#[derive(Debug, Args)]
#[command(after_help = "\
Needs no account and no network. Ends with exit code 1 unless every stream was pulled whole and every write is in the ledger
exactly once.

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

impl PlatformReport {
    fn is_ok(&self) -> bool {
        self.error.is_none()
            && self.pulled == self.held
            && self.other_writes == 0
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
        let platform = marketplace.start(Opening { port: 0, orders: self.orders, ledger: None }).await?;
        let mut report = PlatformReport {
            connector: connector.manifest().id.clone(),
            version: connector.manifest().version.clone(),
            root_url: platform.root_url().to_owned(),
            seller: None,
            pulled: BTreeMap::new(),
            held: BTreeMap::new(),
            effects: Vec::new(),
            other_writes: 0,
            requests: 0,
            error: None,
        };
        let visited = self.use_account(runtime, &connector, platform.as_ref(), marketplace.tasks, &mut report).await;
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
        platform: &dyn Platform,
        tasks: &[Task],
        report: &mut PlatformReport,
    ) -> Result<()> {
        let session = open(runtime, connector, platform)?;
        let identity = session.keep(session.account.check().await).await?;
        report.seller = identity.name.or(identity.id);
        for stream in Stream::ALL.into_iter().filter(|stream| connector.has(stream.capability())) {
            report.held.insert(stream.name(), platform.held().get(stream.name()).copied().unwrap_or_default());
            report.pulled.insert(stream.name(), pull(&session, stream).await?);
        }
        for task in tasks {
            let (what, key) = carry_out(&session, &task.action).await?;
            let in_ledger = platform.ledger().of(task.ledger_effect).iter().filter(|entry| entry.key == key).count();
            report.effects.push(EffectReport { what, in_ledger });
        }
        Ok(())
    }
}

fn open(runtime: &Runtime, connector: &Connector, platform: &dyn Platform) -> Result<Session> {
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
async fn carry_out(session: &Session, action: &Action) -> Result<(String, String)> {
    let account = &session.account;
    match *action {
        Action::Acknowledge(order) => {
            session.keep(account.acknowledge_order(order).await).await?;
            Ok((format!("order {order} acknowledged"), order.to_owned()))
        }
        Action::Ship(order, carrier) => {
            let shipment = Shipment {
                carrier: Some(carrier.to_owned()),
                tracking_number: Some(format!("DEMO-{order}")),
                ..Shipment::default()
            };
            session.keep(account.ship(order, &shipment).await).await?;
            Ok((format!("order {order} shipped"), order.to_owned()))
        }
        Action::SetStock => set_stock(session).await,
    }
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
    if platform.other_writes > 0 {
        lines.push(line(false, format!("{} further writes in the ledger", platform.other_writes)));
    }
    if let Some(error) = &platform.error {
        lines.push(line(false, printable(error["message"].as_str().unwrap_or_default())));
    }
    lines.push(format!("       {} requests", platform.requests));
    lines
}
