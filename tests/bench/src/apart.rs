//! Measuring memory in a process of its own. What an earlier measurement used and gave back, the allocator keeps: a later one
//! would find it there and seem to need nothing.

use std::process::{Command, Stdio};

use anyhow::Context;
use serde::Deserialize;

use crate::Figure;

#[derive(Deserialize)]
struct Printed {
    results: Vec<Figure>,
}

/// The figures of one measurement, from this program started anew.
pub(crate) fn measure(name: &str, quick: bool) -> anyhow::Result<Vec<Figure>> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["--only", name, "--json", "--here"]).stderr(Stdio::inherit());
    if quick {
        command.arg("--quick");
    }
    // It ends with a failure where a bar is missed, and prints its figures all the same.
    let output = command.output()?;
    let printed: Printed = serde_json::from_slice(&output.stdout)
        .with_context(|| format!("the measurement {name} ended without figures ({})", output.status))?;
    Ok(printed.results)
}
