//! What is refused before anything of a connector runs for an account (HC-73, HC-79, HC-80, HC-83), and what a hostile
//! `describe` or manifest comes to.

use std::time::Duration;

use anyhow::{bail, ensure};
use tradepost_runtime::{CallError, LimitReached, LoadError, MAX_COMPONENT_BYTES, TypeMismatch, inspect};

use crate::arena::Arena;
use crate::case::{Case, Outcome, attack, ensure_eq};
use crate::core_module::{SCRATCH_AT, altered_component, component, foreign_component};
use crate::stage::tight;
use crate::{CoreModule, ManifestImage};

pub(super) const CASES: &[Case] = &[
    Case::starred(
        "HC-73",
        "10,000 truncated, random and bit-flipped components",
        "an error or a component; no panic, in the reader or in the compiler",
        attack!(damaged_inspected, damaged_loaded, truncated),
    ),
    Case::starred(
        "HC-79",
        "another contract version, missing or mistyped exports, foreign imports",
        "refused at load, by name and place, before anything runs",
        attack!(
            other_version,
            mixed_versions,
            newer_interface_as_older,
            mistyped,
            missing_function,
            no_connector,
            foreign_imports,
            unknown_interfaces
        ),
    ),
    Case::starred(
        "HC-80",
        "precompiled and native code, core modules, archives",
        "refused by the first bytes, before anything is read further",
        attack!(no_component, precompiled),
    ),
    Case::starred(
        "HC-83",
        "memory64, threads, GC, exceptions, stack switching, async",
        "refused by the validator",
        attack!(proposals),
    ),
    Case::starred(
        "TP-07",
        "a describe that breaks off, loops, lies or calls the host",
        "a typed error; describe runs without capabilities",
        attack!(hostile_describe, describe_calls_the_host),
    ),
    Case::starred(
        "TP-08",
        "manifests that cannot be used",
        "refused with the reason, escaped",
        attack!(hostile_manifests),
    ),
];

/// Numbers that look random and are the same each time: a failure names its seed and can be run again.
pub(super) struct Numbers(pub(super) u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub(super) fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % bound as u64).expect("below a usize")
    }

    fn bytes(&mut self, length: usize) -> Vec<u8> {
        (0..length).map(|_| self.next().to_le_bytes()[0]).collect()
    }
}

/// A component damaged in one way or another: random bytes, cut off, bits flipped, a part overwritten.
fn damaged(healthy: &[u8], seed: u64) -> Vec<u8> {
    let mut numbers = Numbers(seed);
    let mut bytes = healthy.to_vec();
    match seed % 5 {
        0 => {
            let length = numbers.below(4096);
            bytes = numbers.bytes(length);
        }
        1 => {
            let length = numbers.below(4096);
            bytes.truncate(8);
            bytes.extend(numbers.bytes(length));
        }
        2 => bytes.truncate(numbers.below(healthy.len())),
        3 => {
            for _ in 0..=numbers.below(8) {
                let at = numbers.below(bytes.len());
                bytes[at] ^= 1 << numbers.below(8);
            }
        }
        _ => {
            let (at, length) = (numbers.below(bytes.len()), numbers.below(64));
            let end = (at + length).min(bytes.len());
            let noise = numbers.bytes(end - at);
            bytes[at..end].copy_from_slice(&noise);
        }
    }
    bytes
}

#[allow(clippy::unused_async, reason = "every attack has the same shape")]
async fn damaged_inspected(arena: &Arena) -> Outcome {
    let seeds: u64 = arena.scaled(2_000, 10_000);
    let healthy = CoreModule::default().component();
    let mut refused = 0;
    for seed in 0..seeds {
        let bytes = damaged(&healthy, seed);
        match std::panic::catch_unwind(|| inspect(&bytes)) {
            Ok(Ok(_)) => {}
            Ok(Err(error)) => {
                refused += 1;
                ensure!(!error.to_string().is_empty(), "seed {seed}: an error that says nothing");
            }
            Err(_) => bail!("seed {seed} panicked"),
        }
    }
    // Flipped bits may hit names of functions, which nobody reads.
    ensure!(refused > seeds * 3 / 5, "only {refused} of {seeds} were refused");
    Ok(format!("{refused} of {seeds} refused by the reader"))
}

async fn damaged_loaded(arena: &Arena) -> Outcome {
    let loads: u64 = arena.scaled(150, 10_000);
    let stage = arena.stage(tight()).await?;
    let healthy = CoreModule::default().component();
    let load_all = async {
        for seed in 0..loads {
            // What passes the reader is compiled and run.
            if let Err(error) = stage.runtime.load(damaged(&healthy, seed)).await {
                ensure!(!error.to_string().contains("the compiler failed"), "seed {seed}: {error}");
            }
        }
        Ok(())
    };
    let after = stage.during(load_all).await;
    after.result?;
    Ok(format!("{loads} loaded, {} bystander calls meanwhile", after.bystander_calls))
}

async fn no_component(arena: &Arena) -> Outcome {
    let stage = arena.stage(tight()).await?;
    let core_module = wat::parse_str("(module)")?;
    let unknown_version = b"\0asm\x0e\0\x01\0".to_vec();
    let table: [(&str, Vec<u8>, &str); 7] = [
        ("nothing", Vec::new(), "empty"),
        ("text", b"(component)".to_vec(), "does not begin with"),
        ("a zip archive", b"PK\x03\x04....".to_vec(), "does not begin with"),
        ("three bytes", b"\0as".to_vec(), "does not begin with"),
        ("a core module", core_module, "core WebAssembly module"),
        ("another version", unknown_version, "unknown version"),
        ("native or precompiled code", b"\x7fELF\x02\x01\x01\0 and so on".to_vec(), "never loaded"),
    ];
    for (name, bytes, expected) in table {
        let refused = stage.refuses(bytes).await?;
        ensure!(
            matches!(&refused, LoadError::NotAComponent(reason) if reason.contains(expected)),
            "{name}: {refused:?}"
        );
    }
    Ok("7 kinds of other files, each named".into())
}

async fn precompiled(arena: &Arena) -> Outcome {
    // The engine's own precompiled form is ELF, and deserialising it would run whatever it holds.
    let mut bytes = precompiled_header();
    bytes.extend(CoreModule::default().component());
    let refused = arena.stage(tight()).await?.refuses(bytes).await?;
    ensure!(matches!(refused, LoadError::NotAComponent(_)), "{refused:?}");
    Ok(refused.to_string())
}

/// The first bytes of what `wasmtime compile` writes: ELF, 64 bit, little-endian, of the engine's own ABI number.
fn precompiled_header() -> Vec<u8> {
    vec![0x7f, b'E', b'L', b'F', 2, 1, 1, 200, 0, 0, 0, 0, 0, 0, 0, 0]
}

async fn truncated(arena: &Arena) -> Outcome {
    let stage = arena.stage(tight()).await?;
    let healthy = CoreModule::default().component();
    for kept in [9, healthy.len() / 2, healthy.len() - 1] {
        let refused = stage.refuses(healthy[..kept].to_vec()).await?;
        ensure!(refused.to_string().contains("truncated"), "{kept} bytes: {refused}");
    }
    let refused = stage.refuses(vec![0; MAX_COMPONENT_BYTES + 1]).await?;
    ensure!(matches!(refused, LoadError::TooLarge { .. }), "{refused:?}");
    Ok("what is cut is called truncated; 64 MiB and a byte is too large".into())
}

/// Bodies for a `describe` and `check` that are never run.
const NEVER_RUN: &str = r#"(module
    (memory (export "memory") 1)
    (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (unreachable))
    (func (export "NAME#describe") (result i32) (unreachable)))"#;

fn foreign_connector(version: &str, interface: &str) -> Vec<u8> {
    let package = format!("package tradepost:connector@{version};\ninterface connector {{ {interface} }}");
    let name = format!("tradepost:connector/connector@{version}");
    foreign_component(&format!("export {name};"), &[package], &NEVER_RUN.replace("NAME", &name))
}

async fn other_version(arena: &Arena) -> Outcome {
    let stage = arena.stage(tight()).await?;
    let others = ["0.3.0", "0.1.9", "1.0.0", "0.0.1", "0.2.0-rc.1"];
    for version in others {
        let refused = stage.refuses(foreign_connector(version, "describe: func() -> string;")).await?;
        ensure!(matches!(refused, LoadError::OtherContract { .. }), "{refused:?}");
        let text = refused.to_string();
        ensure!(
            text.contains(&format!("connector@{version}"))
                && text.contains("supports tradepost:connector@0.1.0 and @0.2.0"),
            "{text}"
        );
    }
    Ok(format!("{} other versions", others.len()))
}

/// A component of two versions of the contract.
async fn mixed_versions(arena: &Arena) -> Outcome {
    let stage = arena.stage(tight()).await?;
    let settings = "package tradepost:connector@0.2.0;\ninterface settings { get: func() -> string; }";
    let module = CoreModule {
        packages: vec![settings.to_owned()],
        world: format!("{}import tradepost:connector/settings@0.2.0;", CoreModule::default().world),
        imports: r#"(import "tradepost:connector/settings@0.2.0" "get" (func $settings (param i32)))"#.into(),
        check: format!("(call $settings (i32.const {SCRATCH_AT})) (unreachable)"),
        ..CoreModule::default()
    };
    let refused = stage.refuses(module.component()).await?;
    let LoadError::MixedContracts { first, other } = &refused else { bail!("{refused:?}") };
    let mut versions: Vec<&str> = [first, other].into_iter().filter_map(|name| Some(name.split_once('@')?.1)).collect();
    versions.sort_unstable();
    ensure!(versions == ["0.1.0", "0.2.0"], "{versions:?}");
    Ok("refused, both named".into())
}

/// What was not there yet cannot be exported as of then.
async fn newer_interface_as_older(arena: &Arena) -> Outcome {
    let refunds = ("interface carriers {", "interface refunds { go: func(); }\n\ninterface carriers {");
    let go = r#"(func (export "tradepost:connector/refunds@0.1.0#go"))"#;
    let module = CoreModule::default().exporting("refunds", go);
    let stage = arena.stage(tight()).await?;
    let refused = stage.refuses(altered_component(refunds, &module.world, &module.wat())).await?;
    ensure!(matches!(&refused, LoadError::UnknownInterface { .. }), "{refused:?}");
    ensure!(refused.to_string().contains("refunds@0.1.0"), "{refused}");
    Ok("refused".into())
}

async fn mistyped(arena: &Arena) -> Outcome {
    let stage = arena.stage(tight()).await?;
    let whole = CoreModule::default();
    let (world, wat) = (whole.world.clone(), whole.wat());
    let not_a_manifest = foreign_connector("0.1.0", "describe: func() -> string;");
    for (name, bytes, function, place, found, supported) in [
        ("another result", not_a_manifest, "describe", "result", "string", "record manifest"),
        (
            "another field type",
            altered_component(("platform: string,", "platform: list<u8>,"), &world, &wat),
            "describe",
            "platform",
            "list<u8>",
            "string",
        ),
        (
            "a field more",
            altered_component(
                ("        pace: option<pace>,", "        pace: option<pace>, colour: string,"),
                &world,
                &wat,
            ),
            "describe",
            "result",
            "field `colour`",
            "field `statuses`",
        ),
        (
            "a case renamed",
            altered_component(("        numbered,", "        counted,"), &world, &wat),
            "describe",
            "paging",
            "case `counted`",
            "case `numbered`",
        ),
        (
            "inside a list",
            altered_component(("requests: u32,", "requests: u64,"), &world, &wat),
            "describe",
            "pace.requests",
            "u64",
            "u32",
        ),
    ] {
        let refused = stage.refuses(bytes).await?;
        let text = refused.to_string();
        let LoadError::WrongType(mismatch) = refused else {
            bail!("{name}: expected a mismatch, got {text}");
        };
        let TypeMismatch { side, interface, function: at, place: where_, found: have, supported: want } = *mismatch;
        ensure_eq!(
            (side.as_str(), interface.as_str(), at.as_str()),
            ("export", "tradepost:connector/connector@0.1.0", function),
            "{name}"
        );
        ensure!(where_.contains(place) && have.contains(found) && want.contains(supported), "{name}: {text}");
        ensure!(text.contains(&have) && text.contains(&want) && text.contains(function), "{name}: {text}");
    }
    Ok("5 wrong types".into())
}

async fn missing_function(arena: &Arena) -> Outcome {
    let bytes = altered_component(
        ("check: func() -> result<account-identity, error>;", ""),
        &CoreModule::default().world,
        &without_check(),
    );
    let refused = arena.stage(tight()).await?.refuses(bytes).await?;
    let LoadError::WrongType(mismatch) = refused else { bail!("got {refused:?}") };
    let TypeMismatch { function, found, supported, .. } = *mismatch;
    ensure_eq!((function.as_str(), found.as_str()), ("check", "nothing"));
    ensure!(supported.contains("account-identity"), "{supported}");
    Ok("a missing function".into())
}

fn without_check() -> String {
    CoreModule::default().wat().replace("(export \"tradepost:connector/connector@0.1.0#check\")", "")
}

async fn no_connector(arena: &Arena) -> Outcome {
    let stage = arena.stage(tight()).await?;
    let thing = "package evil:thing;\ninterface thing { go: func(); }".to_owned();
    let bytes =
        foreign_component("export evil:thing/thing;", &[thing], r#"(module (func (export "evil:thing/thing#go")))"#);
    let refused = stage.refuses(bytes).await?;
    ensure!(matches!(&refused, LoadError::NoConnector { found } if found == &["evil:thing/thing"]), "{refused:?}");
    ensure!(refused.to_string().contains("exports no tradepost:connector/connector"), "{refused}");

    let bytes = foreign_component("", &[], "(module)");
    ensure!(matches!(stage.refuses(bytes).await?, LoadError::NoConnector { .. }));
    Ok("no connector".into())
}

async fn foreign_imports(arena: &Arena) -> Outcome {
    let stage = arena.stage(tight()).await?;
    for (package, interface) in [
        ("wasi:http@0.2.0", "outgoing-handler"),
        ("wasi:keyvalue@0.2.0", "store"),
        ("evil:thing@1.0.0", "thing"),
        ("tradepost:connector-private@0.1.0", "http"),
    ] {
        let (name, version) = package.split_once('@').expect("packages here have versions");
        let import = format!("{name}/{interface}@{version}");
        let module = CoreModule {
            packages: vec![format!("package {package};\ninterface {interface} {{ go: func(); }}")],
            world: format!("{}import {import};", CoreModule::default().world),
            imports: format!(r#"(import "{import}" "go" (func $go))"#),
            check: "(call $go) (unreachable)".into(),
            ..CoreModule::default()
        };
        let refused = stage.refuses(module.component()).await?;
        ensure!(matches!(&refused, LoadError::ForeignImport { name } if *name == import), "{refused:?}");
    }
    // A function at the root of the world, outside any interface.
    let module = CoreModule {
        world: format!("{}import launch: func();", CoreModule::default().world),
        imports: r#"(import "$root" "launch" (func $launch))"#.into(),
        check: "(call $launch) (unreachable)".into(),
        ..CoreModule::default()
    };
    let refused = stage.refuses(module.component()).await?;
    ensure!(matches!(&refused, LoadError::ForeignImport { name } if name == "launch"), "{refused:?}");
    Ok("5 foreign imports".into())
}

async fn unknown_interfaces(arena: &Arena) -> Outcome {
    let stage = arena.stage(tight()).await?;
    let teleport = ("interface settings {", "interface teleport { go: func(); }\n\ninterface settings {");
    let importing = CoreModule {
        world: format!("{}import tradepost:connector/teleport@0.1.0;", CoreModule::default().world),
        imports: r#"(import "tradepost:connector/teleport@0.1.0" "go" (func $go))"#.into(),
        check: "(call $go) (unreachable)".into(),
        ..CoreModule::default()
    };
    let exporting =
        CoreModule::default().exporting("teleport", r#"(func (export "tradepost:connector/teleport@0.1.0#go"))"#);
    for (module, side, known) in [(importing, "import", "storage"), (exporting, "export", "stock-updates")] {
        let refused = stage.refuses(altered_component(teleport, &module.world, &module.wat())).await?;
        let text = refused.to_string();
        ensure!(matches!(&refused, LoadError::UnknownInterface { side: found, .. } if found == side), "{refused:?}");
        ensure!(text.contains("tradepost:connector/teleport@0.1.0") && text.contains(known), "{text}");
    }
    // The host's interfaces are not a connector's to export.
    let settings = r#"(func (export "tradepost:connector/settings@0.1.0#get") (result i32) (unreachable))"#;
    let module = CoreModule::default().exporting("settings", settings);
    let refused = stage.refuses(component(&module.world, &[], &module.wat())).await?;
    ensure!(matches!(&refused, LoadError::UnknownInterface { side, .. } if side == "export"), "{refused:?}");
    Ok("3 unknown interfaces: each refused with the reason".into())
}

async fn hostile_describe(arena: &Arena) -> Outcome {
    let stage = arena.stage(tight()).await?;
    let cpu = LimitReached::Cpu(Duration::from_millis(200));
    let describing = |describe: &str| CoreModule { describe: describe.into(), ..CoreModule::default() };
    for (name, module) in [
        ("unreachable", describing("(unreachable)")),
        ("loop", describing("(loop $forever (br $forever)) (unreachable)")),
        ("out of bounds", describing("(i32.const 0xfffffff0)")),
        ("misaligned", describing("(i32.const 1025)")),
    ] {
        let refused = stage.refuses(module.component()).await?;
        let LoadError::Describe(error) = refused else { bail!("{name}: got {refused:?}") };
        match *error {
            CallError::Trap { message, operation, .. } => {
                ensure_eq!(operation, "connector.describe");
                ensure!(
                    ["unreachable", "out of bounds", "align"].iter().any(|expected| message.contains(expected)),
                    "{name}: {message}"
                );
            }
            CallError::Limit { limit, .. } => ensure_eq!((name, limit), ("loop", cpu)),
            other => bail!("{name}: got {other:?}"),
        }
    }
    Ok("4 ways, each a typed error".into())
}

async fn describe_calls_the_host(arena: &Arena) -> Outcome {
    let stage = arena.stage(tight()).await?;
    let http = CoreModule {
        imports: r#"(import "tradepost:connector/http@0.1.0" "send"
            (func $send (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32)))"#
            .into(),
        describe: format!(
            "(call $send (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0)
               (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const {SCRATCH_AT}))
             (unreachable)"
        ),
        ..CoreModule::default()
    };
    let settings = CoreModule {
        imports: r#"(import "tradepost:connector/settings@0.1.0" "get" (func $settings (param i32)))"#.into(),
        describe: format!("(call $settings (i32.const {SCRATCH_AT})) (unreachable)"),
        ..CoreModule::default()
    };
    let storage = CoreModule {
        describe: format!(
            "(call $storage_set (i32.const 256) (i32.const 5) (i32.const 256) (i32.const 5) (i32.const 0) (i32.const 0)
               (i32.const {SCRATCH_AT}))
             (unreachable)"
        ),
        ..CoreModule::default()
    };
    let secrets = CoreModule {
        imports:
            r#"(import "tradepost:connector/secrets@0.1.0" "matches" (func $matches (param i32 i32 i32 i32 i32)))"#
                .into(),
        describe: format!(
            "(call $matches (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const {SCRATCH_AT})) (unreachable)"
        ),
        ..CoreModule::default()
    };
    for (name, module) in [("http", http), ("settings", settings), ("storage", storage), ("secrets", secrets)] {
        let refused = stage.refuses(module.component()).await?;
        ensure!(refused.to_string().contains("runs without capabilities"), "{name}: {refused}");
        ensure!(matches!(refused, LoadError::Describe(_)), "{name}: {refused:?}");
    }
    Ok("4 interfaces, none of them there".into())
}

async fn hostile_manifests(arena: &Arena) -> Outcome {
    let stage = arena.stage(tight()).await?;
    let secret_schema = r#"{"type":"object","properties":{"password":{"type":"string","writeOnly":true}}}"#;
    let usual = ManifestImage::default;
    for (manifest, expected) in [
        (ManifestImage { id: String::new(), ..usual() }, "id must be"),
        (ManifestImage { id: "Evil Shop".into(), ..usual() }, "id must be"),
        (ManifestImage { id: "../../etc".into(), ..usual() }, "id must be"),
        (ManifestImage { id: "a".repeat(65), ..usual() }, "id must be"),
        (ManifestImage { id: "red\u{1b}[31m".into(), ..usual() }, "id must be"),
        (ManifestImage { version: "latest".into(), ..usual() }, "not a semantic version"),
        (ManifestImage { settings_schema: "{".into(), ..usual() }, "settings-schema is not JSON"),
        (ManifestImage { settings_schema: r#"{"type":"shop"}"#.into(), ..usual() }, "not a JSON Schema"),
        (ManifestImage { settings_schema: "[]".into(), ..usual() }, "settings-schema"),
        (ManifestImage { settings_schema: "[".repeat(100_000), ..usual() }, "settings-schema is not JSON"),
        (ManifestImage { root_url: "https://{shop}.example".into(), ..usual() }, "names `shop`"),
        (ManifestImage { root_url: "https://{shop".into(), ..usual() }, "`{` without `}`"),
        (ManifestImage { hosts: vec!["https://{shop}.example".into()], ..usual() }, "names `shop`"),
        (
            ManifestImage {
                root_url: "https://shop.example/{password}".into(),
                settings_schema: secret_schema.into(),
                ..usual()
            },
            "would put the secret `password` into a URL",
        ),
        (
            ManifestImage {
                hosts: vec!["https://{password}.evil.example".into()],
                settings_schema: secret_schema.into(),
                ..usual()
            },
            "would put the secret `password` into a URL",
        ),
        (ManifestImage { signs_requests: true, ..usual() }, "auth `signed`: this host carries out basic"),
    ] {
        let id = manifest.id.clone();
        let module = CoreModule { manifest, memory: "(memory (export \"memory\") 32)".into(), ..CoreModule::default() };
        let refused = stage.refuses(module.component()).await?;
        let text = refused.to_string();
        ensure!(matches!(refused, LoadError::Manifest { .. }) && text.contains(expected), "{id:?}: {text:.300}");
        ensure!(!text.chars().any(char::is_control), "{text:?}");
    }
    Ok("16 manifests refused".into())
}

/// A healthy connector but for one item of its core module that needs a proposal which this host does not take.
async fn proposals(arena: &Arena) -> Outcome {
    let stage = arena.stage(tight()).await?;
    let core: [(&str, &str); 7] = [
        ("memory64", "(memory $wide i64 1)"),
        ("threads", "(memory $shared 1 1 shared)"),
        ("atomics", "(func (result i32) (i32.atomic.load (i32.const 0)))"),
        (
            "GC",
            "(type $pair (struct (field i32) (field i32))) (func (result (ref $pair)) (struct.new $pair (i32.const 1) (i32.const 2)))",
        ),
        ("exceptions", "(tag $oops) (func (throw $oops))"),
        (
            "typed continuations",
            "(type $f (func)) (type $k (cont $f)) (func (param (ref $k)) (resume $k (local.get 0)))",
        ),
        (
            "wide arithmetic",
            "(func (param i64 i64 i64 i64) (result i64 i64) (i64.add128 (local.get 0) (local.get 1) (local.get 2) (local.get 3)))",
        ),
    ];
    let mut refused = Vec::new();
    for (name, item) in core {
        let module = CoreModule { items: item.into(), ..CoreModule::default() };
        let error = stage.refuses(module.unvalidated()).await?;
        ensure!(matches!(error, LoadError::Compile(_) | LoadError::Malformed(_)), "{name}: {error:?}");
        refused.push(name);
    }
    let asynchronous: [(&str, &str); 2] = [
        ("async functions", "(component (type (func async)) (import \"a\" (func (type 0))))"),
        ("streams", "(component (type (stream u8)))"),
    ];
    for (name, text) in asynchronous {
        let error = stage.refuses(wat::parse_str(text)?).await?;
        refused.push(name);
        ensure!(!error.to_string().is_empty(), "{name}");
    }
    Ok(format!("{}: refused", refused.join(", ")))
}
