//! Recorded exchanges with a real server, as the scripted host needs them.

use std::fs;
use std::path::PathBuf;

use tradepost_sdk::prelude::*;
use tradepost_sdk::testing::Host;

/// Settings of an account on the recorded site, which keeps Indian time.
pub(crate) const SETTINGS: &str =
    r#"{"site-url":"https://shop.example","username":"vendor1","utc-offset-minutes":330}"#;

/// One recorded exchange.
#[derive(Debug, Clone)]
pub(crate) struct Recording {
    /// The file's name.
    pub(crate) file: String,
    /// What the server answered.
    pub(crate) answer: Answer,
}

/// A host without requests, for decoding.
pub(crate) fn host() -> Host {
    Host::new().settings(SETTINGS)
}

fn fixtures() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures")
}

/// The text of a file below the repository's fixtures.
pub(crate) fn fixture(path: &str) -> String {
    let path = fixtures().join(path);
    fs::read_to_string(&path).unwrap_or_else(|fault| panic!("{}: {fault}", path.display()))
}

/// Every recording, in the order of the index.
pub(crate) fn all() -> Vec<Recording> {
    let index = fixture("wcfm-1.5.3/INDEX.tsv");
    index.lines().skip(1).map(|row| read(row.split('\t').next().unwrap())).collect()
}

/// The answer of the recording whose name begins with this number.
pub(crate) fn answer(number: &str) -> Answer {
    let index = fixture("wcfm-1.5.3/INDEX.tsv");
    let row = index.lines().find(|row| row.starts_with(number)).unwrap_or_else(|| panic!("no recording {number}"));
    read(row.split('\t').next().unwrap()).answer
}

fn read(file: &str) -> Recording {
    let text = fixture(&format!("wcfm-1.5.3/{file}"));
    let (_, exchange) = text.split_once("# ===== request =====\n").unwrap();
    let (_, response) = exchange.split_once("# ===== response =====\n").unwrap();
    let (head, body) = response.split_once("\r\n\r\n").unwrap_or((response, ""));
    let mut head = head.lines();
    let status = head.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
    // The recorder ended each file with a line break of its own.
    let answer = head
        .filter_map(|header| header.split_once(": "))
        .fold(Answer::new(status, body.strip_suffix('\n').unwrap_or(body)), |answer, (name, value)| {
            answer.with_header(name, value)
        });
    Recording { file: file.to_owned(), answer }
}
