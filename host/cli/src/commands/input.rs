//! Values of the contract read from arguments and from what a file or stdin holds.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::failure::{Failure, Result};

/// Most bytes of a file: a batch of 100,000 stock changes has about 10 MB.
const MAX_INPUT_BYTES: u64 = 64 << 20;

/// An enum value by the contract's own spelling, for clap. An unknown one lists all there are.
pub(super) fn word<T: DeserializeOwned>(text: &str) -> std::result::Result<T, String> {
    serde_json::from_value(Value::String(text.to_owned())).map_err(|error| error.to_string())
}

/// The text of a file, or of stdin for `-`.
pub(super) fn text(from: &Path) -> Result<String> {
    String::from_utf8(bytes(from)?)
        .map_err(|error| Failure::usage(format!("{} is not text in UTF-8: {error}", from.display())).into())
}

/// The bytes of a file, or of stdin for `-`.
pub(super) fn bytes(from: &Path) -> Result<Vec<u8>> {
    let read = |reader: &mut dyn Read| {
        let mut bytes = Vec::new();
        reader.take(MAX_INPUT_BYTES + 1).read_to_end(&mut bytes).map(|_| bytes)
    };
    let outcome = if from == Path::new("-") {
        read(&mut io::stdin().lock())
    } else {
        File::open(from).and_then(|mut file| read(&mut file))
    };
    let shown = from.display();
    match outcome {
        Ok(bytes) if bytes.len() as u64 > MAX_INPUT_BYTES => {
            Err(Failure::usage(format!("{shown} has more than {MAX_INPUT_BYTES} bytes"))
                .advice("send it in several pieces")
                .into())
        }
        Ok(bytes) => Ok(bytes),
        Err(error) => Err(Failure::usage(format!("{shown} cannot be read: {error}")).into()),
    }
}

/// One JSON object.
pub(super) fn object<T: DeserializeOwned>(from: &Path) -> Result<T> {
    serde_json::from_str(&text(from)?).map_err(|error| not_the_contract_s(from, &error))
}

/// Many JSON objects: an array of them, or one after the other as `pull --json` prints them.
pub(super) fn objects<T: DeserializeOwned>(from: &Path) -> Result<Vec<T>> {
    let text = text(from)?;
    let parsed = if text.trim_start().starts_with('[') {
        serde_json::from_str(&text)
    } else {
        serde_json::Deserializer::from_str(&text).into_iter().collect()
    };
    parsed.map_err(|error| not_the_contract_s(from, &error))
}

fn not_the_contract_s(from: &Path, error: &serde_json::Error) -> crate::failure::Stop {
    Failure::usage(format!("{}: {error}", from.display()))
        .advice("fields are the contract's, in snake_case; amounts and quantities are text, such as \"99.95\"")
        .into()
}

#[cfg(test)]
mod tests {
    use tradepost_runtime::commerce::{OrderState, ProductKind, StockChange};

    use super::*;

    #[test]
    fn enum_values_are_spelt_as_in_the_contract() {
        assert_eq!(word::<OrderState>("on-hold"), Ok(OrderState::OnHold));
        let error = word::<ProductKind>("bundle").unwrap_err();
        assert!(error.contains("bundle") && error.contains("grouped"), "{error}");
    }

    #[test]
    fn objects_come_as_an_array_or_one_after_the_other() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("changes.json");
        for text in [
            r#"[{"sku":"A","available":"1"},{"sku":"B","available":"2"}]"#,
            "{\"sku\":\"A\",\"available\":\"1\"}\n{\"sku\":\"B\",\"available\":\"2\"}\n",
        ] {
            std::fs::write(&file, text).unwrap();
            let changes: Vec<StockChange> = objects(&file).unwrap();
            assert_eq!(changes[1].sku.as_deref(), Some("B"), "{text}");
        }
        for text in [r#"[{"sku":"A","available":"1","amount":2}]"#, "{\"sku\":\"A\"}", "nonsense"] {
            std::fs::write(&file, text).unwrap();
            assert!(objects::<StockChange>(&file).is_err(), "{text}");
        }
    }
}
