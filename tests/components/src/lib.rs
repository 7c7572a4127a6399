//! Builds the workspace's connectors to WebAssembly components.
//!
//! Tests, benchmarks and `tradepost demo` need components, and a fresh clone has none. They are built with the same
//! cargo, in a target directory of their own (`target/components`), so that they neither wait for nor disturb a build
//! that is running; a second build finds everything fresh. The compiler's target is asked for when it is missing,
//! because automatic installs may be switched off. A component stands at `target/components/NAME.wasm`.
//!
//! ```no_run
//! let wasm = tradepost_components::build("hardtofind", |line| eprintln!("{line}"))?;
//! # Ok::<(), tradepost_components::BuildError>(())
//! ```

pub mod alter;
mod author;

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

pub use author::build_directory;

/// What Rust calls the target of a component.
const TARGET: &str = "wasm32-wasip2";

/// Why there is no component.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// The sources are not where they were when this program was built.
    #[error("the sources of Tradepost are not at {0}: components are built from a source checkout; run this from one")]
    NoSources(PathBuf),
    /// The compiler's target could not be installed.
    #[error("the compiler target {TARGET} is missing and `rustup target add {TARGET}` failed: {0}")]
    NoTarget(String),
    /// The build failed.
    #[error("building {package} for {TARGET} failed:\n{output}")]
    Failed {
        /// The crate.
        package: String,
        /// What cargo said.
        output: String,
    },
    /// The crate is no connector.
    #[error(
        "{0} builds no component: a connector's crate has `crate-type = [\"cdylib\"]` under [lib] in its Cargo.toml"
    )]
    NoComponent(String),
    /// The machine failed.
    #[error("{what}: {source}")]
    Io {
        /// What was tried.
        what: String,
        /// Why it failed.
        source: io::Error,
    },
}

/// Builds the connector `name` (`hardtofind` for the crate `tradepost-hardtofind`) and gives the component's path.
/// `progress` gets a line when something takes long.
pub fn build(name: &str, progress: impl Fn(&str)) -> Result<PathBuf, BuildError> {
    build_package(&format!("tradepost-{name}"), progress)
}

/// The same for a crate of any name in the workspace.
pub fn build_package(package: &str, progress: impl Fn(&str)) -> Result<PathBuf, BuildError> {
    let built = format!("{}.wasm", package.replace('-', "_"));
    build_target(package, &["--lib"], &built, &format!("{}.wasm", short(package)), progress)
}

/// The same for an example of a crate that is a component by itself.
pub fn build_example(package: &str, example: &str, progress: impl Fn(&str)) -> Result<PathBuf, BuildError> {
    let built = format!("examples/{example}.wasm");
    build_target(package, &["--example", example], &built, &format!("{}.{example}.wasm", short(package)), progress)
}

fn short(package: &str) -> &str {
    package.strip_prefix("tradepost-").unwrap_or(package)
}

fn build_target(
    package: &str,
    selection: &[&str],
    built: &str,
    name: &str,
    progress: impl Fn(&str),
) -> Result<PathBuf, BuildError> {
    let workspace = workspace()?;
    let target = workspace.join("target").join("components");
    fs::create_dir_all(&target).map_err(io_error("making the component directory"))?;
    // One at a time over all processes: tests run in many, and each would otherwise print its own progress.
    let lock = File::create(target.join(".lock")).map_err(io_error("opening the build lock"))?;
    lock.lock().map_err(io_error("waiting for another component build"))?;

    let wasm = target.join(name);
    if !wasm.exists() {
        progress(&format!("building component {package} (once; takes up to a minute)"));
    }
    ensure_target(&workspace, &progress)?;
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["build", "--quiet", "--profile", "component", "--target", TARGET, "--package", package])
        .args(selection)
        .arg("--target-dir")
        .arg(&target)
        .current_dir(&workspace)
        // The flags of the build that runs this (coverage, sanitizers) are not for components.
        .env_remove("RUSTFLAGS")
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        .stdin(Stdio::null())
        .output()
        .map_err(io_error("running cargo"))?;
    if !output.status.success() {
        let output = String::from_utf8_lossy(&output.stderr).into_owned();
        return Err(BuildError::Failed { package: package.to_owned(), output });
    }
    // Copied out while nobody else builds: a connector that uses another one's code as a library makes cargo leave that one's
    // library, which exports nothing, where its component was.
    let unfinished = target.join(format!("{name}.unfinished"));
    fs::copy(target.join(TARGET).join("component").join(built), &unfinished)
        .map_err(io_error("copying the component"))?;
    fs::rename(&unfinished, &wasm).map_err(io_error("putting the component in its place"))?;
    Ok(wasm)
}

/// The top of the source checkout this program was built from.
fn workspace() -> Result<PathBuf, BuildError> {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    match top.canonicalize() {
        Ok(top) if top.join("connectors").is_dir() => Ok(top),
        _ => Err(BuildError::NoSources(top)),
    }
}

fn ensure_target(workspace: &Path, progress: &impl Fn(&str)) -> Result<(), BuildError> {
    let has_target = || {
        let sysroot = Command::new("rustc").args(["--print", "sysroot"]).current_dir(workspace).output();
        sysroot.is_ok_and(|output| {
            let sysroot = String::from_utf8_lossy(&output.stdout).trim().to_owned();
            Path::new(&sysroot).join("lib/rustlib").join(TARGET).is_dir()
        })
    };
    if has_target() {
        return Ok(());
    }
    progress(&format!("installing the compiler target {TARGET}"));
    let added =
        Command::new("rustup").args(["target", "add", TARGET]).current_dir(workspace).stdin(Stdio::null()).output();
    match added {
        Ok(output) if output.status.success() && has_target() => Ok(()),
        Ok(output) => Err(BuildError::NoTarget(String::from_utf8_lossy(&output.stderr).trim().to_owned())),
        Err(error) => Err(BuildError::NoTarget(error.to_string())),
    }
}

fn io_error(what: &str) -> impl FnOnce(io::Error) -> BuildError + '_ {
    move |source| BuildError::Io { what: what.to_owned(), source }
}
