//! Product upload and stock. The documentation has their headings and nothing below them, so all of it is decided here.
//!
//! `data` is one object or a list of them, each with the article's number in `Artikelnummer` or `SKU`. An upload makes the product or
//! replaces what is given of it. Stock is a whole amount in `Bestand`, a number or a text, of a product that is there. A list is taken
//! whole or not at all.

use std::collections::BTreeMap;

use serde_json::{Value, json};

/// The products by article number.
pub(super) struct Products(BTreeMap<String, Value>);

/// The article number of an object.
fn sku(item: &Value) -> Option<&str> {
    ["Artikelnummer", "SKU"].into_iter().find_map(|name| item[name].as_str()).filter(|sku| !sku.is_empty())
}

/// The stock that an object gives: a number, or a text with a comma or a point.
fn stock(item: &Value) -> Option<Value> {
    match &item["Bestand"] {
        number @ Value::Number(_) => Some(number.clone()),
        Value::String(text) => text.replace(',', ".").parse::<f64>().ok().map(|_| text.as_str().into()),
        _ => None,
    }
}

/// The objects in `data` with their article numbers, or the message that says what is wrong.
fn items(data: &Value) -> Result<Vec<(String, &Value)>, String> {
    let items = match data {
        Value::Array(items) if !items.is_empty() => items.as_slice(),
        Value::Object(_) => std::slice::from_ref(data),
        _ => return Err("Es wurden keine Daten übergeben.".to_owned()),
    };
    let named = |item| sku(item).map(|sku| (sku.to_owned(), item)).ok_or("Die Artikelnummer fehlt.".to_owned());
    items.iter().map(named).collect()
}

impl Products {
    /// `count` products without much in them.
    pub(super) fn open(count: u64) -> Self {
        let product = |index: u64| {
            let sku = format!("ART-{}", 1000 + index);
            let product =
                json!({"Artikelnummer": sku, "Bezeichnung": format!("Artikel {index}"), "Bestand": index % 30});
            (sku, product)
        };
        Self((0..count).map(product).collect())
    }

    /// A product.
    pub(super) fn get(&self, sku: &str) -> Option<&Value> {
        self.0.get(sku)
    }

    /// Takes an upload and answers what was uploaded, by article number, or what is wrong.
    pub(super) fn upload(&mut self, data: &Value) -> Result<Vec<(String, Value)>, String> {
        let items = items(data)?;
        for (sku, item) in &items {
            let product = self.0.entry(sku.clone()).or_insert_with(|| json!({}));
            for (name, value) in item.as_object().into_iter().flatten() {
                product[name] = value.clone();
            }
        }
        Ok(items.into_iter().map(|(sku, item)| (sku, item.clone())).collect())
    }

    /// Sets stock and answers what was set, by article number, or what is wrong.
    pub(super) fn set_stock(&mut self, data: &Value) -> Result<Vec<(String, Value)>, String> {
        let mut levels = Vec::new();
        for (sku, item) in items(data)? {
            if !self.0.contains_key(&sku) {
                return Err(format!("Der Artikel {sku} ist nicht vorhanden."));
            }
            let level = stock(item).ok_or_else(|| format!("Der Bestand des Artikels {sku} ist keine Zahl."))?;
            levels.push((sku, level, item.clone()));
        }
        for (sku, level, _) in &levels {
            if let Some(product) = self.0.get_mut(sku) {
                product["Bestand"] = level.clone();
            }
        }
        Ok(levels.into_iter().map(|(sku, _, item)| (sku, item)).collect())
    }
}
