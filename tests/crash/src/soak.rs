//! The soak: all five platforms, faults that come and go, changes and commands, and a daemon that is killed every few seconds for as long as
//! one likes. In the end the faults stop, everything settles, and each platform is judged by its ledger and by what it holds.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use fastrand::Rng;
use serde::Serialize;
use serde_json::json;
use tradepost_engine::command::{Command, CommandOutcome, CommandState, NewCommand};
use tradepost_engine::event::Event;
use tradepost_engine::store::Store;
use tradepost_platforms::{HardToFind, HelpKa, Hft71, OmniSeller, OmniSellerShop, Platform, Wcfm, WcfmShop};
use tradepost_runtime::egress::Effect;

use crate::daemon::{Daemon, Start};
use crate::desk::{Connectors, Desk};
use crate::judge::{Book, Verdict, events_of, judge, judge_command, judge_database, newest};
use crate::traffic::{PRODUCER, SELLER, Work, commands, is_held_back, open};

/// The connectors of a soak.
pub const CONNECTORS: [&str; 5] = ["hardtofind", "hft71", "wcfm", "help-ka", "omniseller"];
const WCFM: &str = "crash/wcfm";
const HELP_KA: &str = "crash/help-ka";
const OMNISELLER: &str = "crash/omniseller";
/// How long the daemon lives.
const LIFE: std::ops::Range<u64> = 5_000..30_000;
/// How long everything may take to settle in the end: waits between attempts grow to a quarter of an hour.
const PATIENCE: Duration = Duration::from_mins(40);
/// How often the progress is told.
const TELL: Duration = Duration::from_secs(30);
/// Faults that come and go, each on some of the requests only, so that work gets through.
const FAULTS: [&str; 11] = [
    "429=1:every=4",
    "500:every=5",
    "503=1:every=5",
    "html:every=7",
    "notice:every=5",
    "notice-only:every=7",
    "empty:every=6",
    "reset:every=5",
    "slow=400ms:every=3",
    "truncated:every=6",
    "apply-then-reset:every=6",
];
/// The words that orders of a WCFM shop get.
const WORDS: [&str; 3] = ["processing", "on-hold", "completed"];

/// How a soak is made.
#[derive(Clone, Debug)]
pub struct Soak {
    /// This program.
    pub program: PathBuf,
    /// The connectors of all platforms.
    pub connectors: Connectors,
    /// How long the faults and kills go on.
    pub length: Duration,
    /// What its choices come from.
    pub seed: u64,
}

/// A life of the daemon.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Life {
    /// The highest resident memory, bytes.
    pub memory: u64,
    /// The size of the store with its log in the end, bytes.
    pub store: u64,
}

/// What came of a soak.
#[derive(Clone, Debug, Serialize)]
pub struct Soaked {
    /// What was counted over all platforms.
    pub verdict: Verdict,
    /// The lives, the last of which ended well.
    pub lives: Vec<Life>,
    /// Requests that the platforms served, faults included.
    pub requests: u64,
    /// Faults that were switched on.
    pub faults: u64,
}

/// Which statuses orders of the WCFM shops had without any command: account, order, word. Where such a word is asked for and the shop
/// claims success with nonsense, the order may show it although nothing was done.
type ShopsOwnWords = BTreeSet<(&'static str, u64, String)>;

struct Platforms {
    seller: HardToFind,
    producer: Hft71,
    wcfm: Wcfm,
    help_ka: Wcfm,
    omniseller: OmniSeller,
}

impl Platforms {
    async fn open() -> Result<Self> {
        Ok(Self {
            seller: HardToFind::builder().orders(400).start().await?,
            producer: Hft71::builder().articles(300).start().await?,
            wcfm: Wcfm::builder().orders(60).products(30).start().await?,
            help_ka: HelpKa::builder().orders(40).products(20).start().await?,
            omniseller: OmniSeller::builder().orders(40).products(30).start().await?,
        })
    }

    fn all(&self) -> [(&'static str, &dyn Platform); 5] {
        [
            (SELLER, &self.seller),
            (PRODUCER, &self.producer),
            (WCFM, &self.wcfm),
            (HELP_KA, &self.help_ka),
            (OMNISELLER, &self.omniseller),
        ]
    }

    fn shops_words(&self) -> ShopsOwnWords {
        let shops = [(WCFM, self.wcfm.shop()), (HELP_KA, self.help_ka.shop())];
        let words = |(account, shop): (&'static str, WcfmShop)| {
            shop.order_ids().into_iter().map(move |id| (account, id, wcfm_status(&shop, id)))
        };
        shops.into_iter().flat_map(words).collect()
    }

    fn requests(&self) -> u64 {
        self.all().iter().map(|(_, platform)| platform.ledger().requests()).sum()
    }
}

impl Soak {
    /// Makes it. `tell` hears a line now and then.
    pub async fn run(&self, mut tell: impl FnMut(String)) -> Result<Soaked> {
        let mut random = Rng::with_seed(self.seed);
        let platforms = Platforms::open().await?;
        let desk = Desk::open(&self.connectors, &platforms.all())?;
        let mut work = Work::new(platforms.seller.shop(), platforms.producer.shop(), random.fork());
        let mut words = platforms.shops_words();
        let mut soaked = Soaked { verdict: Verdict::default(), lives: Vec::new(), requests: 0, faults: 0 };
        let (begun, mut told) = (Instant::now(), Instant::now());
        let until = begun + self.length;
        while Instant::now() < until {
            let daemon = Daemon::start(&Start::daemon(&self.program, desk.path(), &[]))?;
            let dies = Instant::now() + Duration::from_millis(random.u64(LIFE));
            let (process, mut life) = (daemon.process()?, Life { memory: 0, store: 0 });
            while Instant::now() < dies {
                tokio::time::sleep(Duration::from_millis(random.u64(20..400))).await;
                if random.u8(0..8) == 0 {
                    soaked.faults += u64::from(switch_a_fault(&platforms, &mut random)?);
                }
                let store = desk.store()?;
                work.happen_slowly(&*store).await?;
                happen_in_shops(&platforms, &*store, &mut random, &mut words).await?;
                let (_, highest) = process.memory().with_context(|| format!("it is gone: {}", daemon.last_words()))?;
                life.memory = life.memory.max(highest);
                if told.elapsed() >= TELL {
                    told = Instant::now();
                    let (seconds, lives) = (begun.elapsed().as_secs(), soaked.lives.len() + 1);
                    let (memory, size) = (life.memory >> 20, size(&desk) >> 20);
                    let all = commands(&store).await?;
                    let (recorded, waiting) = (all.len(), open(&all).len());
                    let requests = platforms.requests();
                    tell(format!(
                        "{seconds} s: life {lives}, {requests} requests, {recorded} commands ({waiting} open), \
                         {memory} MiB resident at most, store {size} MiB"
                    ));
                }
            }
            daemon.kill().await?;
            life.store = size(&desk);
            soaked.lives.push(life);
        }
        for (_, platform) in platforms.all() {
            platform.set_fault(None);
        }
        tell(format!("{} s: no more faults; waiting until everything has settled", begun.elapsed().as_secs()));
        let mut daemon = Daemon::start(&Start::daemon(&self.program, desk.path(), &[]))?;
        daemon.ready().await?;
        let store = desk.store()?;
        settle(&store).await.with_context(|| daemon.last_words())?;
        let memory = daemon.process()?.memory().map_or(0, |(_, highest)| highest);
        daemon.stop().await?;
        soaked.lives.push(Life { memory, store: size(&desk) });
        soaked.requests = platforms.requests();
        judge(&store, &platforms.seller, &platforms.producer, true, &mut soaked.verdict).await?;
        judge_shops(&store, &platforms, &words, &mut soaked.verdict).await?;
        drop(store);
        judge_database(&desk.database(), &mut soaked.verdict)?;
        Ok(soaked)
    }
}

/// Switches a fault of one platform on, or off. Tells whether on.
fn switch_a_fault(platforms: &Platforms, random: &mut Rng) -> Result<bool> {
    let (_, platform) = platforms.all()[random.usize(0..5)];
    let fault = if random.u8(0..3) == 0 { None } else { Some(FAULTS[random.usize(0..FAULTS.len())].parse()?) };
    let is_on = fault.is_some();
    platform.set_fault(fault);
    Ok(is_on)
}

/// Something happens in the shops that are not the marketplace.
async fn happen_in_shops(
    platforms: &Platforms,
    store: &dyn Store,
    random: &mut Rng,
    words: &mut ShopsOwnWords,
) -> Result<()> {
    let (account, shop) =
        if random.bool() { (WCFM, platforms.wcfm.shop()) } else { (HELP_KA, platforms.help_ka.shop()) };
    let orders = shop.order_ids();
    let Some(order) = random.choice(&orders).copied() else { return Ok(()) };
    match random.u8(0..16) {
        0 => {
            let inserted = shop.insert_order("processing");
            words.insert((account, inserted, "processing".to_owned()));
        }
        1 => {
            shop.touch_order(order);
        }
        2 => {
            shop.set_order_status(order, "on-hold");
            words.insert((account, order, "on-hold".to_owned()));
        }
        3 => {
            let word = WORDS[random.usize(0..WORDS.len())];
            let key = format!("status-{order}-{word}-{}", random.u64(..));
            store
                .enqueue(NewCommand {
                    account: account.to_owned(),
                    operation: "order-status.set".to_owned(),
                    arguments: json!({"id": order.to_string(), "target": {"word": word}}),
                    entity: format!("orders/{order}"),
                    key: Some(key),
                })
                .await?;
        }
        4 => {
            platforms.omniseller.shop().insert_order(random.i64(1..4));
        }
        5 => {
            let shop = platforms.omniseller.shop();
            if let Some(order) = random.choice(&shop.order_ids()) {
                shop.set_order_status(order, random.i64(1..4));
            }
        }
        _ => {}
    }
    Ok(())
}

/// The store with its log, bytes.
fn size(desk: &Desk) -> u64 {
    let files = std::fs::read_dir(desk.data()).into_iter().flatten().flatten();
    files.filter_map(|file| file.metadata().ok()).map(|file| file.len()).sum()
}

/// Waits until no command is open and every list of orders was walked twice since, from beginning to end.
async fn settle(store: &Arc<dyn Store>) -> Result<()> {
    let until = Instant::now() + PATIENCE;
    let mut wanted: Option<BTreeMap<String, u64>> = None;
    loop {
        let unsettled = open(&commands(store).await?);
        let states = store.streams().await?;
        if unsettled.is_empty() {
            let of_orders = states.iter().filter(|state| state.key.kind == "orders");
            let walks: BTreeMap<String, u64> =
                of_orders.map(|state| (state.key.account.clone(), state.walks)).collect();
            // One that is under way does not count.
            let wanted = wanted
                .get_or_insert_with(|| walks.iter().map(|(account, walks)| (account.clone(), walks + 3)).collect());
            if wanted.iter().all(|(account, wanted)| walks.get(account) >= Some(wanted)) {
                return Ok(());
            }
        }
        if Instant::now() > until {
            bail!("it does not settle: commands {unsettled:?}; {states:?}");
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

async fn judge_shops(
    store: &Arc<dyn Store>,
    platforms: &Platforms,
    words: &ShopsOwnWords,
    verdict: &mut Verdict,
) -> Result<()> {
    let events = events_of(store, Some("orders")).await?;
    for (account, shop) in [(WCFM, platforms.wcfm.shop()), (HELP_KA, platforms.help_ka.shop())] {
        judge_list(&events, account, &held_by_wcfm(&shop), verdict);
    }
    judge_list(&events, OMNISELLER, &held_by_omniseller(&platforms.omniseller.shop()), verdict);
    let all = commands(store).await?;
    for command in all.iter().filter(|command| ![SELLER, PRODUCER].contains(&command.account.as_str())) {
        let platform = if command.account == WCFM { &platforms.wcfm } else { &platforms.help_ka };
        let (id, word) = (&command.arguments["id"], &command.arguments["target"]["word"]);
        let entries = platform.ledger().of("order.status");
        let times = entries.iter().filter(|entry| entry.key == *id && entry.json["status"] == *word).count();
        if is_overtaken(command) {
            continue;
        }
        let shared = all.iter().any(|other| {
            other.id != command.id && other.account == command.account && other.arguments == command.arguments
        });
        let was_so = words.iter().any(|(account, order, own)| {
            *account == command.account && id.as_str() == Some(&order.to_string()) && *word == *own
        });
        let book = Book { times, effect: Effect::Repeatable, shared, was_so, garbled: true };
        judge_command(store, command, is_held_back(command, &all), &book, verdict).await?;
    }
    for platform in [&platforms.wcfm, &platforms.help_ka] {
        for entry in platform.ledger().of("order.status") {
            let asked = all.iter().any(|command| {
                command.arguments["id"] == *entry.key && command.arguments["target"]["word"] == entry.json["status"]
            });
            if !asked {
                verdict.find(|v| &mut v.phantom, format!("nobody asked for {} {}", entry.effect, entry.key));
            }
        }
    }
    Ok(())
}

/// Whether the shop showed another status when the connector looked, because its people had set one meanwhile: a conflict, and no fault.
fn is_overtaken(command: &Command) -> bool {
    matches!(
        (&command.state, &command.outcome),
        (CommandState::Done, Some(CommandOutcome::Refused(error))) if error["kind"] == "conflict"
    )
}

fn held_by_wcfm(shop: &WcfmShop) -> BTreeMap<String, String> {
    shop.order_ids().into_iter().map(|id| (id.to_string(), wcfm_status(shop, id))).collect()
}

fn wcfm_status(shop: &WcfmShop, id: u64) -> String {
    let status = shop.order(id).and_then(|order| order["status"].as_str().map(str::to_owned));
    status.unwrap_or_default()
}

fn held_by_omniseller(shop: &OmniSellerShop) -> BTreeMap<String, String> {
    let status = |id: &str| shop.order(id).map(|order| order["OrderStatus"].to_string().replace('"', ""));
    let ids = shop.order_ids().into_iter();
    ids.map(|id| (id.clone(), status(&id).unwrap_or_default())).collect()
}

/// Every order that is held was told of with the status that it has, and no other was.
fn judge_list(events: &[Event], account: &str, held: &BTreeMap<String, String>, verdict: &mut Verdict) {
    let mut newest = newest(events.iter().filter(|event| event.account == account), verdict);
    for (id, status) in held {
        let told = newest.remove(id.as_str()).map(|record| record["status"]["raw"].as_str().unwrap_or_default());
        if told != Some(status) {
            verdict.find(|v| &mut v.lost, format!("{account}: order {id} is {status} and was told of as {told:?}"));
        }
    }
    for id in newest.keys() {
        verdict.find(|v| &mut v.phantom, format!("{account}: order {id} was told of and is not held"));
    }
}

/// The first, the middle and the last third of the lives, each with its highest memory and the size of the store at its end.
pub fn thirds(lives: &[Life]) -> [(usize, Life); 3] {
    let bounds = [0, lives.len() / 3, lives.len() * 2 / 3, lives.len()];
    [0, 1, 2].map(|third| {
        let part = &lives[bounds[third]..bounds[third + 1]];
        let memory = part.iter().map(|life| life.memory).max().unwrap_or_default();
        (part.len(), Life { memory, store: part.last().map_or(0, |life| life.store) })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thirds_cover_every_life_once() {
        for count in 0..10 {
            let lives: Vec<Life> = (0..count).map(|life| Life { memory: life, store: life }).collect();
            let thirds = thirds(&lives);
            assert_eq!(thirds.iter().map(|(lives, _)| lives).sum::<usize>(), lives.len());
            let highest = thirds.iter().map(|(_, life)| life.memory).max().unwrap_or_default();
            assert_eq!(highest, count.saturating_sub(1));
        }
    }

    #[test]
    fn every_fault_can_be_switched_on() {
        for fault in FAULTS {
            fault.parse::<tradepost_platforms::Fault>().unwrap();
        }
    }
}
