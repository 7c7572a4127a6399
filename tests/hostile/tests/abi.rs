//! The canonical ABI abused (HC-19 to HC-29): addresses, lengths, discriminants and handles that lie.
//!
//! Each is one trap of one call: the host neither panics nor believes it, and serves the next call.

use std::time::Duration;

use tradepost_hostile::core_module::{RESULT_AT, SCRATCH_AT};
use tradepost_hostile::stage::tight;
use tradepost_hostile::{CoreModule, Stage, wasi};
use tradepost_runtime::commerce::ListQuery;
use tradepost_runtime::{CallError, Limits};

/// Where attacks build a result of their own.
const LYING_AT: u32 = SCRATCH_AT + 64;

/// Fields of `check`'s result: the tag, and inside success the options and the list (`record account-identity`).
const TAG: u32 = LYING_AT;
const NAME: u32 = LYING_AT + 20;
const FACTS: u32 = LYING_AT + 44;
/// The kind of an error, where the tag says error.
const KIND: u32 = LYING_AT + 8;

fn roomy() -> Limits {
    Limits { cpu: Duration::from_secs(20), ..tight() }
}

/// `check` writes these words (address, value) and returns that result.
fn returning(words: &[(u32, u32)]) -> CoreModule {
    let stores: String =
        words.iter().map(|(at, value)| format!("(i32.store (i32.const {at}) (i32.const {value}))")).collect();
    CoreModule::checking(format!("{stores} (i32.const {LYING_AT})"))
}

/// Runs each attack and expects a trap whose message has this text.
async fn assert_traps(attacks: Vec<(&str, CoreModule, &str)>) {
    let stage = Stage::new(roomy()).await;
    for (name, module, expected) in attacks {
        match stage.attack(&module).await.result {
            CallError::Trap { message, operation, .. } => {
                assert!(message.contains(expected), "{name}: {message}");
                assert_eq!(operation, "connector.check", "{name}");
            }
            other => panic!("{name}: expected a trap, got {other:?}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hc_19_results_outside_the_memory_trap() {
    assert_traps(vec![
        ("text behind the end", returning(&[(NAME, 1), (NAME + 4, 0xffff_0000), (NAME + 8, 100)]), "out of bounds"),
        ("text across the end", returning(&[(NAME, 1), (NAME + 4, (1 << 20) - 4), (NAME + 8, 8)]), "out of bounds"),
        (
            "address and length overflow",
            returning(&[(NAME, 1), (NAME + 4, u32::MAX), (NAME + 8, u32::MAX)]),
            "out of bounds",
        ),
        ("list behind the end", returning(&[(FACTS, 0xffff_0000), (FACTS + 4, 1)]), "out of bounds"),
        ("the result itself", CoreModule::checking("(i32.const 0xfffffff8)"), "out of bounds"),
        ("the result across the end", CoreModule::checking(format!("(i32.const {})", (1 << 20) - 8)), "out of bounds"),
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hc_20_a_length_that_overflows_when_multiplied_traps() {
    // 0x1000_0001 pairs of 16 bytes are 16 bytes in 32 bits.
    let after = Stage::new(roomy()).await.attack(&returning(&[(FACTS, 0), (FACTS + 4, 0x1000_0001)])).await;
    assert!(matches!(after.result, CallError::Trap { .. } | CallError::Limit { .. }), "{}", after.result);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hc_21_misaligned_addresses_trap() {
    assert_traps(vec![
        ("the result", CoreModule::checking(format!("(i32.const {})", RESULT_AT + 1)), "align"),
        ("a list", returning(&[(FACTS, LYING_AT + 1), (FACTS + 4, 1)]), "align"),
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hc_22_a_realloc_outside_the_memory_traps() {
    let giving = |address: &str| CoreModule {
        imports: r#"(import "tradepost:connector/settings@0.1.0" "get" (func $settings (param i32)))"#.into(),
        realloc: format!("(i32.const {address})"),
        check: format!("(call $settings (i32.const {SCRATCH_AT})) (i32.const {RESULT_AT})"),
        ..CoreModule::default()
    };
    assert_traps(vec![
        ("behind the end", giving("0xfffffff0"), "beyond end of memory"),
        ("at the end", giving("0x00100000"), "beyond end of memory"),
        ("across the end", giving("0x000fffff"), "beyond end of memory"),
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hc_22_a_misaligned_realloc_traps() {
    let stage = Stage::new(roomy()).await;
    let orders = r#"
        (func (export "tradepost:connector/orders@0.1.0#list")
            (param i32 i64 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32) (result i32) (unreachable))
        (func (export "tradepost:connector/orders@0.1.0#get") (param i32 i32) (result i32) (unreachable))"#;
    let module =
        CoreModule { realloc: "(i32.const 131073)".into(), ..CoreModule::default() }.exporting("orders", orders);
    let connector = stage.runtime.load(module.component()).await.expect("it loads");
    let account = stage.open(&connector);
    let query = ListQuery { statuses: vec!["READY".into()], ..ListQuery::default() };
    let error = stage.during(account.list_orders(&query, None)).await.result.expect_err("a list needs alignment");
    assert!(matches!(&error, CallError::Trap { message, .. } if message.contains("align")), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hc_23_text_that_is_not_utf_8_traps() {
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
    assert_traps(vec![
        ("a byte that never occurs", name(0xff, 1), "utf-8"),
        ("a lone surrogate", name(0x0080_a0ed, 3), "utf-8"),
        ("an overlong slash", name(0xafc0, 2), "utf-8"),
        ("cut in the middle", name(0xc3, 1), "utf-8"),
        // The tag that marks UTF-16 in other encodings is just a long length here.
        ("a tagged length", name(0, 0x8000_0001), "out of bounds"),
        ("passed to the host", log, "utf-8"),
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hc_24_discriminants_that_do_not_exist_trap() {
    let log = CoreModule {
        imports: r#"(import "tradepost:connector/log@0.1.0" "write" (func $log (param i32 i32 i32 i32 i32)))"#.into(),
        ..CoreModule::checking(format!(
            "(call $log (i32.const 4) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0)) (i32.const {RESULT_AT})"
        ))
    };
    assert_traps(vec![
        ("a result that is neither", returning(&[(TAG, 2)]), "discriminant"),
        ("an option that is neither", returning(&[(NAME, 2)]), "discriminant"),
        ("an error of no kind", returning(&[(TAG, 1), (KIND, 200)]), "discriminant"),
        ("a level beyond the last", log, "discriminant"),
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hc_25_26_forged_and_dropped_handles_trap() {
    let with_handles = |check: &str| CoreModule {
        packages: wasi::packages(),
        world: format!("{}{}", CoreModule::default().world, wasi::WORLD),
        imports: wasi::IMPORTS.into(),
        check: format!("(local $handle i32) {check} (i32.const {RESULT_AT})"),
        ..CoreModule::default()
    };
    let made = "(local.set $handle (call $subscribe (i64.const 0)))";
    assert_traps(vec![
        ("a handle that was never given", with_handles("(call $block (i32.const 77))"), "handle"),
        ("dropping what was never given", with_handles("(call $drop (i32.const 77))"), "handle"),
        ("handle zero", with_handles("(call $block (i32.const 0))"), "handle"),
        (
            "dropped twice",
            with_handles(&format!("{made} (call $drop (local.get $handle)) (call $drop (local.get $handle))")),
            "handle",
        ),
        (
            "used after it was dropped",
            with_handles(&format!("{made} (call $drop (local.get $handle)) (drop (call $ready (local.get $handle)))")),
            "handle",
        ),
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hc_28_29_an_import_during_an_import_traps() {
    // The contract has no callbacks, so that the only code of the guest which runs inside an import is `realloc`. It may
    // neither leave the instance nor enter it again.
    let module = CoreModule {
        imports: r#"(import "tradepost:connector/settings@0.1.0" "get" (func $settings (param i32)))"#.into(),
        realloc: format!("(call $settings (i32.const {SCRATCH_AT})) (i32.const {LYING_AT})"),
        check: format!("(call $settings (i32.const {SCRATCH_AT})) (i32.const {RESULT_AT})"),
        ..CoreModule::default()
    };
    assert_traps(vec![("realloc asks for settings", module, "cannot leave component instance")]).await;
}
