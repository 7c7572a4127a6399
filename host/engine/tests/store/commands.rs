//! One suite for every implementation of the store: commands in their order, their journals, and what a person decides about them.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::each_store::on_each;
use futures_util::FutureExt;
use serde_json::{Value, json};
use tradepost_engine::command::{
    AttemptEnd, ClaimScope, Command, CommandClaim, CommandOutcome, CommandQuery, CommandState, JournalEntry,
    NewCommand, ParkCause, Resolution,
};
use tradepost_engine::event::{Change, Event, EventFilter};
use tradepost_engine::store::{Store, StoreError};
use tradepost_runtime::egress::{Effect, Response};
use tradepost_runtime::storage::{StorageWrite, StorageWrites};

/// A lease that no test sees the end of.
fn scope(accounts: &[(String, String)], only: Option<u64>) -> ClaimScope {
    ClaimScope { accounts: Arc::new(accounts.to_vec()), only, ..ClaimScope::default() }
}

const LASTING: Duration = Duration::from_hours(1);
/// A lease that is over when the call that takes it returns.
const OVER: Duration = Duration::ZERO;
const ACCOUNT: &str = "acme/hft71";
const DIGEST: &str = "sha256:aa";

fn new(entity: &str) -> NewCommand {
    NewCommand {
        account: ACCOUNT.into(),
        operation: "shipments.ship".into(),
        arguments: json!({"id": "123456", "parcels": [{"tracking": "1Z\u{20ac}", "weight": null}]}),
        entity: entity.into(),
        key: None,
    }
}

async fn enqueue(store: &Arc<dyn Store>, entity: &str) -> u64 {
    store.enqueue(new(entity)).await.unwrap().id
}

async fn try_claim(store: &Arc<dyn Store>, only: Option<u64>, lease: Duration) -> Option<CommandClaim> {
    store.claim_command(&scope(&[(ACCOUNT.into(), DIGEST.into())], only), lease).await.unwrap()
}

async fn claim(store: &Arc<dyn Store>, id: u64, lease: Duration) -> CommandClaim {
    try_claim(store, Some(id), lease).await.unwrap_or_else(|| panic!("command {id} is free and due"))
}

/// The id of the command whose turn it is; it is held from then on.
async fn next(store: &Arc<dyn Store>) -> Option<u64> {
    try_claim(store, None, LASTING).await.map(|claim| claim.command.id)
}

async fn end(store: &Arc<dyn Store>, claim: &CommandClaim, end: AttemptEnd) -> Command {
    store.end_attempt(claim, end, StorageWrites::default()).await.unwrap()
}

async fn parked(store: &Arc<dyn Store>, entity: &str, journal: Vec<JournalEntry>) -> u64 {
    let id = enqueue(store, entity).await;
    let held = claim(store, id, LASTING).await;
    store.enter_requests(&held, journal).await.unwrap();
    end(store, &held, AttemptEnd::Park(ParkCause::InDoubt, "POST /order: no answer is known".into())).await;
    id
}

fn applied() -> AttemptEnd {
    AttemptEnd::Done(CommandOutcome::Applied(Value::Null))
}

fn again(at: u64) -> AttemptEnd {
    AttemptEnd::Again { at, reason: "503".into() }
}

/// What sending a request does, and the status of its answer.
type Sent = (Effect, Option<u16>);

fn request(index: u32, effect: Effect, status: Option<u16>) -> JournalEntry {
    let answer = status.map(|status| Response { status, headers: vec![], body: vec![].into() });
    JournalEntry { index, effect, fingerprint: [7; 32], line: format!("POST /{index}"), answer }
}

fn milliseconds_now() -> u64 {
    u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap()
}

async fn told_of(store: &Arc<dyn Store>, id: u64) -> Vec<Event> {
    let filter = EventFilter { kind: Some("commands".into()), ..EventFilter::default() };
    let events = store.events(0, usize::MAX, &filter).await.unwrap();
    events.into_iter().filter(|event| event.id == id.to_string()).collect()
}

async fn command(store: &Arc<dyn Store>, id: u64) -> Command {
    store.command(id).await.unwrap().expect("the command is known")
}

#[tokio::test]
async fn a_command_is_recorded_as_it_was_given() {
    on_each(|store| async move {
        let began = milliseconds_now();
        let recorded = store.enqueue(NewCommand { key: Some("ship-1".into()), ..new("orders/1") }).await.unwrap();
        assert!((began..=milliseconds_now()).contains(&recorded.recorded_at), "{recorded:?}");
        let expected = Command {
            id: recorded.id,
            account: ACCOUNT.into(),
            operation: "shipments.ship".into(),
            arguments: new("").arguments,
            entity: "orders/1".into(),
            key: Some("ship-1".into()),
            state: CommandState::Waiting,
            outcome: None,
            attempts: 0,
            cause: None,
            reason: None,
            recorded_at: recorded.recorded_at,
            due_at: recorded.recorded_at,
            digest: None,
        };
        assert_eq!(recorded, expected);
        assert_eq!(store.command(recorded.id).await.unwrap(), Some(expected));
        assert_eq!(store.command(recorded.id + 1).await.unwrap(), None);
        assert_eq!(store.requests_of(recorded.id).await.unwrap(), []);
    })
    .await;
}

#[tokio::test]
async fn a_key_names_one_command_of_an_account_for_good() {
    on_each(|store| async move {
        let keyed = |account: &str, key: Option<&str>, entity: &str| NewCommand {
            account: account.into(),
            key: key.map(str::to_owned),
            ..new(entity)
        };
        let first = store.enqueue(keyed(ACCOUNT, Some("k"), "orders/1")).await.unwrap();
        assert_eq!(store.enqueue(keyed(ACCOUNT, Some("k"), "orders/2")).await.unwrap(), first);
        let held = claim(&store, first.id, LASTING).await;
        let done = end(&store, &held, applied()).await;
        assert_eq!(store.enqueue(keyed(ACCOUNT, Some("k"), "orders/1")).await.unwrap(), done, "done is done");
        assert_eq!(told_of(&store, first.id).await.len(), 2, "asking again tells nothing");

        let others = [("b", Some("k")), (ACCOUNT, Some("K")), (ACCOUNT, None), (ACCOUNT, None)];
        let mut ids = vec![first.id];
        for (account, key) in others {
            ids.push(store.enqueue(keyed(account, key, "orders/1")).await.unwrap().id);
        }
        assert!(ids.is_sorted_by(|earlier, later| earlier < later), "{ids:?}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_the_same_key_at_once_one_command_is_made_and_of_many_takers_one_gets_it() {
    on_each(|store| async move {
        let rivals: Vec<_> = (0..16)
            .map(|_| {
                let store = Arc::clone(&store);
                tokio::spawn(async move {
                    let id = store.enqueue(NewCommand { key: Some("k".into()), ..new("orders/1") }).await.unwrap().id;
                    (id, next(&store).await)
                })
            })
            .collect();
        let mut taken = 0;
        for rival in rivals {
            let (id, held) = rival.await.unwrap();
            assert_eq!(id, 1);
            taken += usize::from(held.is_some());
        }
        assert_eq!(taken, 1);
        assert_eq!(store.commands(&CommandQuery { limit: 9, ..CommandQuery::default() }).await.unwrap().len(), 1);
    })
    .await;
}

#[tokio::test]
async fn commands_to_one_thing_run_one_after_the_other_and_hold_up_nothing_else() {
    on_each(|store| async move {
        let (a1, a2, b1) =
            (enqueue(&store, "orders/a").await, enqueue(&store, "orders/a").await, enqueue(&store, "orders/b").await);
        let elsewhere = store.enqueue(NewCommand { account: "b".into(), ..new("orders/a") }).await.unwrap().id;
        // Running.
        let held = claim(&store, a1, LASTING).await;
        assert!(try_claim(&store, Some(a2), LASTING).await.is_none());
        // Waiting for its next attempt.
        end(&store, &held, again(milliseconds_now() + 3_600_000)).await;
        assert!(try_claim(&store, Some(a2), LASTING).await.is_none());
        assert_eq!(next(&store).await, Some(b1));
        assert_eq!(next(&store).await, None);
        let other = store.claim_command(&scope(&[("b".into(), DIGEST.into())], None), LASTING).await.unwrap();
        assert_eq!(other.unwrap().command.id, elsewhere);

        // Parked.
        let c1 = parked(&store, "orders/c", vec![]).await;
        let c2 = enqueue(&store, "orders/c").await;
        assert_eq!(next(&store).await, None);
        // Done, in either way.
        store.resolve(c1, Resolution::Abandon("sold out".into())).await.unwrap();
        let held = claim(&store, c2, LASTING).await;
        end(&store, &held, AttemptEnd::Done(CommandOutcome::Refused(json!({"kind": "not-found"})))).await;
        let c3 = enqueue(&store, "orders/c").await;
        assert_eq!(next(&store).await, Some(c3));
    })
    .await;
}

#[tokio::test]
async fn what_has_been_due_for_longest_comes_first_and_what_is_not_due_does_not_come() {
    on_each(|store| async move {
        let (one, two) = (enqueue(&store, "orders/1").await, enqueue(&store, "orders/2").await);
        let held = claim(&store, two, LASTING).await;
        assert_eq!(end(&store, &held, again(1)).await.due_at, 1);
        let three = enqueue(&store, "orders/3").await;
        assert_eq!(next(&store).await, Some(two), "due since long ago");
        assert_eq!(next(&store).await, Some(one), "then by age");
        assert_eq!(next(&store).await, Some(three));
        assert_eq!(next(&store).await, None);

        let four = enqueue(&store, "orders/4").await;
        let held = claim(&store, four, LASTING).await;
        let later = milliseconds_now() + 3_600_000;
        let waiting = end(&store, &held, again(later)).await;
        assert_eq!(
            (waiting.state, waiting.due_at, waiting.reason.as_deref()),
            (CommandState::Waiting, later, Some("503"))
        );
        assert_eq!(next(&store).await, None);
        assert!(try_claim(&store, Some(four), LASTING).await.is_none(), "asked for by its id, it is not due either");
        assert!(try_claim(&store, Some(99), LASTING).await.is_none());
    })
    .await;
}

#[tokio::test]
async fn a_command_comes_only_to_those_who_serve_its_account() {
    on_each(|store| async move {
        let id = enqueue(&store, "orders/1").await;
        assert_eq!(store.claim_command(&scope(&[], None), LASTING).await.unwrap(), None);
        let others = [("acme".to_owned(), DIGEST.to_owned()), ("acme/hft7'1".into(), DIGEST.into())];
        assert_eq!(store.claim_command(&scope(&others, None), LASTING).await.unwrap(), None);
        assert_eq!(store.claim_command(&scope(&others, Some(id)), LASTING).await.unwrap(), None);
        let mut accounts = others.to_vec();
        accounts.push((ACCOUNT.into(), "sha256:mine".into()));
        let held = store.claim_command(&scope(&accounts, None), LASTING).await.unwrap().unwrap();
        assert_eq!((held.command.id, held.command.digest.as_deref()), (id, Some("sha256:mine")));
    })
    .await;
}

#[tokio::test]
async fn a_command_stays_on_the_component_that_began_it() {
    on_each(|store| async move {
        let id = enqueue(&store, "orders/1").await;
        let held = claim(&store, id, OVER).await;
        assert_eq!(held.command.digest.as_deref(), Some(DIGEST));
        store.enter_requests(&held, vec![request(0, Effect::Once, None)]).await.unwrap();
        let newer = [(ACCOUNT.to_owned(), "sha256:bb".to_owned())];
        assert_eq!(store.claim_command(&scope(&newer, None), LASTING).await.unwrap(), None, "cut off");
        let held = claim(&store, id, LASTING).await;
        end(&store, &held, again(0)).await;
        assert_eq!(store.claim_command(&scope(&newer, None), LASTING).await.unwrap(), None, "waiting");
        let other = enqueue(&store, "orders/2").await;
        let taken = store.claim_command(&scope(&newer, None), LASTING).await.unwrap().unwrap().command;
        assert_eq!((taken.id, taken.digest.as_deref()), (other, Some("sha256:bb")), "one that is not begun is free");
        // Whoever has both at hand takes it with the one that began it.
        let both = [newer[0].clone(), (ACCOUNT.to_owned(), DIGEST.to_owned())];
        let taken = store.claim_command(&scope(&both, None), LASTING).await.unwrap().unwrap().command;
        assert_eq!((taken.id, taken.digest.as_deref()), (id, Some(DIGEST)));
    })
    .await;
}

#[tokio::test]
async fn a_command_of_which_nothing_was_sent_goes_on_with_any_component() {
    on_each(|store| async move {
        let id = enqueue(&store, "orders/1").await;
        let held = claim(&store, id, OVER).await;
        let newer = [(ACCOUNT.to_owned(), "sha256:bb".to_owned())];
        let taken = store.claim_command(&scope(&newer, None), OVER).await.unwrap().unwrap();
        assert_eq!((taken.command.id, taken.command.digest.as_deref()), (held.command.id, Some("sha256:bb")));
    })
    .await;
}

#[tokio::test]
async fn a_command_that_was_taken_over_is_closed_to_whoever_held_it_before() {
    on_each(|store| async move {
        let id = enqueue(&store, "orders/1").await;
        let old = claim(&store, id, OVER).await;
        assert_eq!((old.command.state, old.command.attempts), (CommandState::Running, 1));
        store.enter_requests(&old, vec![request(0, Effect::Once, None)]).await.unwrap();
        let held = claim(&store, id, LASTING).await;
        assert!(held.epoch > old.epoch);
        assert_eq!(held.command.attempts, 2);
        assert_eq!(held.journal, [request(0, Effect::Once, None)], "what the first one sent is known to the second");

        let closed =
            |result: Result<(), StoreError>| assert!(matches!(result, Err(StoreError::Fenced(_))), "{result:?}");
        let before = (command(&store, id).await, told_of(&store, id).await.len());
        closed(
            store.enter_requests(&old, vec![request(0, Effect::Once, Some(200)), request(1, Effect::Once, None)]).await,
        );
        closed(store.forget_request(&old, 0).await);
        let late = StorageWrite { key: "k".into(), value: Some(b"late".to_vec()), time_to_live: None };
        let writes = StorageWrites { writes: vec![late], ..StorageWrites::default() };
        for how in [applied(), again(0), AttemptEnd::Park(ParkCause::InDoubt, "late".into())] {
            closed(store.end_attempt(&old, how, writes.clone()).await.map(|_| ()));
        }
        assert_eq!((command(&store, id).await, told_of(&store, id).await.len()), before);
        assert_eq!(store.requests_of(id).await.unwrap(), held.journal);
        assert_eq!(store.get(ACCOUNT, "k").await.unwrap(), None);

        // Nor does an ended attempt go on.
        end(&store, &held, again(0)).await;
        closed(store.enter_requests(&held, vec![request(1, Effect::Once, None)]).await);
        closed(store.forget_request(&held, 0).await);
        closed(store.end_attempt(&held, applied(), StorageWrites::default()).await.map(|_| ()));
        assert_eq!(command(&store, id).await.attempts, 2);
    })
    .await;
}

#[tokio::test]
async fn a_journal_gives_back_each_answer_byte_for_byte_in_order() {
    on_each(|store| async move {
        let id = enqueue(&store, "orders/1").await;
        let held = claim(&store, id, OVER).await;
        let headers =
            [("set-x", "1"), ("content-type", "text/html; charset=\"ISO-8859-1\""), ("set-x", ""), ("x", "\u{e9}\\")];
        let answered = JournalEntry {
            index: 1,
            effect: Effect::Repeatable,
            fingerprint: std::array::from_fn(|place| u8::try_from(place * 8).unwrap()),
            line: "PUT /order/7/\u{e9}".into(),
            answer: Some(Response {
                status: 599,
                headers: headers.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec(),
                body: (0..=u8::MAX).cycle().take(100_000).collect::<Vec<u8>>().into(),
            }),
        };
        let read = request(0, Effect::Read, Some(200));
        store
            .enter_requests(&held, vec![JournalEntry { answer: None, ..answered.clone() }, read.clone()])
            .await
            .unwrap();
        assert_eq!(store.requests_of(id).await.unwrap()[1].answer, None);
        // Its answer takes the place of the request that was about to be sent.
        store.enter_requests(&held, vec![answered.clone(), request(2, Effect::Once, None)]).await.unwrap();
        let expected = [read, answered, request(2, Effect::Once, None)];
        assert_eq!(store.requests_of(id).await.unwrap(), expected);
        assert_eq!(claim(&store, id, LASTING).await.journal, expected);
        assert_eq!(store.requests_of(id + 1).await.unwrap(), []);
    })
    .await;
}

#[tokio::test]
async fn only_a_request_without_an_answer_is_forgotten() {
    on_each(|store| async move {
        let id = enqueue(&store, "orders/1").await;
        let held = claim(&store, id, LASTING).await;
        let journal = vec![request(0, Effect::Once, Some(200)), request(1, Effect::Once, None)];
        store.enter_requests(&held, journal).await.unwrap();
        for index in [0, 1, 2] {
            store.forget_request(&held, index).await.unwrap();
        }
        assert_eq!(store.requests_of(id).await.unwrap(), [request(0, Effect::Once, Some(200))]);
    })
    .await;
}

#[tokio::test]
async fn an_attempt_ends_together_with_what_the_connector_stored() {
    on_each(|store| async move {
        let id = enqueue(&store, "orders/1").await;
        let held = claim(&store, id, LASTING).await;
        let writes = |expected: Option<&[u8]>| StorageWrites {
            preconditions: vec![("k".into(), expected.map(<[u8]>::to_vec))],
            writes: vec![StorageWrite { key: "k".into(), value: Some(b"2".to_vec()), time_to_live: None }],
        };
        let refused = store.end_attempt(&held, applied(), writes(Some(b"1"))).await;
        assert_eq!(refused.unwrap_err(), StoreError::Conflict { key: "k".into() });
        assert_eq!(command(&store, id).await, held.command, "still being carried out");
        assert_eq!(told_of(&store, id).await.len(), 1);
        assert_eq!(store.get(ACCOUNT, "k").await.unwrap(), None);

        let outcome = CommandOutcome::Applied(json!({"shipment": "9"}));
        let done = store.end_attempt(&held, AttemptEnd::Done(outcome.clone()), writes(None)).await.unwrap();
        assert_eq!((done.state, done.outcome), (CommandState::Done, Some(outcome)));
        assert_eq!(store.get(ACCOUNT, "k").await.unwrap().as_deref(), Some(&b"2"[..]));
        assert_eq!(next(&store).await, None, "done is never taken again");
    })
    .await;
}

#[tokio::test]
async fn each_outcome_is_kept_as_it_was() {
    on_each(|store| async move {
        for outcome in [
            CommandOutcome::Applied(Value::Null),
            CommandOutcome::Applied(json!({"id": "9", "at": [1, "\u{20ac}"]})),
            CommandOutcome::Refused(json!({"kind": "invalid-input", "message": "no"})),
            CommandOutcome::FoundApplied("seen".into()),
            CommandOutcome::Abandoned(String::new()),
        ] {
            let id = enqueue(&store, "orders/1").await;
            let held = claim(&store, id, LASTING).await;
            end(&store, &held, AttemptEnd::Done(outcome.clone())).await;
            assert_eq!(command(&store, id).await.outcome, Some(outcome));
        }
    })
    .await;
}

#[tokio::test]
async fn the_feed_tells_of_each_change_of_a_command() {
    on_each(|store| async move {
        let id = enqueue(&store, "orders/1").await;
        let held = claim(&store, id, LASTING).await;
        store.enter_requests(&held, vec![request(0, Effect::Once, None)]).await.unwrap();
        end(&store, &held, again(0)).await;
        let held = claim(&store, id, LASTING).await;
        end(&store, &held, AttemptEnd::Park(ParkCause::InDoubt, "look".into())).await;
        store.resolve(id, Resolution::Retry).await.unwrap();
        let held = claim(&store, id, LASTING).await;
        let done = end(&store, &held, AttemptEnd::Done(CommandOutcome::Applied(json!({"n": 1})))).await;

        let told = told_of(&store, id).await;
        let steps: Vec<_> = told
            .iter()
            .map(|event| (event.change, event.version, event.record.as_ref().unwrap()["state"].as_str().unwrap()))
            .collect();
        // That an attempt begins is not told: its end is.
        let expected = [
            (Change::Created, 1, "waiting"),
            (Change::Updated, 2, "waiting"),
            (Change::Updated, 3, "parked"),
            (Change::Updated, 4, "waiting"),
            (Change::Updated, 5, "done"),
        ];
        assert_eq!(steps, expected);
        assert!(told.iter().all(|event| event.account == ACCOUNT && event.kind == "commands"));
        assert_eq!(told[2].record.as_ref().unwrap()["reason"], "look");
        assert_eq!(told[4].record, Some(serde_json::to_value(&done).unwrap()));
        assert_eq!(told[4].record.as_ref().unwrap()["outcome"], json!({"applied": {"n": 1}}));
    })
    .await;
}

#[tokio::test]
async fn a_person_ends_the_waiting_of_a_parked_command() {
    on_each(|store| async move {
        let cases = [
            (Resolution::Applied("seen in the shop".into()), CommandOutcome::FoundApplied("seen in the shop".into())),
            (Resolution::Abandon("sold out".into()), CommandOutcome::Abandoned("sold out".into())),
        ];
        for (resolution, outcome) in cases {
            let journal = vec![request(0, Effect::Once, None)];
            let id = parked(&store, "orders/1", journal.clone()).await;
            assert_eq!(command(&store, id).await.reason.as_deref(), Some("POST /order: no answer is known"));
            assert_eq!(next(&store).await, None, "parked");
            let resolved = store.resolve(id, resolution).await.unwrap();
            assert_eq!((resolved.state, resolved.outcome.as_ref()), (CommandState::Done, Some(&outcome)));
            assert_eq!(command(&store, id).await, resolved);
            assert_eq!(store.requests_of(id).await.unwrap(), journal, "the evidence stays");
            assert_eq!(next(&store).await, None);
            assert_eq!(told_of(&store, id).await.len(), 3);
        }
    })
    .await;
}

#[tokio::test]
async fn a_retry_forgets_what_is_in_doubt_and_nothing_else() {
    use Effect::{Once, Read, Repeatable};
    let cases: [(&str, &[Sent], &[u32]); 10] = [
        ("plain answers stay", &[(Once, Some(200)), (Once, Some(404)), (Repeatable, Some(429))], &[0, 1, 2]),
        ("no answer", &[(Once, None), (Repeatable, None)], &[]),
        ("an answer that decides nothing", &[(Once, Some(500)), (Once, Some(503)), (Repeatable, Some(408))], &[]),
        ("the doubtful among the plain", &[(Once, Some(201)), (Once, None), (Once, Some(200))], &[0, 2]),
        ("what was read before a write", &[(Read, Some(200)), (Read, Some(503)), (Once, None)], &[0, 1]),
        ("what was read to clear the doubt", &[(Once, None), (Read, Some(404)), (Once, None)], &[]),
        ("unless a write that stays came of it", &[(Once, None), (Read, Some(200)), (Once, Some(200))], &[1, 2]),
        ("nothing in doubt", &[(Read, Some(200)), (Once, Some(400))], &[0, 1]),
        (
            "accepted, and not seen when it was read back",
            &[(Once, Some(201)), (Once, Some(200)), (Read, Some(200))],
            &[0],
        ),
        ("accepted, and refused after that", &[(Once, Some(200)), (Once, Some(409))], &[0, 1]),
    ];
    for (name, journal, kept) in cases {
        on_each(|store| async move {
            let journal =
                (0..).zip(journal).map(|(index, (effect, status))| request(index, *effect, *status)).collect();
            let id = parked(&store, "orders/1", journal).await;
            // Another command's journal is not touched.
            let other = parked(&store, "orders/2", vec![request(0, Once, None)]).await;
            let began = milliseconds_now();
            let resolved = store.resolve(id, Resolution::Retry).await.unwrap();
            assert_eq!((resolved.state, resolved.outcome.as_ref()), (CommandState::Waiting, None), "{name}");
            assert_eq!((resolved.attempts, resolved.reason.as_deref()), (0, None), "{name}");
            assert!((began..=milliseconds_now()).contains(&resolved.due_at), "{name}");
            let held = claim(&store, id, LASTING).await;
            assert_eq!(held.journal.iter().map(|entry| entry.index).collect::<Vec<_>>(), kept, "{name}");
            assert_eq!(held.command.attempts, 1, "{name}");
            assert_eq!(store.requests_of(other).await.unwrap().len(), 1, "{name}");
        })
        .await;
    }
}

#[tokio::test]
async fn a_retry_forgets_a_write_whose_answer_was_not_understood_and_none_that_was_followed_by_a_question() {
    use Effect::{Once, Read};
    let cases: [(ParkCause, &[Sent], &[u32]); 4] = [
        (ParkCause::NotUnderstood, &[(Once, Some(201)), (Once, Some(200))], &[0]),
        (ParkCause::NotUnderstood, &[(Once, Some(200)), (Read, Some(200))], &[0, 1]),
        (ParkCause::Denied, &[(Once, Some(200))], &[0]),
        (ParkCause::GivenUp, &[(Once, Some(200)), (Read, Some(503))], &[0, 1]),
    ];
    for (cause, journal, kept) in cases {
        on_each(|store| async move {
            let id = enqueue(&store, "orders/1").await;
            let held = claim(&store, id, LASTING).await;
            let sent = (0..).zip(journal).map(|(index, (effect, status))| request(index, *effect, *status)).collect();
            store.enter_requests(&held, sent).await.unwrap();
            end(&store, &held, AttemptEnd::Park(cause, "look".into())).await;
            store.resolve(id, Resolution::Retry).await.unwrap();
            let held = claim(&store, id, LASTING).await;
            assert_eq!(held.journal.iter().map(|entry| entry.index).collect::<Vec<_>>(), kept, "{cause:?}: {kept:?}");
        })
        .await;
    }
}

#[tokio::test]
async fn there_is_nothing_to_decide_about_a_command_that_is_not_parked() {
    on_each(|store| async move {
        let resolutions = [Resolution::Applied("x".into()), Resolution::Abandon("x".into()), Resolution::Retry];
        let refused = |id, error: StoreError| {
            let (store, resolutions) = (Arc::clone(&store), resolutions.clone());
            async move {
                for resolution in resolutions {
                    assert_eq!(store.resolve(id, resolution).await.unwrap_err(), error);
                }
            }
        };
        for id in [0, 1, u64::MAX] {
            refused(id, StoreError::NoCommand(id)).await;
        }
        let id = enqueue(&store, "orders/1").await;
        refused(id, StoreError::NotParked { id, state: "waiting" }).await;
        let held = claim(&store, id, LASTING).await;
        store.enter_requests(&held, vec![request(0, Effect::Once, None)]).await.unwrap();
        refused(id, StoreError::NotParked { id, state: "running" }).await;
        end(&store, &held, applied()).await;
        refused(id, StoreError::NotParked { id, state: "done" }).await;
        assert_eq!(store.requests_of(id).await.unwrap().len(), 1);
        assert_eq!(told_of(&store, id).await.len(), 2);
    })
    .await;
}

#[tokio::test]
async fn commands_are_listed_by_account_and_state_the_newest_first() {
    on_each(|store| async move {
        let first = enqueue(&store, "orders/1").await;
        let looked_at = parked(&store, "orders/2", vec![]).await;
        let elsewhere = store.enqueue(NewCommand { account: "b".into(), ..new("orders/1") }).await.unwrap().id;
        let listed = |account: Option<&str>, state, limit| {
            let (store, account) = (Arc::clone(&store), account.map(str::to_owned));
            async move {
                let commands =
                    store.commands(&CommandQuery { account, state, entity: None, key: None, limit }).await.unwrap();
                commands.iter().map(|command| command.id).collect::<Vec<_>>()
            }
        };
        assert_eq!(listed(None, None, 9).await, [elsewhere, looked_at, first]);
        assert_eq!(listed(None, None, 2).await, [elsewhere, looked_at]);
        assert_eq!(listed(None, None, 0).await, [0_u64; 0]);
        assert_eq!(listed(Some(ACCOUNT), None, 9).await, [looked_at, first]);
        assert_eq!(listed(None, Some(CommandState::Parked), 9).await, [looked_at]);
        assert_eq!(listed(None, Some(CommandState::Waiting), 9).await, [elsewhere, first]);
        assert_eq!(listed(Some("b"), Some(CommandState::Parked), 9).await, [0_u64; 0]);
    })
    .await;
}

#[tokio::test]
async fn a_request_is_entered_even_if_nobody_waits_for_it() {
    on_each(|store| async move {
        let id = enqueue(&store, "orders/1").await;
        let held = claim(&store, id, LASTING).await;
        // Begun and dropped, as a guest's deadline would.
        let entered = store.enter_requests(&held, vec![request(0, Effect::Once, Some(200))]);
        let _answer_that_may_not_have_come = entered.now_or_never();
        assert_eq!(store.requests_of(id).await.unwrap(), [request(0, Effect::Once, Some(200))]);
    })
    .await;
}
