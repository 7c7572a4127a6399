//! The catalogue: variants by SKU. `POST /batch` changes it and nothing reads it, so that a connector never learns what became of a
//! change.

use std::collections::HashMap;

use serde_json::Value;

/// An SKU that two variants share. A change to it is ignored, as the documentation says of SKUs that are not unique.
const SHARED_SKU: &str = "SKU-SHARED";

struct Variant {
    inventory: i64,
    rrp: Value,
    /// How many variants carry the SKU.
    carriers: u32,
}

/// The variants.
pub(super) struct Catalogue(HashMap<String, Variant>);

impl Catalogue {
    /// The sample order's SKU, a shared one and `generated` more: `SKU-1000`, `SKU-1001` and so on.
    pub(super) fn open(generated: u64) -> Self {
        let variant = |inventory, carriers| Variant { inventory, rrp: Value::Null, carriers };
        let mut variants: HashMap<String, Variant> = (0..generated)
            .map(|index| (format!("SKU-{}", 1000 + index), variant(i64::try_from(index % 50).unwrap_or_default(), 1)))
            .collect();
        variants.insert("SKU-111".to_owned(), variant(7, 1));
        variants.insert(SHARED_SKU.to_owned(), variant(3, 2));
        Self(variants)
    }

    /// How many SKUs there are.
    pub(super) fn len(&self) -> u64 {
        self.0.len() as u64
    }

    /// The inventory of an SKU that one variant carries.
    pub(super) fn inventory(&self, sku: &str) -> Option<i64> {
        self.0.get(sku).filter(|variant| variant.carriers == 1).map(|variant| variant.inventory)
    }

    /// Changes what is given of a variant. Tells whether there is one and only one.
    pub(super) fn update(&mut self, sku: &str, inventory: Option<i64>, rrp: Option<&Value>) -> bool {
        let Some(variant) = self.0.get_mut(sku).filter(|variant| variant.carriers == 1) else {
            return false;
        };
        if let Some(inventory) = inventory {
            variant.inventory = inventory;
        }
        if let Some(rrp) = rrp {
            variant.rrp = rrp.clone();
        }
        true
    }
}
