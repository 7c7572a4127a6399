//! The seller's profile: `GET /settings/id/{id}` and `GET /settings/email/{email}`.
//!
//! The answer is the form as the seller saved it: any key may be missing, any object may be an empty list, and the
//! seller's bank account stands in it. Of what it holds besides the profile, only plain facts are handed on, and nothing from
//! or about payment (protocol notes, section 3.11; recordings 200-218).

use tradepost_sdk::json::{DecodeError, Kind, Loose, PhpMap, Reader, Text};
use tradepost_sdk::prelude::*;
use tradepost_sdk::wordpress::{code_or_name, record_id};

use crate::{WcfmConnector, answer};

/// Parts of names that mark what must not be handed on: bank data, keys, one-time tokens.
const PRIVATE: [&str; 14] = [
    "payment", "bank", "iban", "swift", "ifsc", "routing", "account", "paypal", "skrill", "stripe", "withdraw",
    "secret", "token", "nonce",
];

/// Fields that the profile itself carries.
const PROFILE: [&str; 5] = ["store_name", "store_email", "phone", "address", "wcfm_vacation_mode"];

/// Deepest groups whose members are told one by one.
const DEPTH: usize = 3;

json::record! {
    struct SettingsJson<'a> {
        store_name: Text<'a>,
        store_email: Text<'a>,
        phone: Text<'a>,
        address: Loose<AddressJson<'a>>,
        wcfm_vacation_mode: Text<'a>,
    }

    struct AddressJson<'a> {
        street_1: Text<'a>,
        street_2: Text<'a>,
        city: Text<'a>,
        zip: Text<'a>,
        country: Text<'a>,
        state: Text<'a>,
    }
}

impl<M> SellerSettings for WcfmConnector<M> {
    /// Fails with `not-found` where the seller never saved a profile or does not exist, with `forbidden` for somebody else's.
    fn get(selector: Selector) -> Result<SellerProfile, Error> {
        get(&selector)
    }
}

/// A seller's profile.
pub(crate) fn get(selector: &Selector) -> Result<SellerProfile, Error> {
    let path = match selector {
        Selector::Id(id) => {
            let id = record_id(id).ok_or_else(no_profile)?;
            format!("/settings/id/{id}")
        }
        Selector::Email(email) => format!("/settings/email/{}", path_safe(email)?),
    };
    decode(&http::get(path).send()?)
}

/// The profile of one answer.
pub fn decode(answer: &Answer) -> Result<SellerProfile, Error> {
    let json = answer::json(answer)?;
    // `""` for a seller without settings, `false` for nobody at all.
    let Loose(found): Loose<PhpMap<'_, json::Raw<'_>>> = json::decode(json)?;
    if found.is_none() {
        return Err(no_profile());
    }
    let source: SettingsJson<'_> = json::decode(json)?;
    let mut details = Vec::new();
    json::read(json, |reader| flatten(reader, "", 0, &mut details))?;
    Ok(SellerProfile {
        on_vacation: source.wcfm_vacation_mode.into_option().map(|mode| mode == "yes"),
        address: source.address.into_option().map(|address| self::address(address, &source.phone)),
        store_name: source.store_name.into_option(),
        email: source.store_email.into_option(),
        phone: source.phone.into_option(),
        details,
    })
}

fn no_profile() -> Error {
    error::not_found("The shop has no settings of such a seller.")
}

/// An address as a path segment. It must go as it is: the server compares the path before decoding it, and `%40` is another
/// seller to it (recordings 211, 215).
fn path_safe(email: &str) -> Result<&str, Error> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"!$&'*+-.=_~@".contains(&byte);
    if email.contains('@') && email.bytes().all(is_plain) && !email.starts_with('.') {
        return Ok(email);
    }
    let message = "WCFM looks up e-mail addresses of letters, digits and ordinary signs only; use the seller's id.";
    Err(error::invalid("/email", "not-an-address", message))
}

fn address(source: AddressJson<'_>, phone: &str) -> Address {
    let (region_code, region_name) = code_or_name(source.state, 3);
    let (country_code, country_name) = code_or_name(source.country, 2);
    Address {
        first_name: String::new(),
        last_name: String::new(),
        company: String::new(),
        lines: [source.street_1, source.street_2].into_iter().filter_map(Text::into_option).collect(),
        city: source.city.into_string(),
        postcode: source.zip.into_string(),
        region_code,
        region_name,
        country_code,
        country_name,
        phone: (!phone.is_empty()).then(|| phone.to_owned()),
        email: None,
    }
}

/// Names every plain value that is not empty `group.name`, private ones left out.
fn flatten(
    reader: &mut Reader<'_>,
    group: &str,
    depth: usize,
    details: &mut Vec<Attribute>,
) -> Result<(), DecodeError> {
    match reader.peek_kind()? {
        Kind::Object if depth < DEPTH => reader.object(|key, reader| {
            let is_private = PRIVATE.iter().any(|part| key.to_ascii_lowercase().contains(part));
            if is_private || (depth == 0 && PROFILE.contains(&key)) {
                return reader.skip();
            }
            let name = if group.is_empty() { key.to_owned() } else { format!("{group}.{key}") };
            flatten(reader, &name, depth + 1, details)
        }),
        Kind::String => {
            let value = reader.string()?.into_owned();
            if !value.is_empty() {
                details.push(Attribute { name: group.to_owned(), value });
            }
            Ok(())
        }
        Kind::Number | Kind::Bool => {
            details.push(Attribute { name: group.to_owned(), value: reader.raw_value()?.to_owned() });
            Ok(())
        }
        _ => reader.skip(),
    }
}
