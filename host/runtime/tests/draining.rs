//! Taking an account out of service while its calls are under way: what is let end, what is ended, and who notices.
//!
//! The server's `/gate` answers when four requests stand at it, and `/never` never answers: so tests decide when a call
//! ends, without clocks.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use futures_util::FutureExt;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tradepost_hostile::server::GATE;
use tradepost_hostile::stage::tight;
use tradepost_hostile::{CoreModule, EvilAccount, Server, Stage, evil};
use tradepost_runtime::contract::AccountIdentity;
use tradepost_runtime::journal::{Journal, JournalStop, Ruling, Step, StepEnd};
use tradepost_runtime::{Account, CallError, Limits, Reply};

type Called = JoinHandle<Result<Reply<AccountIdentity>, CallError>>;

/// Time limits that no call here reaches: what ends a call is what the test is about.
fn patient() -> Limits {
    let hour = Duration::from_hours(1);
    let mut limits = Limits { cpu: hour, wall: hour, memory_bytes: 64 << 20, ..tight() };
    limits.http.each = hour;
    limits
}

/// Begins a call.
fn begin(account: &Account) -> Called {
    let account = account.clone();
    tokio::spawn(async move { account.check().await })
}

async fn arrived(server: &Server, requests: usize) {
    while server.seen().len() < requests {
        tokio::task::yield_now().await;
    }
}

fn assert_retired(result: Result<Reply<AccountIdentity>, CallError>) {
    let error = result.expect_err("the account is retired");
    assert!(!error.is_guest_fault());
    let text = error.to_string();
    let CallError::Retired { connector, operation } = error else { panic!("expected an end by retiring, got {text}") };
    assert_eq!((connector.split(' ').count(), operation.as_str()), (2, "connector.check"));
    assert!(text.contains("taken out of service") && text.contains("nothing of it was kept"), "{text}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_under_way_ends_by_itself_while_others_already_go_to_another_version() {
    let stage = Stage::new(patient()).await;
    let server = Server::start().await;
    let old = stage.runtime.load(evil::component()).await.unwrap();
    let account = EvilAccount::new("send").at(&server).with("url", "/gate");
    let before = account.open(&stage, &old);
    let under_way = begin(&before);
    arrived(&server, 1).await;
    assert_eq!(before.calls_under_way(), 1);
    let mut drained = Box::pin(before.drained());
    assert_eq!(drained.as_mut().now_or_never(), None);

    // The other version takes over: the same account, opened anew.
    let after = account.open(&stage, &stage.runtime.load(evil::component()).await.unwrap());
    let new: Vec<Called> = (1..GATE).map(|_| begin(&after)).collect();
    drained.await;
    assert_eq!(before.calls_under_way(), 0);
    let old_reply = under_way.await.unwrap().expect("nobody ended it");
    assert!(old_reply.value.facts.contains(&("body".into(), "through".into())), "{:?}", old_reply.value.facts);
    for call in new {
        assert!(call.await.unwrap().is_ok(), "the new version answers");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_does_not_end_is_ended_and_nobody_else_notices() {
    let stage = Stage::new(patient()).await;
    let server = Server::start().await;
    let connector = stage.runtime.load(evil::component()).await.unwrap();
    let account = EvilAccount::new("send").at(&server).with("url", "/never").open(&stage, &connector);
    let calls = [begin(&account), begin(&account.clone())];
    arrived(&server, 2).await;
    assert_eq!(account.calls_under_way(), 2, "clones are the same account");
    let ended = stage.during(async {
        account.retire();
        account.drained().await;
        futures_util::future::join_all(calls).await
    });
    for result in ended.await.result {
        assert_retired(result.unwrap());
    }
    assert_retired(account.check().await);
    assert_eq!(server.seen().len(), 2, "a retired account sends nothing");
    stage.assert_nothing_stored().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_guest_that_computes_is_ended_too_and_what_it_stored_is_gone() {
    let stage = Stage::new(patient()).await;
    let endless = CoreModule::checking("(loop $forever (br $forever)) (unreachable)").component();
    let account = stage.open(&stage.runtime.load(endless).await.unwrap());
    let call = begin(&account);
    while account.calls_under_way() == 0 {
        tokio::task::yield_now().await;
    }
    stage.during(async { account.retire() }).await;
    assert_retired(call.await.unwrap());
    stage.assert_nothing_stored().await;
}

/// Tells how each request that writes ended.
struct Ends(mpsc::UnboundedSender<String>);

#[async_trait::async_trait]
impl Journal for Ends {
    fn started(&self) {}

    async fn before(&self, _step: &Step) -> Result<Ruling, JournalStop> {
        Ok(Ruling::Send)
    }

    async fn after(&self, step: &Step, end: StepEnd<'_>) -> Result<(), JournalStop> {
        let end = match end {
            StepEnd::Answered(response) => format!("{} {}", response.status, String::from_utf8_lossy(&response.body)),
            other => format!("{other:?}"),
        };
        self.0.send(format!("{}: {end}", step.line)).unwrap();
        Ok(())
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_journal_gets_the_answer_to_what_a_retired_call_had_sent() {
    let stage = Stage::new(patient()).await;
    let server = Server::start().await;
    let connector = stage.runtime.load(evil::component()).await.unwrap();
    let gate = EvilAccount::new("send").at(&server).with("url", "/gate");
    let account = gate.clone().with("method", "POST").with("body", "an order").open(&stage, &connector);
    let (ends, mut ended) = mpsc::unbounded_channel();
    let call = begin(&account.journaled(Arc::new(Ends(ends)), SystemTime::now()));
    arrived(&server, 1).await;
    assert_eq!(account.calls_under_way(), 1, "journaled clones are the same account");
    account.retire();
    assert_retired(call.await.unwrap());
    assert!(ended.try_recv().is_err(), "the platform has not answered yet");
    // The answer comes after the call is gone.
    let others = gate.open(&stage, &connector);
    for call in (1..GATE).map(|_| begin(&others)).collect::<Vec<_>>() {
        assert!(call.await.unwrap().is_ok(), "the gate opens");
    }
    assert_eq!(ended.recv().await.as_deref(), Some("POST /gate: 200 through"));
}
