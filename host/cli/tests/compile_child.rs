//! Compiling in a child process: what a component that is made to be expensive costs, and whom; and that the command does it so.

use std::ffi::OsString;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::Arc;
use std::time::Duration;

use tradepost_hostile::CoreModule;
use tradepost_hostile::core_module::foreign_component;
use tradepost_runtime::compile::{ChildCompiler, CompileLimit, CompileLimits, Compiler};
use tradepost_runtime::{Account, AccountConfig, CodeCache, Grants, LoadError, MemoryStorage, Runtime, RuntimeBuilder};

const PROGRAM: &str = env!("CARGO_BIN_EXE_tradepost");
const ARGUMENT: &str = "compile-component";

fn compiling_with(limits: CompileLimits) -> RuntimeBuilder {
    let child = ChildCompiler { program: PROGRAM.into(), arguments: vec![ARGUMENT.into()], limits };
    Runtime::builder().compile_with(Compiler::child(child))
}

/// A runtime and somebody who uses it.
struct Host {
    runtime: Runtime,
    bystander: Account,
}

impl Host {
    async fn start(limits: CompileLimits) -> Self {
        let runtime = compiling_with(limits).concurrent_calls(2).build().expect("the runtime starts");
        let healthy = runtime.load(CoreModule::default().component()).await.expect("a healthy connector loads");
        let grants = Grants { hosts: vec!["https://shop.example".parse().expect("an origin")], ..Grants::default() };
        let config = AccountConfig { id: "alice/shop".into(), grants, ..AccountConfig::default() };
        let bystander = runtime.open(&healthy, config, Arc::new(MemoryStorage::new())).expect("it opens");
        Self { runtime, bystander }
    }

    /// Loads what must not load, while the bystander makes calls.
    async fn refuses(&self, component: Vec<u8>) -> LoadError {
        let mut load = std::pin::pin!(self.runtime.load(component));
        loop {
            tokio::select! {
                loaded = &mut load => return loaded.expect_err("the component must be refused"),
                reply = self.bystander.check() => {
                    assert_eq!(reply.expect("the bystander is served").writes.writes.len(), 1);
                }
            }
        }
    }
}

/// A connector with one function of so many additions, each of which the compiler has to keep.
fn one_huge_function(additions: usize) -> Vec<u8> {
    let mut items = String::from("(func $huge (export \"huge\") (param i32) (result i32)\n");
    for number in 0..additions {
        let _ = writeln!(
            items,
            "(local.set 0 (i32.rotl (i32.add (local.get 0) (i32.load (local.get 0))) (i32.const {})))",
            number % 31
        );
    }
    items.push_str("(local.get 0))");
    CoreModule { items, ..CoreModule::default() }.component()
}

/// A connector with so many small functions.
fn very_many_functions(functions: usize) -> Vec<u8> {
    let mut items = String::new();
    for number in 0..functions {
        let _ = writeln!(items, "(func (param i64) (result i64) (i64.mul (local.get 0) (i64.const {number})))");
    }
    CoreModule { items, ..CoreModule::default() }.component()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_takes_too_much_processor_time_costs_the_child_alone() {
    let limits = CompileLimits { cpu: Duration::from_secs(1), ..CompileLimits::default() };
    let host = Host::start(limits).await;
    for (name, component) in [("huge", one_huge_function(300_000)), ("many", very_many_functions(100_000))] {
        let refused = host.refuses(component).await;
        let LoadError::CompileLimit(limit) = &refused else { panic!("{name}: {refused}") };
        assert_eq!(*limit, CompileLimit::Cpu(Duration::from_secs(1)), "{name}");
        assert!(refused.to_string().contains("more than 1s of processor time"), "{name}: {refused}");
    }
    host.runtime.load(CoreModule::default().component()).await.expect("a healthy connector still loads");
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_takes_too_much_memory_costs_the_child_alone() {
    const MOST: u64 = 384 << 20;
    let limits = CompileLimits { memory_bytes: MOST, ..CompileLimits::default() };
    let host = Host::start(limits).await;
    let refused = host.refuses(one_huge_function(300_000)).await;
    assert!(matches!(refused, LoadError::CompileLimit(CompileLimit::Memory(MOST))), "{refused}");
    host.runtime.load(CoreModule::default().component()).await.expect("a healthy connector still loads");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_takes_too_long_or_becomes_too_large_is_ended() {
    let limits = CompileLimits { output_bytes: 1 << 20, ..CompileLimits::default() };
    let host = Host::start(limits).await;
    let refused = host.refuses(very_many_functions(20_000)).await;
    assert!(matches!(refused, LoadError::CompileLimit(CompileLimit::Output(1_048_576))), "{refused}");

    let limits = CompileLimits { wall: Duration::from_millis(1), ..CompileLimits::default() };
    let runtime = compiling_with(limits).concurrent_calls(1).build().unwrap();
    let refused = runtime.load(one_huge_function(100_000)).await.unwrap_err();
    assert!(matches!(refused, LoadError::CompileLimit(CompileLimit::Wall(_))), "{refused}");
}

/// The child refuses in words; what the embedder gets is the same typed refusal as without a child.
#[tokio::test]
async fn a_component_that_does_not_fit_is_refused_as_without_a_child() {
    let healthy = CoreModule::default().component();
    let foreign =
        foreign_component("export evil:thing/thing;", &["package evil:thing; interface thing { }".into()], "(module)");
    let too_much_memory =
        CoreModule { memory: "(memory (export \"memory\") 16 32768)".into(), ..CoreModule::default() };
    let here = Runtime::builder().concurrent_calls(1).build().unwrap();
    let child = compiling_with(CompileLimits::default()).concurrent_calls(1).build().unwrap();
    for (name, component) in [
        ("empty", Vec::new()),
        ("a core module", b"\0asm\x01\0\0\0".to_vec()),
        ("truncated", healthy[..healthy.len() / 2].to_vec()),
        ("no connector", foreign),
        ("invalid code", [&healthy[..], &[0, 200]].concat()),
        ("more memory than the pool has", {
            let mut module = too_much_memory;
            module.memory = "(memory (export \"memory\") 32768)".into();
            module.component()
        }),
    ] {
        let (expected, found) = (here.load(&component[..]).await, child.load(&component[..]).await);
        let (expected, found) = (expected.expect_err(name), found.expect_err(name));
        assert_eq!(expected.to_string(), found.to_string(), "{name}");
        assert_eq!(std::mem::discriminant(&expected), std::mem::discriminant(&found), "{name}");
    }
}

#[tokio::test]
async fn what_a_child_compiled_is_kept_and_needs_no_child_again() {
    let directory = tempfile::tempdir().unwrap();
    let cache = CodeCache::open(directory.path().join("compiled")).unwrap();
    let component = CoreModule::default().component();
    let runtime =
        compiling_with(CompileLimits::default()).concurrent_calls(2).code_cache(cache.clone()).build().unwrap();
    assert!(!runtime.load(&component[..]).await.unwrap().is_from_cache());

    let nobody = ChildCompiler { program: "/nowhere".into(), arguments: Vec::new(), limits: CompileLimits::default() };
    let without = |cache: Option<CodeCache>| {
        let builder = Runtime::builder().concurrent_calls(2).compile_with(Compiler::child(nobody.clone()));
        cache.into_iter().fold(builder, RuntimeBuilder::code_cache).build().unwrap()
    };
    assert!(without(Some(cache)).load(&component[..]).await.unwrap().is_from_cache());
    let unavailable = without(None).load(&component[..]).await.unwrap_err();
    assert!(matches!(unavailable, LoadError::CompilerUnavailable(_)), "{unavailable}");
}

#[tokio::test]
async fn another_program_in_the_compiler_s_place_is_found_out() {
    let arguments: Vec<OsString> = vec!["--version".into()];
    let child = ChildCompiler { program: PROGRAM.into(), arguments, limits: CompileLimits::default() };
    let runtime = Runtime::builder().concurrent_calls(1).compile_with(Compiler::child(child)).build().unwrap();
    let refused = runtime.load(CoreModule::default().component()).await.unwrap_err().to_string();
    assert!(refused.contains("does not answer as a compiler"), "{refused}");
}

/// The child as a person meets it who starts it by hand, and as an older or newer host does.
#[test]
fn the_child_answers_tasks_of_its_own_build_only() {
    let task = r#"{"engine":"of another build","cpu_seconds":5,"memory_bytes":1073741824}"#;
    let other = child(&format!("{task}\n"));
    assert_eq!((other.status.code(), other.stdout), (Some(0), b"o".to_vec()));
    for nonsense in ["", "hello\n", "{}\n"] {
        let output = child(nonsense);
        assert_eq!(output.status.code(), Some(2), "{nonsense:?}");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.stdout.is_empty() && said.contains("to compile a connector for it"), "{nonsense:?}: {said}");
    }
}

fn child(input: &str) -> Output {
    let mut child = Command::new(PROGRAM)
        .arg(ARGUMENT)
        .env_clear()
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

const TABLE: &str = r#"
data = "data"

[accounts."acme/shop"]
connector = "shop.wasm"
grants.hosts = ["https://shop.example"]
"#;

fn check(directory: &Path) -> String {
    let output = Command::new(PROGRAM)
        .args(["-vv", "check", "acme/shop"])
        .current_dir(directory)
        .env_remove("TRADEPOST_CONFIG")
        .env_remove("RUST_LOG")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}");
    said
}

#[test]
fn the_command_compiles_a_connector_once_in_a_child() {
    const COMPILED: &str = "compiled in a process of its own";
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("tradepost.toml"), TABLE).unwrap();
    std::fs::write(directory.path().join("shop.wasm"), CoreModule::default().component()).unwrap();
    assert!(check(directory.path()).contains(COMPILED));
    let again = check(directory.path());
    assert!(!again.contains(COMPILED), "{again}");
    // Whatever happens to what is kept, the command works.
    std::fs::remove_dir_all(directory.path().join("data/compiled")).unwrap();
    std::fs::write(directory.path().join("data/compiled"), "in the way").unwrap();
    let without = check(directory.path());
    assert!(without.contains(COMPILED) && without.contains("compiled at each start"), "{without}");
}
