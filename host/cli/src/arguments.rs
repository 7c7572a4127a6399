//! The command line: options that every command takes, the list of commands, and what `--help` says about exit codes.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{ArgAction, Parser};
use tracing_subscriber::EnvFilter;

use crate::commands::Command;
use crate::failure::{self, Exit, Failure};

const AFTER_HELP: &str = "\
Exit codes:
  0  done
  1  unexpected failure of this program or this machine
  2  wrong usage or configuration
  3  the platform refused (not found, invalid, conflict, unsupported, forbidden) or answered outside its protocol
  4  the platform does not accept the credentials
  5  try again later (unreachable, too many requests, unavailable); a command is recorded and not done yet
  6  the outcome is not known, or the command is parked: look at the platform, then `tradepost parked`
  7  the connector is at fault (does not load, trapped, reached a limit, broke the contract)
  8  the host denied it (a grant is missing, or a signature that is trusted)

With --json, data go to stdout (lists as one object a line) and an error is one JSON object on stderr.

Examples:
  tradepost demo
  tradepost sandbox --write tradepost.toml
  tradepost pull sandbox/hardtofind orders --json | jq .number
  tradepost ship sandbox/hardtofind 123456 --carrier 'Australia Post' --tracking 33XYZ
  tradepost run --every 60";

/// Run marketplace connectors: read orders, products and stock, ship, and try it all against loopback marketplaces.
#[derive(Debug, Parser)]
#[command(name = "tradepost", version, after_help = AFTER_HELP, max_term_width = 110)]
pub(crate) struct Arguments {
    /// Print data as JSON, lists as one object a line; print an error as one JSON object on stderr.
    #[arg(long, global = true)]
    pub(crate) json: bool,

    /// The table of accounts.
    #[arg(long, global = true, value_name = "FILE", env = "TRADEPOST_CONFIG", default_value = "tradepost.toml")]
    pub(crate) config: PathBuf,

    /// Log to stderr: -v what connectors say, -vv everything. RUST_LOG overrides it.
    #[arg(short, long, global = true, action = ArgAction::Count)]
    verbose: u8,

    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Reads the command line. What clap has to say is said here, and the exit code is given.
pub(crate) fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Arguments, ExitCode> {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    Arguments::try_parse_from(&arguments).map_err(|error| {
        let json = arguments.iter().any(|argument| argument == "--json");
        match error.kind() {
            ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
                // A reader that has seen enough of the help closes the pipe: no failure.
                let _closed = error.print();
                ExitCode::SUCCESS
            }
            _ if json => {
                let text = error.render().to_string();
                let message = text.trim().trim_start_matches("error: ").to_owned();
                failure::report(Err(Failure::new(Exit::Usage, "usage", message).into()), true)
            }
            _ => {
                let _closed = error.print();
                ExitCode::from(Exit::Usage as u8)
            }
        }
    })
}

impl Arguments {
    /// Starts the log on stderr. Only Tradepost's own lines are shown: they are known to hold no secret.
    pub(crate) fn start_log(&self) {
        let level = match self.verbose {
            // A program that reads the JSON error on stderr does not expect lines before it.
            0 if self.json => "off",
            0 => "tradepost=warn",
            1 => "tradepost=info",
            2 => "tradepost=debug",
            _ => "tradepost=trace",
        };
        let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(level));
        tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn every_command_s_help_has_an_example() {
        fn check(command: &clap::Command, path: &str) {
            let subcommands: Vec<_> = command.get_subcommands().filter(|sub| sub.get_name() != "help").collect();
            for sub in &subcommands {
                check(sub, &format!("{path} {}", sub.get_name()));
            }
            if subcommands.is_empty() {
                let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
                assert!(help.contains(&format!("{path} ")) || help.contains(path), "{path}: {help:?}");
            }
        }
        check(&Arguments::command(), "tradepost");
    }
}
