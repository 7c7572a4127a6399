//! Generated categories and orders, and ids in the form of the shop's. The n-th is always the same.

use serde_json::{Value, json};

use crate::clock::{self, BERLIN, OPENING};

/// The parent of a category that has none.
pub(super) const ROOT: &str = "oxrootID";

/// The id of the documentation's order.
const SAMPLE_ORDER: &str = "6132af04178eabb83271b3c6579431be";
/// The id of the documentation's category.
const SAMPLE_CATEGORY: &str = "1c59e65e30bcaa3a694b818d0b62adb0";

/// Names of categories, with letters that are awkward to carry.
const NAMES: [&str; 5] = ["Möbel & Küche", "Tische", "Stühle \"Größe XL\"", "Gartenmöbel", "Lampen/Leuchten"];
/// Payment types as the shop names them.
const PAYMENTS: [&str; 4] = ["oxidinvoice", "oxidpayadvance", "oxidcashondel", "oxidpaypal"];
/// Of ten orders in a row, the status of each. 2 is missing from the shop's list.
const STATUSES: [i64; 10] = [0, 1, 0, 3, 0, 4, 1, 5, 6, 7];
/// Buyers, with text that is awkward to carry.
const BUYERS: [[&str; 6]; 4] = [
    ["Herr", "Jürgen", "Müller", "Straße des 17. Juni", "10623", "Berlin"],
    ["Frau", "Zoë", "O'Brien-Groß", "Am Bächle 3a", "79098", "Freiburg im Breisgau"],
    ["", "Łukasz", "Żółć", "ul. Świdnicka 1", "01067", "Dresden"],
    ["Frau", "Anna", "Weiß & Söhne", "Kölner Str. 12", "50667", "Köln"],
];

/// Mixes a number into another, without two having the same result.
fn mix(number: u64) -> u64 {
    let mut mixed = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// An id of 32 hexadecimal digits; each kind of record has its own.
fn id(kind: u64, index: u64) -> String {
    format!("{:016x}{:016x}", mix(kind), mix(index))
}

/// A token in the form of the sample's.
pub(super) fn token(number: u64) -> String {
    let digits = format!("{:016X}{:016X}", mix(number), mix(!number));
    [&digits[..8], &digits[8..12], &digits[12..16], &digits[16..20], &digits[20..]].join("-")
}

/// The id of an order; that of the first is the sample's.
fn order_id(index: u64) -> String {
    if index == 0 { SAMPLE_ORDER.to_owned() } else { id(11, index) }
}

/// A category; the first is the sample. `Aktiv` is a number, a truth value or a text from row to row, as the revisions of the
/// documentation have it, and generated ones have the field more that the newest revision hints at.
pub(super) fn category(index: u64) -> Value {
    let Some(number) = index.checked_sub(1) else {
        return json!({"ID": SAMPLE_CATEGORY, "ParentID": ROOT, "Aktiv": 1, "Name": "Möbel"});
    };
    // Four children each: below the sample, then below the generated ones.
    let parent = match number {
        0..4 => ROOT.to_owned(),
        4..8 => SAMPLE_CATEGORY.to_owned(),
        _ => id(5, (number - 8) / 4 + 1),
    };
    let active = number % 7 != 3;
    let active = match number % 3 {
        0 => json!(active),
        1 => json!(u8::from(active).to_string()),
        _ => json!(u8::from(active)),
    };
    let name = NAMES[usize::try_from(number % 5).unwrap_or_default()];
    json!({"ID": id(5, index), "ParentID": parent, "Aktiv": active, "Name": format!("{name} {number}"), "Sort": number * 10})
}

/// How amounts are written.
#[derive(Clone, Copy, Debug)]
pub(super) struct AmountStyle {
    /// With a decimal point in place of the comma.
    pub(super) decimal_point: bool,
}

impl AmountStyle {
    /// Hundredths as a text with four decimals, such as `19,9500`.
    fn amount(self, hundredths: u64) -> String {
        let mark = if self.decimal_point { '.' } else { ',' };
        format!("{}{mark}{:02}00", hundredths / 100, hundredths % 100)
    }
}

/// An order of `of`; the head of the first is the sample's. What it has besides the head is undocumented.
pub(super) fn order(index: u64, of: u64, style: AmountStyle) -> Value {
    let placed = OPENING - i64::try_from(of.saturating_sub(index)).unwrap_or_default() * 600;
    order_placed(index, STATUSES[usize::try_from(index % 10).unwrap_or_default()], placed, style)
}

/// An order with a status and a time of one's choice.
pub(super) fn order_placed(index: u64, status: i64, placed: i64, style: AmountStyle) -> Value {
    let [title, first_name, last_name, street, postcode, city] = BUYERS[usize::try_from(index % 4).unwrap_or_default()];
    let address = json!({
        "Anrede": title,
        "Firma": if index % 4 == 3 { "Weiß & Söhne GmbH" } else { "" },
        "Vorname": first_name,
        "Nachname": last_name,
        "Strasse": street,
        "PLZ": postcode,
        "Ort": city,
        "Land": "Deutschland",
        "LandISO": "DE",
    });
    let (shipping, mut total) = (if index.is_multiple_of(3) { 0 } else { 490 }, 0);
    let lines: Vec<Value> = (0..=index % 3)
        .map(|place| {
            let (quantity, price) = (1 + (index + place) % 3, 995 + (index * 737 + place * 151) % 20_000);
            total += quantity * price;
            json!({
                "Position": place + 1,
                "Artikelnummer": format!("ART-{}", 1000 + (index + place) % 20),
                "Bezeichnung": format!("Artikel {}", (index + place) % 20),
                "Menge": style.amount(quantity * 100),
                "Einzelpreis": style.amount(price),
                "Gesamtpreis": style.amount(quantity * price),
                "MwSt": style.amount(1900),
            })
        })
        .collect();
    json!({
        "ID": order_id(index),
        "DisplayID": index + 2,
        "Paymenttype": PAYMENTS[usize::try_from(index % 4).unwrap_or_default()],
        "OrderStatus": status,
        "Bestelldatum": clock::database(placed, BERLIN),
        "Waehrung": "EUR",
        "Kunde": {"Kundennummer": (10_000 + index % 50).to_string(), "EMail": format!("kunde{}@example.test", index % 50), "Telefon": "+49 30 1234567"},
        "Rechnungsadresse": address,
        // The same unless it differs.
        "Lieferadresse": if index.is_multiple_of(2) { json!("") } else { address },
        "Positionen": lines,
        "Versandart": "DHL Paket",
        "Versandkosten": style.amount(shipping),
        "Gesamtsumme": style.amount(total + shipping),
        "Bemerkung": if index.is_multiple_of(5) { "Bitte beim Nachbarn abgeben." } else { "" },
    })
}
