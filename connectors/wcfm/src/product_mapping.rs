//! From a product on the wire to the contract's product, and to its stock levels.

use tradepost_sdk::json::{Amount, Id, Loose};
use tradepost_sdk::prelude::*;
use tradepost_sdk::wordpress::SiteClock;

use crate::product_json::{AttributeJson, DimensionsJson, ProductJson, UnitsJson, Variation, VariationJson};

/// The contract's product. `raw` is its own JSON text, where it is wanted.
pub fn product(clock: SiteClock, source: ProductJson<'_>, raw: Option<&str>) -> Product {
    let variants = source.variations.0.iter().map(|variation| variant(variation, &source.attributes.0)).collect();
    Product {
        id: source.id.0,
        sku: source.sku.into_option(),
        name: source.name.to_plain(),
        kind: kind(&source.kind),
        kind_raw: source.kind.into_string(),
        state: state(&source.status),
        state_raw: source.status.into_string(),
        description: source.description.into_string(),
        short_description: source.short_description.into_string(),
        currency: None,
        price: source.price.decimal(),
        regular_price: source.regular_price.decimal(),
        sale_price: source.sale_price.decimal(),
        manages_stock: source.manage_stock.0,
        quantity: source.stock_quantity.decimal(),
        in_stock: source.in_stock,
        categories: (source.categories.0.into_iter())
            .filter_map(|term| Some(CategoryRef { id: term.id?.0, name: term.name.to_plain() }))
            .collect(),
        tags: source.tags.0.iter().map(|term| term.name.to_plain()).collect(),
        images: (source.images.0.into_iter())
            .filter_map(|image| Some((image.id?.nonzero()?, image.src, image.alt)))
            .map(|(id, src, alt)| Image { id: Some(id), url: src.into_string(), alt: alt.into_string() })
            .collect(),
        attributes: source.attributes.0.iter().map(attribute).collect(),
        variants,
        dimensions: dimensions(&source.weight, source.dimensions.into_option(), source.product_units.into_option()),
        url: source.permalink.into_option(),
        owner_id: source.post_author.and_then(Id::nonzero),
        created_at: clock.instant(source.date_created, source.date_created_gmt),
        updated_at: clock.instant(source.date_modified, source.date_modified_gmt),
        raw: raw.map(str::to_owned),
        extensions: Vec::new(),
    }
}

/// The contract's word for a kind.
#[must_use]
pub fn kind(word: &str) -> ProductKind {
    match word {
        "simple" => ProductKind::Simple,
        "variable" => ProductKind::Variable,
        "grouped" => ProductKind::Grouped,
        "external" => ProductKind::External,
        _ => ProductKind::Other,
    }
}

/// What WordPress' post status says. `future` is written and waits for its date.
fn state(word: &str) -> ProductState {
    match word {
        "draft" | "auto-draft" | "future" => ProductState::Draft,
        "pending" => ProductState::Pending,
        "publish" => ProductState::Active,
        "private" => ProductState::Hidden,
        "trash" => ProductState::Archived,
        _ => ProductState::Unknown,
    }
}

fn attribute(source: &AttributeJson<'_>) -> ProductAttribute {
    ProductAttribute {
        name: source.name.to_plain(),
        options: source.options.0.iter().map(|option| option.0.to_plain()).collect(),
        varies: source.variation.0,
    }
}

fn dimensions(
    weight: &Loose<Amount>,
    size: Option<DimensionsJson>,
    units: Option<UnitsJson<'_>>,
) -> Option<Dimensions> {
    let weight = weight.decimal();
    let [length, width, height] =
        size.map_or([None; 3], |size| [size.length, size.width, size.height].map(|side| side.decimal()));
    [weight, length, width, height].iter().any(Option::is_some).then(|| {
        let (weight_unit, length_unit) = match units {
            Some(units) => (units.weight_unit.into_option(), units.dimension_unit.into_option()),
            None => (None, None),
        };
        Dimensions { length, width, height, length_unit, weight, weight_unit }
    })
}

fn variant(source: &Variation<'_>, attributes: &[AttributeJson<'_>]) -> VariantSummary {
    let known = source.known();
    let options = known.map(|known| known.attributes.0.as_slice()).unwrap_or_default();
    VariantSummary {
        id: source.id().to_owned(),
        sku: known.and_then(|known| known.sku.to_option()),
        price: known.and_then(|known| known.display_price.decimal()),
        quantity: known.and_then(counted),
        options: (options.iter())
            .map(|(key, value)| Attribute { name: option_name(key, attributes), value: value.to_plain() })
            .collect(),
    }
}

/// An attribute's label by its key in a variation (`attribute_pa_color`), or the bare slug.
fn option_name(key: &str, attributes: &[AttributeJson<'_>]) -> String {
    let slug = key.strip_prefix("attribute_").unwrap_or(key);
    let labelled = attributes.iter().find(|attribute| &*attribute.slug == slug);
    labelled.map_or_else(|| slug.to_owned(), |attribute| attribute.name.to_plain())
}

/// A variation's stock, where `max_qty` tells it.
fn counted(source: &VariationJson<'_>) -> Option<Decimal> {
    if &*source.is_sold_individually == "yes" { None } else { source.max_qty.decimal() }
}

/// The stock levels that a product makes: its own where it is an article or counts its stock, and its variations'.
pub fn stock_levels(source: &ProductJson<'_>) -> Vec<StockLevel> {
    let level = |variant_id: Option<&str>, sku, available, in_stock| StockLevel {
        sku,
        product_id: Some(source.id.0.clone()),
        variant_id: variant_id.map(str::to_owned),
        location: None,
        available,
        in_stock,
    };
    let mut levels = Vec::new();
    // Groups and products sold elsewhere are not articles of this shop: there is nothing of them to count.
    let is_article = source.variations.0.is_empty() && !matches!(&*source.kind, "variable" | "grouped" | "external");
    if is_article || source.manage_stock.0 {
        let available = if source.manage_stock.0 { source.stock_quantity.decimal() } else { None };
        levels.push(level(None, source.sku.to_option(), available, source.in_stock));
    }
    levels.extend(source.variations.0.iter().map(|variation| {
        let known = variation.known();
        let sku = known.and_then(|known| known.sku.to_option());
        level(Some(variation.id()), sku, known.and_then(counted), known.and_then(|known| known.is_in_stock))
    }));
    levels
}
