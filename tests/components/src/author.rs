//! Building a connector's crate that is anywhere, as its author does.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde::Deserialize;

use crate::{BuildError, TARGET, ensure_target, io_error};

/// What cargo says when a crate's workspace has no profile `component`.
const NO_PROFILE: &str = "profile `component` is not defined";

/// A line of cargo's messages, as far as it is about a file that was built.
#[derive(Deserialize)]
struct Message {
    reason: String,
    #[serde(default)]
    manifest_path: PathBuf,
    #[serde(default)]
    filenames: Vec<PathBuf>,
}

/// Builds the component of the crate in a directory, in its own target directory, and gives the component's path. The profile `component` is
/// used where there is one, else `release`. `progress` gets a line when something takes long.
pub fn build_directory(directory: &Path, progress: impl Fn(&str)) -> Result<PathBuf, BuildError> {
    let package = directory.display().to_string();
    let directory = directory.canonicalize().map_err(io_error(&package))?;
    ensure_target(&directory, &progress)?;
    let mut output = cargo(&directory, &["--profile", "component"])?;
    if !output.status.success() && String::from_utf8_lossy(&output.stderr).contains(NO_PROFILE) {
        output = cargo(&directory, &["--release"])?;
    }
    if !output.status.success() {
        return Err(BuildError::Failed { package, output: String::from_utf8_lossy(&output.stderr).into_owned() });
    }
    component(&String::from_utf8_lossy(&output.stdout), &directory.join("Cargo.toml"))
        .ok_or(BuildError::NoComponent(package))
}

fn cargo(directory: &Path, profile: &[&str]) -> Result<Output, BuildError> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    Command::new(cargo)
        .args(["build", "--quiet", "--target", TARGET, "--message-format", "json-render-diagnostics"])
        .args(profile)
        .current_dir(directory)
        .stdin(Stdio::null())
        .output()
        .map_err(io_error("running cargo"))
}

/// The component among the files that cargo built for this crate.
fn component(messages: &str, manifest: &Path) -> Option<PathBuf> {
    let messages = messages.lines().filter_map(|line| serde_json::from_str::<Message>(line).ok());
    let of_crate =
        messages.filter(|message| message.reason == "compiler-artifact" && message.manifest_path == manifest);
    of_crate.flat_map(|message| message.filenames).find(|file| file.extension().is_some_and(|end| end == "wasm"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_component_is_the_crate_s_own_and_no_dependency_s() {
        let messages = r#"{"reason":"compiler-artifact","manifest_path":"/other/Cargo.toml","filenames":["/t/other.wasm"]}
{"reason":"build-script-executed","package_id":"x"}
not json
{"reason":"compiler-artifact","manifest_path":"/shop/Cargo.toml","filenames":["/t/libshop.rlib","/t/shop.wasm"]}
{"reason":"build-finished","success":true}"#;
        assert_eq!(component(messages, Path::new("/shop/Cargo.toml")), Some("/t/shop.wasm".into()));
        assert_eq!(component(messages, Path::new("/else/Cargo.toml")), None);
    }
}
