//! The child process that compiles connectors: this program, started with one argument of its own.
//!
//! Connectors come from strangers, and what compiling one costs is theirs to say; see `tradepost_runtime::compile`. The argument is looked
//! at by `main`, before the command line is read: it is no command of a person's, and none of the programs that are `tradepost` by another
//! name could take it for one of theirs.

use std::ffi::{OsStr, OsString};
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};

use tradepost_runtime::compile::{self, ChildCompiler, Compiler};

/// What the child is started with.
const ARGUMENT: &str = "compile-component";

/// Whether this program's `main` asks [`compiler_child`] first, so that it can be started as the child.
static MAIN_ASKS: AtomicBool = AtomicBool::new(false);

/// To be called by `main` before anything else: is the compiling child where the program was started as such, and gives its exit code then.
/// Only a program that calls this compiles in children; another one compiles in its own process.
pub fn compiler_child() -> Option<ExitCode> {
    let mut arguments = std::env::args_os().skip(1);
    if is_asked_for(&mut arguments) {
        return Some(compile::serve());
    }
    MAIN_ASKS.store(true, Ordering::Relaxed);
    None
}

fn is_asked_for(arguments: &mut impl Iterator<Item = OsString>) -> bool {
    arguments.next().as_deref() == Some(OsStr::new(ARGUMENT)) && arguments.next().is_none()
}

/// Where this program compiles connectors.
pub(crate) fn compiler() -> Compiler {
    if !MAIN_ASKS.load(Ordering::Relaxed) {
        return Compiler::in_process();
    }
    match ChildCompiler::this_program([ARGUMENT]) {
        Ok(child) => Compiler::child(child),
        Err(error) => {
            tracing::warn!(%error, "this program's file is not known: connectors are compiled in this process, without limits");
            Compiler::in_process()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_one_argument_asks_for_the_child() {
        let asks = |words: &[&str]| is_asked_for(&mut words.iter().map(OsString::from));
        assert!(asks(&["compile-component"]));
        assert!(!asks(&[]) && !asks(&["inspect", "compile-component"]) && !asks(&["compile-component", "x"]));
    }

    #[test]
    fn a_program_whose_main_does_not_ask_compiles_by_itself() {
        assert_eq!(format!("{:?}", compiler()), format!("{:?}", Compiler::in_process()));
    }
}
