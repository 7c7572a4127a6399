//! A call that is cut off and run again sends nothing twice: a journal kept by the test stands in for an embedder's.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::SystemTime;

use async_trait::async_trait;
use tradepost_end_to_end::{account, keep, kind, run};
use tradepost_platforms::{HardToFind, Platform};
use tradepost_runtime::commerce::Shipment;
use tradepost_runtime::egress::Response;
use tradepost_runtime::journal::{Journal, JournalStop, Ruling, Step, StepEnd};
use tradepost_runtime::{Account, CallError};

/// The fingerprint of a write, and its answer.
type Write = ([u8; 32], Option<Response>);

#[derive(Default)]
struct Notebook {
    /// By place.
    writes: Mutex<BTreeMap<u32, Write>>,
    /// Whether the next answer to a write is entered and then lost to the call, as by a crash.
    cut: Mutex<bool>,
    /// Writes are only looked at.
    trial: bool,
}

#[async_trait]
impl Journal for Notebook {
    fn started(&self) {}

    async fn before(&self, step: &Step) -> Result<Ruling, JournalStop> {
        if step.is_read() {
            return Ok(Ruling::Send);
        }
        if self.trial {
            return Err(JournalStop::Trial(step.line.clone()));
        }
        let mut writes = self.writes.lock().unwrap();
        match writes.get(&step.index) {
            Some((fingerprint, _)) if *fingerprint != step.fingerprint => {
                Err(JournalStop::Differs { index: step.index, before: "another".into(), now: step.line.clone() })
            }
            Some((_, Some(answer))) => Ok(Ruling::Answered(answer.clone())),
            Some((_, None)) => Ok(Ruling::InDoubt),
            None => {
                writes.insert(step.index, (step.fingerprint, None));
                Ok(Ruling::Send)
            }
        }
    }

    async fn after(&self, step: &Step, end: StepEnd<'_>) -> Result<(), JournalStop> {
        if step.is_read() {
            return Ok(());
        }
        let mut writes = self.writes.lock().unwrap();
        match end {
            StepEnd::Answered(answer) => writes.insert(step.index, (step.fingerprint, Some(answer.clone()))),
            StepEnd::NotSent(_) => writes.remove(&step.index),
            StepEnd::InDoubt(_) => None,
        };
        if std::mem::take(&mut *self.cut.lock().unwrap()) {
            return Err(JournalStop::Unavailable("the test pulled the plug".into()));
        }
        Ok(())
    }
}

fn parcel(number: &str) -> Shipment {
    Shipment { carrier: Some("Australia Post".into()), tracking_number: Some(number.into()), ..Shipment::default() }
}

async fn processed(platform: &HardToFind) -> Account {
    let account = account(platform).await;
    keep(account.acknowledge_order("123456").await).await.unwrap();
    account
}

#[test]
fn an_answer_that_came_is_not_asked_for_again() {
    run(async {
        let platform = HardToFind::builder().start().await.unwrap();
        let account = processed(&platform).await;
        let notebook = Arc::new(Notebook { cut: Mutex::new(true), ..Notebook::default() });
        let account = account.journaled(notebook.clone(), SystemTime::now());
        let cut = account.ship("123456", &parcel("A1")).await;
        assert!(matches!(cut, Err(CallError::Journal { .. })), "{cut:?}");
        assert_eq!(platform.ledger().of("order.ship").len(), 1);
        let status = keep(account.ship("123456", &parcel("A1")).await).await.unwrap();
        assert_eq!(status.raw, "SHIPPED");
        assert_eq!(platform.ledger().of("order.ship").len(), 1);
    });
}

#[test]
fn a_write_without_an_answer_is_not_sent_again() {
    run(async {
        let platform = HardToFind::builder().start().await.unwrap();
        let account = processed(&platform).await;
        let account = account.journaled(Arc::new(Notebook::default()), SystemTime::now());
        // The transition is lost on its way: the platform has not taken it, and nobody can tell.
        platform.set_fault(Some("reset:path=/transition".parse().unwrap()));
        assert_eq!(kind(&account.ship("123456", &parcel("B1")).await), "outcome-unknown");
        platform.set_fault(None);
        assert_eq!(kind(&account.ship("123456", &parcel("B1")).await), "outcome-unknown");
        assert_eq!(platform.ledger().of("order.ship").len(), 0);
    });
}

#[test]
fn a_call_that_does_not_repeat_itself_is_stopped() {
    run(async {
        let platform = HardToFind::builder().start().await.unwrap();
        let account = processed(&platform).await;
        let notebook = Arc::new(Notebook { cut: Mutex::new(true), ..Notebook::default() });
        let account = account.journaled(notebook, SystemTime::now());
        platform.set_fault(Some("503:path=/transition".parse().unwrap()));
        let _cut = account.ship("123456", &parcel("C1")).await;
        let other = account.ship("123456", &parcel("C2")).await;
        let Err(CallError::Journal { stop: JournalStop::Differs { now, .. }, .. }) = other else { panic!("{other:?}") };
        assert_eq!(now, "POST /order/123456/transition");
    });
}

#[test]
fn a_trial_sends_nothing_that_writes() {
    run(async {
        let platform = HardToFind::builder().start().await.unwrap();
        let account = processed(&platform).await;
        let before = platform.ledger().len();
        let account = account.journaled(Arc::new(Notebook { trial: true, ..Notebook::default() }), SystemTime::now());
        let trial = account.ship("123456", &parcel("D1")).await;
        let Err(CallError::Journal { stop: JournalStop::Trial(line), .. }) = trial else { panic!("{trial:?}") };
        assert_eq!(line, "POST /order/123456/transition");
        assert_eq!(platform.ledger().len(), before);
    });
}
