//! `tradepost install`: a package is verified and kept beside the other versions of its connector.

use std::path::PathBuf;

use clap::Args;
use serde_json::{Value, json};
use tradepost_engine::versions::{self, Activation, Installed};
use tradepost_package::PublicKey;

use super::{Context, activate};
use crate::account_versions::UNSIGNED;
use crate::explain_versions::version_error;
use crate::failure::Result;
use crate::output::facts;
use crate::{package_file, progress};

/// Install a package beside the other versions of its connector, once it is verified
#[derive(Debug, Args)]
#[command(after_help = "\
Its signature must be by a key that is trusted for its connector (`tradepost trust add`). What it may do (hosts, secrets, what it writes) is
shown; what of that was not accepted before needs --accept. It gets no accounts before `tradepost activate`. Refused with exit code 8, and
nothing is changed: unsigned, signed by others, revoked, below the floor, or with more rights. With 7: altered, or its component is not what
was signed.

--allow-unsigned takes a component that nobody vouches for, a package or a .wasm file. Its version is marked with its build
(0.1.0+9f2c5e1a7b34), and it is shown as UNSIGNED everywhere.

Examples:
  tradepost install hardtofind-0.2.0.tradepost
  tradepost install hardtofind-0.2.0.tradepost --accept --activate
  tradepost install target/hardtofind.wasm --allow-unsigned --accept --activate --channel beta")]
pub(crate) struct Install {
    /// The package; with --allow-unsigned a component's .wasm file as well
    file: PathBuf,
    /// Accept the rights that it asks for beyond those that were accepted before
    #[arg(long)]
    accept: bool,
    /// Take a component that nobody signed
    #[arg(long)]
    allow_unsigned: bool,
    /// Activate it as well, for all accounts of its channel
    #[arg(long)]
    activate: bool,
    /// The channel to activate it on
    #[arg(long, value_name = "CHANNEL", requires = "activate")]
    channel: Option<String>,
}

impl Install {
    pub(crate) async fn run(self, context: &Context) -> Result<()> {
        let shown = self.file.display().to_string();
        let failed = |error| version_error(&error, &shown);
        let bytes = package_file::read_bytes(&self.file)?;
        let (_, _, versions) = context.versions()?;
        let step = progress::step("verifying and compiling");
        let how = versions::Install { accept: self.accept, allow_unsigned: self.allow_unsigned };
        let installed = versions.install(bytes, how).await;
        step.finish_and_clear();
        let installed = installed.map_err(failed)?;
        let (connector, version) = (&installed.connector, &installed.version);
        let mut moved = None;
        if self.activate {
            let activation = Activation { channel: self.channel.clone(), ..Activation::default() };
            let activated = versions.activate(connector, version, activation).await.map_err(|error| {
                failed(error).advice(format!("it is installed; `tradepost activate {connector} {version}` goes on"))
            })?;
            moved = Some(activated);
        }
        let channel = self.channel.as_deref();
        let mut value = to_json(&installed);
        value["activated"] = moved.as_ref().map_or(Value::Null, |moved| activate::to_json(connector, moved, channel));
        context.output.single(&value, |_| {
            let next = match &moved {
                Some(moved) => activate::text(connector, moved, channel),
                None => format!("`tradepost activate {connector} {version}` gives it to accounts"),
            };
            format!("{}\n{next}", text(&installed))
        })
    }
}

/// Who signed, for people.
fn signers(installed: &Installed) -> String {
    if installed.signers.is_empty() {
        return format!("nobody: {UNSIGNED}");
    }
    installed.signers.iter().map(PublicKey::to_string).collect::<Vec<_>>().join("\n")
}

/// What was installed, for programs.
pub(super) fn to_json(installed: &Installed) -> Value {
    json!({
        "connector": installed.connector,
        "version": installed.version.to_string(),
        "digest": installed.digest,
        "signers": installed.signers,
        "unsigned": installed.signers.is_empty(),
        "rights": installed.rights,
        "more": installed.more,
        "was_there": installed.was_there,
    })
}

fn text(installed: &Installed) -> String {
    let state = if installed.was_there { "was installed already; nothing changed" } else { "is installed" };
    facts([
        ("connector", format!("{} {} {state}", installed.connector, installed.version)),
        ("component", installed.digest.clone()),
        ("signed by", signers(installed)),
        ("rights", installed.rights.lines().join("\n")),
        ("accepted now", installed.more.lines().join("\n")),
    ])
}
