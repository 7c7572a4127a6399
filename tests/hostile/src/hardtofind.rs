//! The hardtofind connector, which is no attacker: what is swapped and tampered with in cases that need a real one, at its loopback
//! marketplace.

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use tradepost_components::alter;
use tradepost_platforms::{HardToFind, Platform as _};
use tradepost_runtime::{Account, AccountConfig, Connector, Egress, Grants, MemoryStorage, Runtime};

/// The connector's id.
pub const ID: &str = "hardtofind";
/// The currency of every order, which the connector knows and the marketplace does not say.
pub const CURRENCY: &str = "AUD";
/// Another one, by which another version shows.
pub const OTHER_CURRENCY: &str = "NZD";

/// The component, version 0.1.0; built when first asked for.
///
/// # Panics
/// If it cannot be built.
pub fn component() -> Vec<u8> {
    static PATH: OnceLock<PathBuf> = OnceLock::new();
    let path =
        PATH.get_or_init(|| tradepost_components::build(ID, |line| eprintln!("{line}")).expect("the connector builds"));
    std::fs::read(path).expect("the connector was built")
}

/// The same as version 0.2.0, whose orders are in [`OTHER_CURRENCY`].
///
/// # Panics
/// As [`component`].
pub fn next() -> Vec<u8> {
    alter::with_text(&alter::with_version(&component(), "0.1.0", "0.2.0"), CURRENCY, OTHER_CURRENCY)
}

/// A way out that keeps no pace: the marketplace is the test's own.
///
/// # Errors
/// If it cannot be made.
pub fn unpaced() -> anyhow::Result<Egress> {
    Ok(Egress::builder().unpaced().build()?)
}

/// An account at a marketplace, with storage of its own.
///
/// # Errors
/// If it does not open.
pub fn account(runtime: &Runtime, connector: &Connector, platform: &HardToFind, id: &str) -> anyhow::Result<Account> {
    let credentials = platform.credentials();
    let setting = |name: &str, value: &str| (name.to_owned(), value.into());
    let config = AccountConfig {
        id: id.into(),
        settings: [setting("root-url", platform.root_url()), setting("username", credentials.username)]
            .into_iter()
            .collect(),
        secrets: [("password".to_owned(), credentials.password.to_owned().into())].into(),
        grants: Grants { private_hosts: vec![platform.root_url().parse()?], ..Grants::default() },
        ..AccountConfig::default()
    };
    Ok(runtime.open(connector, config, Arc::new(MemoryStorage::new()))?)
}
