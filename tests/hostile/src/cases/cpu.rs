//! Processor time, wall-clock time and calls into the host (HC-01 to HC-08).
//!
//! The reference asks that a loop be stopped within two ticks of its budget. Machines that run this are shared, so the
//! upper bound here is generous and the measured time is shown; the lower one is exact: no guest is stopped before its budget
//! is used up.

use std::time::Duration;

use anyhow::{bail, ensure};
use futures_util::future::join_all;
use tradepost_runtime::{Account, LimitReached, Limits, LoadError, Runtime};

use super::limit;
use crate::arena::Arena;
use crate::case::{Case, MustFail as _, Outcome, attack, ensure_eq};
use crate::core_module::{RESULT_AT, SCRATCH_AT};
use crate::stage::{Aftermath, tight};
use crate::{CoreModule, EvilAccount, Server};

pub(super) const CASES: &[Case] = &[
    Case::starred("HC-01", "endless loop in an export", "stopped at the CPU limit", attack!(loop_in_export)),
    Case::starred(
        "HC-02",
        "endless loop at instantiation",
        "stopped at the CPU limit; its instance slot is free again",
        attack!(loop_at_instantiation),
    ),
    Case::starred(
        "HC-03",
        "endless loop in realloc while the host passes text",
        "stopped at the CPU limit, for imports and for exports",
        attack!(loop_in_realloc),
    ),
    Case::plain(
        "HC-04",
        "endless loop in post-return",
        "stopped at the CPU limit; the result is discarded",
        attack!(loop_in_post_return),
    ),
    Case::starred(
        "HC-05",
        "cheap host calls without end",
        "stopped at 100,000 host calls, asking for the time among them",
        attack!(host_call_storm),
    ),
    Case::plain(
        "HC-06",
        "all memory filled and copied again and again",
        "stopped at the CPU limit, over-run by one instruction at most",
        attack!(bulk_memory),
    ),
    Case::starred(
        "HC-07",
        "blocked in a host call: the server never answers",
        "stopped at the wall-clock limit",
        attack!(blocked_in_host_call),
    ),
    Case::plain(
        "HC-08",
        "64 spinning instances on two threads",
        "each stopped at the CPU limit; the bystander is served meanwhile",
        attack!(many_spinning),
    ),
];

/// Far beyond any limit set here, far below a hang.
const GENEROUS: Duration = Duration::from_secs(10);

/// What [`tight`] allows.
const CPU: LimitReached = LimitReached::Cpu(Duration::from_millis(200));

const FOREVER: &str = "(loop $forever (br $forever)) (unreachable)";

async fn loop_in_export(arena: &Arena) -> Outcome {
    let stage = arena.stage(tight()).await?;
    let after = stage.attack(&CoreModule::checking(FOREVER)).await?;
    ensure_eq!(limit(&after.result)?, CPU);
    ensure!(after.took >= Duration::from_millis(200) && after.took < GENEROUS, "stopped after {:?}", after.took);
    ensure!(after.bystander_calls > 0, "the bystander is not served while the loop runs");
    let text = after.result.to_string();
    ensure!(
        text.contains("hand-written 0.1.0") && text.contains("connector.check") && text.contains("limits.cpu"),
        "the error does not say who, where and what to do: {text}"
    );
    Ok(format!("limit 200 ms: stopped after {:.0?}, {} bystander calls meanwhile", after.took, after.bystander_calls))
}

async fn loop_at_instantiation(arena: &Arena) -> Outcome {
    // Two slots: the bystander's and one that each attack must give back.
    let stage = arena.stage_of(Runtime::builder().limits(tight()), 2).await?;
    let module = CoreModule { items: format!("(func $begin {FOREVER}) (start $begin)"), ..CoreModule::default() };
    let component = module.component();
    for _ in 0..3 {
        match stage.refuses(component.clone()).await? {
            LoadError::Describe(error) => ensure_eq!(limit(&error)?, CPU),
            other => bail!("expected the limit while describing, got {other:?}"),
        }
    }
    stage.load(&CoreModule::default()).await?;
    Ok("three times at the CPU limit; the next connector loads".into())
}

/// `customer-status.get`, never reached.
const CUSTOMER_STATUS: &str = r#"
    (func (export "tradepost:connector/customer-status@0.1.0#get") (param i32 i32) (result i32) (unreachable))
"#;

async fn loop_in_realloc(arena: &Arena) -> Outcome {
    let stage = arena.stage(tight()).await?;
    // An import's result: the host asks for room while the guest waits for the answer.
    let by_import = CoreModule {
        imports: r#"(import "tradepost:connector/settings@0.1.0" "get" (func $settings (param i32)))"#.into(),
        realloc: FOREVER.into(),
        check: format!("(call $settings (i32.const {SCRATCH_AT})) (i32.const {RESULT_AT})"),
        ..CoreModule::default()
    };
    ensure_eq!(limit(&stage.attack(&by_import).await?.result)?, CPU);

    // An export's argument: the host asks for room before the guest's function has begun.
    let by_export =
        CoreModule { realloc: FOREVER.into(), ..CoreModule::default() }.exporting("customer-status", CUSTOMER_STATUS);
    let account = stage.open(&stage.load(&by_export).await?)?;
    let outcome = stage.during(account.customer_status("42")).await.result;
    ensure_eq!(limit(&outcome.must_fail("the loop never ends by itself")?)?, CPU);
    stage.nothing_stored().await?;
    Ok("both at the CPU limit".into())
}

async fn loop_in_post_return(arena: &Arena) -> Outcome {
    let stage = arena.stage(tight()).await?;
    let module = CoreModule {
        items: format!(
            r#"(func (export "cabi_post_tradepost:connector/connector@0.1.0#check") (param i32) {FOREVER})"#
        ),
        ..CoreModule::default()
    };
    let after = stage.attack(&module).await?;
    ensure_eq!(limit(&after.result)?, CPU);
    Ok(format!("stopped after {:.0?}, no result", after.took))
}

async fn host_call_storm(arena: &Arena) -> Outcome {
    let limits = Limits { cpu: Duration::from_secs(60), wall: Duration::from_secs(120), ..tight() };
    ensure_eq!(limits.host_calls, Limits::default().host_calls, "the default is what is tested");
    let stage = arena.stage(limits).await?;
    let module = CoreModule {
        imports: r#"(import "tradepost:connector/log@0.1.0" "write" (func $log (param i32 i32 i32 i32 i32)))"#.into(),
        check: "(loop $forever
            (call $log (i32.const 1) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0))
            (br $forever)) (unreachable)"
            .into(),
        ..CoreModule::default()
    };
    let after = stage.attack(&module).await?;
    ensure_eq!(limit(&after.result)?, LimitReached::HostCalls(100_000));

    let stage = arena.stage(Limits { host_calls: 1_000, cpu: Duration::from_secs(60), ..tight() }).await?;
    let evil = stage.load_evil().await?;
    let error = EvilAccount::new("clock-flood").failure(&stage, &evil).await?;
    ensure_eq!(limit(&error)?, LimitReached::HostCalls(1_000));
    Ok(format!("100,000 calls of the log in {:.0?}; the time counts as one, too", after.took))
}

async fn bulk_memory(arena: &Arena) -> Outcome {
    // One fill is one instruction, which no tick interrupts: the memory limit is what bounds the over-run.
    let limits = Limits { memory_bytes: arena.scaled(8 << 20, 128 << 20), ..tight() };
    let pages = limits.memory_bytes / 65_536 - 1;
    let most = (pages * 65_536 - (300 << 10)) / 2;
    let stage = arena.stage(limits).await?;
    let module = CoreModule {
        memory: format!("(memory (export \"memory\") {pages})"),
        check: format!(
            "(loop $forever
               (memory.fill (i32.const 262144) (i32.const 7) (i32.const {most}))
               (memory.copy (i32.const 300000) (i32.const 262144) (i32.const {most}))
               (br $forever)) (unreachable)"
        ),
        ..CoreModule::default()
    };
    let after = stage.attack(&module).await?;
    ensure_eq!(limit(&after.result)?, CPU);
    ensure!(after.took < GENEROUS, "stopped after {:?}", after.took);
    Ok(format!("{} MiB a step: stopped after {:.0?}, limit 200 ms", most >> 20, after.took))
}

async fn blocked_in_host_call(arena: &Arena) -> Outcome {
    let wall = Duration::from_millis(500);
    let stage = arena.stage(Limits { wall, ..tight() }).await?;
    let server = Server::start().await;
    let evil = stage.load_evil().await?;
    let account = EvilAccount::new("send").at(&server).with("url", "/never").open(&stage, &evil)?;
    let Aftermath { result, took, bystander_calls } = stage.during(account.check()).await;
    // No epoch ends this: the guest runs no code while it waits.
    ensure_eq!(limit(&result.must_fail("no answer ever comes")?)?, LimitReached::Wall(wall));
    ensure!(took >= wall && took < GENEROUS, "stopped after {took:?}");
    ensure!(bystander_calls > 0, "the bystander is not served meanwhile");
    ensure_eq!(server.seen().len(), 1, "requests that the server holds");
    stage.nothing_stored().await?;
    Ok(format!("limit 500 ms: stopped after {took:.0?}"))
}

async fn many_spinning(arena: &Arena) -> Outcome {
    let count = arena.scaled(16, 64);
    let stage = arena.stage_of(Runtime::builder().limits(tight()), count + 8).await?;
    let connector = stage.load(&CoreModule::checking(FOREVER)).await?;
    let accounts = (0..count).map(|_| stage.open(&connector)).collect::<anyhow::Result<Vec<_>>>()?;
    let after = stage.during(join_all(accounts.iter().map(Account::check))).await;
    for outcome in after.result {
        ensure_eq!(limit(&outcome.must_fail("the loop never ends by itself")?)?, CPU);
    }
    ensure!(after.bystander_calls > 0, "the bystander is not served while they spin");
    stage.nothing_stored().await?;
    let (took, calls) = (after.took, after.bystander_calls);
    Ok(format!("{count} on two threads, stopped after {took:.1?}; {calls} bystander calls meanwhile"))
}
