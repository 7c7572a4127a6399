//! A command's journal: the runtime asks it before each request and tells it what became of it; the store keeps it.
//!
//! Requests that write are entered before they are sent and again with their answer. Requests that only read are entered together with the
//! next write, with the answers they had, so that a command that runs again sees what it saw before that write. What it read after its
//! last write is read anew.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use tokio::sync::watch;
use tradepost_runtime::egress::Effect;
use tradepost_runtime::journal::{Journal, JournalStop, Ruling, Step, StepEnd};

use crate::command::{CommandClaim, JournalEntry};
use crate::store::Store;

/// Most bytes of answers to reads that are kept before a write. A command that reads more sees those beyond anew.
const MOST_READ_BYTES: usize = 4 << 20;

/// The journal of one attempt.
pub(crate) struct CommandJournal {
    store: Arc<dyn Store>,
    claim: CommandClaim,
    state: Mutex<State>,
    /// Requests that are under way.
    in_flight: watch::Sender<usize>,
}

struct State {
    /// What the store has, by place.
    kept: BTreeMap<u32, JournalEntry>,
    /// Reads since the last write.
    reads: Vec<JournalEntry>,
}

impl CommandJournal {
    pub(crate) fn new(store: Arc<dyn Store>, claim: CommandClaim) -> Self {
        let kept = claim.journal.iter().map(|entry| (entry.index, entry.clone())).collect();
        let state = Mutex::new(State { kept, reads: Vec::new() });
        Self { store, claim, state, in_flight: watch::Sender::new(0) }
    }

    /// Waits until nothing is under way: an attempt that was cut off by its deadline may still have a request out.
    pub(crate) async fn idle(&self) {
        let mut in_flight = self.in_flight.subscribe();
        // The sender lives as long as this does.
        let _idle = in_flight.wait_for(|count| *count == 0).await;
    }

    /// The first request that must not be sent twice, was sent, and has no answer.
    pub(crate) fn in_doubt(&self) -> Option<String> {
        let state = self.state();
        let mut doubtful = state.kept.values().filter(|entry| entry.effect == Effect::Once && entry.answer.is_none());
        doubtful.next().map(|entry| entry.line.clone())
    }

    /// The first request that must not be sent twice and was answered as servers answer when they fail: it may have been carried out.
    pub(crate) fn failed_once(&self) -> Option<String> {
        let state = self.state();
        let mut failed = state.kept.values().filter_map(|entry| {
            let status = entry.answer.as_ref()?.status;
            (entry.effect == Effect::Once && (status >= 500 || status == 408)).then(|| (entry.line.clone(), status))
        });
        failed.next().map(|(line, status)| format!("{line} was answered {status}"))
    }

    /// Whether anything that writes was sent and answered.
    pub(crate) fn has_written(&self) -> bool {
        self.state().kept.values().any(|entry| entry.effect != Effect::Read && entry.answer.is_some())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is known of a request, or what has to be entered before it is sent.
    fn look_up(&self, step: &Step) -> Result<Result<Ruling, Vec<JournalEntry>>, JournalStop> {
        let mut state = self.state();
        if let Some(entry) = state.kept.get(&step.index) {
            if entry.fingerprint != step.fingerprint {
                let (before, now) = (entry.line.clone(), step.line.clone());
                return Err(JournalStop::Differs { index: step.index, before, now });
            }
            return Ok(Ok(match &entry.answer {
                Some(answer) => Ruling::Answered(answer.clone()),
                None if entry.effect == Effect::Once => Ruling::InDoubt,
                None => Ruling::Send,
            }));
        }
        if step.is_read() {
            return Ok(Ok(Ruling::Send));
        }
        let mut entries = std::mem::take(&mut state.reads);
        entries.push(entry(step));
        Ok(Err(entries))
    }

    async fn enter(&self, entries: Vec<JournalEntry>) -> Result<(), JournalStop> {
        self.store.enter_requests(&self.claim, entries.clone()).await.map_err(unavailable)?;
        self.state().kept.extend(entries.into_iter().map(|entry| (entry.index, entry)));
        Ok(())
    }
}

fn entry(step: &Step) -> JournalEntry {
    JournalEntry {
        index: step.index,
        effect: step.effect,
        fingerprint: step.fingerprint,
        line: step.line.clone(),
        answer: None,
    }
}

#[allow(clippy::needless_pass_by_value, reason = "the shape of map_err")]
fn unavailable(error: crate::store::StoreError) -> JournalStop {
    JournalStop::Unavailable(error.to_string())
}

#[async_trait]
impl Journal for CommandJournal {
    fn logs_in_first(&self) -> bool {
        true
    }

    fn started(&self) {
        self.state().reads.clear();
    }

    async fn before(&self, step: &Step) -> Result<Ruling, JournalStop> {
        let ruling = match self.look_up(step)? {
            Ok(ruling) => ruling,
            Err(entries) => {
                fail::fail_point!("journal.about-to-be-entered");
                self.enter(entries).await?;
                fail::fail_point!("journal.entered");
                Ruling::Send
            }
        };
        #[cfg(feature = "failpoints")]
        if step.is_read() && self.in_doubt().is_some() {
            fail::fail_point!("journal.probing");
        }
        if matches!(ruling, Ruling::Send) {
            self.in_flight.send_modify(|count| *count += 1);
        }
        Ok(ruling)
    }

    async fn after(&self, step: &Step, end: StepEnd<'_>) -> Result<(), JournalStop> {
        let kept = match end {
            StepEnd::Answered(answer) if step.is_read() => {
                let mut state = self.state();
                let bytes: usize =
                    state.reads.iter().filter_map(|read| read.answer.as_ref()).map(|read| read.body.len()).sum();
                if bytes + answer.body.len() <= MOST_READ_BYTES {
                    state.reads.push(JournalEntry { answer: Some(answer.clone()), ..entry(step) });
                }
                Ok(())
            }
            StepEnd::Answered(answer) => {
                fail::fail_point!("journal.answer-not-kept");
                let kept = self.enter(vec![JournalEntry { answer: Some(answer.clone()), ..entry(step) }]).await;
                fail::fail_point!("journal.answer-kept");
                kept
            }
            StepEnd::NotSent(_) if !step.is_read() => {
                let forgotten = self.store.forget_request(&self.claim, step.index).await.map_err(unavailable);
                if forgotten.is_ok() {
                    self.state().kept.remove(&step.index);
                }
                forgotten
            }
            StepEnd::NotSent(_) | StepEnd::InDoubt(_) => Ok(()),
        };
        self.in_flight.send_modify(|count| *count -= 1);
        kept
    }
}
