//! Memory, tables, stack, handles, and what is copied into the host (HC-09 to HC-18).
//!
//! Judged are what the host counts for the call and the limit it names; resident memory is shown with every case.

use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use tradepost_runtime::{CallError, LimitReached, Limits, LoadError};

use super::{limit, short};
use crate::arena::Arena;
use crate::case::{Case, MustFail as _, Outcome, attack, ensure_eq};
use crate::core_module::{RESULT_AT, SCRATCH_AT};
use crate::stage::roomy;
use crate::{CoreModule, EvilAccount, wasi};

pub(super) const CASES: &[Case] = &[
    Case::starred(
        "HC-09",
        "memory grown to 4 GiB",
        "growing fails at the limit; who breaks at it is told why",
        attack!(grow_to_four_gibibytes, hoarding_in_rust),
    ),
    Case::starred(
        "HC-10",
        "many memories, each below the limit",
        "their sum is limited; 32 of them are refused at load",
        attack!(many_memories_grow, many_memories_from_the_start, thirty_two_memories),
    ),
    Case::starred(
        "HC-11",
        "tables grown to 2^31 elements",
        "growing fails; tables count as memory",
        attack!(huge_table, tables_are_memory),
    ),
    Case::starred(
        "HC-12",
        "recursion without end",
        "the guest's stack is exhausted, not the host's",
        attack!(recursion),
    ),
    Case::starred(
        "HC-13",
        "a result of 1 GiB",
        "not copied beyond 16 MiB",
        attack!(large_result, result_that_is_not_there),
    ),
    Case::starred(
        "HC-14",
        "a list of empty texts that grows in the host",
        "counted by what it takes in the host; stopped at 16 MiB",
        attack!(empty_texts),
    ),
    Case::starred(
        "HC-15",
        "512 MiB passed to log, storage and HTTP",
        "not copied beyond 16 MiB",
        attack!(large_arguments, arguments_that_are_not_there),
    ),
    Case::starred("HC-16", "handles that are never dropped", "stopped at 1,024", attack!(hoarded_handles)),
    Case::plain(
        "HC-17",
        "10,000 core instances; components nested 1,000 deep",
        "refused at load, soon",
        attack!(many_instances, deep_nesting),
    ),
    Case::plain(
        "HC-18",
        "4 GiB of memory, or 1 GiB of data, from the start",
        "refused at load",
        attack!(large_from_the_start, data_beyond_memory),
    ),
    Case::plain(
        "TP-01",
        "random bytes made by the host, 2^64 of them",
        "at most 4 KiB at a time; more is a trap",
        attack!(random_bytes),
    ),
];

/// Where attacks build a result of their own: behind the scratch word that storage answers into.
const LYING_AT: u32 = SCRATCH_AT + 64;

async fn grow_to_four_gibibytes(arena: &Arena) -> Outcome {
    let stage = arena.stage(roomy()).await?;
    // All at once, then page by page: the guest is told -1, as a full machine would tell it, and may go on.
    let grow = format!(
        "(if (i32.ne (memory.grow (i32.const 65519)) (i32.const -1)) (then (unreachable)))
         (loop $more (br_if $more (i32.ne (memory.grow (i32.const 1)) (i32.const -1))))
         (i32.const {RESULT_AT})"
    );
    let connector = stage.load(&CoreModule::checking(&grow)).await?;
    let reply =
        stage.during(stage.open(&connector)?.check()).await.result.context("growing may fail, the call goes on")?;
    // The last page that would fit is missing: the module's table takes the first bytes of it.
    let peak = reply.usage.peak_memory;
    ensure!((127 * 65_536..=128 * 65_536).contains(&peak), "memory grew to the limit and not beyond it: {peak}");

    let after = stage
        .attack(&CoreModule::checking(grow.replace("(i32.const -1))))", "(i32.const -1)))) (unreachable)")))
        .await?;
    ensure_eq!(limit(&after.result)?, LimitReached::Memory(8 << 20), "a guest that breaks at it is told why");
    Ok(format!("stopped growing at {peak} of {} bytes", 8 << 20))
}

async fn hoarding_in_rust(arena: &Arena) -> Outcome {
    let stage = arena.stage(roomy()).await?;
    let connector = stage.load_evil().await?;
    let account = EvilAccount::new("hoard").open(&stage, &connector)?;
    let error = stage.during(account.check()).await.result.must_fail("memory runs out")?;
    ensure_eq!(limit(&error)?, LimitReached::Memory(8 << 20));
    stage.nothing_stored().await?;
    Ok("a Rust connector is stopped at the limit".into())
}

async fn many_memories_grow(arena: &Arena) -> Outcome {
    let stage = arena.stage(roomy()).await?;
    let further: String = (1..8).map(|memory| format!("(memory $m{memory} 1)")).collect();
    let memory = format!("(memory (export \"memory\") 16) {further}");
    // Seven times 2 MiB: each alone is far below the limit of 8 MiB.
    let grow: String = (1..8)
        .map(|memory| {
            format!("(if (i32.eq (memory.grow $m{memory} (i32.const 32)) (i32.const -1)) (then (unreachable)))")
        })
        .collect();
    let module = CoreModule { memory, check: format!("{grow} (i32.const {RESULT_AT})"), ..CoreModule::default() };
    let after = stage.attack(&module).await?;
    ensure_eq!(limit(&after.result)?, LimitReached::Memory(8 << 20));
    Ok("7 of 2 MiB each are too much for 8 MiB".into())
}

async fn many_memories_from_the_start(arena: &Arena) -> Outcome {
    let stage = arena.stage(roomy()).await?;
    let further: String = (1..8).map(|memory| format!("(memory $m{memory} 32)")).collect();
    let module = CoreModule { memory: format!("(memory (export \"memory\") 16) {further}"), ..CoreModule::default() };
    match stage.refuses(module.component()).await? {
        LoadError::Describe(error) => ensure_eq!(limit(&error)?, LimitReached::Memory(8 << 20)),
        other => bail!("expected the limit while describing, got {other:?}"),
    }
    Ok("from the start, too".into())
}

async fn thirty_two_memories(arena: &Arena) -> Outcome {
    let stage = arena.stage(roomy()).await?;
    let further: String = (1..32).map(|memory| format!("(memory $m{memory} 1)")).collect();
    let module = CoreModule { memory: format!("(memory (export \"memory\") 16) {further}"), ..CoreModule::default() };
    match stage.refuses(module.component()).await? {
        LoadError::Compile(reason) => ensure!(reason.contains("memories"), "{reason}"),
        other => bail!("expected a refusal to compile, got {other:?}"),
    }
    Ok("32 are refused".into())
}

async fn huge_table(arena: &Arena) -> Outcome {
    let stage = arena.stage(roomy()).await?;
    for elements in [2_147_483_647_u32, 4_294_967_295, 200_000] {
        let module = CoreModule {
            items: "(table $table 1 funcref)".into(),
            check: format!(
                "(if (i32.ne (table.grow $table (ref.null func) (i32.const {elements})) (i32.const -1)) (then (unreachable)))
                 (i32.const {RESULT_AT})"
            ),
            ..CoreModule::default()
        };
        let connector = stage.load(&module).await?;
        let outcome = stage.during(stage.open(&connector)?.check()).await.result;
        drop(outcome.with_context(|| format!("{elements} elements"))?);
    }
    Ok("growing gives -1".into())
}

async fn tables_are_memory(arena: &Arena) -> Outcome {
    // 90,000 elements are 720 kB, allowed for one table; eight of them are beyond a limit of 2 MiB over everything.
    let stage = arena.stage(Limits { memory_bytes: 2 << 20, ..roomy() }).await?;
    let tables: String = (0..8).map(|table| format!("(table $t{table} 1 funcref)")).collect();
    let grow: String = (0..8)
        .map(|table| {
            format!("(if (i32.eq (table.grow $t{table} (ref.null func) (i32.const 90000)) (i32.const -1)) (then (unreachable)))")
        })
        .collect();
    let module =
        CoreModule { items: tables, check: format!("{grow} (i32.const {RESULT_AT})"), ..CoreModule::default() };
    let after = stage.attack(&module).await?;
    ensure_eq!(limit(&after.result)?, LimitReached::Memory(2 << 20));
    Ok("8 tables of 720 kB are too much for 2 MiB".into())
}

async fn recursion(arena: &Arena) -> Outcome {
    let stage = arena.stage(roomy()).await?;
    let module = CoreModule {
        items: "(func $deeper (param i64) (result i64)
            (i64.add (local.get 0) (call $deeper (i64.add (local.get 0) (i64.const 1)))))"
            .into(),
        check: "(drop (call $deeper (i64.const 0))) (unreachable)".into(),
        ..CoreModule::default()
    };
    let after = stage.attack(&module).await?;
    ensure!(matches!(limit(&after.result)?, LimitReached::Stack(_)), "{}", after.result);
    ensure!(after.result.to_string().contains("call stack exhausted"), "{}", after.result);
    Ok(after.result.to_string())
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

async fn large_result(arena: &Arena) -> Outcome {
    let stage = arena.stage(Limits { lift_bytes: 1 << 20, ..roomy() }).await?;
    let memory = "(memory (export \"memory\") 100)".to_owned();
    // Text that is there, and longer than what may be copied: only the limit stops it.
    let text = CoreModule { memory: memory.clone(), ..with_name(0, 4 << 20) };
    ensure_eq!(limit(&stage.attack(&text).await?.result)?, LimitReached::LiftBytes(1 << 20));

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
    let connector = stage.load(&document).await?;
    let account = stage.open(&connector)?;
    let error = stage.during(account.packing_slip("42")).await.result.must_fail("4 MiB are too many")?;
    ensure_eq!(limit(&error)?, LimitReached::LiftBytes(1 << 20));
    Ok("4 MiB are stopped at a limit of 1 MiB".into())
}

async fn result_that_is_not_there(arena: &Arena) -> Outcome {
    let stage = arena.stage(roomy()).await?;
    let after = stage.attack(&with_name(0, 1 << 30)).await?;
    ensure!(
        matches!(after.result, CallError::Trap { .. } | CallError::Limit { limit: LimitReached::LiftBytes(_), .. }),
        "{}",
        after.result
    );
    Ok(format!("1 GiB: {}", after.result))
}

async fn empty_texts(arena: &Arena) -> Outcome {
    // 400,000 pairs take 6 MiB of the guest's memory and 18 MiB of the host's. The reference's 50 million would not fit
    // into the guest's memory in the first place.
    let stage = arena.stage(roomy()).await?;
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
    ensure_eq!(limit(&stage.attack(&facts).await?.result)?, LimitReached::LiftBytes(16 << 20));
    Ok("400,000 pairs, 6 MiB in the guest and 18 MiB in the host: stopped at 16 MiB".into())
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

async fn large_arguments(arena: &Arena) -> Outcome {
    let stage = arena.stage(Limits { lift_bytes: 1 << 20, ..roomy() }).await?;
    for (name, module) in passing(4 << 20) {
        let after = stage.attack(&module).await?;
        ensure!(
            matches!(after.result, CallError::Limit { limit: LimitReached::LiftBytes(1_048_576), .. }),
            "{name}: {}",
            after.result
        );
    }
    Ok("4 MiB are stopped at a limit of 1 MiB".into())
}

async fn arguments_that_are_not_there(arena: &Arena) -> Outcome {
    let stage = arena.stage(roomy()).await?;
    for (name, module) in passing(512 << 20) {
        let after = stage.attack(&module).await?;
        ensure!(
            matches!(after.result, CallError::Trap { .. } | CallError::Limit { limit: LimitReached::LiftBytes(_), .. }),
            "{name}: {}",
            after.result
        );
    }
    Ok("512 MiB are a trap or the limit".into())
}

async fn random_bytes(arena: &Arena) -> Outcome {
    // The host would make them in its own memory before the guest's limits are asked.
    let stage = arena.stage(roomy()).await?;
    let asking = |bytes: u64| CoreModule {
        packages: wasi::packages(),
        world: format!("{}{}", CoreModule::default().world, wasi::WORLD),
        imports: wasi::IMPORTS.into(),
        ..CoreModule::checking(format!(
            "(call $random (i64.const {bytes}) (i32.const {SCRATCH_AT})) (i32.const {RESULT_AT})"
        ))
    };
    let connector = stage.load(&asking(4096)).await?;
    drop(stage.during(stage.open(&connector)?.check()).await.result.context("4 KiB are given")?);
    for bytes in [4097, 64 << 20, u64::MAX] {
        let after = stage.attack(&asking(bytes)).await?;
        ensure!(matches!(after.result, CallError::Trap { .. }), "{bytes}: {}", after.result);
    }
    Ok("4,096 are given, 4,097 are a trap".into())
}

async fn hoarded_handles(arena: &Arena) -> Outcome {
    let stage = arena.stage(roomy()).await?;
    let module = CoreModule {
        packages: wasi::packages(),
        world: format!("{}{}", CoreModule::default().world, wasi::WORLD),
        imports: wasi::IMPORTS.into(),
        check: "(loop $forever (drop (call $subscribe (i64.const 1000))) (br $forever)) (unreachable)".into(),
        ..CoreModule::default()
    };
    let after = stage.attack(&module).await?;
    ensure_eq!(limit(&after.result)?, LimitReached::Handles(1_024));
    Ok("stopped at 1,024 handles".into())
}

async fn large_from_the_start(arena: &Arena) -> Outcome {
    let stage = arena.stage(roomy()).await?;
    let module = CoreModule { memory: "(memory (export \"memory\") 65536)".into(), ..CoreModule::default() };
    let refused = stage.refuses(module.component()).await?;
    ensure!(matches!(&refused, LoadError::Compile(reason) if reason.contains("memory")), "{refused:?}");
    Ok("4 GiB of memory are refused by the compiler".into())
}

async fn data_beyond_memory(arena: &Arena) -> Outcome {
    // A gibibyte of data is no file that is accepted; what a smaller file can do is to aim beyond its memory.
    let stage = arena.stage(roomy()).await?;
    let module = CoreModule { items: "(data (i32.const 0x3fffffff) \"x\")".into(), ..CoreModule::default() };
    let refused = stage.refuses(module.component()).await?;
    ensure!(matches!(refused, LoadError::Describe(_)), "{refused:?}");
    let refused = stage.refuses(vec![0; tradepost_runtime::MAX_COMPONENT_BYTES + 1]).await?;
    ensure!(matches!(refused, LoadError::TooLarge { .. }), "{refused:?}");
    Ok(format!("data beyond the memory is a trap at instantiation; a file beyond 64 MiB: {refused}"))
}

/// How soon a component that asks for too much is refused, in a busy debug build.
const SOON: Duration = Duration::from_secs(30);

async fn many_instances(arena: &Arena) -> Outcome {
    let stage = arena.stage(roomy()).await?;
    let instances: String = (0..10_000).map(|_| "(core instance (instantiate $m))").collect();
    let bytes = wat::parse_str(format!("(component (core module $m) {instances})"))?;
    let after = stage.during(stage.runtime.load(bytes)).await;
    let refused = after.result.must_fail("10,000 instances must be refused")?;
    ensure!(after.took < SOON, "refused after {:?}", after.took);
    Ok(format!("10,000 instances, refused after {:.0?}: {}", after.took, short(&refused.to_string())))
}

async fn deep_nesting(arena: &Arena) -> Outcome {
    let stage = arena.stage(roomy()).await?;
    let mut bytes = wat::parse_str("(component)")?;
    for _ in 0..1_000 {
        bytes = nested(&bytes);
    }
    let after = stage.during(stage.runtime.load(bytes)).await;
    let refused = after.result.must_fail("1,000 levels must be refused")?;
    ensure!(after.took < SOON, "refused after {:?}", after.took);
    Ok(format!("1,000 levels, refused after {:.0?}: {}", after.took, short(&refused.to_string())))
}

/// A component that holds another one: its preamble, and a section 4 with the other one's bytes.
fn nested(inner: &[u8]) -> Vec<u8> {
    let mut bytes = b"\0asm\x0d\0\x01\0\x04".to_vec();
    // Its length, seven bits at a time, the lowest first.
    let mut length = inner.len();
    while length > 0x7f {
        bytes.push(u8::try_from(length & 0x7f).expect("seven bits") | 0x80);
        length >>= 7;
    }
    bytes.push(u8::try_from(length).expect("seven bits"));
    bytes.extend_from_slice(inner);
    bytes
}
