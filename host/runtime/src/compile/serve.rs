//! The compiling child as it sees itself: limits first, then the component, then a verdict.

use std::fmt::Display;
use std::io::{self, BufRead as _, Read as _, Write as _};
use std::process::ExitCode;

use wasmtime::Engine;

use super::child::{CODE, FAILED, OTHER_BUILD, OUT_OF_MEMORY, REFUSED, Task};
use super::compile;
use crate::inspect::{MAX_COMPONENT_BYTES, inspect};
use crate::machine_code::{Compatibility, code_config};

/// Longest task, in bytes.
const TASK_BYTES: u64 = 4 << 10;

/// Is the compiling child: to be called by `main`, before anything else, when the program was started with the arguments of a
/// [`ChildCompiler`](super::ChildCompiler). Takes a task from standard input, sets its limits upon this process, and answers on
/// standard output. Gives what `main` returns.
pub fn serve() -> ExitCode {
    match answer() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("this is started by a program that embeds Tradepost, to compile a connector for it: {error}");
            ExitCode::from(2)
        }
    }
}

fn answer() -> io::Result<()> {
    let mut input = io::stdin().lock();
    let mut line = Vec::new();
    (&mut input).take(TASK_BYTES).read_until(b'\n', &mut line)?;
    let task: Task = serde_json::from_slice(&line)?;
    limit(&task)?;
    let mut component = Vec::new();
    input.take(MAX_COMPONENT_BYTES as u64 + 1).read_to_end(&mut component)?;
    let (letter, content) = verdict(&task, &component);
    let mut output = io::stdout().lock();
    output.write_all(&[letter])?;
    output.write_all(&content)?;
    output.flush()
}

fn verdict(task: &Task, component: &[u8]) -> (u8, Vec<u8>) {
    let mut config = code_config();
    // One thread: then the limits do not depend on the machine, and compiling leaves processors to calls.
    config.parallel_compilation(false);
    let engine = match Engine::new(&config) {
        Ok(engine) => engine,
        Err(error) => return failed(&error),
    };
    if Compatibility::of(&engine).to_string() != task.engine {
        return (OTHER_BUILD, Vec::new());
    }
    let inspection = match inspect(component) {
        Ok(inspection) => inspection,
        Err(error) => return (REFUSED, error.to_string().into_bytes()),
    };
    match compile(&engine, component, &inspection) {
        Ok(code) => (CODE, code.into_bytes()),
        Err(error) => failed(&error),
    }
}

fn failed(error: &wasmtime::Error) -> (u8, Vec<u8>) {
    let is_memory = error.chain().any(|cause| {
        cause.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::OutOfMemory)
            || is_out_of_memory(cause)
    });
    if is_memory { (OUT_OF_MEMORY, Vec::new()) } else { (FAILED, format!("{error:#}").into_bytes()) }
}

/// The system's refusal of memory, in whichever crate's words.
fn is_out_of_memory(error: &(impl Display + ?Sized)) -> bool {
    error.to_string().contains("Cannot allocate memory")
}

/// Sets the task's limits upon this process.
#[cfg(unix)]
fn limit(task: &Task) -> io::Result<()> {
    use rustix::process::{Resource, Rlimit, getrlimit, nice, setrlimit};

    let most = |resource, wanted: u64, grace: u64| {
        // A limit that the system has set already may be lower, and cannot be raised.
        let lowered = |limit: Option<u64>, wanted: u64| Some(limit.map_or(wanted, |limit| limit.min(wanted)));
        let now = getrlimit(resource);
        let maximum = lowered(now.maximum, wanted.saturating_add(grace));
        setrlimit(resource, Rlimit { current: lowered(maximum, wanted), maximum })
    };
    // A process that a limit ends leaves no image of its memory behind, and writes no files.
    most(Resource::Core, 0, 0)?;
    most(Resource::Fsize, 0, 0)?;
    most(Resource::As, task.memory_bytes, 0)?;
    // At the lower limit the signal tells why; at the upper one the system does not ask any more.
    most(Resource::Cpu, task.cpu_seconds, 1)?;
    // Calls go first. Without it they only have to share.
    let _ = nice(10);
    Ok(())
}

/// Elsewhere the parent's limits on time and output have to do.
#[cfg(not(unix))]
fn limit(_task: &Task) -> io::Result<()> {
    Ok(())
}
