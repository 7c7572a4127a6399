//! Making machine code from components, with bounds: how many at a time, and where.
//!
//! A component comes from a stranger, and reading and compiling it is work that it decides the amount of: a small file can ask
//! for gigabytes and minutes. Inside the process there is nothing that could stop the compiler. So a program that can afford it
//! (the command `tradepost` can) lets a child process go first, with limits that the operating system keeps: what costs too
//! much costs the child, and the embedder gets a [`LoadError`](crate::LoadError) that names the limit.

mod child;
mod serve;

use std::num::NonZero;
use std::thread;
use std::time::Duration;

use wasmtime::Engine;

use crate::inspect::{Inspection, raise};
use crate::machine_code::MachineCode;

pub use child::ChildCompiler;
pub(crate) use child::Verdict;
pub use serve::serve;

/// What one compilation may use. The connectors of this repository (up to 0.8 MiB of WebAssembly) take about a second of processor time and
/// 130 MiB; the rest is room for interpreters that were compiled into a component, which reach 30 MiB.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CompileLimits {
    /// Processor time of the child, rounded up to whole seconds: 60 s.
    pub cpu: Duration,
    /// Addresses that the child may have, in bytes: 2 GiB. The child's program and stacks are part of it.
    pub memory_bytes: u64,
    /// Time from start to end: 90 s.
    pub wall: Duration,
    /// Machine code, in bytes: 256 MiB.
    pub output_bytes: usize,
}

impl Default for CompileLimits {
    fn default() -> Self {
        Self {
            cpu: Duration::from_mins(1),
            memory_bytes: 2 << 30,
            wall: Duration::from_secs(90),
            output_bytes: 256 << 20,
        }
    }
}

/// A limit that compiling a component has reached, with its figure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CompileLimit {
    /// Processor time.
    #[error("more than {0:?} of processor time (`CompileLimits::cpu`)")]
    Cpu(Duration),
    /// Addresses, in bytes.
    #[error("more than {0} bytes of memory (`CompileLimits::memory_bytes`)")]
    Memory(u64),
    /// Time from start to end.
    #[error("more than {0:?} from start to end (`CompileLimits::wall`)")]
    Wall(Duration),
    /// Machine code, in bytes.
    #[error("more than {0} bytes for the machine code (`CompileLimits::output_bytes`)")]
    Output(usize),
}

/// Where components are compiled, for [`RuntimeBuilder::compile_with`](crate::RuntimeBuilder::compile_with).
#[derive(Clone, Debug)]
pub struct Compiler {
    pub(crate) place: Place,
}

#[derive(Clone, Debug)]
pub(crate) enum Place {
    Here,
    Child(ChildCompiler),
}

impl Compiler {
    /// In this process, on threads that are not those of calls. Nothing but the size of a component bounds what compiling it takes: for
    /// components that one trusts.
    pub fn in_process() -> Self {
        Self { place: Place::Here }
    }

    /// In a child process for each component. A component reaches this process's parser only after the child has read and compiled it.
    pub fn child(child: ChildCompiler) -> Self {
        Self { place: Place::Child(child) }
    }
}

/// How many components are compiled at the same time unless the embedder says otherwise: one for every two processors, so that calls go on.
pub(crate) fn compiles_at_once() -> usize {
    (thread::available_parallelism().map_or(1, NonZero::get) / 2).max(1)
}

/// Compiles a component that was inspected. One of an older contract is raised to the newest first. Takes as long as the component makes it.
pub(crate) fn compile(engine: &Engine, component: &[u8], inspection: &Inspection) -> wasmtime::Result<MachineCode> {
    let raised = raise(component, &inspection.contract)?;
    engine.precompile_component(&raised).map(MachineCode::compiled)
}
