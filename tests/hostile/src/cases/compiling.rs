//! Components that are made to be expensive to compile (HC-85). The host compiles strangers' components in a process of its own with limits.

use std::time::Duration;

use anyhow::ensure;
use tradepost_runtime::compile::{CompileLimits, Compiler};
use tradepost_runtime::{LoadError, Runtime};

use crate::arena::{Arena, Effort};
use crate::case::{Case, Outcome, attack};
use crate::compile_bomb::{huge_function, many_functions};
use crate::own_process;
use crate::process::Held;
use crate::stage::tight;

pub(super) const CASES: &[Case] = &[Case::plain(
    "HC-85",
    "a compile bomb: a million functions, one of 30 MB",
    "ended within 60 s of CPU and 2 GiB; the host goes on",
    attack!(bombs),
)];

/// What the host itself may hold more while a bomb is compiled: the component, what is read of it, and machine code that came out.
const SPARE_KIB: u64 = 512 << 10;

async fn bombs(arena: &Arena) -> Outcome {
    let limits = match arena.effort() {
        Effort::Full => CompileLimits::default(),
        Effort::Quick => CompileLimits { cpu: Duration::from_secs(1), ..CompileLimits::default() },
    };
    let compiler = Compiler::child(own_process::compiler(limits)?);
    let stage = arena.stage_with(Runtime::builder().limits(tight()).compile_with(compiler)).await?;
    let bombs = [
        ("many functions", many_functions(arena.scaled(100_000, 999_000))),
        ("a function of 7 MB", huge_function(arena.scaled(3_500_000, 7_600_000))),
        // More than WebAssembly's implementations agreed to take.
        ("a function of 30 MB", huge_function(30_000_000)),
    ];
    let mut outcomes = Vec::new();
    for (what, bomb) in bombs {
        let before = Held::now();
        let after = stage.during(stage.runtime.load(bomb)).await;
        let grown = Held::now().resident_kib.saturating_sub(before.resident_kib);
        let came = match &after.result {
            Ok(_) => "compiled within the limits".to_owned(),
            Err(LoadError::CompileLimit(limit)) => format!("ended: {limit}"),
            Err(refused @ (LoadError::Compile(_) | LoadError::Malformed(_))) => {
                format!("refused: {}", super::short(&refused.to_string()))
            }
            Err(other) => anyhow::bail!("{what}: {other:?}"),
        };
        ensure!(after.took <= limits.wall + Duration::from_secs(30), "{what}: it took {:?}", after.took);
        ensure!(after.bystander_calls > 0, "{what}: the bystander is not served meanwhile");
        ensure!(arena.effort() == Effort::Quick || grown <= SPARE_KIB, "{what}: the host grew by {} MiB", grown >> 10);
        outcomes.push(format!("{what} {came}, after {:.0?}", after.took));
    }
    stage.load(&crate::CoreModule::default()).await?;
    Ok(format!("{}; the next connector loads", outcomes.join("; ")))
}
