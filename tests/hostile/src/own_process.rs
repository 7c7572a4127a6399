//! What cases have done by a process of its own: compiling what may be a bomb, counting what thousands of swaps leave behind without
//! anything else in the process, installing where there is no room. The process is this suite's own program, started with words that no
//! person types.

use std::env;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{ExitCode, Output, Stdio};
use std::sync::OnceLock;

use anyhow::{Context as _, bail};
use tokio::process::Command;
use tradepost_runtime::compile::{self, ChildCompiler, CompileLimits};
use tradepost_runtime::{Limits, Runtime};

use crate::installation::{ACCEPTED, versions_in};
use crate::many_swaps::{self, ManySwaps};

const COMPILE: &str = "compile-component";
const SWAP: &str = "swap-again-and-again";
const INSTALL: &str = "install-package";

/// What an installation that was refused begins with, as the process says it.
const REFUSED: &str = "refused: ";

static PROGRAM: OnceLock<PathBuf> = OnceLock::new();

/// Says where the suite's program is. Cases that need it fail without.
pub fn program_is(program: impl Into<PathBuf>) {
    // Whoever said it first is right as well: there is one.
    let _ = PROGRAM.set(program.into());
}

fn program() -> anyhow::Result<&'static Path> {
    PROGRAM.get().map(PathBuf::as_path).context("whoever runs cases says where the suite's program is")
}

/// Does what this process was started for, if that is a part of a case. None: it was started by a person.
pub fn serve() -> Option<ExitCode> {
    let mut arguments = env::args().skip(1);
    let task = arguments.next()?;
    let mut next = || arguments.next().context("an argument is missing");
    let said = match task.as_str() {
        COMPILE => return Some(compile::serve()),
        SWAP => next().and_then(|swaps| Ok(serde_json::to_string(&on_two_threads(many_swaps::swap(swaps.parse()?))?)?)),
        INSTALL => next().and_then(|directory| {
            let package = std::fs::read(next()?)?;
            on_two_threads(install(Path::new(&directory), package))
        }),
        _ => return None,
    };
    Some(match said {
        Ok(said) => {
            println!("{said}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    })
}

fn on_two_threads<T>(work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?.block_on(work)
}

async fn install(directory: &Path, package: Vec<u8>) -> anyhow::Result<String> {
    let runtime = Runtime::builder().limits(Limits::default()).concurrent_calls(1).build()?;
    Ok(match versions_in(&runtime, directory)?.install(package, ACCEPTED).await {
        Ok(installed) => format!("{} {}", installed.connector, installed.version),
        Err(refused) => format!("{REFUSED}{refused}"),
    })
}

/// A compiler that is a process of the suite's program.
///
/// # Errors
/// If nobody said where the program is.
pub fn compiler(limits: CompileLimits) -> anyhow::Result<ChildCompiler> {
    Ok(ChildCompiler { program: program()?.to_owned(), arguments: vec![COMPILE.into()], limits })
}

/// Swaps versions so often in a process that does nothing else.
///
/// # Errors
/// If the process fails.
pub async fn swap_again_and_again(swaps: u32) -> anyhow::Result<ManySwaps> {
    let output = finished(Command::new(program()?).arg(SWAP).arg(swaps.to_string())).await?;
    Ok(serde_json::from_str(&output)?)
}

/// Installs a package in a process that can make no file longer than so many KiB, as on a disk that is nearly full. Gives why it is refused.
///
/// # Errors
/// If it is installed, or the process fails.
pub async fn install_without_room(data: &Path, package: &Path, room_kib: usize) -> anyhow::Result<String> {
    // A write beyond the limit is to fail, as on a full disk, and not to end the process. Blocks are of 512 bytes for every shell.
    let script = format!("trap '' XFSZ; ulimit -f {}; exec \"$0\" \"$@\"", room_kib * 2);
    let words =
        [OsStr::new("-c"), script.as_ref(), program()?.as_ref(), INSTALL.as_ref(), data.as_ref(), package.as_ref()];
    let said = finished(Command::new("/bin/sh").args(words)).await?;
    match said.trim_end().strip_prefix(REFUSED) {
        Some(reason) => Ok(reason.to_owned()),
        None => bail!("it was installed where there is no room: {said}"),
    }
}

/// What a process has said when it has ended well.
async fn finished(command: &mut Command) -> anyhow::Result<String> {
    let Output { status, stdout, stderr } = command.stdin(Stdio::null()).kill_on_drop(true).output().await?;
    let said = String::from_utf8_lossy(&stderr);
    anyhow::ensure!(status.success(), "a process of the suite's own ended with {status}: {}", said.trim_end());
    Ok(String::from_utf8_lossy(&stdout).into_owned())
}
