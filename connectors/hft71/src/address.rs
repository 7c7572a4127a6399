//! An address as HFT71 takes it (protocol notes, section 2.3): one field for the name, two for the street, a country code.
//!
//! Nothing the shop knows is dropped on the way: a company stands in the second street field, and in the name's where there
//! is no other name; street lines beyond the second are appended to it.

use tradepost_sdk::prelude::*;

/// The address as JSON. What HFT71 needs and does not find is added to `issues`, with pointers below `pointer`; the text is
/// of use only where nothing was added.
pub(crate) fn to_json(address: &Address, pointer: &str, issues: &mut Vec<FieldIssue>) -> String {
    let person = joined([address.first_name.as_str(), &address.last_name], " ");
    let company = address.company.trim();
    let (name, company) = if person.is_empty() { (company, "") } else { (person.as_str(), company) };
    let mut lines = address.lines.iter().map(|line| line.trim()).filter(|line| !line.is_empty());
    let street = lines.next().unwrap_or_default();
    let city = address.city.trim();
    let postcode = address.postcode.trim();
    let country = address.country_code.as_deref().unwrap_or_default().trim().to_ascii_uppercase();

    for (value, field, what) in [
        (name, "last-name", "the recipient's name"),
        (street, "lines", "a street"),
        (city, "city", "a city"),
        (postcode, "postcode", "a post code"),
        (&country, "country-code", "the country's code"),
    ] {
        if value.is_empty() {
            issues.push(error::issue(format!("{pointer}/{field}"), "missing", format!("HFT71 needs {what}.")));
        }
    }
    let is_code = country.len() == 2 && country.bytes().all(|byte| byte.is_ascii_uppercase());
    if !country.is_empty() && !is_code {
        let message = format!("`{country}` is no country code of two letters (ISO 3166-1), such as PL.");
        issues.push(error::issue(format!("{pointer}/country-code"), "not-a-country-code", message));
    }

    let state = [&address.region_code, &address.region_name].into_iter().flatten();
    let state = state.map(|region| region.trim()).find(|region| !region.is_empty()).unwrap_or_default();
    json::Object::new()
        .text("address1", street)
        .text("address2", &joined(std::iter::once(company).chain(lines), ", "))
        .text("city", city)
        .text("zip", postcode)
        .text("state", state)
        .text("country", &country)
        .text("customerName", name)
        .text("email", address.email.as_deref().unwrap_or_default().trim())
        .text("mobile", address.phone.as_deref().unwrap_or_default().trim())
        .finish()
}

/// The parts that are not blank, with a separator between them.
fn joined<'a>(parts: impl IntoIterator<Item = &'a str>, separator: &str) -> String {
    let parts: Vec<&str> = parts.into_iter().map(str::trim).filter(|part| !part.is_empty()).collect();
    parts.join(separator)
}
