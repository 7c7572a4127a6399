//! The crash harness: the daemon dies without warning at every place that matters, while orders change and commands come in, and what it did
//! is judged by what the platforms hold and by their ledgers, in this process, which is never killed.
//!
//! The program is its own victim. Started with the hidden command `daemon` it is `tradepost run` with a failpoint armed: at a passing
//! of it that the seed draws the process sends itself SIGKILL, so no destructor runs. `worker` is the same for a program that embeds
//! the engine with a store that has a fault built in: a harness that does not see those is blind.
//!
//! A kill does not lose what the system has in its page cache, so this says nothing about power cuts.

pub mod daemon;
pub mod desk;
pub mod failpoint;
pub mod installer;
pub mod judge;
pub mod matrix;
pub mod mutant_run;
pub mod mutants;
pub mod points;
pub mod scenario;
pub mod soak;
pub mod table;
mod traffic;
mod webhooks;
pub mod worker;

pub use desk::Connectors;
pub use judge::Verdict;
pub use matrix::Matrix;
pub use mutant_run::mutant_row;
pub use mutants::Mutant;
pub use points::{POINTS, Point, point};
pub use scenario::{Bench, Run, run};
