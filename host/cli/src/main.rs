//! The command `tradepost`: marketplace connectors at the command line.

mod arguments;
mod body_text;
mod command_desk;
mod commands;
mod config;
mod data_directory;
mod explain;
mod failure;
mod marketplaces;
mod output;
mod progress;
mod secret_source;
mod session;
mod stop_signal;
mod trial;
mod views;
mod walk;
mod webhook_receiver;

use std::process::ExitCode;

/// Connectors' pages are many small allocations on several threads; the system's allocator is slower at those.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let arguments = match arguments::parse() {
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
