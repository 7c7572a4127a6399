//! The mutants' scenarios: what makes each fault show, and what shows nothing where there is none.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use fastrand::Rng;
use rustix::process::Signal;

use crate::daemon::{Daemon, Start, was_killed};
use crate::failpoint::{Arm, Deed, may_go_on};
use crate::judge::{Verdict, judge};
use crate::mutants::{BETWEEN_COMMITS, Mutant};
use crate::scenario::{Bench, Place, Run, settle};
use crate::table::Row;
use crate::traffic::{SELLER, Work, submit};

/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(90);
/// Longer than any call takes, shorter than anybody wants to wait.
const LEASE: Duration = Duration::from_secs(3);

/// Makes runs with a mutant, each in every scenario that is to show it; the sound store goes through all.
pub async fn mutant_row(bench: &Bench, mutant: Mutant, seeds: std::ops::Range<u64>) -> Row {
    let mut row = Row::new(mutant.name(), mutant.what());
    for seed in seeds {
        for scenario in Scenario::ALL {
            if mutant == Mutant::None || scenario.shows() == mutant {
                row.count(seed, &scenario.run(bench, mutant, seed).await);
            }
        }
    }
    row
}

#[derive(Clone, Copy, Debug)]
enum Scenario {
    /// Killed while a page is committed.
    Page,
    /// Killed when a request that must not be sent twice was sent and its answer is not in the journal.
    Sent,
    /// Killed when such a request's answer is in the journal.
    Answered,
    /// Stands still for longer than its lease; somebody else does its work; then it goes on.
    Overtaken,
}

impl Scenario {
    const ALL: [Self; 4] = [Self::Page, Self::Sent, Self::Answered, Self::Overtaken];

    fn shows(self) -> Mutant {
        match self {
            Self::Page => Mutant::CursorBeforeEvents,
            Self::Sent => Mutant::AttemptAfterSending,
            Self::Answered => Mutant::JournalIgnored,
            Self::Overtaken => Mutant::NoFence,
        }
    }

    async fn run(self, bench: &Bench, mutant: Mutant, seed: u64) -> Result<Run> {
        let mut random = Rng::with_seed(seed);
        let place = Place::open(bench).await?;
        let mut work = Work::new(place.seller.shop(), place.producer.shop(), random.fork());
        match self {
            Self::Overtaken => overtaken(bench, mutant, &place).await?,
            _ => killed(bench, mutant, &place, &mut work, self.arm(mutant, &mut random)).await?,
        }
        let store = place.desk.store()?;
        let mut verdict = Verdict::default();
        judge(&store, &place.seller, &place.producer, false, &mut verdict).await?;
        Ok(Run { reached: true, verdict })
    }

    fn arm(self, mutant: Mutant, random: &mut Rng) -> Arm {
        let (point, hits) = match self {
            // Among them are pages of the producer's stock, which is read whole each time: a fault there heals by itself.
            Self::Page if mutant == Mutant::CursorBeforeEvents => (BETWEEN_COMMITS, 1..=4),
            Self::Page => ("page.events-written", 1..=4),
            Self::Sent => ("journal.answer-not-kept", 1..=3),
            Self::Answered | Self::Overtaken => ("journal.answer-kept", 1..=3),
        };
        Arm::new(point, random.u32(hits), Deed::Kill)
    }
}

fn worker<'a>(bench: &'a Bench, place: &'a Place, mutant: Mutant, arms: &'a [Arm]) -> Start<'a> {
    let arguments = vec!["worker".to_owned(), "--mutant".to_owned(), mutant.name().to_owned()];
    Start { program: &bench.program, directory: place.desk.path(), arguments, arms }
}

/// One worker is killed, another one goes on.
async fn killed(bench: &Bench, mutant: Mutant, place: &Place, work: &mut Work, arm: Arm) -> Result<()> {
    let store = place.desk.store()?;
    for _ in 0..4 {
        work.submit(&*store).await?;
    }
    let mut first = Daemon::start(&worker(bench, place, mutant, &[arm]).with("--alone", &true))?;
    let ended = tokio::time::timeout(PATIENCE, first.ended()).await;
    let ended = ended.with_context(|| format!("the worker does not die: {}", first.last_words()))??;
    if !was_killed(ended) {
        bail!("the worker ended by itself ({ended}): {}", first.last_words());
    }
    let mut second = Daemon::start(&worker(bench, place, mutant, &[]).with("--alone", &true))?;
    second.ready().await?;
    settle(&store).await.with_context(|| second.last_words())?;
    second.stop().await
}

/// One worker stands still when it is about to enter a request; another one takes its command over and carries it out; then the first
/// one goes on.
async fn overtaken(bench: &Bench, mutant: Mutant, place: &Place) -> Result<()> {
    let store = place.desk.store()?;
    let arms = [Arm::new("journal.about-to-be-entered", 1, Deed::Stop)];
    let lease = LEASE.as_millis();
    // It walks once, so that it does not stand still in the middle of a commit and keep the other one out.
    let start = worker(bench, place, mutant, &arms).with("--lease", &lease).with("--every", &3_600_000);
    let mut first = Daemon::start(&start)?;
    first.ready().await?;
    until("the first walk", async || {
        let states = store.streams().await?;
        Ok(states.len() >= 2 && states.iter().all(|state| state.walks > 0 && state.due_at > 0))
    })
    .await?;
    store.enqueue(submit(1)).await?;
    let process = first.process()?;
    until("the worker to stand still", async || {
        if process.state() != Some('T') {
            return Ok(false);
        }
        // In the middle of a transaction it would keep everybody else out for as long: then it stands still a moment later.
        let can_write = can_write(&place.desk.database())?;
        if !can_write {
            process.signal(Signal::CONT)?;
        }
        Ok(can_write)
    })
    .await?;
    let mut second = Daemon::start(&worker(bench, place, mutant, &[]).with("--lease", &lease))?;
    second.ready().await?;
    // The other one's streams are due in an hour.
    store.enqueue(submit(2)).await?;
    until("the other worker", async || {
        let all = crate::traffic::commands(&store).await?;
        Ok(crate::traffic::open(&all).is_empty())
    })
    .await
    .with_context(|| second.last_words())?;
    std::fs::write(may_go_on(&place.desk.database()), "")?;
    process.signal(Signal::CONT)?;
    // It ends when what it was at has come to its end.
    first.stop().await?;
    second.stop().await?;
    let walked = store.streams().await?.iter().any(|state| state.key.account == SELLER && state.walks > 0);
    if walked { Ok(()) } else { bail!("the marketplace's orders were not walked") }
}

/// Whether nobody is in the middle of a transaction.
fn can_write(database: &Path) -> Result<bool> {
    let connection = rusqlite::Connection::open(database)?;
    connection.busy_timeout(Duration::ZERO)?;
    match connection.execute_batch("BEGIN IMMEDIATE; ROLLBACK") {
        Ok(()) => Ok(true),
        Err(error) if error.sqlite_error_code() == Some(rusqlite::ErrorCode::DatabaseBusy) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

async fn until(what: &str, mut is_so: impl AsyncFnMut() -> Result<bool>) -> Result<()> {
    let deadline = Instant::now() + PATIENCE;
    while !is_so().await? {
        if Instant::now() > deadline {
            bail!("waited too long for {what}");
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Ok(())
}
