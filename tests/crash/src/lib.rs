//! The crash harness: `tradepost run` as a child process, killed without warning at random moments and started again, while orders change and
//! commands come in. What it did is judged by what the platforms hold and by their ledgers, in this process, which is never killed.
//!
//! A kill does not lose what the system has in its page cache, so this says nothing about power cuts; the named steps at which an engine can
//! die are gone through one by one in the end-to-end tests, with a store that dies there.

mod daemon;
mod scenario;

pub use daemon::Daemon;
pub use scenario::{Plan, Verdict, program_beside, run};
