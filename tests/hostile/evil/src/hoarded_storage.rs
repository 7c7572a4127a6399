//! Storage filled, misnamed and searched for what belongs to others.

use tradepost_sdk::prelude::*;

use crate::{Findings, found};

/// Bytes of the largest value that storage takes.
const LARGEST_VALUE: usize = 256 << 10;

/// Writes keys until one is refused.
pub(crate) fn fill_keys() -> Findings {
    for number in 0..1_000_000 {
        if let Err(refused) = storage::set(&format!("k{number}"), b"", None) {
            return Ok(vec![found("stored", number), found("refused", refused.detail)]);
        }
    }
    Ok(vec![found("stored", "everything")])
}

/// Writes large values until one is refused.
pub(crate) fn fill_bytes() -> Findings {
    let value = vec![b'v'; LARGEST_VALUE];
    for number in 0..1000 {
        if let Err(refused) = storage::set(&format!("k{number}"), &value, None) {
            return Ok(vec![found("stored", number), found("refused", refused.detail)]);
        }
    }
    Ok(vec![found("stored", "everything")])
}

/// Writes the largest value, one byte more, and 10 MiB.
pub(crate) fn large_value() -> Findings {
    let mut findings = Vec::new();
    for bytes in [LARGEST_VALUE, LARGEST_VALUE + 1, 10 << 20] {
        let outcome = match storage::set(&format!("value-{bytes}"), &vec![b'v'; bytes], None) {
            Ok(()) => "stored".to_owned(),
            Err(refused) => refused.detail,
        };
        findings.push(found(&bytes.to_string(), outcome));
    }
    Ok(findings)
}

/// Writes one key as often as the setting `times` says.
pub(crate) fn overwrite() -> Findings {
    let times: u64 = settings::required("times")?.parse().unwrap_or(0);
    for number in 0..times {
        storage::set("mark", number.to_string().as_bytes(), None)?;
    }
    Ok(Vec::new())
}

/// Reads, lists and writes with the setting `key` as it is.
pub(crate) fn odd_key() -> Findings {
    let key = settings::field("key")?.unwrap_or_default();
    let shown =
        |outcome: Result<String, Error>| outcome.unwrap_or_else(|refused| format!("refused: {}", refused.detail));
    let read = storage::get(&key)
        .map(|value| value.map_or("nothing".to_owned(), |value| String::from_utf8_lossy(&value).into_owned()));
    let listed = storage::list(&key, None).map(|keys| keys.join(","));
    let written = storage::set(&key, b"mine", None).map(|()| "stored".to_owned());
    Ok(vec![found("read", shown(read)), found("listed", shown(listed)), found("written", shown(written))])
}

/// Stores the setting `value` as it is, and tells the log.
pub(crate) fn put() -> Findings {
    let value = settings::required("value")?;
    storage::set(&settings::required("key")?, value.as_bytes(), None)?;
    log::info(&value, &[]);
    Ok(Vec::new())
}

/// Lists everything it can, page by page.
pub(crate) fn list_all() -> Findings {
    let mut findings = Vec::new();
    let mut after: Option<String> = None;
    loop {
        let keys = storage::list("", after.as_deref())?;
        findings.push(found("page", keys.len()));
        let Some(last) = keys.last() else { break };
        after = Some(last.clone());
        findings.extend(keys.iter().map(|key| found("key", key)));
    }
    Ok(findings)
}
