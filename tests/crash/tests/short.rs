//! The short form of the crash harness: the daemon is killed again and again while orders change and commands come in, and nothing is lost or
//! done twice. `cargo run --release -p tradepost-crash` is the long form.

use tradepost_crash::{Plan, run};

#[test]
fn a_daemon_that_is_killed_again_and_again_loses_nothing_and_does_nothing_twice() {
    let executor = tokio::runtime::Runtime::new().unwrap();
    for seed in 1..=3 {
        let plan =
            Plan { program: env!("CARGO_BIN_EXE_tradepost-crash").into(), seed, orders: 60, kills: 4, longest_life: 6_000 };
        let verdict = executor.block_on(run(&plan)).unwrap();
        assert!(verdict.is_good(), "seed {seed}: {verdict:#?}");
        assert!(verdict.commands > 10, "seed {seed}: something was to be done: {verdict:?}");
    }
}
