//! What an engineer writes who needs hardtofind's orders in one program: serde_json structs, the connector's own fields and
//! rules, and the same records as a result.

use anyhow::Context;
use serde::de::{Deserializer, Error as _};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use time::OffsetDateTime;
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;
use tradepost_runtime::commerce::{
    Address, Attribute, Buyer, DocumentLink, FulfilmentState, Gift, Order, OrderLine, OrderState, PaymentState,
    Shipment, ShippingLine, Status, Totals, TotalsScope,
};
use tradepost_runtime::{Decimal, Timestamp};

/// The offset has no colon (seed 001, "Standard Order structure").
const TIME: &[BorrowedFormatItem<'_>] =
    format_description!("[year]-[month]-[day]T[hour]:[minute]:[second][offset_hour sign:mandatory][offset_minute]");

/// The orders of a page's body.
pub(crate) fn orders(body: &[u8]) -> anyhow::Result<Vec<Order>> {
    let page: PageJson = serde_json::from_slice(body)?;
    page.data.into_iter().map(OrderJson::normalise).collect()
}

#[derive(Deserialize)]
struct PageJson {
    data: Vec<OrderJson>,
}

#[derive(Deserialize)]
struct OrderJson {
    id: String,
    status: String,
    #[serde(rename = "_links")]
    links: Option<LinksJson>,
    dates: Option<DatesJson>,
    payment_summary: PaymentJson,
    #[serde(default)]
    lines: Vec<LineJson>,
    gift_wrapping: Option<GiftJson>,
    shipping: Option<ShippingJson>,
    #[serde(default)]
    shipments: Vec<ShipmentJson>,
}

#[derive(Deserialize)]
struct LinksJson {
    #[serde(rename = "self")]
    this: Option<String>,
    manage: Option<String>,
    packing_slip: Option<String>,
}

#[derive(Deserialize)]
#[allow(clippy::struct_field_names, reason = "the platform's names")]
struct DatesJson {
    created_at: Option<String>,
    updated_at: Option<String>,
    dispatch_due_at: Option<String>,
}

#[derive(Deserialize)]
struct PaymentJson {
    price: Option<Amount>,
    shipping: Option<Amount>,
    value_addition: Option<Amount>,
    discount: Option<Amount>,
    credit: Option<Amount>,
    payment: Option<Amount>,
    total: Amount,
}

#[derive(Deserialize)]
struct LineJson {
    #[serde(default)]
    description: String,
    price: Option<Amount>,
    product_id: Option<String>,
    quantity: Amount,
    #[serde(default)]
    sku: String,
    #[serde(default)]
    variant_data: Vec<LabelJson>,
    #[serde(default)]
    personalisations: Vec<LabelJson>,
}

#[derive(Deserialize)]
struct LabelJson {
    label: String,
    value: String,
}

#[derive(Deserialize)]
struct GiftJson {
    #[serde(default)]
    description: String,
    #[serde(default)]
    message: String,
    price: Option<Amount>,
    quantity: Option<Amount>,
}

#[derive(Deserialize)]
struct ShippingJson {
    address: Option<AddressJson>,
    method: Option<MethodJson>,
    instructions: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct AddressJson {
    first_name: String,
    last_name: String,
    line_one: String,
    line_two: String,
    suburb: String,
    state: String,
    postcode: String,
    country: String,
    company: String,
}

#[derive(Deserialize)]
struct MethodJson {
    #[serde(default)]
    description: String,
    price: Option<Amount>,
}

#[derive(Deserialize)]
struct ShipmentJson {
    shipment_date: Option<String>,
    tracking_number: Option<String>,
    shipping_provider_name: Option<String>,
}

/// An amount as a JSON number, exact from its text.
#[derive(Clone, Copy, Serialize)]
struct Amount(Decimal);

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = <&RawValue>::deserialize(deserializer)?;
        raw.get().trim_matches('"').parse().map(Self).map_err(D::Error::custom)
    }
}

impl OrderJson {
    fn normalise(self) -> anyhow::Result<Order> {
        let (mut placed_at, mut updated_at, mut dispatch_due_at) = (None, None, None);
        if let Some(dates) = self.dates {
            placed_at = instant(dates.created_at.as_deref())?;
            updated_at = instant(dates.updated_at.as_deref())?;
            dispatch_due_at = instant(dates.dispatch_due_at.as_deref())?;
        }
        let (address, method, instructions) = match self.shipping {
            Some(shipping) => (shipping.address, shipping.method, filled(shipping.instructions)),
            None => (None, None, None),
        };
        let shipping_address = address.map(AddressJson::normalise);
        let name = shipping_address.as_ref().map(|address| format!("{} {}", address.first_name, address.last_name));
        let payment = self.payment_summary;
        let meaning = price_meaning(&self.lines, payment.price);
        Ok(Order {
            number: self.id.clone(),
            id: self.id,
            status: status(self.status),
            placed_at,
            updated_at,
            paid_at: None,
            dispatch_due_at,
            currency: Some("AUD".into()),
            prices_include_tax: None,
            totals: Totals {
                scope: TotalsScope::SellerPart,
                items: amount(payment.price),
                shipping: amount(payment.shipping),
                discount: amount(payment.discount)
                    .map(|discount| Decimal { coefficient: discount.coefficient.saturating_abs(), ..discount }),
                fees: amount(payment.value_addition),
                tax: None,
                credit: amount(payment.credit),
                paid: amount(payment.payment),
                refunded: None,
                total: Some(payment.total.0),
            },
            buyer: Buyer { id: None, name: name.unwrap_or_default().trim().to_owned(), email: None, phone: None },
            billing_address: None,
            shipping_address,
            lines: self.lines.into_iter().enumerate().map(|(index, line)| line.normalise(index, meaning)).collect(),
            shipping_lines: method
                .map(|method| ShippingLine {
                    title: method.description,
                    code: None,
                    price: amount(method.price),
                    tax: None,
                })
                .into_iter()
                .collect(),
            fees: Vec::new(),
            discounts: Vec::new(),
            gift: self.gift_wrapping.map(|gift| Gift {
                description: gift.description,
                message: gift.message,
                price: amount(gift.price),
                quantity: amount(gift.quantity).unwrap_or(Decimal::from(1)),
            }),
            shipments: self.shipments.into_iter().map(ShipmentJson::normalise).collect::<anyhow::Result<_>>()?,
            payment_method: None,
            delivery_instructions: instructions,
            notes: Vec::new(),
            documents: self.links.map(documents).unwrap_or_default(),
            raw: None,
            extensions: Vec::new(),
        })
    }
}

fn filled(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.is_empty())
}

fn amount(amount: Option<Amount>) -> Option<Decimal> {
    amount.map(|amount| amount.0)
}

fn instant(text: Option<&str>) -> anyhow::Result<Option<Timestamp>> {
    let Some(text) = text else { return Ok(None) };
    let at = OffsetDateTime::parse(text, TIME).with_context(|| format!("{text:?} is not a time"))?;
    Ok(Some(Timestamp {
        epoch_seconds: at.unix_timestamp(),
        nanoseconds: at.nanosecond(),
        offset_minutes: at.offset().whole_minutes(),
    }))
}

fn status(word: String) -> Status {
    use {FulfilmentState as Goods, OrderState as State, PaymentState as Money};
    let (order, payment, fulfilment) = match word.as_str() {
        "READY" => (State::Open, Money::Paid, Goods::Unfulfilled),
        "PROCESSED" => (State::InProgress, Money::Paid, Goods::Unfulfilled),
        "SHIPPED" => (State::Completed, Money::Paid, Goods::Shipped),
        "RETURNED" => (State::Closed, Money::Paid, Goods::Returned),
        "REFUNDED" => (State::Closed, Money::Refunded, Goods::NotReported),
        "CANCELLED" => (State::Cancelled, Money::Unknown, Goods::Cancelled),
        "PENDING" => (State::Unknown, Money::Unknown, Goods::Unfulfilled),
        _ => (State::Unknown, Money::Unknown, Goods::Unknown),
    };
    Status { order, payment, fulfilment, raw: word }
}

impl AddressJson {
    fn normalise(self) -> Address {
        let state = self.state.trim();
        let (region_code, region_name) = match state.len() {
            0 => (None, None),
            1..=3 => (Some(state.to_owned()), None),
            _ => (None, Some(state.to_owned())),
        };
        let country = self.country.trim();
        Address {
            region_code,
            region_name,
            // The platform's sample names one country; the connector's whole table would be no other work.
            country_code: country.eq_ignore_ascii_case("Australia").then(|| "AU".to_owned()),
            country_name: (!country.is_empty()).then(|| country.to_owned()),
            first_name: self.first_name,
            last_name: self.last_name,
            company: self.company,
            lines: [self.line_one, self.line_two].into_iter().filter(|line| !line.is_empty()).collect(),
            city: self.suburb,
            postcode: self.postcode,
            phone: None,
            email: None,
        }
    }
}

/// What a line's `price` is. The documentation does not say, so the order's own sum of goods decides.
#[derive(Clone, Copy, PartialEq)]
enum PriceOf {
    Piece,
    Line,
    Either,
}

fn price_meaning(lines: &[LineJson], goods: Option<Amount>) -> PriceOf {
    let sum = |part: &dyn Fn(&LineJson, Decimal) -> Option<Decimal>| {
        lines.iter().try_fold(0_i128, |sum, line| match line.price {
            Some(price) => Some(sum + wide(part(line, price.0)?)),
            None => Some(sum),
        })
    };
    let matches = |sum: Option<i128>| matches!((sum, goods), (Some(sum), Some(goods)) if sum == wide(goods.0));
    let by_piece = matches(sum(&|line, price| product(price, line.quantity.0)));
    let by_line = matches(sum(&|_, price| Some(price)));
    match (by_piece, by_line) {
        (true, false) => PriceOf::Piece,
        (false, true) => PriceOf::Line,
        _ => PriceOf::Either,
    }
}

/// The value in units of 10^-18, the contract's finest.
fn wide(value: Decimal) -> i128 {
    i128::from(value.coefficient) * 10_i128.pow(u32::from(18_u8.saturating_sub(value.scale)))
}

fn product(left: Decimal, right: Decimal) -> Option<Decimal> {
    let scale = left.scale.checked_add(right.scale).filter(|scale| *scale <= 18)?;
    Some(Decimal { coefficient: left.coefficient.checked_mul(right.coefficient)?, scale })
}

impl LineJson {
    fn normalise(self, index: usize, meaning: PriceOf) -> OrderLine {
        let id = self.synthetic_id(index);
        let price = amount(self.price);
        let is_single = wide(self.quantity.0) == wide(Decimal::from(1));
        let (unit_price, total) = match (price, meaning) {
            (Some(price), _) if is_single => (Some(price), Some(price)),
            (Some(price), PriceOf::Piece) => (Some(price), product(price, self.quantity.0)),
            (Some(price), PriceOf::Line) => (None, Some(price)),
            (price, _) => (price, None),
        };
        OrderLine {
            id,
            synthetic_id: true,
            sku: filled(Some(self.sku)),
            product_id: self.product_id,
            variant_id: None,
            title: self.description,
            quantity: self.quantity.0,
            unit_price,
            total,
            tax: None,
            options: self.variant_data.into_iter().map(LabelJson::normalise).collect(),
            personalisations: self.personalisations.into_iter().map(LabelJson::normalise).collect(),
            commission: None,
        }
    }

    /// Lines have no id: position and content make one (FNV-1a).
    fn synthetic_id(&self, index: usize) -> String {
        let labels = self.variant_data.iter().chain(&self.personalisations);
        let parts = std::iter::once(&self.sku).chain(labels.flat_map(|label| [&label.label, &label.value]));
        let mut hash = 0xcbf2_9ce4_8422_2325_u64;
        for part in parts {
            for byte in part.bytes().chain([0]) {
                hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
            }
        }
        format!("{}-{hash:016x}", index + 1)
    }
}

impl LabelJson {
    fn normalise(self) -> Attribute {
        Attribute { name: self.label, value: self.value }
    }
}

impl ShipmentJson {
    fn normalise(self) -> anyhow::Result<Shipment> {
        Ok(Shipment {
            carrier: filled(self.shipping_provider_name),
            tracking_number: filled(self.tracking_number),
            shipped_at: instant(self.shipment_date.as_deref())?,
            ..Shipment::default()
        })
    }
}

fn documents(links: LinksJson) -> Vec<DocumentLink> {
    [("packing-slip", links.packing_slip), ("manage", links.manage), ("self", links.this)]
        .into_iter()
        .filter_map(|(kind, url)| Some(DocumentLink { kind: kind.into(), url: filled(url)? }))
        .collect()
}
