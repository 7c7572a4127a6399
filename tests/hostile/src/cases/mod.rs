//! The cases, a file for each kind of attack. What attacks are judged by again and again stands here.

mod abi;
mod compiling;
mod cpu;
mod credentials;
mod egress;
mod kept_files;
mod loading;
mod lying_data;
mod memory;
mod servers;
mod state;
mod storage;
mod supply_chain;
mod swap;
mod swap_load;
mod swap_trouble;
mod telemetry;
mod tls_server;
mod webhooks;

use anyhow::{bail, ensure};
use tradepost_runtime::{CallError, LimitReached};

use crate::case::Case;

/// All cases, in the order of their ids.
pub fn all() -> Vec<Case> {
    let mut cases = [
        cpu::CASES,
        memory::CASES,
        abi::CASES,
        state::CASES,
        storage::CASES,
        egress::CASES,
        credentials::CASES,
        telemetry::CASES,
        loading::CASES,
        supply_chain::CASES,
        kept_files::CASES,
        compiling::CASES,
        lying_data::CASES,
        servers::CASES,
        webhooks::CASES,
        swap::CASES,
        swap_load::CASES,
        swap_trouble::CASES,
    ]
    .concat();
    let group = |case: &Case| ["HC", "HS", "WH", "SW"].iter().position(|group| case.id.starts_with(group)).unwrap_or(9);
    cases.sort_by_key(|case| (group(case), case.id));
    cases
}

/// Text that would clear a terminal, forge a line, and reverse what follows.
const HOSTILE: &str = "\u{1b}[2Jboo\r\n2026-01-01 ERROR forged\u{202e}\0";

/// A kibibyte: what is kept of a trap's message.
const MESSAGE_BYTES: usize = 1024;

/// The limit that ended a call.
fn limit(error: &CallError) -> anyhow::Result<LimitReached> {
    match error {
        CallError::Limit { limit, .. } => Ok(*limit),
        other => bail!("expected a limit, got {other:?}"),
    }
}

/// Fails where a text would do something to the terminal that shows it.
fn harmless(place: &str, text: &str) -> anyhow::Result<()> {
    let harmful = text.chars().find(|character| character.is_control() || *character == '\u{202e}');
    ensure!(harmful.is_none(), "{place} holds {harmful:?}: {text:?}");
    Ok(())
}

/// The beginning of a text.
fn short(text: &str) -> String {
    text.chars().take(160).collect()
}
