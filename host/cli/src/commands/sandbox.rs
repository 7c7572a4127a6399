//! `tradepost sandbox`: loopback marketplaces to try things on, and the table of accounts that fits them.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::Args;
use clap::builder::PossibleValuesParser;
use serde_json::json;
use tradepost_platforms::{Fault, Platform};
use tradepost_runtime::Limits;

use super::Context;
use crate::failure::{Failure, Result};
use crate::marketplaces::{self, Fields, MARKETPLACES, Marketplace, Opening};
use crate::{output, progress, session};

/// Run loopback marketplaces until ctrl-c, and print the table of accounts that fits them
#[derive(Debug, Args)]
#[command(after_help = "\
While it runs, GET URL/_sandbox/ledger shows what a marketplace accepted, GET URL/_sandbox/held what it holds, and
POST URL/_sandbox/fault with a fault such as 500:next=2 (or off) makes it fail.

Examples:
  tradepost sandbox --write tradepost.toml
  tradepost sandbox hardtofind --port 8080 --orders 1000 --ledger ledger.jsonl
  tradepost sandbox wcfm --fault 429=2:every=3")]
pub(crate) struct Sandbox {
    /// Which marketplace; all of them unless given
    #[arg(value_parser = PossibleValuesParser::new(marketplaces::names()))]
    platform: Option<String>,
    /// The port of the first; further ones take the ports behind it. Any free ones unless given
    #[arg(long, value_name = "PORT", default_value_t = 0)]
    port: u16,
    /// How many orders each holds
    #[arg(long, value_name = "N", default_value_t = 250)]
    orders: u64,
    /// How it fails: 429, 500, 503, html, notice, empty, reset, slow=250ms, truncated or apply-then-reset, each with :every=N, :next=N
    /// or :path=/part behind it
    #[arg(long, value_name = "FAULT")]
    fault: Option<Fault>,
    /// Append what is accepted to this file, a JSON object a line; with several marketplaces one file each (FILE.NAME)
    #[arg(long, value_name = "FILE")]
    ledger: Option<PathBuf>,
    /// Write the table of accounts to this file, and the secrets to files of their own beside it
    #[arg(long, value_name = "FILE")]
    write: Option<PathBuf>,
    /// Overwrite the table
    #[arg(long, requires = "write")]
    force: bool,
}

/// A marketplace that runs, with the account that fits it.
struct Running {
    platform: Box<dyn Platform>,
    connector: PathBuf,
    fields: Fields,
}

impl Running {
    fn account(&self) -> String {
        format!("sandbox/{}", self.platform.name())
    }

    fn variable(&self, secret: &str) -> String {
        format!("SANDBOX_{}_{secret}", self.platform.name()).to_uppercase().replace('-', "_")
    }
}

impl Sandbox {
    pub(crate) async fn run(self, context: &Context) -> Result<()> {
        if let Some(file) = self.write.as_deref().filter(|file| !self.force && file.exists()) {
            return Err(table_exists(file));
        }
        let chosen: Vec<&Marketplace> = MARKETPLACES
            .iter()
            .filter(|marketplace| self.platform.as_deref().is_none_or(|name| name == marketplace.name))
            .collect();
        let mut running = Vec::new();
        for (index, marketplace) in chosen.iter().enumerate() {
            running.push(self.start(marketplace, index, chosen.len() > 1).await?);
        }
        self.tell(context, &running)?;
        progress::note("ready; stop with ctrl-c");
        tokio::signal::ctrl_c()
            .await
            .map_err(|error| Failure::unexpected(format!("cannot wait for ctrl-c: {error}")))?;
        for one in &running {
            one.platform.stop().await;
            progress::note(&format!(
                "{} accepted {} writes in {} requests",
                one.platform.name(),
                one.platform.ledger().len(),
                one.platform.ledger().requests()
            ));
        }
        Ok(())
    }

    async fn start(&self, marketplace: &Marketplace, index: usize, several: bool) -> Result<Running> {
        let connector = marketplace.build_connector().await?;
        let port = match self.port {
            0 => 0,
            first => u16::try_from(index)
                .ok()
                .and_then(|index| first.checked_add(index))
                .ok_or_else(|| Failure::usage("--port leaves no port for every marketplace"))?,
        };
        let ledger = self.ledger.as_ref().map(|file| {
            if several { PathBuf::from(format!("{}.{}", file.display(), marketplace.name)) } else { file.clone() }
        });
        let platform = marketplace.start(Opening { port, orders: self.orders, ledger }).await?.platform;
        platform.set_fault(self.fault.clone());
        let manifest = session::load(&session::runtime(Limits::default())?, &connector).await?;
        let fields = Fields::of(manifest.manifest(), platform.as_ref());
        Ok(Running { platform, connector, fields })
    }

    fn tell(&self, context: &Context, running: &[Running]) -> Result<()> {
        let table = match &self.write {
            Some(file) => {
                let secrets = secret_directory(file);
                let table = table(running, |one, secret| {
                    format!("{{ file = {} }}", quoted(&relative_secret(&secrets, one, secret)))
                })?;
                self.write_files(file, &secrets, &table, running)?;
                table
            }
            None => table(running, |one, secret| format!("{{ env = {} }}", quoted(&one.variable(secret))))?,
        };
        if context.output.json {
            let platforms: Vec<_> = running
                .iter()
                .map(|one| {
                    json!({
                        "platform": one.platform.name(),
                        "account": one.account(),
                        "root_url": one.platform.root_url(),
                        "connector": one.connector,
                        "settings": one.fields.settings,
                        "secrets": one.fields.secrets,
                        "held": one.platform.held(),
                    })
                })
                .collect();
            return output::print(&json!({ "ready": true, "table": table, "platforms": platforms }).to_string());
        }
        if let Some(file) = &self.write {
            return output::print(&written(file, running));
        }
        output::print(&format!("# tradepost.toml\n{table}"))?;
        for one in running {
            for (name, value) in &one.fields.secrets {
                output::print(&format!("export {}={value}", one.variable(name)))?;
            }
        }
        Ok(())
    }

    fn write_files(&self, file: &Path, secrets: &Path, table: &str, running: &[Running]) -> Result<()> {
        let failed =
            |path: &Path, error: &io::Error| Failure::usage(format!("{} cannot be written: {error}", path.display()));
        make_private_directory(secrets).map_err(|error| failed(secrets, &error))?;
        for one in running {
            for (name, value) in &one.fields.secrets {
                let path = secrets.join(secret_file(one, name));
                write_private(&path, value).map_err(|error| failed(&path, &error))?;
            }
        }
        let mut options = OpenOptions::new();
        options.write(true).create_new(!self.force).create(self.force).truncate(self.force);
        match options.open(file).and_then(|mut opened| opened.write_all(table.as_bytes())) {
            Ok(()) => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(table_exists(file)),
            Err(error) => Err(failed(file, &error).into()),
        }
    }
}

fn table_exists(file: &Path) -> crate::failure::Stop {
    Failure::usage(format!("{} exists", file.display()))
        .advice("name another file, or overwrite it with --force")
        .into()
}

/// The table as text. `secret` writes where a secret comes from.
fn table(running: &[Running], secret: impl Fn(&Running, &str) -> String) -> Result<String> {
    let mut lines = Vec::new();
    for one in running {
        let origin = marketplaces::origin(one.platform.as_ref())?;
        lines.push(format!("[accounts.{}]", quoted(&one.account())));
        lines.push(format!("connector = {}", quoted(&one.connector.display().to_string())));
        for (name, value) in &one.fields.settings {
            lines.push(format!("settings.{name} = {}", quoted(value.as_str().unwrap_or_default())));
        }
        for name in one.fields.secrets.keys() {
            lines.push(format!("secrets.{name} = {}", secret(one, name)));
        }
        // Loopback is private: without this grant no connector reaches it.
        lines.push(format!("grants.private_hosts = [{}]\n", quoted(&origin.to_string())));
    }
    Ok(lines.join("\n"))
}

/// A TOML string.
fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

fn written(file: &Path, running: &[Running]) -> String {
    let accounts = running.iter().map(|one| format!("  {:24} {}", one.account(), one.platform.root_url()));
    let title = format!("{} is written, with its secrets in {}", file.display(), secret_directory(file).display());
    std::iter::once(title).chain(accounts).collect::<Vec<_>>().join("\n")
}

/// Beside the table, named after it: `tradepost.toml` has `tradepost.secrets/`.
fn secret_directory(file: &Path) -> PathBuf {
    file.with_extension("secrets")
}

fn secret_file(one: &Running, secret: &str) -> String {
    format!("{}.{secret}", one.platform.name())
}

/// As the table names it: relative to the table's own directory.
fn relative_secret(directory: &Path, one: &Running, secret: &str) -> String {
    let directory = directory.file_name().unwrap_or_default().to_string_lossy();
    format!("{directory}/{}", secret_file(one, secret))
}

fn make_private_directory(directory: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(directory)
}

/// Writes a file that only its owner may read, from its first byte on.
fn write_private(file: &Path, text: &str) -> io::Result<()> {
    match fs::remove_file(file) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(file)?.write_all(text.as_bytes())
}
