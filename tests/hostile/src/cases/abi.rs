//! The canonical ABI abused (HC-19 to HC-29): addresses, lengths, discriminants and handles that lie.
//!
//! Each is one trap of one call: the host neither panics nor believes it, and serves the next call.

use anyhow::{bail, ensure};
use tradepost_runtime::CallError;
use tradepost_runtime::commerce::ListQuery;

use crate::arena::Arena;
use crate::case::{Case, MustFail as _, Outcome, attack, ensure_eq};
use crate::core_module::{RESULT_AT, SCRATCH_AT};
use crate::stage::roomy;
use crate::{CoreModule, wasi};

/// What is expected of all of them.
const TRAP: &str = "a trap that names the reason; no panic";

pub(super) const CASES: &[Case] = &[
    Case::starred("HC-19", "results outside the memory", TRAP, attack!(outside_the_memory)),
    Case::starred("HC-20", "a length that overflows when multiplied", TRAP, attack!(overflowing_length)),
    Case::plain("HC-21", "misaligned addresses", TRAP, attack!(misaligned)),
    Case::starred(
        "HC-22",
        "realloc gives addresses outside the memory, or misaligned, or the same twice",
        "a trap; what overlaps hurts the guest alone",
        attack!(realloc_outside, realloc_misaligned, realloc_overlapping),
    ),
    Case::starred("HC-23", "text that is not UTF-8", TRAP, attack!(not_utf_8)),
    Case::starred("HC-24", "discriminants that do not exist", TRAP, attack!(discriminants)),
    Case::starred("HC-25", "forged handles", TRAP, attack!(forged_handles)),
    Case::plain("HC-26", "handles used or dropped after they were dropped", TRAP, attack!(dropped_handles)),
    Case::plain(
        "HC-27",
        "a borrowed handle kept past its call",
        "cannot happen: no export of the contract takes a handle. A borrow that the guest forges is a trap",
        attack!(kept_borrow),
    ),
    Case::plain("HC-28", "realloc calls an import", TRAP, attack!(import_during_import)),
    Case::starred(
        "HC-29",
        "an import enters the instance again",
        "cannot happen: the contract has no callbacks, and the guest's only code inside an import is realloc, which traps",
        attack!(import_during_import),
    ),
];

/// Where attacks build a result of their own.
const LYING_AT: u32 = SCRATCH_AT + 64;

/// Fields of `check`'s result: the tag, and inside success the options and the list (`record account-identity`).
const TAG: u32 = LYING_AT;
const NAME: u32 = LYING_AT + 20;
const FACTS: u32 = LYING_AT + 44;
/// The kind of an error, where the tag says error.
const KIND: u32 = LYING_AT + 8;

/// `check` writes these words (address, value) and returns that result.
fn returning(words: &[(u32, u32)]) -> CoreModule {
    let stores: String =
        words.iter().map(|(at, value)| format!("(i32.store (i32.const {at}) (i32.const {value}))")).collect();
    CoreModule::checking(format!("{stores} (i32.const {LYING_AT})"))
}

/// Runs each attack and expects a trap whose message has this text.
async fn all_trap(arena: &Arena, attacks: Vec<(&str, CoreModule, &str)>) -> anyhow::Result<()> {
    let stage = arena.stage(roomy()).await?;
    for (name, module, expected) in attacks {
        match stage.attack(&module).await?.result {
            CallError::Trap { message, operation, .. } => {
                ensure!(message.contains(expected), "{name}: {message}");
                ensure_eq!(operation, "connector.check", "{name}");
            }
            other => bail!("{name}: expected a trap, got {other:?}"),
        }
    }
    Ok(())
}

async fn outside_the_memory(arena: &Arena) -> Outcome {
    all_trap(
        arena,
        vec![
            ("text behind the end", returning(&[(NAME, 1), (NAME + 4, 0xffff_0000), (NAME + 8, 100)]), "out of bounds"),
            ("text across the end", returning(&[(NAME, 1), (NAME + 4, (1 << 20) - 4), (NAME + 8, 8)]), "out of bounds"),
            (
                "address and length overflow",
                returning(&[(NAME, 1), (NAME + 4, u32::MAX), (NAME + 8, u32::MAX)]),
                "out of bounds",
            ),
            ("list behind the end", returning(&[(FACTS, 0xffff_0000), (FACTS + 4, 1)]), "out of bounds"),
            ("the result itself", CoreModule::checking("(i32.const 0xfffffff8)"), "out of bounds"),
            (
                "the result across the end",
                CoreModule::checking(format!("(i32.const {})", (1 << 20) - 8)),
                "out of bounds",
            ),
        ],
    )
    .await?;
    Ok("6 ways, each a trap: out of bounds".into())
}

async fn overflowing_length(arena: &Arena) -> Outcome {
    // 0x1000_0001 pairs of 16 bytes are 16 bytes in 32 bits.
    let after = arena.stage(roomy()).await?.attack(&returning(&[(FACTS, 0), (FACTS + 4, 0x1000_0001)])).await?;
    ensure!(matches!(after.result, CallError::Trap { .. } | CallError::Limit { .. }), "{}", after.result);
    Ok(after.result.to_string())
}

async fn misaligned(arena: &Arena) -> Outcome {
    all_trap(
        arena,
        vec![
            ("the result", CoreModule::checking(format!("(i32.const {})", RESULT_AT + 1)), "align"),
            ("a list", returning(&[(FACTS, LYING_AT + 1), (FACTS + 4, 1)]), "align"),
        ],
    )
    .await?;
    Ok("2 ways, each a trap: alignment".into())
}

async fn realloc_outside(arena: &Arena) -> Outcome {
    let giving = |address: &str| CoreModule {
        imports: r#"(import "tradepost:connector/settings@0.1.0" "get" (func $settings (param i32)))"#.into(),
        realloc: format!("(i32.const {address})"),
        check: format!("(call $settings (i32.const {SCRATCH_AT})) (i32.const {RESULT_AT})"),
        ..CoreModule::default()
    };
    all_trap(
        arena,
        vec![
            ("behind the end", giving("0xfffffff0"), "beyond end of memory"),
            ("at the end", giving("0x00100000"), "beyond end of memory"),
            ("across the end", giving("0x000fffff"), "beyond end of memory"),
        ],
    )
    .await?;
    Ok("3 ways outside, each a trap".into())
}

async fn realloc_misaligned(arena: &Arena) -> Outcome {
    let stage = arena.stage(roomy()).await?;
    let orders = r#"
        (func (export "tradepost:connector/orders@0.1.0#list")
            (param i32 i64 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32) (result i32) (unreachable))
        (func (export "tradepost:connector/orders@0.1.0#get") (param i32 i32) (result i32) (unreachable))"#;
    let module =
        CoreModule { realloc: "(i32.const 131073)".into(), ..CoreModule::default() }.exporting("orders", orders);
    let connector = stage.load(&module).await?;
    let account = stage.open(&connector)?;
    let query = ListQuery { statuses: vec!["READY".into()], ..ListQuery::default() };
    let error = stage.during(account.list_orders(&query, None)).await.result.must_fail("a list needs alignment")?;
    ensure!(matches!(&error, CallError::Trap { message, .. } if message.contains("align")), "{error}");
    Ok("misaligned: a trap".into())
}

async fn not_utf_8(arena: &Arena) -> Outcome {
    let name = |bytes: u32, length: u32| {
        returning(&[(LYING_AT + 128, bytes), (NAME, 1), (NAME + 4, LYING_AT + 128), (NAME + 8, length)])
    };
    let log = CoreModule {
        imports: r#"(import "tradepost:connector/log@0.1.0" "write" (func $log (param i32 i32 i32 i32 i32)))"#.into(),
        ..CoreModule::checking(format!(
            "(i32.store8 (i32.const {LYING_AT}) (i32.const 0xff))
             (call $log (i32.const 1) (i32.const {LYING_AT}) (i32.const 1) (i32.const 0) (i32.const 0))
             (i32.const {RESULT_AT})"
        ))
    };
    all_trap(
        arena,
        vec![
            ("a byte that never occurs", name(0xff, 1), "utf-8"),
            ("a lone surrogate", name(0x0080_a0ed, 3), "utf-8"),
            ("an overlong slash", name(0xafc0, 2), "utf-8"),
            ("cut in the middle", name(0xc3, 1), "utf-8"),
            // The tag that marks UTF-16 in other encodings is just a long length here.
            ("a tagged length", name(0, 0x8000_0001), "out of bounds"),
            ("passed to the host", log, "utf-8"),
        ],
    )
    .await?;
    Ok("6 ways, each a trap".into())
}

async fn discriminants(arena: &Arena) -> Outcome {
    let log = CoreModule {
        imports: r#"(import "tradepost:connector/log@0.1.0" "write" (func $log (param i32 i32 i32 i32 i32)))"#.into(),
        ..CoreModule::checking(format!(
            "(call $log (i32.const 4) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0)) (i32.const {RESULT_AT})"
        ))
    };
    all_trap(
        arena,
        vec![
            ("a result that is neither", returning(&[(TAG, 2)]), "discriminant"),
            ("an option that is neither", returning(&[(NAME, 2)]), "discriminant"),
            ("an error of no kind", returning(&[(TAG, 1), (KIND, 200)]), "discriminant"),
            ("a level beyond the last", log, "discriminant"),
        ],
    )
    .await?;
    Ok("4 ways, each a trap: discriminant".into())
}

/// `check` with the imports that deal in handles, and a local `$handle`.
fn with_handles(check: &str) -> CoreModule {
    CoreModule {
        packages: wasi::packages(),
        world: format!("{}{}", CoreModule::default().world, wasi::WORLD),
        imports: wasi::IMPORTS.into(),
        check: format!("(local $handle i32) {check} (i32.const {RESULT_AT})"),
        ..CoreModule::default()
    }
}

/// Makes a handle.
const MADE: &str = "(local.set $handle (call $subscribe (i64.const 0)))";

async fn forged_handles(arena: &Arena) -> Outcome {
    let attacks = vec![
        ("a handle that was never given", with_handles("(call $block (i32.const 77))"), "handle"),
        ("dropping what was never given", with_handles("(call $drop (i32.const 77))"), "handle"),
        ("handle zero", with_handles("(call $block (i32.const 0))"), "handle"),
    ];
    all_trap(arena, attacks).await?;
    Ok("3 ways, each a trap: handle".into())
}

async fn dropped_handles(arena: &Arena) -> Outcome {
    let twice = with_handles(&format!("{MADE} (call $drop (local.get $handle)) (call $drop (local.get $handle))"));
    let used =
        with_handles(&format!("{MADE} (call $drop (local.get $handle)) (drop (call $ready (local.get $handle)))"));
    all_trap(arena, vec![("dropped twice", twice, "handle"), ("used after it was dropped", used, "handle")]).await?;
    Ok("2 ways, each a trap: handle".into())
}

async fn kept_borrow(arena: &Arena) -> Outcome {
    // The guest lends its own handle to an import; that it were still lent afterwards would show when it drops it.
    let stage = arena.stage(roomy()).await?;
    let lent =
        with_handles(&format!("{MADE} (drop (call $ready (local.get $handle))) (call $drop (local.get $handle))"));
    let account = stage.open(&stage.load(&lent).await?)?;
    drop(stage.during(account.check()).await.result?);
    all_trap(
        arena,
        vec![(
            "the next index, never given",
            with_handles(&format!("{MADE} (call $drop (i32.add (local.get $handle) (i32.const 1)))")),
            "handle",
        )],
    )
    .await?;
    Ok("a handle lent to an import comes back with the call; an index beyond it is a trap".into())
}

async fn import_during_import(arena: &Arena) -> Outcome {
    // The contract has no callbacks, so that the only code of the guest which runs inside an import is `realloc`. It may
    // neither leave the instance nor enter it again.
    let module = CoreModule {
        imports: r#"(import "tradepost:connector/settings@0.1.0" "get" (func $settings (param i32)))"#.into(),
        realloc: format!("(call $settings (i32.const {SCRATCH_AT})) (i32.const {LYING_AT})"),
        check: format!("(call $settings (i32.const {SCRATCH_AT})) (i32.const {RESULT_AT})"),
        ..CoreModule::default()
    };
    all_trap(arena, vec![("realloc asks for settings", module, "cannot leave component instance")]).await?;
    Ok("a trap: cannot leave component instance".into())
}

async fn realloc_overlapping(arena: &Arena) -> Outcome {
    // The same address each time: the host writes one result over another, in the guest's own memory.
    let stage = arena.stage(roomy()).await?;
    let module = CoreModule {
        imports: r#"(import "tradepost:connector/settings@0.1.0" "get" (func $settings (param i32)))"#.into(),
        realloc: format!("(i32.const {})", SCRATCH_AT + 1024),
        check: format!(
            "(call $settings (i32.const {SCRATCH_AT})) (call $settings (i32.const {SCRATCH_AT})) (i32.const {RESULT_AT})"
        ),
        ..CoreModule::default()
    };
    let account = stage.open(&stage.load(&module).await?)?;
    drop(stage.during(account.check()).await.result?);
    Ok("overlapping: the guest's own bytes, no harm".into())
}
