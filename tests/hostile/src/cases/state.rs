//! What a call may leave behind and what it may say when it ends: nothing, and nothing harmful (HC-30 to HC-32).

use anyhow::{Context as _, bail, ensure};
use tradepost_runtime::errors::{Error, ErrorKind};
use tradepost_runtime::{CallError, Runtime, Storage as _};

use super::{HOSTILE, MESSAGE_BYTES, harmless};
use crate::arena::Arena;
use crate::case::{Case, MustFail as _, Outcome, attack, ensure_eq};
use crate::stage::{BYSTANDER, tight};
use crate::{CoreModule, EvilAccount};

pub(super) const CASES: &[Case] = &[
    Case::starred(
        "HC-30",
        "panic, abort, exit and unreachable in the middle of a call",
        "a typed error, its message escaped and at most 1 KiB; nothing of the call is kept",
        attack!(panic_message, breaking_off),
    ),
    Case::starred("HC-31", "called again after a trap", "each call begins in a fresh instance", attack!(after_a_trap)),
    Case::starred(
        "HC-32",
        "one tenant's memory looked for by the next",
        "statics are empty, memory is zero",
        attack!(statics, memory_of_the_last),
    ),
    Case::plain(
        "TP-02",
        "a connector's own error full of hostile text",
        "every text arrives escaped, at most 2 KiB",
        attack!(hostile_error),
    ),
    Case::starred(
        "TP-03",
        "the sandbox searched for environment, files, sockets, processes",
        "nothing is there",
        attack!(surroundings),
    ),
    Case::starred(
        "TP-04",
        "the control: the bystander's own writes",
        "kept: a call that succeeds does leave something",
        attack!(bystanders_writes),
    ),
];

/// Two thousand characters of [`HOSTILE`] text and more.
fn long_and_hostile() -> String {
    HOSTILE.repeat(200)
}

async fn panic_message(arena: &Arena) -> Outcome {
    let (stage, connector) = arena.evil(tight()).await?;
    let account = EvilAccount::new("panic").with("text", format!("the reason: {}", long_and_hostile()));
    let error = account.failure(&stage, &connector).await?;
    let shown = error.to_string();
    let CallError::Trap { connector, operation, message } = error else { bail!("expected a trap, got {error:?}") };
    ensure_eq!((connector.as_str(), operation.as_str()), ("evil 0.1.0", "connector.check"));
    ensure!(message.contains("the reason: \\u{1b}[2Jboo\\r\\n2026-01-01 ERROR forged\\u{202e}"), "{message}");
    ensure!(message.len() <= MESSAGE_BYTES, "{} bytes", message.len());
    harmless("the message", &message)?;
    harmless("the error as shown", &shown)?;
    Ok(format!("{} bytes of message, escaped", message.len()))
}

async fn breaking_off(arena: &Arena) -> Outcome {
    let (stage, connector) = arena.evil(tight()).await?;
    for case in ["abort", "exit"] {
        let error = EvilAccount::new(case).failure(&stage, &connector).await?;
        ensure!(matches!(error, CallError::Trap { .. }), "{case}: {error:?}");
        ensure!(error.is_guest_fault(), "{case}");
    }
    let unreachable = stage.attack(&CoreModule::checking("(unreachable)")).await?.result;
    ensure!(
        matches!(&unreachable, CallError::Trap { message, .. } if message.contains("unreachable")),
        "{unreachable:?}"
    );
    let divided = stage.attack(&CoreModule::checking("(i32.div_u (i32.const 1) (i32.const 0))")).await?.result;
    ensure!(matches!(&divided, CallError::Trap { message, .. } if message.contains("divide by zero")), "{divided:?}");
    Ok("abort, exit, unreachable, division by zero: traps, nothing kept".into())
}

async fn after_a_trap(arena: &Arena) -> Outcome {
    let stage = arena.stage(tight()).await?;
    // A counter in a global: it would be 2 in the second call if the instance were used again.
    let module = CoreModule {
        items: "(global $calls (mut i32) (i32.const 0))".into(),
        check: "(global.set $calls (i32.add (global.get $calls) (i32.const 1)))
            (if (i32.ne (global.get $calls) (i32.const 1)) (then (loop $forever (br $forever))))
            (unreachable)"
            .into(),
        ..CoreModule::default()
    };
    let connector = stage.load(&module).await?;
    let account = stage.open(&connector)?;
    for call in 1..=3 {
        let error = stage.during(account.check()).await.result.must_fail("each call traps")?;
        ensure!(
            matches!(&error, CallError::Trap { message, .. } if message.contains("unreachable")),
            "call {call}: {error}"
        );
    }
    stage.nothing_stored().await?;
    Ok("three calls, each finds its counter at the beginning".into())
}

async fn statics(arena: &Arena) -> Outcome {
    // One slot beside the bystander's: both tenants get the same memory, one after the other.
    let stage = arena.stage_of(Runtime::builder().limits(tight()), 2).await?;
    let connector = stage.load_evil().await?;
    for (tenant, text) in [("alice/evil", "alice's secret"), ("mallory/evil", "x"), ("alice/evil", "y")] {
        let account = EvilAccount { id: tenant.into(), ..EvilAccount::new("statics").with("text", text) };
        ensure_eq!(account.findings(&stage, &connector).await?.get("before"), "", "{tenant}");
    }
    Ok("statics: empty each time".into())
}

async fn memory_of_the_last(arena: &Arena) -> Outcome {
    let stage = arena.stage_of(Runtime::builder().limits(tight()), 1).await?;
    let grow = "(drop (memory.grow (i32.const 64)))";
    let writes = CoreModule::checking(format!(
        "{grow} (memory.fill (i32.const 262144) (i32.const 90) (i32.const 4194304)) (unreachable)"
    ));
    stage.attack(&writes).await?;
    // Another component, so that not even the image is the same.
    let reads = CoreModule::checking(format!(
        "(local $at i32) {grow}
         (local.set $at (i32.const 262144))
         (loop $next
           (if (i32.load8_u (local.get $at)) (then (unreachable)))
           (br_if $next (i32.lt_u (local.tee $at (i32.add (local.get $at) (i32.const 64))) (i32.const 4456448))))
         (i32.const 512)"
    ));
    let connector = stage.load(&reads).await?;
    drop(stage.during(stage.open(&connector)?.check()).await.result.context("every byte is zero")?);
    Ok("4 MiB of the last instance's memory: all zero".into())
}

async fn hostile_error(arena: &Arena) -> Outcome {
    let (stage, connector) = arena.evil(tight()).await?;
    for kind in ["conflict", "invalid-input", "partial", "protocol"] {
        let account = EvilAccount::new("hostile-error").with("kind", kind).with("text", long_and_hostile());
        let error = account.failure(&stage, &connector).await?;
        harmless(kind, &error.to_string())?;
        let CallError::Connector(Error { kind: found, message, detail }) = error else {
            bail!("{kind}: got {error:?}")
        };
        let mut texts = vec![message, detail];
        match found {
            ErrorKind::InvalidInput(issues) => {
                texts.extend(issues.into_iter().flat_map(|issue| [issue.pointer, issue.code, issue.message]));
            }
            ErrorKind::Partial(failures) => {
                texts.extend(failures.into_iter().flat_map(|item| [item.item, item.code, item.message]));
            }
            ErrorKind::Protocol(answer) => texts.extend([answer.pointer, answer.expected, answer.excerpt]),
            ErrorKind::Conflict => {}
            other => bail!("{kind}: became {other:?}"),
        }
        for text in texts {
            harmless(kind, &text)?;
            ensure!(text.len() <= 2 * MESSAGE_BYTES, "{kind}: {} bytes", text.len());
        }
    }
    Ok("4 kinds of error, every text escaped and cut".into())
}

async fn surroundings(arena: &Arena) -> Outcome {
    let (stage, connector) = arena.evil(tight()).await?;
    let findings = EvilAccount::new("surroundings").findings(&stage, &connector).await?;
    ensure_eq!(findings.0.len(), 11);
    for (door, state) in &findings.0 {
        ensure!(state == "closed" || state == "0", "{door}: {state}");
    }
    Ok(format!("{} doors, all closed", findings.0.len()))
}

async fn bystanders_writes(arena: &Arena) -> Outcome {
    // What every other test rests on: a call that succeeds does leave something.
    let stage = arena.stage(tight()).await?;
    stage.attack(&CoreModule::checking("(unreachable)")).await?;
    ensure_eq!(stage.storage.usage(BYSTANDER).await.context("memory storage answers")?.keys, 1);
    Ok("1 row".into())
}
