//! A product as it stands on the wire: only the members that become part of the contract's product.
//!
//! The documentation and the servers disagree on shapes, and versions among themselves: variations are ids or objects,
//! attribute options are names or term objects, flags may be words (protocol notes, section 3.10; recordings README, 41).

use tradepost_sdk::json::{Amount, DecodeError, Id, Kind, Loose, PhpList, PhpMap, Reader, Text};
use tradepost_sdk::prelude::*;
use tradepost_sdk::wordpress::{Flag, SiteDate};

json::record! {
    /// An element of `GET /products`, or the answer of `GET /products/{id}` and of every write.
    pub struct ProductJson<'a> {
        /// The product's id.
        pub id: Id,
        /// Its title; may hold tags and entities.
        pub name: Text<'a>,
        /// `simple`, `variable`, `grouped`, `external`, or a plugin's word.
        "type" => pub kind: Text<'a>,
        /// WordPress' post status.
        pub status: Text<'a>,
        /// The seller's id; text where everything else is a number.
        pub post_author: Option<Id>,
        /// Its page.
        pub permalink: Text<'a>,
        /// When it was made, or is to be published.
        pub date_created: SiteDate,
        /// The same in UTC.
        pub date_created_gmt: SiteDate,
        /// When it last changed.
        pub date_modified: SiteDate,
        /// The same in UTC.
        pub date_modified_gmt: SiteDate,
        /// HTML.
        pub description: Text<'a>,
        /// HTML.
        pub short_description: Text<'a>,
        /// Empty without one.
        pub sku: Text<'a>,
        /// What it costs now; empty without price.
        pub price: Loose<Amount>,
        /// What it costs without a sale.
        pub regular_price: Loose<Amount>,
        /// What it costs on sale.
        pub sale_price: Loose<Amount>,
        /// Whether its stock is counted.
        pub manage_stock: Flag,
        /// How many there are; null where it is not counted. Negative with backorders.
        pub stock_quantity: Loose<Amount>,
        /// Whether it can be had.
        pub in_stock: Option<bool>,
        /// Empty without one.
        pub weight: Loose<Amount>,
        /// Size.
        pub dimensions: Loose<DimensionsJson>,
        /// Units of weight and size; newer servers only.
        pub product_units: Loose<UnitsJson<'a>>,
        /// Categories.
        pub categories: PhpList<TermJson<'a>>,
        /// Tags.
        pub tags: PhpList<TermJson<'a>>,
        /// Never empty: without pictures a placeholder with id 0.
        pub images: PhpList<ImageJson<'a>>,
        /// Properties.
        pub attributes: PhpList<AttributeJson<'a>>,
        /// Variations.
        pub variations: PhpList<Variation<'a>>,
    }

    /// Size in the shop's unit.
    pub struct DimensionsJson {
        /// Length.
        pub length: Loose<Amount>,
        /// Width.
        pub width: Loose<Amount>,
        /// Height.
        pub height: Loose<Amount>,
    }

    /// The shop's units.
    pub struct UnitsJson<'a> {
        /// Such as `kg`.
        pub weight_unit: Text<'a>,
        /// Such as `cm`.
        pub dimension_unit: Text<'a>,
    }

    /// A category, a tag, or an option of a shop-wide attribute.
    pub struct TermJson<'a> {
        /// Its id; options have `term_id` instead.
        pub id: Option<Id>,
        /// Its name, with entities.
        pub name: Text<'a>,
    }

    /// A picture.
    pub struct ImageJson<'a> {
        /// 0 for the placeholder.
        pub id: Option<Id>,
        /// Where it is.
        pub src: Text<'a>,
        /// Alternative text.
        pub alt: Text<'a>,
    }

    /// A property.
    pub struct AttributeJson<'a> {
        /// Its label.
        pub name: Text<'a>,
        /// Its key in variations and order lines, without `attribute_`; newer servers only.
        pub slug: Text<'a>,
        /// Whether variations differ in it.
        pub variation: Flag,
        /// Its values.
        pub options: PhpList<AttributeOption<'a>>,
    }

    /// A variation in WooCommerce's own form.
    pub struct VariationJson<'a> {
        /// Its id.
        pub variation_id: Id,
        /// Its own article number, or the parent's.
        pub sku: Text<'a>,
        /// Its price as the shop shows it.
        pub display_price: Loose<Amount>,
        /// Whether it can be had.
        pub is_in_stock: Option<bool>,
        /// How many may be bought at once: the stock where it is counted and may not be oversold, else empty.
        pub max_qty: Loose<Amount>,
        /// `yes` where only one may be bought at once, which makes `max_qty` 1 whatever the stock.
        pub is_sold_individually: Text<'a>,
        /// From `attribute_` and a slug to a value; an empty value stands for any.
        pub attributes: PhpMap<'a, Text<'a>>,
    }
}

/// A variation: an id alone by the documentation, an object by the servers.
#[derive(Debug, Clone, PartialEq)]
pub enum Variation<'a> {
    /// Only its id.
    Id(Id),
    /// What the shop knows of it.
    Full(Box<VariationJson<'a>>),
}

impl<'a> Variation<'a> {
    /// Its id.
    #[must_use]
    pub fn id(&self) -> &str {
        match self {
            Self::Id(id) => id.as_str(),
            Self::Full(variation) => variation.variation_id.as_str(),
        }
    }

    /// What is known of it besides.
    #[must_use]
    pub fn known(&self) -> Option<&VariationJson<'a>> {
        match self {
            Self::Id(_) => None,
            Self::Full(variation) => Some(variation),
        }
    }
}

impl<'a> json::Decode<'a> for Variation<'a> {
    fn decode(reader: &mut Reader<'a>) -> Result<Self, DecodeError> {
        match reader.peek_kind()? {
            Kind::Object => json::Decode::decode(reader).map(Self::Full),
            _ => Id::decode(reader).map(Self::Id),
        }
    }
}

/// A value of an attribute: text for a product's own attributes, a term object for shop-wide ones.
#[derive(Debug, Clone, PartialEq)]
pub struct AttributeOption<'a>(pub Text<'a>);

impl<'a> json::Decode<'a> for AttributeOption<'a> {
    fn decode(reader: &mut Reader<'a>) -> Result<Self, DecodeError> {
        match reader.peek_kind()? {
            Kind::Object => TermJson::decode(reader).map(|term| Self(term.name)),
            _ => Text::decode(reader).map(Self),
        }
    }
}
