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
use tradepost_hostile::{CoreModule, EvilAccount, Server, evil};
use tradepost_runtime::contract::AccountIdentity;
use tradepost_runtime::journal::{Journal, JournalStop, Ruling, Step, StepEnd};
use tradepost_runtime::storage::StorageUsage;
use tradepost_runtime::{
    Account, AccountConfig, CallError, Connector, Grants, Limits, MemoryStorage, Reply, Runtime, Storage,
};

type Called = JoinHandle<Result<Reply<AccountIdentity>, CallError>>;

/// A runtime whose time limits no call here reaches: what ends a call is what the test is about.
struct Host {
    runtime: Runtime,
    storage: Arc<MemoryStorage>,
}

impl Host {
    fn start() -> Self {
        let hour = Duration::from_hours(1);
        let mut limits = Limits { cpu: hour, wall: hour, ..Limits::default() };
        limits.http.each = hour;
        let runtime = Runtime::builder().limits(limits).concurrent_calls(8).build().expect("the runtime starts");
        Self { runtime, storage: Arc::new(MemoryStorage::new()) }
    }

    async fn load(&self, component: Vec<u8>) -> Connector {
        self.runtime.load(component).await.expect("it loads")
    }

    /// An account that makes the request that it was set up with.
    fn open(&self, account: EvilAccount, connector: &Connector) -> Account {
        let secrets = [("password".to_owned(), account.password.into())].into();
        let EvilAccount { id, settings, auth, grants, .. } = account;
        let config = AccountConfig { id, settings, secrets, auth, grants };
        self.runtime.open(connector, config, self.storage.clone()).expect("it opens")
    }

    /// An account on a hand-written connector, which makes no requests. Its `check` begins with a write to storage.
    async fn open_hand_written(&self, id: &str, module: CoreModule) -> Account {
        let hosts = vec!["https://shop.example".parse().expect("an origin")];
        let grants = Grants { hosts, ..Grants::default() };
        let config = AccountConfig { id: id.into(), grants, ..AccountConfig::default() };
        let connector = self.load(module.component()).await;
        self.runtime.open(&connector, config, self.storage.clone()).expect("it opens")
    }

    async fn assert_nothing_stored(&self, account: &Account) {
        assert_eq!(self.storage.usage(account.id()).await.unwrap(), StorageUsage::default());
    }
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
    let host = Host::start();
    let server = Server::start().await;
    let old = host.load(evil::component()).await;
    let account = EvilAccount::new("send").at(&server).with("url", "/gate");
    let before = host.open(account.clone(), &old);
    let under_way = begin(&before);
    arrived(&server, 1).await;
    assert_eq!(before.calls_under_way(), 1);
    let mut drained = Box::pin(before.drained());
    assert_eq!(drained.as_mut().now_or_never(), None);

    // The other version takes over: the same account, opened anew.
    let after = host.open(account, &host.load(evil::component()).await);
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
    let host = Host::start();
    let server = Server::start().await;
    let connector = host.load(evil::component()).await;
    let account = host.open(EvilAccount::new("send").at(&server).with("url", "/never"), &connector);
    let bystander = host.open_hand_written("alice/shop", CoreModule::default()).await;
    let calls = [begin(&account), begin(&account.clone())];
    arrived(&server, 2).await;
    assert_eq!(account.calls_under_way(), 2, "clones are the same account");
    let others = begin(&bystander);
    account.retire();
    account.drained().await;
    for call in calls {
        assert_retired(call.await.unwrap());
    }
    for reply in [others.await.unwrap(), bystander.check().await] {
        assert_eq!(reply.expect("another account is not concerned").writes.writes.len(), 1);
    }
    assert_retired(account.check().await);
    assert_eq!(server.seen().len(), 2, "a retired account sends nothing");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_guest_that_computes_is_ended_too_and_what_it_stored_is_gone() {
    let host = Host::start();
    let endless = CoreModule::checking("(loop $forever (br $forever)) (unreachable)");
    let account = host.open_hand_written("mallory/shop", endless).await;
    let call = begin(&account);
    while account.calls_under_way() == 0 {
        tokio::task::yield_now().await;
    }
    account.retire();
    assert_retired(call.await.unwrap());
    host.assert_nothing_stored(&account).await;
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
    let host = Host::start();
    let server = Server::start().await;
    let connector = host.load(evil::component()).await;
    let gate = EvilAccount::new("send").at(&server).with("url", "/gate");
    let account = host.open(gate.clone().with("method", "POST").with("body", "an order"), &connector);
    let (ends, mut ended) = mpsc::unbounded_channel();
    let call = begin(&account.journaled(Arc::new(Ends(ends)), SystemTime::now()));
    arrived(&server, 1).await;
    assert_eq!(account.calls_under_way(), 1, "journaled clones are the same account");
    account.retire();
    assert_retired(call.await.unwrap());
    assert!(ended.try_recv().is_err(), "the platform has not answered yet");
    // The answer comes after the call is gone.
    let others = host.open(gate, &connector);
    for call in (1..GATE).map(|_| begin(&others)).collect::<Vec<_>>() {
        assert!(call.await.unwrap().is_ok(), "the gate opens");
    }
    assert_eq!(ended.recv().await.as_deref(), Some("POST /gate: 200 through"));
}
