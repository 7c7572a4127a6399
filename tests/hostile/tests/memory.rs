//! Memory, tables, stack, handles, and what is copied into the host (HC-09 to HC-18).
//!
//! Resident size is not measured: tests of one process share it. Judged are what the host counts for the call and the
//! limit it names.

use std::time::Duration;

use tradepost_hostile::core_module::{RESULT_AT, SCRATCH_AT};
use tradepost_hostile::stage::tight;
use tradepost_hostile::{CoreModule, EvilAccount, Stage, evil, wasi};
use tradepost_runtime::{CallError, LimitReached, Limits, LoadError};

/// Where attacks build a result of their own: behind the scratch word that storage answers into.
const LYING_AT: u32 = SCRATCH_AT + 64;

fn limit(error: &CallError) -> LimitReached {
    match error {
        CallError::Limit { limit, .. } => *limit,
        other => panic!("expected a limit, got {other:?}"),
    }
}

/// Time enough that memory is what runs out.
fn roomy() -> Limits {
    Limits { cpu: Duration::from_secs(20), ..tight() }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hc_09_growing_to_four_gibibytes_fails_at_the_limit() {
    let stage = Stage::new(roomy()).await;
    // All at once, then page by page: the guest is told -1, as a full machine would tell it, and may go on.
    let grow = format!(
        "(if (i32.ne (memory.grow (i32.const 65519)) (i32.const -1)) (then (unreachable)))
         (loop $more (br_if $more (i32.ne (memory.grow (i32.const 1)) (i32.const -1))))
         (i32.const {RESULT_AT})"
    );
    let connector = stage.runtime.load(CoreModule::checking(&grow).component()).await.expect("it loads");
    let reply = stage.during(stage.open(&connector).check()).await.result.expect("growing may fail, the call goes on");
    // The last page that would fit is missing: the module's table takes the first bytes of it.
    let peak = reply.usage.peak_memory;
    assert!((127 * 65_536..=128 * 65_536).contains(&peak), "memory grew to the limit and not beyond it: {peak}");

    let after =
        stage.attack(&CoreModule::checking(grow.replace("(i32.const -1))))", "(i32.const -1)))) (unreachable)"))).await;
    assert_eq!(limit(&after.result), LimitReached::Memory(8 << 20), "a guest that breaks at it is told why");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hc_09_a_rust_connector_that_hoards_is_stopped_at_the_limit() {
    let stage = Stage::new(roomy()).await;
    let connector = stage.runtime.load(evil::component()).await.expect("it loads");
    let account = EvilAccount::new("hoard").open(&stage, &connector);
    let error = stage.during(account.check()).await.result.expect_err("memory runs out");
    assert_eq!(limit(&error), LimitReached::Memory(8 << 20));
    stage.assert_nothing_stored().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hc_10_many_memories_are_summed() {
    let stage = Stage::new(roomy()).await;
    let further: String = (1..8).map(|memory| format!("(memory $m{memory} 1)")).collect();
    let memory = format!("(memory (export \"memory\") 16) {further}");
    // Seven times 2 MiB: each alone is far below the limit of 8 MiB.
    let grow: String = (1..8)
        .map(|memory| {
            format!("(if (i32.eq (memory.grow $m{memory} (i32.const 32)) (i32.const -1)) (then (unreachable)))")
        })
        .collect();
    let module = CoreModule { memory, check: format!("{grow} (i32.const {RESULT_AT})"), ..CoreModule::default() };
    let after = stage.attack(&module).await;
    assert_eq!(limit(&after.result), LimitReached::Memory(8 << 20));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hc_10_memories_that_are_large_from_the_start_are_summed_too() {
    let stage = Stage::new(roomy()).await;
    let further: String = (1..8).map(|memory| format!("(memory $m{memory} 32)")).collect();
    let module = CoreModule { memory: format!("(memory (export \"memory\") 16) {further}"), ..CoreModule::default() };
    match stage.refuses(module.component()).await {
        LoadError::Describe(error) => assert_eq!(limit(&error), LimitReached::Memory(8 << 20)),
        other => panic!("expected the limit while describing, got {other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hc_10_thirty_two_memories_are_refused_at_load() {
    let stage = Stage::new(roomy()).await;
    let further: String = (1..32).map(|memory| format!("(memory $m{memory} 1)")).collect();
    let module = CoreModule { memory: format!("(memory (export \"memory\") 16) {further}"), ..CoreModule::default() };
    match stage.refuses(module.component()).await {
        LoadError::Compile(reason) => assert!(reason.contains("memories"), "{reason}"),
        other => panic!("expected a refusal to compile, got {other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hc_11_growing_a_table_to_two_thousand_million_elements_fails() {
    let stage = Stage::new(roomy()).await;
    for elements in [2_147_483_647_u32, 4_294_967_295, 200_000] {
        let module = CoreModule {
            items: "(table $table 1 funcref)".into(),
            check: format!(
                "(if (i32.ne (table.grow $table (ref.null func) (i32.const {elements})) (i32.const -1)) (then (unreachable)))
                 (i32.const {RESULT_AT})"
            ),
            ..CoreModule::default()
        };
        let connector = stage.runtime.load(module.component()).await.expect("it loads");
        let outcome = stage.during(stage.open(&connector).check()).await.result;
        drop(outcome.unwrap_or_else(|error| panic!("{elements}: {error}")));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hc_11_tables_count_as_memory() {
    // 90,000 elements are 720 kB, allowed for one table; eight of them are beyond a limit of 2 MiB over everything.
    let stage = Stage::new(Limits { memory_bytes: 2 << 20, ..roomy() }).await;
    let tables: String = (0..8).map(|table| format!("(table $t{table} 1 funcref)")).collect();
    let grow: String = (0..8)
        .map(|table| {
            format!("(if (i32.eq (table.grow $t{table} (ref.null func) (i32.const 90000)) (i32.const -1)) (then (unreachable)))")
        })
        .collect();
    let module =
        CoreModule { items: tables, check: format!("{grow} (i32.const {RESULT_AT})"), ..CoreModule::default() };
    let after = stage.attack(&module).await;
    assert_eq!(limit(&after.result), LimitReached::Memory(2 << 20));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hc_12_unbounded_recursion_exhausts_the_guests_stack_and_not_the_hosts() {
    let stage = Stage::new(roomy()).await;
    let module = CoreModule {
        items: "(func $deeper (param i64) (result i64)
            (i64.add (local.get 0) (call $deeper (i64.add (local.get 0) (i64.const 1)))))"
            .into(),
        check: "(drop (call $deeper (i64.const 0))) (unreachable)".into(),
        ..CoreModule::default()
    };
    let after = stage.attack(&module).await;
    assert!(matches!(limit(&after.result), LimitReached::Stack(_)), "{}", after.result);
    assert!(after.result.to_string().contains("call stack exhausted"), "{}", after.result);
}

/// `check` returns success with `name` at this address and of this length.
fn with_name(address: u32, length: u32) -> CoreModule {
    let (known, at, len) = (LYING_AT + 20, LYING_AT + 24, LYING_AT + 28);
    CoreModule::checking(format!(
        "(i32.store8 (i32.const {known}) (i32.const 1))
         (i32.store (i32.const {at}) (i32.const {address}))
         (i32.store (i32.const {len}) (i32.const {length}))
         (i32.const {LYING_AT})"
    ))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hc_13_a_result_beyond_the_lift_limit_is_not_copied() {
    let stage = Stage::new(Limits { lift_bytes: 1 << 20, ..roomy() }).await;
    let memory = "(memory (export \"memory\") 100)".to_owned();
    // Text that is there, and longer than what may be copied: only the limit stops it.
    let text = CoreModule { memory: memory.clone(), ..with_name(0, 4 << 20) };
    assert_eq!(limit(&stage.attack(&text).await.result), LimitReached::LiftBytes(1 << 20));

    // Bytes: the content of a document. `document` is media type, file name and content, the result's tag is in front.
    let document = CoreModule { memory, ..CoreModule::default() }.exporting(
        "packing-slips",
        &format!(
            r#"(func (export "tradepost:connector/packing-slips@0.1.0#get") (param i32 i32) (result i32)
                (i32.store (i32.const {}) (i32.const {}))
                (i32.const {LYING_AT}))"#,
            LYING_AT + 8 + 20,
            4 << 20
        ),
    );
    let connector = stage.runtime.load(document.component()).await.expect("it loads");
    let account = stage.open(&connector);
    let error = stage.during(account.packing_slip("42")).await.result.expect_err("4 MiB are too many");
    assert_eq!(limit(&error), LimitReached::LiftBytes(1 << 20));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hc_13_a_result_of_a_gibibyte_that_is_not_there_is_a_trap_or_the_limit() {
    let stage = Stage::new(roomy()).await;
    let after = stage.attack(&with_name(0, 1 << 30)).await;
    assert!(
        matches!(after.result, CallError::Trap { .. } | CallError::Limit { limit: LimitReached::LiftBytes(_), .. }),
        "{}",
        after.result
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hc_14_a_list_of_empty_texts_counts_what_it_takes_in_the_host() {
    // 400,000 pairs take 6 MiB of the guest's memory and 18 MiB of the host's. The reference's 50 million would not fit
    // into the guest's memory in the first place.
    let stage = Stage::new(roomy()).await;
    let facts = CoreModule {
        memory: "(memory (export \"memory\") 120)".into(),
        ..CoreModule::checking(format!(
            "(i32.store (i32.const {}) (i32.const 262144))
             (i32.store (i32.const {}) (i32.const 400000))
             (i32.const {LYING_AT})",
            LYING_AT + 44,
            LYING_AT + 48
        ))
    };
    assert_eq!(limit(&stage.attack(&facts).await.result), LimitReached::LiftBytes(16 << 20));
}

/// Imports through which a guest passes bytes to the host, and a call of each with `length` bytes from address 0.
fn passing(length: u32) -> Vec<(&'static str, CoreModule)> {
    let log = (
        r#"(import "tradepost:connector/log@0.1.0" "write" (func $log (param i32 i32 i32 i32 i32)))"#,
        format!("(call $log (i32.const 1) (i32.const 0) (i32.const {length}) (i32.const 0) (i32.const 0))"),
    );
    let storage = (
        "",
        format!(
            "(call $storage_set (i32.const 256) (i32.const 5) (i32.const 0) (i32.const {length}) (i32.const 0) (i32.const 0)
               (i32.const {SCRATCH_AT}))"
        ),
    );
    let http = (
        r#"(import "tradepost:connector/http@0.1.0" "send"
            (func $send (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32)))"#,
        format!(
            "(call $send (i32.const 2) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0)
               (i32.const 1) (i32.const 0) (i32.const {length}) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const {SCRATCH_AT}))"
        ),
    );
    [("log", log), ("storage", storage), ("http", http)]
        .into_iter()
        .map(|(name, (imports, call))| {
            let check = format!("{call} (i32.const {RESULT_AT})");
            let memory = "(memory (export \"memory\") 100)".to_owned();
            (name, CoreModule { imports: imports.into(), memory, check, ..CoreModule::default() })
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hc_15_bytes_passed_to_the_host_stop_at_the_lift_limit() {
    let stage = Stage::new(Limits { lift_bytes: 1 << 20, ..roomy() }).await;
    for (name, module) in passing(4 << 20) {
        let after = stage.attack(&module).await;
        assert!(
            matches!(after.result, CallError::Limit { limit: LimitReached::LiftBytes(1_048_576), .. }),
            "{name}: {}",
            after.result
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hc_15_half_a_gibibyte_that_is_not_there_is_a_trap_or_the_limit() {
    let stage = Stage::new(roomy()).await;
    for (name, module) in passing(512 << 20) {
        let after = stage.attack(&module).await;
        assert!(
            matches!(after.result, CallError::Trap { .. } | CallError::Limit { limit: LimitReached::LiftBytes(_), .. }),
            "{name}: {}",
            after.result
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn random_bytes_are_given_by_four_kibibytes_at_most() {
    // The host would make them in its own memory before the guest's limits are asked.
    let stage = Stage::new(roomy()).await;
    let asking = |bytes: u64| CoreModule {
        packages: wasi::packages(),
        world: format!("{}{}", CoreModule::default().world, wasi::WORLD),
        imports: wasi::IMPORTS.into(),
        ..CoreModule::checking(format!(
            "(call $random (i64.const {bytes}) (i32.const {SCRATCH_AT})) (i32.const {RESULT_AT})"
        ))
    };
    let connector = stage.runtime.load(asking(4096).component()).await.expect("it loads");
    drop(stage.during(stage.open(&connector).check()).await.result.expect("4 KiB are given"));
    for bytes in [4097, 64 << 20, u64::MAX] {
        let after = stage.attack(&asking(bytes)).await;
        assert!(matches!(after.result, CallError::Trap { .. }), "{bytes}: {}", after.result);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hc_16_handles_that_are_never_dropped_run_out_at_a_thousand_and_twenty_four() {
    let stage = Stage::new(roomy()).await;
    let module = CoreModule {
        packages: wasi::packages(),
        world: format!("{}{}", CoreModule::default().world, wasi::WORLD),
        imports: wasi::IMPORTS.into(),
        check: "(loop $forever (drop (call $subscribe (i64.const 1000))) (br $forever)) (unreachable)".into(),
        ..CoreModule::default()
    };
    let after = stage.attack(&module).await;
    assert_eq!(limit(&after.result), LimitReached::Handles(1_024));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hc_18_a_memory_of_four_gibibytes_from_the_start_is_refused_at_load() {
    let stage = Stage::new(roomy()).await;
    let module = CoreModule { memory: "(memory (export \"memory\") 65536)".into(), ..CoreModule::default() };
    let refused = stage.refuses(module.component()).await;
    assert!(matches!(&refused, LoadError::Compile(reason) if reason.contains("memory")), "{refused:?}");
}
