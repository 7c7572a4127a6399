//! Runs the kit on one of this repository's connectors: `cargo run -p tradepost-conformance --example kit hardtofind [CHECK ...]`.

use tradepost_conformance::{Options, run};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let name = arguments.next().ok_or("the name of a connector")?;
    let component = std::fs::read(tradepost_components::build(&name, |line| eprintln!("{line}"))?)?;
    let options = Options { seeds: 40, only: arguments.collect() };
    let report = run(component, None, options, |check| {
        println!("{:8} {:32} {}", check.result.to_string(), check.check, check.evidence);
    })?;
    println!("{}", if report.passed { "passed" } else { "failed" });
    Ok(())
}
