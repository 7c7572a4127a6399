//! Processor time, wall-clock time and calls into the host (HC-01 to HC-08).
//!
//! The reference asks that a loop be stopped within two ticks of its budget. Machines that run these tests are shared, so
//! the upper bound here is generous; the lower one is exact: no guest is stopped before its budget is used up.

use std::time::Duration;

use futures_util::future::join_all;
use tradepost_hostile::core_module::{RESULT_AT, SCRATCH_AT};
use tradepost_hostile::evil;
use tradepost_hostile::stage::{Aftermath, tight};
use tradepost_hostile::{CoreModule, EvilAccount, Server, Stage};
use tradepost_runtime::{Account, CallError, LimitReached, Limits, LoadError, Runtime};

/// Far beyond any limit set here, far below a hang.
const GENEROUS: Duration = Duration::from_secs(10);

const FOREVER: &str = "(loop $forever (br $forever)) (unreachable)";

fn limit(error: &CallError) -> LimitReached {
    match error {
        CallError::Limit { limit, .. } => *limit,
        other => panic!("expected a limit, got {other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hc_01_an_endless_loop_is_stopped_at_the_cpu_limit() {
    let stage = Stage::new(tight()).await;
    let after = stage.attack(&CoreModule::checking(FOREVER)).await;
    assert_eq!(limit(&after.result), LimitReached::Cpu(Duration::from_millis(200)));
    assert!(after.took >= Duration::from_millis(200) && after.took < GENEROUS, "{:?}", after.took);
    assert!(after.bystander_calls > 0, "the bystander is served while the loop runs");
    let text = after.result.to_string();
    assert!(
        text.contains("hand-written 0.1.0") && text.contains("connector.check") && text.contains("limits.cpu"),
        "{text}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hc_02_a_loop_at_instantiation_is_stopped_and_frees_its_slot() {
    // Two slots: the bystander's and one that each attack must give back.
    let stage = Stage::with_pool(Runtime::builder().limits(tight()), 2).await;
    let module = CoreModule { items: format!("(func $begin {FOREVER}) (start $begin)"), ..CoreModule::default() };
    let component = module.component();
    for _ in 0..3 {
        match stage.refuses(component.clone()).await {
            LoadError::Describe(error) => assert_eq!(limit(&error), LimitReached::Cpu(Duration::from_millis(200))),
            other => panic!("expected the limit while describing, got {other:?}"),
        }
    }
    stage.runtime.load(CoreModule::default().component()).await.expect("a slot is free");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hc_03_a_loop_in_realloc_is_stopped_while_the_host_passes_text() {
    let stage = Stage::new(tight()).await;
    // An import's result: the host asks for room while the guest waits for the answer.
    let by_import = CoreModule {
        imports: r#"(import "tradepost:connector/settings@0.1.0" "get" (func $settings (param i32)))"#.into(),
        realloc: FOREVER.into(),
        check: format!("(call $settings (i32.const {SCRATCH_AT})) (i32.const {RESULT_AT})"),
        ..CoreModule::default()
    };
    let after = stage.attack(&by_import).await;
    assert_eq!(limit(&after.result), LimitReached::Cpu(Duration::from_millis(200)));

    // An export's argument: the host asks for room before the guest's function has begun.
    let by_export =
        CoreModule { realloc: FOREVER.into(), ..CoreModule::default() }.exporting("customer-status", CUSTOMER_STATUS);
    let connector = stage.runtime.load(by_export.component()).await.expect("it loads");
    let account = stage.open(&connector);
    let error = stage.during(account.customer_status("42")).await.result.expect_err("the loop never ends by itself");
    assert_eq!(limit(&error), LimitReached::Cpu(Duration::from_millis(200)));
    stage.assert_nothing_stored().await;
}

/// `customer-status.get`, never reached.
const CUSTOMER_STATUS: &str = r#"
    (func (export "tradepost:connector/customer-status@0.1.0#get") (param i32 i32) (result i32) (unreachable))
"#;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hc_04_a_loop_in_post_return_discards_the_result() {
    let stage = Stage::new(tight()).await;
    let module = CoreModule {
        items: format!(
            r#"(func (export "cabi_post_tradepost:connector/connector@0.1.0#check") (param i32) {FOREVER})"#
        ),
        ..CoreModule::default()
    };
    let after = stage.attack(&module).await;
    assert_eq!(limit(&after.result), LimitReached::Cpu(Duration::from_millis(200)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hc_05_cheap_host_calls_stop_at_a_hundred_thousand() {
    let limits = Limits { cpu: Duration::from_secs(60), wall: Duration::from_secs(120), ..tight() };
    assert_eq!(limits.host_calls, Limits::default().host_calls, "the default is what is tested");
    let stage = Stage::new(limits).await;
    let module = CoreModule {
        imports: r#"(import "tradepost:connector/log@0.1.0" "write" (func $log (param i32 i32 i32 i32 i32)))"#.into(),
        check: "(loop $forever
            (call $log (i32.const 1) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0))
            (br $forever)) (unreachable)"
            .into(),
        ..CoreModule::default()
    };
    let after = stage.attack(&module).await;
    assert_eq!(limit(&after.result), LimitReached::HostCalls(100_000));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hc_05_asking_for_the_time_counts_as_a_host_call() {
    let stage = Stage::new(Limits { host_calls: 1_000, cpu: Duration::from_secs(60), ..tight() }).await;
    let connector = stage.runtime.load(evil::component()).await.expect("it loads");
    let account = EvilAccount::new("clock-flood").open(&stage, &connector);
    let error = stage.during(account.check()).await.result.expect_err("the flood never ends by itself");
    assert_eq!(limit(&error), LimitReached::HostCalls(1_000));
    stage.assert_nothing_stored().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hc_06_filling_all_memory_again_and_again_is_stopped() {
    // One fill is one instruction, which no tick interrupts: the memory limit is what bounds the over-run.
    let stage = Stage::new(tight()).await;
    let module = CoreModule {
        memory: "(memory (export \"memory\") 100)".into(),
        check: "(loop $forever
            (memory.fill (i32.const 262144) (i32.const 7) (i32.const 6000000))
            (memory.copy (i32.const 300000) (i32.const 262144) (i32.const 6000000))
            (br $forever)) (unreachable)"
            .into(),
        ..CoreModule::default()
    };
    let after = stage.attack(&module).await;
    assert_eq!(limit(&after.result), LimitReached::Cpu(Duration::from_millis(200)));
    assert!(after.took < GENEROUS, "{:?}", after.took);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hc_07_a_server_that_never_answers_is_given_up_at_the_wall_clock_limit() {
    let wall = Duration::from_millis(500);
    let stage = Stage::new(Limits { wall, ..tight() }).await;
    let server = Server::start().await;
    let connector = stage.runtime.load(evil::component()).await.expect("it loads");
    let account = EvilAccount::new("send").at(&server).with("url", "/never").open(&stage, &connector);
    let Aftermath { result, took, bystander_calls } = stage.during(account.check()).await;
    // No epoch ends this: the guest runs no code while it waits.
    assert_eq!(limit(&result.expect_err("no answer ever comes")), LimitReached::Wall(wall));
    assert!(took >= wall && took < GENEROUS, "{took:?}");
    assert!(bystander_calls > 0, "the bystander is served meanwhile");
    assert_eq!(server.seen().len(), 1, "the host was waiting for the server");
    stage.assert_nothing_stored().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hc_08_many_spinning_instances_leave_room_for_the_bystander() {
    // Eight on two worker threads, not the reference's 64: what is tested is that spinning guests yield.
    let stage = Stage::new(tight()).await;
    let connector = stage.runtime.load(CoreModule::checking(FOREVER).component()).await.expect("it loads");
    let accounts: Vec<_> = (0..8).map(|_| stage.open(&connector)).collect();
    let after = stage.during(join_all(accounts.iter().map(Account::check))).await;
    for outcome in after.result {
        assert_eq!(
            limit(&outcome.expect_err("the loop never ends by itself")),
            LimitReached::Cpu(Duration::from_millis(200))
        );
    }
    assert!(after.bystander_calls > 0, "the bystander is served while they spin");
}
