//! `tradepost docs`: a connector's page in Markdown, made from the component alone.

use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;
use tradepost_runtime::{Limits, Runtime, connector_page};

use super::{Context, output_file};
use crate::failure::{Failure, Result};
use crate::{output, progress, session};

/// Print a connector's page as Markdown: what it can do, settings, hosts, logins, streams, status words, effects
#[derive(Debug, Args)]
#[command(after_help = "\
The page is made from the component's manifest and exports, without an account and without a network. An existing file is kept
unless --force is given.

Examples:
  tradepost docs connectors/hardtofind.wasm
  tradepost docs connectors/hardtofind.wasm --out hardtofind.md --force
  tradepost docs --all")]
pub(crate) struct Docs {
    /// The component, a .wasm file
    #[arg(required_unless_present = "all")]
    file: Option<PathBuf>,
    /// The file to write
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Overwrite the file
    #[arg(long, requires = "out")]
    force: bool,
    /// Build all connectors of the checkout that this program was built from, and write each one's connectors/NAME/README.md
    #[arg(long, conflicts_with_all = ["file", "out", "force"])]
    all: bool,
}

impl Docs {
    pub(crate) async fn run(self, context: &Context) -> Result<()> {
        let runtime = session::runtime(Limits::default())?;
        let Some(file) = self.file else {
            return write_all(context, &runtime).await;
        };
        if let Some(out) = &self.out {
            output_file::refuse_existing(out, self.force)?;
        }
        let connector = session::load(&runtime, &file).await?;
        let page = connector_page(&connector);
        let Some(out) = &self.out else {
            let value = json!({ "connector": connector.label(), "page": page });
            return context.output.single(&value, |_| page.clone());
        };
        output_file::write(out, page.as_bytes(), self.force)?;
        told(context, connector.label(), out)
    }
}

async fn write_all(context: &Context, runtime: &Runtime) -> Result<()> {
    let connectors = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../connectors");
    for name in connectors_in(&connectors)? {
        let built = {
            let name = name.clone();
            tokio::task::spawn_blocking(move || tradepost_components::build(&name, progress::note)).await
        };
        let component = built
            .map_err(|panic| Failure::unexpected(format!("building connector {name} broke off: {panic}")))?
            .map_err(|error| Failure::unexpected(error.to_string()))?;
        let connector = session::load(runtime, &component).await?;
        let out = connectors.join(&name).join("README.md");
        output_file::write(&out, connector_page(&connector).as_bytes(), true)?;
        told(context, connector.label(), &Path::new("connectors").join(&name).join("README.md"))?;
    }
    Ok(())
}

fn told(context: &Context, connector: &str, out: &Path) -> Result<()> {
    if context.output.json {
        return output::print(&json!({ "connector": connector, "file": out }).to_string());
    }
    progress::note(&format!("{}: the page of {connector}", out.display()));
    Ok(())
}

/// The folders whose crate is built to a component; the SDK beside them is not.
fn connectors_in(folder: &Path) -> Result<Vec<String>> {
    let unreadable = |error: &dyn std::fmt::Display| {
        Failure::usage(format!("the connectors at {} cannot be listed: {error}", folder.display()))
            .advice("--all works in a source checkout only; name a component's file instead")
    };
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).map_err(|error| unreadable(&error))? {
        let path = entry.map_err(|error| unreadable(&error))?.path();
        let Ok(manifest) = fs::read_to_string(path.join("Cargo.toml")) else { continue };
        let manifest: toml::Table = manifest.parse().map_err(|error| unreadable(&error))?;
        let kinds = manifest.get("lib").and_then(|library| library.get("crate-type"));
        let is_component = kinds
            .and_then(toml::Value::as_array)
            .is_some_and(|kinds| kinds.iter().any(|kind| kind.as_str() == Some("cdylib")));
        if let (true, Some(name)) = (is_component, path.file_name()) {
            names.push(name.to_string_lossy().into_owned());
        }
    }
    names.sort();
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connectors_are_the_crates_that_are_built_to_components() {
        let directory = tempfile::tempdir().unwrap();
        for (name, manifest) in [
            ("wcfm", "[lib]\ncrate-type = [\"cdylib\", \"rlib\"]\n"),
            ("ebay", "[lib]\ncrate-type = [\"cdylib\"]\n"),
            ("sdk", "[package]\nname = \"sdk\"\n"),
        ] {
            fs::create_dir(directory.path().join(name)).unwrap();
            fs::write(directory.path().join(name).join("Cargo.toml"), manifest).unwrap();
        }
        fs::create_dir(directory.path().join("notes")).unwrap();
        assert_eq!(connectors_in(directory.path()).unwrap(), ["ebay", "wcfm"]);
        assert!(connectors_in(&directory.path().join("absent")).is_err());
    }
}
