//! The account's settings: one JSON object that the host has validated against the manifest's schema. Secrets are not in it.

use crate::bindings::contract::errors::Error;
use crate::error;
use crate::host;
use crate::json::{self, Decode, Kind, Reader};

/// All settings as a record, such as one made with [`record!`](crate::json::record).
pub fn get<T: for<'a> Decode<'a>>() -> Result<T, Error> {
    json::decode(&text())
}

/// One setting as text: a string's content, a number or `true`/`false` as written. None where it is absent or null.
pub fn field(name: &str) -> Result<Option<String>, Error> {
    let text = text();
    let mut reader = Reader::new(&text);
    let mut found = None;
    reader
        .object(|key, reader| {
            if key != name {
                return reader.skip();
            }
            found = match reader.peek_kind()? {
                Kind::String => Some(reader.string()?.into_owned()),
                Kind::Null => {
                    reader.skip()?;
                    None
                }
                _ => Some(reader.raw_value()?.to_owned()),
            };
            Ok(())
        })
        .map_err(|fault| fault.into_error(&text))?;
    Ok(found)
}

/// One setting as text, where the connector cannot do without it. Fails with `invalid-input` and a pointer to it.
pub fn required(name: &str) -> Result<String, Error> {
    field(name)?.ok_or_else(|| {
        let message = format!("The setting `{name}` is needed and has no value.");
        error::invalid_input(vec![error::issue(format!("/{name}"), "missing", message)])
    })
}

/// The settings object as it comes from the host.
pub fn text() -> String {
    host::settings()
}
