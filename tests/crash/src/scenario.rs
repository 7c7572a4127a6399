//! One run: work comes in, the daemon is killed, and in the end everything is counted.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use fastrand::Rng;
use serde_json::{Value, json};
use tempfile::TempDir;
use tradepost_engine::command::{Command, CommandOutcome, CommandQuery, CommandState, NewCommand};
use tradepost_engine::event::{Change, EventFilter};
use tradepost_engine::store::{self, Store};
use tradepost_platforms::{HardToFind, HardToFindShop, Hft71, Hft71Shop, Platform};

use crate::daemon::Daemon;

/// The accounts of the run.
const SELLER: &str = "crash/hardtofind";
const PRODUCER: &str = "crash/hft71";
/// How long the daemon has in the end, undisturbed. It keeps the pace of five requests a second that the marketplace allows.
const PATIENCE: Duration = Duration::from_secs(180);

/// How a run is made.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The program `tradepost`.
    pub program: PathBuf,
    /// What the run's choices come from.
    pub seed: u64,
    /// Orders that the marketplace holds at the start.
    pub orders: u64,
    /// How often the daemon is killed.
    pub kills: u32,
    /// The longest that it lives, in milliseconds.
    pub longest_life: u64,
}

/// What was counted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    /// Orders that the marketplace holds and no event told of, or not in their newest version.
    pub lost: usize,
    /// Records that were told of as new more than once, and effects that the ledgers have more than once.
    pub duplicated: usize,
    /// Effects and records that nobody asked for.
    pub phantom: usize,
    /// Commands that are neither done, nor parked with evidence.
    pub silent: usize,
    /// Commands that wait for a person, each with evidence.
    pub parked: usize,
    /// Commands in all.
    pub commands: usize,
    /// Events in all.
    pub events: usize,
    /// What is wrong, in words.
    pub findings: Vec<String>,
}

impl Verdict {
    /// Whether nothing was lost, doubled, made up or passed over in silence.
    pub fn is_good(&self) -> bool {
        (self.lost, self.duplicated, self.phantom, self.silent) == (0, 0, 0, 0)
    }
}

/// Makes one run.
pub async fn run(plan: &Plan) -> Result<Verdict> {
    let mut random = Rng::with_seed(plan.seed);
    let seller = HardToFind::builder().orders(plan.orders).start().await?;
    let producer = Hft71::builder().articles(300).start().await?;
    let desk = desk(&seller, &producer).await?;
    let store: Arc<dyn Store> = Arc::new(store::open(&desk.path().join("data"))?);
    let mut work = Work { seller: seller.shop(), producer: producer.shop(), ordered: 0 };
    // Some requests are carried out and their answers lost, also without any kill.
    producer.set_fault(Some("apply-then-reset:every=9:path=/order".parse()?));
    for _ in 0..plan.kills {
        let daemon = Daemon::start(&plan.program, desk.path())?;
        let life = Duration::from_millis(random.u64(0..plan.longest_life.max(1)));
        let dies = Instant::now() + life;
        while Instant::now() < dies {
            work.bring(&store, &mut random).await?;
            tokio::time::sleep(Duration::from_millis(random.u64(20..300))).await;
        }
        daemon.kill().await?;
    }
    producer.set_fault(None);
    let mut daemon = Daemon::start(&plan.program, desk.path())?;
    daemon.ready().await?;
    settle(&store, &seller).await?;
    if !daemon.stop().await? {
        bail!("the daemon did not end well when it was asked to");
    }
    let verdict = judge(&store, &seller, &producer).await?;
    seller.stop().await;
    producer.stop().await;
    Ok(verdict)
}

/// A directory with a table of accounts.
async fn desk(seller: &HardToFind, producer: &Hft71) -> Result<TempDir> {
    let directory = tempfile::tempdir()?;
    let mut table = String::from("data = \"data\"\n");
    let accounts: [(&str, &dyn Platform); 2] = [(SELLER, seller), (PRODUCER, producer)];
    for (account, platform) in accounts {
        let name = platform.name();
        let built = tokio::task::spawn_blocking(move || tradepost_components::build(name, |_| {})).await??;
        let secrets: BTreeMap<String, String> = platform.example_secrets().into_iter().collect();
        let root = platform.root_url();
        let user = secrets.get("username").context("every platform has a user")?;
        let connector = built.display();
        table.push_str(&format!(
            "[accounts.\"{account}\"]\nconnector = \"{connector}\"\nsettings = {{ root-url = \"{root}\", username = \"{user}\" }}\n\
             grants.private_hosts = [\"{root}\"]\n"
        ));
        for (secret, value) in secrets.iter().filter(|(secret, _)| *secret != "username") {
            let file = directory.path().join(format!("{name}.{secret}"));
            std::fs::write(&file, value)?;
            table.push_str(&format!("secrets.{secret} = {{ file = \"{}\" }}\n", file.display()));
        }
    }
    std::fs::write(directory.path().join("tradepost.toml"), table)?;
    std::fs::create_dir(directory.path().join("data"))?;
    Ok(directory)
}

/// What comes in while the daemon lives and dies.
struct Work {
    seller: HardToFindShop,
    producer: Hft71Shop,
    ordered: u64,
}

impl Work {
    async fn bring(&mut self, store: &Arc<dyn Store>, random: &mut Rng) -> Result<()> {
        match random.u8(0..10) {
            0..=2 => {
                let orders = self.seller.order_ids();
                if !orders.is_empty() {
                    self.seller.touch_order(&orders[random.usize(0..orders.len())]);
                }
            }
            3..=4 => {
                self.ordered += 1;
                let id = format!("{}", 900_000 + self.ordered);
                self.seller.insert_order(&id, "READY");
                for command in [acknowledge(&id), ship(&id)] {
                    store.enqueue(command).await?;
                }
            }
            5..=6 => {
                self.ordered += 1;
                store.enqueue(submit(self.ordered)).await?;
            }
            7 => {
                for id in self.producer.order_ids() {
                    self.producer.advance(id);
                }
            }
            _ => {}
        }
        Ok(())
    }
}

fn command(account: &str, operation: &str, entity: String, key: String, arguments: Value) -> NewCommand {
    NewCommand { account: account.to_owned(), operation: operation.to_owned(), arguments, entity, key: Some(key) }
}

fn acknowledge(order: &str) -> NewCommand {
    let arguments = json!({"id": order});
    command(
        SELLER,
        "order-acceptance.acknowledge",
        format!("orders/{order}"),
        format!("acknowledge-{order}"),
        arguments,
    )
}

fn ship(order: &str) -> NewCommand {
    let shipment = json!({"id": null, "carrier": "Australia Post", "tracking_number": format!("T{order}"), "tracking_url": null,
        "shipped_at": null, "lines": []});
    let arguments = json!({"order_id": order, "shipment": shipment});
    command(SELLER, "shipments.ship", format!("orders/{order}"), format!("ship-{order}"), arguments)
}

fn submit(number: u64) -> NewCommand {
    let reference = format!("R{number}");
    let address = json!({"first_name": "John", "last_name": "Doe", "company": "", "lines": ["Main Street 10"],
        "city": "Wroclaw", "postcode": "50-001", "region_code": "DS", "region_name": null, "country_code": "PL",
        "country_name": null, "phone": null, "email": null});
    let items = json!([{"sku": "GL64000-00007-0046", "quantity": "2"}]);
    let order =
        json!({"reference": reference, "placed_at": "2026-03-02T12:00:00Z", "address": address, "items": items});
    let entity = format!("fulfilment/reference/{reference}");
    command(PRODUCER, "fulfilment.submit", entity, format!("submit-{reference}"), json!({"order": order}))
}

/// Waits until every command is done or parked or held back by a parked one, and the marketplace was walked since.
async fn settle(store: &Arc<dyn Store>, seller: &HardToFind) -> Result<()> {
    let until = Instant::now() + PATIENCE;
    let mut walks_at_rest = None;
    loop {
        if Instant::now() > until {
            let all = commands(store).await?;
            let open = all.iter().filter(|command| !is_settled(command)).map(|command| {
                let Command { id, entity, state, attempts, reason, .. } = command;
                format!("{id} to {entity} is {state:?} after {attempts} attempts ({reason:?})")
            });
            bail!("commands that do not settle: {}", open.collect::<Vec<_>>().join("; "));
        }
        let all = commands(store).await?;
        let held_back = |command: &Command| {
            all.iter().any(|other| {
                other.id < command.id
                    && (other.account.as_str(), other.entity.as_str()) == (&command.account, &command.entity)
                    && other.state == CommandState::Parked
            })
        };
        if all.iter().all(|command| is_settled(command) || held_back(command)) {
            let states = store.streams().await?;
            let walks = states.iter().find(|state| state.key.account == SELLER).map_or(0, |state| state.walks);
            // Two whole walks after everything came to rest.
            let from = *walks_at_rest.get_or_insert(walks);
            if walks >= from + 2 {
                return Ok(());
            }
        }
        let _platform_lives = seller.held();
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

fn is_settled(command: &Command) -> bool {
    matches!(command.state, CommandState::Done | CommandState::Parked)
}

async fn commands(store: &Arc<dyn Store>) -> Result<Vec<Command>> {
    Ok(store.commands(&CommandQuery { limit: usize::MAX, ..CommandQuery::default() }).await?)
}

async fn judge(store: &Arc<dyn Store>, seller: &HardToFind, producer: &Hft71) -> Result<Verdict> {
    let mut verdict = Verdict::default();
    judge_orders(store, seller, &mut verdict).await?;
    let all = commands(store).await?;
    verdict.commands = all.len();
    for command in &all {
        judge_command(store, command, seller, producer, &mut verdict).await?;
    }
    let asked = |effect: &str, key: &str| {
        all.iter().any(|command| match effect {
            "order.submit" => command.key.as_deref() == Some(&format!("submit-{key}")),
            "order.process" => command.key.as_deref() == Some(&format!("acknowledge-{key}")),
            "order.ship" => command.key.as_deref() == Some(&format!("ship-{key}")),
            _ => false,
        })
    };
    for entry in seller.ledger().entries().into_iter().chain(producer.ledger().entries()) {
        if !asked(entry.effect, &entry.key) {
            verdict.phantom += 1;
            verdict.findings.push(format!("nobody asked for {} {}", entry.effect, entry.key));
        }
    }
    Ok(verdict)
}

async fn judge_orders(store: &Arc<dyn Store>, seller: &HardToFind, verdict: &mut Verdict) -> Result<()> {
    let filter = EventFilter { account: Some(SELLER.to_owned()), kind: Some("orders".to_owned()) };
    let events = store.events(0, usize::MAX, &filter).await?;
    verdict.events = events.len();
    let mut newest: BTreeMap<&str, &Value> = BTreeMap::new();
    for event in &events {
        if event.change == Change::Created && newest.contains_key(event.id.as_str()) {
            verdict.duplicated += 1;
            verdict.findings.push(format!("order {} was told of as new twice", event.id));
        }
        newest.extend(event.record.as_ref().map(|record| (event.id.as_str(), record)));
    }
    for id in seller.shop().order_ids() {
        let held = seller.shop().order(&id).unwrap_or_default();
        let told = newest.remove(id.as_str());
        let word = |record: &Value| record["status"]["raw"].as_str().map(str::to_owned);
        if told.is_none() || told.and_then(word).as_deref() != held["status"].as_str() {
            verdict.lost += 1;
            verdict.findings.push(format!(
                "order {id} is {} and was told of as {:?}",
                held["status"],
                told.and_then(word)
            ));
        }
    }
    for id in newest.keys() {
        verdict.phantom += 1;
        verdict.findings.push(format!("order {id} was told of and is not held"));
    }
    Ok(())
}

async fn judge_command(
    store: &Arc<dyn Store>,
    command: &Command,
    seller: &HardToFind,
    producer: &Hft71,
    verdict: &mut Verdict,
) -> Result<()> {
    let text =
        |pointer: &str| command.arguments.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
    let (ledger, effect, key) = match command.operation.as_str() {
        "fulfilment.submit" => (producer.ledger(), "order.submit", text("/order/reference")),
        "shipments.ship" => (seller.ledger(), "order.ship", text("/order_id")),
        _ => (seller.ledger(), "order.process", text("/id")),
    };
    let times = ledger.of(effect).iter().filter(|entry| entry.key == key).count();
    let name = format!("command {} ({} {key})", command.id, command.operation);
    if times > 1 {
        verdict.duplicated += times - 1;
        verdict.findings.push(format!("{name} stands {times} times in the ledger"));
    }
    match (&command.state, &command.outcome) {
        (CommandState::Done, Some(CommandOutcome::Applied(_))) if times == 0 => {
            verdict.lost += 1;
            verdict.findings.push(format!("{name} is done, and the ledger does not have it"));
        }
        (CommandState::Done, Some(CommandOutcome::Refused(error))) if times > 0 => {
            verdict.silent += 1;
            verdict.findings.push(format!("{name} is refused, and the ledger has it: {error}"));
        }
        (CommandState::Done, _) => {}
        (CommandState::Parked, _) => {
            verdict.parked += 1;
            let requests = store.requests_of(command.id).await?;
            let in_doubt = requests.iter().any(|request| request.answer.is_none());
            if !in_doubt || command.reason.is_none() {
                verdict.silent += 1;
                verdict.findings.push(format!("{name} is parked without evidence: {:?}", command.reason));
            }
        }
        // Held back by a parked one, in its place.
        (CommandState::Waiting, _) if times == 0 => {}
        (state, _) => {
            verdict.silent += 1;
            verdict.findings.push(format!("{name} is {state:?}, {times} times in the ledger"));
        }
    }
    Ok(())
}

/// The program that a cargo build in `target` made beside the one that runs.
pub fn program_beside(running: &Path) -> Option<PathBuf> {
    let mut folder = running.parent()?;
    if folder.ends_with("deps") {
        folder = folder.parent()?;
    }
    let program = folder.join("tradepost");
    program.is_file().then_some(program)
}
