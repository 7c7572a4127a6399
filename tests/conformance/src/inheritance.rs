//! Descriptions that are another one with a few differences: marketplaces that run the same software.

use toml::{Table, Value};

use crate::built_in;
use crate::description::DescriptionError;

/// The table of a description that `extends` one of this crate: what it says itself replaces what the other says, settings and
/// reasons for skipping one by one, and operations that it names under `without` are gone.
pub(crate) fn inherited(mut own: Table) -> Result<Table, DescriptionError> {
    let Some(name) = own.remove("extends") else { return Ok(own) };
    let Some(text) = name.as_str().and_then(built_in::text) else {
        let known: Vec<&str> = built_in::names().collect();
        return Err(DescriptionError::Part(format!("extends {name}, and there are {}", known.join(", "))));
    };
    let without = own.remove("without").and_then(|names| names.try_into::<Vec<String>>().ok()).unwrap_or_default();
    let mut whole = inherited(text.parse()?)?;
    for (key, value) in own {
        match (whole.get_mut(&key), value) {
            (Some(Value::Table(theirs)), Value::Table(mine)) => theirs.extend(mine),
            (_, value) => {
                whole.insert(key, value);
            }
        }
    }
    let operations = whole.get_mut("operation").and_then(Value::as_array_mut);
    let named = |operation: &Value, name: &str| operation.get("name").and_then(Value::as_str) == Some(name);
    if let Some(operations) = operations {
        for name in without {
            let before = operations.len();
            operations.retain(|operation| !named(operation, &name));
            if operations.len() == before {
                return Err(DescriptionError::Part(format!("without {name}, which the extended one does not have")));
            }
        }
    }
    Ok(whole)
}

#[cfg(test)]
mod tests {
    use crate::description::Description;

    const MARKET: &str = "connector = \"market\"\nextends = \"wcfm\"\nwithout = [\"sellers.get\"]\nsettings = { username = \"kit-other\" }";

    #[test]
    fn a_description_takes_over_what_it_does_not_say_itself() {
        let (base, market) = (crate::built_in("wcfm").unwrap().unwrap(), Description::parse(MARKET).unwrap());
        assert_eq!(market.connector, "market");
        assert_eq!(market.settings["username"].as_str(), Some("kit-other"));
        assert_eq!(market.settings["site-url"], base.settings["site-url"]);
        assert_eq!(market.operations.len(), base.operations.len() - 1);
        assert!(market.operation("sellers.get").is_none() && market.operation("sellers.list").is_some());
        assert_eq!(market.records.len(), base.records.len());
    }

    #[test]
    fn what_cannot_be_taken_over_is_told() {
        for (from, to) in [("\"wcfm\"", "\"nobody\""), ("sellers.get", "sellers.gte")] {
            let text = MARKET.replace(from, to);
            assert!(Description::parse(&text).is_err(), "{text}");
        }
    }
}
