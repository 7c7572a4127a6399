//! The judge itself: a table whose every row says `holds` would prove nothing if nothing could make it say otherwise.

use tradepost_hostile::arena::run;
use tradepost_hostile::canary::PASSWORD;
use tradepost_hostile::case::Run;
use tradepost_hostile::stage::{ATTACKER, tight};
use tradepost_hostile::{Case, CoreModule, Effort, Verdict, cases};
use tradepost_runtime::Storage as _;
use tradepost_runtime::storage::{StorageWrite, StorageWrites};

const fn case(run: Run) -> Case {
    Case::starred("XX-01", "a case made for this test", "whatever", run)
}

/// One after the other, because panics are counted for the whole process.
#[test]
fn each_invariant_can_be_broken() {
    let holds = case(Run::Attack(|arena| {
        Box::pin(async move {
            arena.stage(tight()).await?.attack(&CoreModule::checking("(unreachable)")).await?;
            Ok("stood".into())
        })
    }));
    let fails = case(Run::Attack(|_| Box::pin(async { anyhow::bail!("it did not") })));
    let panics = case(Run::Attack(|_| {
        Box::pin(async {
            let panicked = tokio::spawn(async { panic!("somewhere in the host") }).await;
            assert!(panicked.is_err());
            Ok("went on".into())
        })
    }));
    let leaves_rows = case(Run::Attack(|arena| {
        Box::pin(async move {
            let stage = arena.stage(tight()).await?;
            let write = StorageWrite { key: "trace".into(), value: Some(b"trace".to_vec()), time_to_live: None };
            let writes = StorageWrites { preconditions: Vec::new(), writes: vec![write] };
            stage.storage.commit(ATTACKER, writes).await?;
            Ok("left a row".into())
        })
    }));
    let logs_a_secret = case(Run::Attack(|_| {
        Box::pin(async {
            tracing::trace!(password = PASSWORD, "logged");
            Ok("said too much".into())
        })
    }));
    let results_in_a_secret = case(Run::Attack(|arena| {
        Box::pin(async move {
            arena.stage(tight()).await?.during(async { format!("password={PASSWORD}") }).await;
            Ok("gave too much".into())
        })
    }));
    let not_run = case(Run::NotRun("nothing there"));
    for (what, case, verdict, broken) in [
        ("holds", holds, Verdict::Holds, None),
        ("fails", fails, Verdict::DoesNotHold, None),
        ("panics", panics, Verdict::DoesNotHold, Some(1)),
        ("leaves rows", leaves_rows, Verdict::DoesNotHold, Some(4)),
        ("logs a secret", logs_a_secret, Verdict::DoesNotHold, Some(5)),
        ("results in a secret", results_in_a_secret, Verdict::DoesNotHold, Some(5)),
        ("is not run", not_run, Verdict::NotRun, None),
    ] {
        let report = run(&case, Effort::Quick);
        assert_eq!(report.verdict, verdict, "{what}: {}", report.measured);
        let found: Vec<usize> = (1..)
            .zip(&report.invariants)
            .filter_map(|(number, invariant)| (invariant.holds == Some(false)).then_some(number))
            .collect();
        assert_eq!(found, Vec::from_iter(broken), "{what}: {:?}", report.invariants);
    }
}

#[test]
fn the_table_has_every_case_of_the_reference_once() {
    let ids: Vec<&str> = cases::all().iter().map(|case| case.id).collect();
    let expected = [("HC", 91), ("HS", 18), ("WH", 14), ("SW", 14)]
        .into_iter()
        .flat_map(|(group, count)| (1..=count).map(move |number| format!("{group}-{number:02}")));
    let of_the_reference: Vec<&str> = ids.iter().copied().filter(|id| !id.starts_with("TP")).collect();
    assert_eq!(of_the_reference, expected.collect::<Vec<_>>());
    let mut names: Vec<String> = cases::all().iter().map(Case::test_name).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), ids.len(), "every case is a test of its own");
}
