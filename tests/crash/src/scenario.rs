//! One run: work comes in, the daemon dies where it is to, another one takes over, and in the end everything is counted.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use fastrand::Rng;
use tradepost_engine::command::Command;
use tradepost_engine::store::Store;
use tradepost_platforms::{HardToFind, Hft71, Platform, Served};

use crate::daemon::{Daemon, Process, Start, was_killed};
use crate::desk::{Connectors, Desk};
use crate::failpoint::Arm;
use crate::judge::{Verdict, judge, judge_database};
use crate::points::{Death, Plan, Point, Traffic};
use crate::traffic::{PRODUCER, SELLER, Work, commands, open};
use crate::webhooks;

/// How long the daemon has in the end, undisturbed. It keeps the pace of five requests a second that the marketplace allows.
const PATIENCE: Duration = Duration::from_secs(180);
/// How long a daemon has to come to the point where it is to die.
const LONGEST_LIFE: Duration = Duration::from_secs(60);
/// The pause between two things that happen, at most.
const LONGEST_PAUSE: u64 = 60;

/// How long the producer knows a token, where it forgets them: longer than a call to it takes, because a second refusal in one call counts as
/// one of the credential, and the account then waits for a person. The marketplace's calls wait too long for their pace for that.
const TOKENS_LIVE: Duration = Duration::from_secs(2);

/// What all runs have in common.
#[derive(Clone, Debug)]
pub struct Bench {
    /// This program.
    pub program: PathBuf,
    /// The connectors of the marketplace and the producer.
    pub connectors: Connectors,
    /// Orders that the marketplace holds at the start.
    pub orders: u64,
}

/// What came of a run.
#[derive(Clone, Debug)]
pub struct Run {
    /// Whether the daemon died every time where it was to.
    pub reached: bool,
    /// What was counted.
    pub verdict: Verdict,
}

/// The marketplaces of a run, and the directory of its daemon.
pub(crate) struct Place {
    pub(crate) seller: HardToFind,
    pub(crate) producer: Hft71,
    pub(crate) desk: Desk,
}

impl Place {
    pub(crate) async fn open(bench: &Bench) -> Result<Self> {
        let seller = HardToFind::builder().orders(bench.orders).start().await?;
        let producer = Hft71::builder().articles(300).start().await?;
        let desk = Desk::open(&bench.connectors, &[(SELLER, &seller), (PRODUCER, &producer)])?;
        Ok(Self { seller, producer, desk })
    }
}

/// Makes one run.
pub async fn run(bench: &Bench, point: &Point, seed: u64) -> Result<Run> {
    // Points differ in what the same seed draws, so that they do not all go through the same moments.
    let salt = point.name.bytes().fold(seed, |salt, byte| salt.wrapping_mul(257).wrapping_add(u64::from(byte)));
    let mut random = Rng::with_seed(salt);
    let plan = point.plan(&mut random);
    let place = Place::open(bench).await?;
    let mut work = Work::new(place.seller.shop(), place.producer.shop(), random.fork());
    let mut reached = true;
    let takes_webhooks = plan.traffic == Traffic::Webhooks;
    let address = takes_webhooks.then(|| webhooks::send(&place.producer)).transpose()?;
    place.seller.set_fault(fault(plan.seller_fault)?);
    place.producer.set_fault(fault(plan.producer_fault)?);
    for death in &plan.deaths {
        reached &= live_and_die(bench, &place, &plan, death, address.as_deref(), &mut work, &mut random).await?;
    }
    place.seller.set_fault(None);
    place.producer.set_fault(None);
    work.finish(&place.desk).await?;
    let mut daemon = Daemon::start(&start(bench, &place, address.as_deref(), &[]))?;
    daemon.ready().await?;
    if takes_webhooks {
        webhooks::send_again(&place.producer.shop()).await.with_context(|| daemon.last_words())?;
    }
    let store = place.desk.store()?;
    settle(&store).await.with_context(|| daemon.last_words())?;
    let mut verdict = Verdict::default();
    if takes_webhooks {
        // Changes that the commands made meanwhile were told of as well.
        webhooks::send_again(&place.producer.shop()).await.with_context(|| daemon.last_words())?;
        webhooks::judge(&store, &place.producer.shop(), &mut verdict).await?;
    }
    daemon.stop().await?;
    judge(&store, &place.seller, &place.producer, false, &mut verdict).await?;
    drop(store);
    judge_database(&place.desk.database(), &mut verdict)?;
    if point.doubt.is_exceeded(verdict.parked, plan.deaths.len()) {
        let parked = format!("{} commands are parked, more than were in doubt", verdict.parked);
        verdict.findings.push(parked);
    }
    Ok(Run { reached, verdict })
}

fn start<'a>(bench: &'a Bench, place: &'a Place, webhooks: Option<&str>, arms: &'a [Arm]) -> Start<'a> {
    let start = Start::daemon(&bench.program, place.desk.path(), arms);
    match webhooks {
        Some(address) => start.with("--webhooks", &address),
        None => start,
    }
}

fn fault(text: Option<&str>) -> Result<Option<tradepost_platforms::Fault>> {
    Ok(text.map(str::parse).transpose()?)
}

/// One life of the daemon, with what happens meanwhile. Tells whether it died as it was to.
async fn live_and_die(
    bench: &Bench,
    place: &Place,
    plan: &Plan,
    death: &Death,
    address: Option<&str>,
    work: &mut Work,
    random: &mut Rng,
) -> Result<bool> {
    let arms = if let Death::At(arms) = death { arms.as_slice() } else { &[] };
    // Something is there to be done when it begins.
    work.happen(plan.traffic, &place.desk).await?;
    let mut daemon = Daemon::start(&start(bench, place, address, arms))?;
    let until = Instant::now() + if let Death::After(life) = death { *life } else { LONGEST_LIFE };
    let struck = Arc::new(AtomicBool::new(false));
    if let Death::Unanswered(write) = death {
        kill_at_write(place, daemon.process()?, *write, &struck);
    }
    let mut forgotten = Instant::now();
    let ended = loop {
        if Instant::now() >= until {
            break None;
        }
        let pause = Duration::from_millis(random.u64(1..=LONGEST_PAUSE));
        // It must not die while the store is open here: the next daemon is to find the log as the dead one left it.
        if let Ok(ended) = tokio::time::timeout(pause, daemon.ended()).await {
            break Some(ended?);
        }
        if plan.tokens_expire && forgotten.elapsed() >= TOKENS_LIVE {
            forgotten = Instant::now();
            place.producer.shop().expire_tokens();
        }
        if let Death::Acknowledged(count) = death
            && webhooks::acknowledged(&place.producer.shop()) >= usize::try_from(*count)?
        {
            return daemon.kill().await.map(|()| true);
        }
        work.happen(plan.traffic, &place.desk).await?;
    };
    unhook(place);
    match (ended, death) {
        (None, Death::After(_)) => daemon.kill().await.map(|()| true),
        (None, _) => daemon.kill().await.map(|()| false),
        (Some(status), Death::At(_)) if was_killed(status) => Ok(true),
        (Some(status), Death::Unanswered(_)) if was_killed(status) => Ok(struck.load(Ordering::SeqCst)),
        (Some(status), _) => bail!("the daemon ended by itself ({status}): {}", daemon.last_words()),
    }
}

/// Kills a process when one of the platforms has carried out its write number so-and-so, counted over both, before it answers.
fn kill_at_write(place: &Place, process: Process, write: u32, struck: &Arc<AtomicBool>) {
    let ledgers = [place.seller.ledger().clone(), place.producer.ledger().clone()];
    let written = move || ledgers.iter().map(tradepost_platforms::Ledger::len).sum::<usize>();
    let wanted = written() + usize::try_from(write).unwrap_or(usize::MAX);
    let platforms: [&dyn Platform; 2] = [&place.seller, &place.producer];
    for platform in platforms {
        let (written, struck) = (written.clone(), Arc::clone(struck));
        platform.between_requests(Box::new(move |_: &Served| {
            if written() >= wanted && !struck.swap(true, Ordering::SeqCst) {
                // A process that is gone already was killed too early, which its end tells.
                let _killed = process.kill_now();
            }
        }));
    }
}

fn unhook(place: &Place) {
    place.seller.between_requests(Box::new(|_: &Served| {}));
    place.producer.between_requests(Box::new(|_: &Served| {}));
}

/// Waits until every command is done or parked or held back by a parked one, and the marketplace's orders were walked twice since, from
/// beginning to end.
pub(crate) async fn settle(store: &Arc<dyn Store>) -> Result<()> {
    let until = Instant::now() + PATIENCE;
    let mut walks_wanted = None;
    loop {
        let all = commands(store).await?;
        let unsettled = open(&all);
        if unsettled.is_empty() {
            let (walks, is_walking) = walks(store).await?;
            // A walk that is under way began too early to count.
            let wanted = *walks_wanted.get_or_insert(walks + 2 + u64::from(is_walking));
            if walks >= wanted {
                return Ok(());
            }
        }
        if Instant::now() > until {
            let open = all.iter().filter(|command| unsettled.contains(&command.id)).map(|command| {
                let Command { id, entity, state, attempts, reason, .. } = command;
                format!("command {id} to {entity} is {state:?} after {attempts} attempts ({reason:?})")
            });
            let streams: Vec<String> = store.streams().await?.iter().map(|state| format!("{state:?}")).collect();
            let standings = store.standings(None).await?;
            bail!("it does not settle: {standings:?}; {}; {}", streams.join("; "), open.collect::<Vec<_>>().join("; "));
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// How often the marketplace's orders were walked, and whether they are being walked.
async fn walks(store: &Arc<dyn Store>) -> Result<(u64, bool)> {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?.as_millis();
    let states = store.streams().await?;
    let orders = states.iter().find(|state| state.key.account == SELLER && state.key.kind == "orders");
    // What is due is walked, or about to be.
    Ok(orders.map_or((0, true), |state| (state.walks, u128::from(state.due_at) <= now)))
}
