//! Lists that lie, kept by a real engine in a real store (HC-86 to HC-91).

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{bail, ensure};
use tokio::io::AsyncWriteExt as _;
use tokio::sync::Notify;
use tradepost_engine::event::{Event, EventFilter};
use tradepost_engine::pull::PullError;
use tradepost_engine::record::{RecordQuery, StoredRecord};
use tradepost_engine::store::{self, Store};
use tradepost_engine::stream::StreamKey;
use tradepost_engine::{Engine, EngineOptions, Happening};
use tradepost_runtime::commerce::{ListQuery, Order};
use tradepost_runtime::{CallError, Connector, Limits};

use super::short;
use crate::arena::{Arena, Effort};
use crate::case::{Case, MustFail as _, Outcome, attack, ensure_eq};
use crate::stage::{ATTACKER, BYSTANDER, spacious, tight};
use crate::{EvilAccount, RawServer, Stage};

pub(super) const CASES: &[Case] = &[
    Case::starred(
        "HC-86",
        "a cursor that jumps ahead without the orders between",
        "the next walk from the beginning, once a day, finds what was left out and tells of it",
        attack!(jumping_cursor),
    ),
    Case::starred(
        "HC-87",
        "pages without end, in a circle, leading to themselves or nowhere",
        "what leads to itself, back or nowhere is refused; a walk without end lets everybody else go first every 20 pages and ends at 100,000",
        attack!(pages_to_nowhere, page_to_itself, pages_in_a_circle, pages_without_end),
    ),
    Case::starred("HC-88", "the same order a thousand times a page", "one event", attack!(same_id)),
    Case::plain(
        "HC-89",
        "a million orders in a page; an order of 100 MiB",
        "refused by name; nothing is kept",
        attack!(huge_pages),
    ),
    Case::starred(
        "HC-90",
        "an order of another account",
        "cannot be said: a record has no account; an id that looks like one is an id",
        attack!(foreign_account),
    ),
    Case::plain(
        "HC-91",
        "amounts, quantities and times that cannot be; JSON bombs in the raw record",
        "refused, or kept so that it can be read again",
        attack!(odd_values),
    ),
];

/// An engine on a store of its own, with evil accounts.
struct Desk {
    store: Arc<dyn Store>,
    engine: Engine,
}

impl Desk {
    fn new(stage: &Stage, evil: &Connector, accounts: &[EvilAccount], options: EngineOptions) -> anyhow::Result<Self> {
        let store: Arc<dyn Store> = Arc::new(store::in_memory()?);
        Self::on(store, stage, evil, accounts, options)
    }

    fn on(
        store: Arc<dyn Store>,
        stage: &Stage,
        evil: &Connector,
        accounts: &[EvilAccount],
        options: EngineOptions,
    ) -> anyhow::Result<Self> {
        let accounts = accounts.iter().map(|account| account.open(stage, evil)).collect::<anyhow::Result<Vec<_>>>()?;
        Ok(Self { engine: Engine::new(Arc::clone(&store), accounts, options), store })
    }

    async fn events(&self) -> anyhow::Result<Vec<Event>> {
        let filter = EventFilter { account: None, kind: Some("orders".into()) };
        Ok(self.store.events(0, usize::MAX, &filter).await?)
    }

    async fn records(&self, account: &str) -> anyhow::Result<Vec<StoredRecord>> {
        let query = RecordQuery { account: Some(account.into()), limit: 10_000, ..RecordQuery::default() };
        Ok(self.store.records(&query).await?)
    }
}

fn orders() -> StreamKey {
    StreamKey::new(ATTACKER, "orders")
}

/// A server that has so many orders.
async fn shop(count: &Arc<AtomicUsize>) -> RawServer {
    let count = Arc::clone(count);
    RawServer::start(move |mut connection| {
        let count = count.load(Ordering::SeqCst).to_string();
        async move {
            let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", count.len());
            connection.write_all((head + &count).as_bytes()).await
        }
    })
    .await
}

async fn jumping_cursor(arena: &Arena) -> Outcome {
    let (stage, evil) = arena.evil(spacious()).await?;
    let count = Arc::new(AtomicUsize::new(3));
    let server = shop(&count).await;
    let account = EvilAccount::new("jump").at_raw(&server);
    let daily = Desk::new(&stage, &evil, std::slice::from_ref(&account), EngineOptions::default())?;
    let first = stage.during(daily.engine.pull(&orders(), |_| {})).await.result?;
    ensure_eq!(first.records.created, 3);

    // Two more, which the connector leaves out of the changes.
    count.store(5, Ordering::SeqCst);
    let second = stage.during(daily.engine.pull(&orders(), |_| {})).await.result?;
    ensure_eq!(second.records.created, 0, "orders that the lie lets through");

    // The same store a day later.
    let options = EngineOptions { reconcile_every: Duration::ZERO, ..EngineOptions::default() };
    let later = Desk::on(Arc::clone(&daily.store), &stage, &evil, &[account], options)?;
    let third = stage.during(later.engine.pull(&orders(), |_| {})).await.result?;
    ensure_eq!(third.records.created, 2, "orders found by the walk from the beginning");
    ensure_eq!(later.events().await?.len(), 5, "events");
    Ok("2 orders left out of the changes are told of by the next walk from the beginning; nothing says that they are late".into())
}

async fn pages_to_nowhere(arena: &Arena) -> Outcome {
    let (stage, evil) = arena.evil(tight()).await?;
    for (case, problem) in [("long-cursor", "cursor of 4097 bytes"), ("no-cursor", "no cursor to go on with")] {
        let account = EvilAccount::new(case).open(&stage, &evil)?;
        let outcome = stage.during(account.list_orders(&ListQuery::default(), None)).await.result;
        let error = outcome.must_fail("the page lies")?;
        ensure!(
            matches!(&error, CallError::InvalidResult { problem: found, .. } if found.contains(problem)),
            "{case}: {error}"
        );
        ensure!(error.is_guest_fault() && error.to_string().contains("evil 0.1.0"), "{error}");
        stage.nothing_stored().await?;
    }
    let longest = EvilAccount::new("longest-cursor").open(&stage, &evil)?;
    let reply = stage.during(longest.list_orders(&ListQuery::default(), None)).await.result?;
    ensure_eq!(reply.value.next.map(|cursor| cursor.len()), Some(4096));
    Ok("a cursor of 4,097 bytes, and none: refused".into())
}

async fn page_to_itself(arena: &Arena) -> Outcome {
    let (stage, evil) = arena.evil(spacious()).await?;
    let desk = Desk::new(&stage, &evil, &[EvilAccount::new("same-cursor")], EngineOptions::default())?;
    let error = stage.during(desk.engine.pull(&orders(), |_| {})).await.result.must_fail("the page leads to itself")?;
    ensure!(matches!(&error, PullError::Page { problem, .. } if problem.contains("leads to itself")), "{error}");
    Ok("the same cursor twice: refused".into())
}

async fn pages_in_a_circle(arena: &Arena) -> Outcome {
    let (stage, evil) = arena.evil(spacious()).await?;
    let desk = Desk::new(&stage, &evil, &[EvilAccount::new("circle")], EngineOptions::default())?;
    let mut pages = 0;
    for _ in 0..3 {
        let pulled = stage.during(desk.engine.pull(&orders(), |_| pages += 1)).await.result;
        let error = pulled.must_fail("the pages lead in a circle")?;
        ensure!(
            matches!(&error, PullError::Page { problem, .. } if problem.contains("of the same walk led")),
            "{error}"
        );
    }
    ensure!(pages <= 10, "{pages} pages were read");
    ensure_eq!(desk.events().await?.len(), 1, "events");
    Ok(format!("there and back, three times: refused, after {pages} pages in all"))
}

async fn pages_without_end(arena: &Arena) -> Outcome {
    let (stage, evil) = arena.evil(spacious()).await?;
    // One walk at a time: whoever never ends would keep everybody else out.
    let options = EngineOptions {
        pulls_at_once: 1,
        tick: Duration::from_millis(5),
        every: Duration::from_millis(5),
        ..EngineOptions::default()
    };
    let count = Arc::new(AtomicUsize::new(3));
    let server = shop(&count).await;
    let honest = EvilAccount::new("honest").at_raw(&server).of(BYSTANDER);
    for case in ["circle", "endless"] {
        let desk = Desk::new(&stage, &evil, &[EvilAccount::new(case), honest.clone()], options.clone())?;
        let (done, mut walks) = (Notify::new(), 0);
        let run = desk.engine.run(done.notified(), |happening| {
            if matches!(&happening, Happening::Pulled(pulled) if pulled.complete && pulled.key.account == BYSTANDER) {
                walks += 1;
                if walks == 3 {
                    done.notify_one();
                }
            }
        });
        let ended = stage.during(tokio::time::timeout(Duration::from_secs(60), run)).await.result;
        ensure!(ended.is_ok(), "{case}: the other account is not served within a minute");
        ensure!(desk.events().await?.len() <= 4, "{case}: the same order was told of more than once");
    }
    if arena.effort() == Effort::Quick {
        return Ok("in a circle and without end: the other account is served meanwhile".into());
    }
    let desk = Desk::new(&stage, &evil, &[EvilAccount::new("endless")], options)?;
    let after = stage.during(desk.engine.pull(&orders(), |_| {})).await;
    let error = after.result.must_fail("it has no end")?;
    ensure!(error.to_string().contains("no end"), "{error}");
    ensure_eq!(desk.events().await?.len(), 1, "events");
    Ok(format!("others are served meanwhile; without end, it is ended after {:.0?}: {error}", after.took))
}

async fn same_id(arena: &Arena) -> Outcome {
    let (stage, evil) = arena.evil(spacious()).await?;
    let desk = Desk::new(&stage, &evil, &[EvilAccount::new("same-id")], EngineOptions::default())?;
    let pulled = stage.during(desk.engine.pull(&orders(), |_| {})).await.result?;
    ensure_eq!((pulled.records.created, pulled.records.unchanged, pulled.pages), (1, 2_999, 3));
    ensure_eq!(desk.events().await?.len(), 1, "events");
    ensure_eq!(desk.records(ATTACKER).await?.len(), 1, "records");
    Ok("3,000 times on 3 pages: 1 event".into())
}

async fn huge_pages(arena: &Arena) -> Outcome {
    let (stage, evil) = arena.evil(Limits { memory_bytes: 256 << 20, ..spacious() }).await?;
    let mut refused = Vec::new();
    for (case, setting, size) in
        [("huge-order", "bytes", "20000000"), ("huge-order", "bytes", "100000000"), ("many-orders", "count", "1000000")]
    {
        let account = EvilAccount::new(case).with(setting, size);
        let desk = Desk::new(&stage, &evil, &[account], EngineOptions::default())?;
        let error = stage.during(desk.engine.pull(&orders(), |_| {})).await.result.must_fail("it is too large")?;
        ensure!(error.to_string().contains("limit"), "{case} {size}: {error}");
        ensure!(desk.records(ATTACKER).await?.is_empty(), "{case} {size}: something was kept");
        refused.push(format!("{size} {setting}: {}", short(&error.to_string())));
    }
    Ok(refused.join("; "))
}

async fn foreign_account(arena: &Arena) -> Outcome {
    let (stage, evil) = arena.evil(spacious()).await?;
    let account = EvilAccount::new("odd").with("odd", "another account's id");
    let victim = EvilAccount::new("same-id").of(BYSTANDER);
    let desk = Desk::new(&stage, &evil, &[account, victim], EngineOptions::default())?;
    stage.during(desk.engine.pull(&StreamKey::new(BYSTANDER, "orders"), |_| {})).await.result?;
    let before = desk.records(BYSTANDER).await?.len();
    stage.during(desk.engine.pull(&orders(), |_| {})).await.result?;
    let own: Vec<String> = desk.records(ATTACKER).await?.into_iter().map(|record| record.id).collect();
    ensure_eq!(own, ["alice/shop/7"], "the attacker's records");
    ensure_eq!(desk.records(BYSTANDER).await?.len(), before, "the victim's records");
    let accounts: Vec<String> = desk.events().await?.into_iter().map(|event| event.account).collect();
    ensure_eq!(accounts, [BYSTANDER, ATTACKER], "whom the events are told of");
    Ok("kept as an id of the account that was asked; the other account is untouched".into())
}

/// What is odd, and whether it may be kept.
const ODD: [(&str, bool); 19] = [
    ("no id", false),
    ("another account's id", true),
    ("control characters in the id", true),
    ("an id of 1 MiB", true),
    ("the largest amount", true),
    ("the smallest amount", true),
    ("a scale of 19", false),
    ("a scale of 255", false),
    ("a negative quantity", true),
    ("year 0", true),
    ("year 9999", true),
    ("before 1970", true),
    ("year 10000", false),
    ("the end of time", false),
    ("an offset of 23 days", false),
    ("JSON 10,000 deep", true),
    ("JSON with a key twice", true),
    ("JSON with 1e400 and NaN", true),
    ("a currency of 1 MiB", true),
];

async fn odd_values(arena: &Arena) -> Outcome {
    let (stage, evil) = arena.evil(spacious()).await?;
    let mut outcomes: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (odd, may_be_kept) in ODD {
        let account = EvilAccount::new("odd").with("odd", odd);
        let desk = Desk::new(&stage, &evil, &[account], EngineOptions::default())?;
        let pulled = stage.during(desk.engine.pull(&orders(), |_| {})).await.result;
        let outcome = match (&pulled, desk.records(ATTACKER).await?.pop()) {
            (Err(_), None) => "refused",
            (Ok(_), Some(record)) => match serde_json::from_value::<Order>(record.record) {
                Ok(_) => "kept",
                Err(_) => "kept and cannot be read again",
            },
            (pulled, record) => bail!("{odd}: {pulled:?}, {} records", usize::from(record.is_some())),
        };
        let fits = outcome == "refused" || (outcome == "kept" && may_be_kept);
        outcomes.entry(if fits { outcome } else { "NOT REFUSED" }).or_default().push(odd);
    }
    let text =
        outcomes.iter().map(|(outcome, odd)| format!("{outcome}: {}", odd.join(", "))).collect::<Vec<_>>().join("; ");
    ensure!(!outcomes.contains_key("NOT REFUSED"), "{text}");
    Ok(text)
}
