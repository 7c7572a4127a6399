//! What a connector says about itself: floods, giant lines, forged ones (HC-69 to HC-72).

use std::time::Duration;

use anyhow::{Context as _, ensure};
use tradepost_runtime::Limits;

use super::harmless;
use crate::arena::Arena;
use crate::case::{Case, Outcome, attack, ensure_eq};
use crate::core_module::RESULT_AT;
use crate::stage::{roomy, tight};
use crate::{CoreModule, EvilAccount};

pub(super) const CASES: &[Case] = &[
    Case::starred("HC-69", "a million log lines", "100 are kept, the others counted", attack!(flood)),
    Case::plain(
        "HC-70",
        "a log line of 64 MiB",
        "stopped at what may be copied; what may be is cut to 4 KiB",
        attack!(giant_line),
    ),
    Case::starred(
        "HC-71",
        "log lines that forge others",
        "control characters and bidi marks are escaped",
        attack!(forged_lines),
    ),
    Case::plain(
        "HC-72",
        "a million metric labels",
        "a connector cannot name a label: there are none. Of the names of a log line's fields, what fits into 4 KiB is kept",
        attack!(many_names),
    ),
];

/// Writes so many lines of one byte.
fn lines(count: u64) -> CoreModule {
    CoreModule {
        imports: r#"(import "tradepost:connector/log@0.1.0" "write" (func $log (param i32 i32 i32 i32 i32)))"#.into(),
        check: format!(
            "(local $left i32) (local.set $left (i32.const {count}))
             (loop $next
               (call $log (i32.const 1) (i32.const 256) (i32.const 1) (i32.const 0) (i32.const 0))
               (br_if $next (local.tee $left (i32.sub (local.get $left) (i32.const 1)))))
             (i32.const {RESULT_AT})"
        ),
        ..CoreModule::default()
    }
}

async fn flood(arena: &Arena) -> Outcome {
    let count: u64 = arena.scaled(20_000, 1_000_000);
    let limits =
        Limits { host_calls: count + 100, cpu: Duration::from_secs(60), wall: Duration::from_secs(120), ..tight() };
    let stage = arena.stage(limits).await?;
    let account = stage.open(&stage.load(&lines(count)).await?)?;
    let reply = stage.during(account.check()).await.result.context("logging too much is no failure")?;
    ensure_eq!(reply.log.len(), 101);
    let dropped = (count - 100).to_string();
    ensure_eq!(reply.log[100].fields, [("dropped".to_owned(), dropped.clone())]);
    Ok(format!("{count} lines: 100 kept, {dropped} counted"))
}

async fn giant_line(arena: &Arena) -> Outcome {
    let (stage, evil) = arena.evil(roomy()).await?;
    let account = EvilAccount::new("log-flood").open(&stage, &evil)?;
    let reply = stage.during(account.check()).await.result.context("logging too much is no failure")?;
    ensure!(reply.log.iter().all(|line| line.message.len() <= 4 << 10), "a line is longer than 4 KiB");
    ensure_eq!(reply.log[0].message.len(), 4 << 10, "the long line, which is cut and not lost");

    let stage = arena.stage(Limits { memory_bytes: 80 << 20, ..roomy() }).await?;
    let huge = CoreModule {
        imports: r#"(import "tradepost:connector/log@0.1.0" "write" (func $log (param i32 i32 i32 i32 i32)))"#.into(),
        memory: "(memory (export \"memory\") 1100)".into(),
        ..CoreModule::checking(format!(
            "(call $log (i32.const 1) (i32.const 0) (i32.const {}) (i32.const 0) (i32.const 0)) (i32.const {RESULT_AT})",
            64 << 20
        ))
    };
    let stopped = stage.attack(&huge).await?.result;
    ensure!(super::limit(&stopped).is_ok(), "{stopped:?}");
    Ok(format!("500 kB: cut to 4 KiB; 64 MiB: {stopped}"))
}

async fn forged_lines(arena: &Arena) -> Outcome {
    let (stage, evil) = arena.evil(tight()).await?;
    let account = EvilAccount::new("log-forgery").open(&stage, &evil)?;
    let reply = stage.during(account.check()).await.result.context("it only logs")?;
    ensure_eq!(reply.log.len(), 1);
    harmless("the line", &reply.log[0].message)?;
    for (name, value) in &reply.log[0].fields {
        harmless("a field's name", name)?;
        harmless("a field's value", value)?;
    }
    Ok(format!("kept as {:?}", reply.log[0].message))
}

async fn many_names(arena: &Arena) -> Outcome {
    let (stage, evil) = arena.evil(roomy()).await?;
    let account = EvilAccount::new("log-names").open(&stage, &evil)?;
    let reply = stage.during(account.check()).await.result.context("it only logs")?;
    let bytes = |line: &tradepost_runtime::LogLine| -> usize {
        line.message.len() + line.fields.iter().map(|(name, value)| name.len() + value.len()).sum::<usize>()
    };
    ensure!(reply.log.iter().all(|line| bytes(line) <= 4 << 10), "a line is longer than 4 KiB");
    let most = reply.log.iter().map(|line| line.fields.len()).max().unwrap_or(0);
    ensure!((1..10_000).contains(&most), "{most} names were kept");
    Ok(format!("10,000 names in a line: {most} are kept, within 4 KiB"))
}
