//! The command `tradepost`: marketplace connectors at the command line. It is a library too, so that another program can be it: the crash
//! harness starts itself as the daemon, with failpoints set.

mod account_versions;
mod arguments;
mod body_text;
mod command_desk;
mod commands;
mod compiler_child;
mod config;
mod data_directory;
mod explain;
mod explain_versions;
mod failure;
mod following;
mod known_accounts;
mod marketplaces;
mod output;
mod package_file;
mod progress;
mod secret_source;
mod session;
mod standing;
mod stop_signal;
mod trial;
mod views;
mod voice;
mod walk;
mod webhook_receiver;

use std::ffi::OsString;
use std::process::ExitCode;

pub use compiler_child::compiler_child;

/// Runs the command with these arguments, the first of which is the program's name.
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let arguments = match arguments::parse(arguments) {
        Ok(arguments) => arguments,
        Err(code) => return code,
    };
    let json = arguments.json;
    arguments.start_log();
    let result = tokio::runtime::Runtime::new()
        .map_err(|error| {
            failure::Failure::unexpected(format!("the asynchronous runtime did not start: {error}")).into()
        })
        .and_then(|runtime| runtime.block_on(commands::run(arguments)));
    failure::report(result, json)
}
