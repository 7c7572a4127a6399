//! Errors tell what happened and where, within the contract's limits.

use tradepost_sdk::error;
use tradepost_sdk::prelude::*;

#[test]
fn an_excerpt_is_bounded_and_shows_control_characters() {
    assert_eq!(error::excerpt(b"a\0b\r\n\x1b[0m"), "a\\u{0}b\\r\\n\\u{1b}[0m");
    let long = error::excerpt("\u{1}".repeat(10_000).as_bytes());
    assert!(long.len() <= 512 && long.ends_with("\\u{1}"), "{} bytes", long.len());
    // Cut inside a character, and no text at all.
    assert!(error::excerpt("€".repeat(400).as_bytes()).len() <= 512);
    assert_eq!(error::excerpt(&[0xff, b'x']), "\u{fffd}x");
}

#[test]
fn invalid_input_speaks_all_its_issues() {
    let error = error::invalid_input(vec![
        error::issue("/carrier", "missing", "A carrier is needed."),
        error::issue("/tracking-number", "missing", "A tracking number is needed."),
    ]);
    assert_eq!(error.message, "A carrier is needed.; A tracking number is needed.");
    assert!(matches!(error.kind, ErrorKind::InvalidInput(issues) if issues[1].pointer == "/tracking-number"));
}

#[test]
fn details_are_added_without_touching_the_message() {
    let error = error::conflict("Already sent.").with_detail("HTTP 409");
    assert_eq!((error.message.as_str(), error.detail.as_str()), ("Already sent.", "HTTP 409"));
}
