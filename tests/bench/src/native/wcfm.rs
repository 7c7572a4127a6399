//! What an engineer writes who needs WCFM orders in one program and no sandbox. serde_json structs, the same
//! fields, the same rules, the same records as a result.

use serde::de::{Deserializer, Error as _};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use time::format_description::BorrowedFormatItem;
use time::{PrimitiveDateTime, macros::format_description};
use tradepost_runtime::commerce::{
    Address, Adjustment, Attribute, Buyer, FulfilmentState, Order, OrderLine, OrderState, PaymentState, Shipment,
    ShipmentLine, ShippingLine, Status, Totals, TotalsScope,
};
use tradepost_runtime::{Decimal, Timestamp};

const LOCAL: &[BorrowedFormatItem<'_>] = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]");

/// The orders of a page's body.
pub(crate) fn orders(body: &[u8]) -> anyhow::Result<Vec<Order>> {
    let source: Vec<OrderJson> = serde_json::from_slice(body)?;
    source.into_iter().map(OrderJson::normalise).collect()
}

#[derive(Deserialize)]
struct OrderJson {
    id: u64,
    number: Option<String>,
    status: String,
    currency: String,
    prices_include_tax: Option<bool>,
    date_created: Option<String>,
    date_created_gmt: Option<String>,
    date_modified: Option<String>,
    date_modified_gmt: Option<String>,
    date_paid: Option<String>,
    date_paid_gmt: Option<String>,
    discount_total: Option<Amount>,
    shipping_total: Option<Amount>,
    total_tax: Option<Amount>,
    total: Amount,
    customer_id: Option<u64>,
    billing: Option<AddressJson>,
    shipping: Option<AddressJson>,
    payment_method: Option<String>,
    payment_method_title: Option<String>,
    customer_note: Option<String>,
    #[serde(default)]
    line_items: Vec<LineJson>,
    #[serde(default)]
    shipping_lines: Vec<ShippingJson>,
    #[serde(default)]
    fee_lines: Vec<FeeJson>,
    #[serde(default)]
    coupon_lines: Vec<CouponJson>,
    shipment_tracking: Option<Tracking>,
    vendor_order_details: Option<VendorDetails>,
}

#[derive(Deserialize)]
struct AddressJson {
    #[serde(default)]
    first_name: String,
    #[serde(default)]
    last_name: String,
    #[serde(default)]
    company: String,
    #[serde(default)]
    address_1: String,
    #[serde(default)]
    address_2: String,
    #[serde(default)]
    city: String,
    state: Option<String>,
    #[serde(default)]
    postcode: String,
    country: Option<String>,
    email: Option<String>,
    phone: Option<String>,
}

#[derive(Deserialize)]
struct LineJson {
    id: u64,
    name: String,
    product_id: Option<u64>,
    variation_id: Option<u64>,
    quantity: Amount,
    total: Option<Amount>,
    total_tax: Option<Amount>,
    sku: Option<String>,
    price: Option<Amount>,
    commission_value: Option<Amount>,
    #[serde(default)]
    meta_data: Vec<Meta>,
}

#[derive(Deserialize)]
struct Meta {
    key: String,
    value: Option<Box<RawValue>>,
}

#[derive(Deserialize)]
struct ShippingJson {
    method_title: String,
    method_id: Option<String>,
    total: Option<Amount>,
    total_tax: Option<Amount>,
}

#[derive(Deserialize)]
struct FeeJson {
    name: String,
    total: Option<Amount>,
    total_tax: Option<Amount>,
}

#[derive(Deserialize)]
struct CouponJson {
    code: String,
    discount: Option<Amount>,
    discount_tax: Option<Amount>,
}

#[derive(Default)]
struct Tracking {
    each_data: Vec<LineTracking>,
}

/// PHP writes an empty map as `[]`.
impl<'de> Deserialize<'de> for Tracking {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Filled {
            each_data: Vec<LineTracking>,
        }
        let raw = <&RawValue>::deserialize(deserializer)?;
        if raw.get().starts_with('[') {
            return Ok(Self::default());
        }
        let Filled { each_data } = serde_json::from_str(raw.get()).map_err(D::Error::custom)?;
        Ok(Self { each_data })
    }
}

#[derive(Deserialize)]
struct LineTracking {
    item_id: Option<Box<RawValue>>,
    tracking_code: Option<String>,
    tracking_url: Option<String>,
}

#[derive(Deserialize)]
struct VendorDetails {
    item_total: Option<String>,
    total_commission: Option<String>,
    refunded_amount: Option<Amount>,
    withdraw_status: Option<String>,
}

/// An amount as a JSON string or number, exact from its text.
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
        let details = self.vendor_order_details;
        let refunded = details.as_ref().and_then(|details| details.refunded_amount).map(|amount| amount.0);
        let paid_at = instant(self.date_paid.as_deref(), self.date_paid_gmt.as_deref())?;
        let status = status(&self.status, paid_at.is_some(), refunded, self.total.0);
        let mut extensions = Vec::new();
        if let Some(details) = details {
            let parts = [
                ("wcfm.item_total", details.item_total),
                ("wcfm.total_commission", details.total_commission),
                ("wcfm.withdraw_status", details.withdraw_status),
            ];
            for (name, value) in parts {
                if let Some(value) = filled(value) {
                    extensions.push(Attribute { name: name.into(), value });
                }
            }
        }
        let buyer = Buyer {
            id: self.customer_id.filter(|id| *id > 0).map(|id| id.to_string()),
            name: self.billing.as_ref().map(AddressJson::full_name).unwrap_or_default(),
            email: self.billing.as_ref().and_then(|billing| filled(billing.email.clone())),
            phone: self.billing.as_ref().and_then(|billing| filled(billing.phone.clone())),
        };
        let id = self.id.to_string();
        Ok(Order {
            number: filled(self.number).unwrap_or_else(|| id.clone()),
            status,
            placed_at: instant(self.date_created.as_deref(), self.date_created_gmt.as_deref())?,
            updated_at: instant(self.date_modified.as_deref(), self.date_modified_gmt.as_deref())?,
            paid_at,
            dispatch_due_at: None,
            currency: Some(self.currency),
            prices_include_tax: self.prices_include_tax,
            totals: Totals {
                scope: TotalsScope::WholeOrder,
                items: None,
                shipping: amount(self.shipping_total),
                discount: amount(self.discount_total),
                fees: None,
                tax: amount(self.total_tax),
                credit: None,
                paid: None,
                refunded,
                total: Some(self.total.0),
            },
            buyer,
            billing_address: self.billing.and_then(AddressJson::normalise),
            shipping_address: self.shipping.and_then(AddressJson::normalise),
            lines: self.line_items.into_iter().map(LineJson::normalise).collect(),
            shipping_lines: self
                .shipping_lines
                .into_iter()
                .map(|line| ShippingLine {
                    title: plain(line.method_title),
                    code: filled(line.method_id),
                    price: amount(line.total),
                    tax: amount(line.total_tax),
                })
                .collect(),
            fees: self.fee_lines.into_iter().filter_map(|fee| adjustment(fee.name, fee.total, fee.total_tax)).collect(),
            discounts: self
                .coupon_lines
                .into_iter()
                .filter_map(|coupon| adjustment(coupon.code, coupon.discount, coupon.discount_tax))
                .collect(),
            gift: None,
            shipments: self.shipment_tracking.map(shipments).unwrap_or_default(),
            payment_method: filled(self.payment_method_title).or_else(|| filled(self.payment_method)),
            delivery_instructions: filled(self.customer_note),
            notes: Vec::new(),
            documents: Vec::new(),
            raw: None,
            extensions,
            id,
        })
    }
}

fn filled(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.is_empty())
}

/// Titles come with tags and entities; the function that the connector uses takes them out, here as there.
fn plain(text: String) -> String {
    if text.contains(['<', '&']) { tradepost_sdk::html::plain_text(&text).into_owned() } else { text }
}

fn amount(amount: Option<Amount>) -> Option<Decimal> {
    amount.map(|amount| amount.0)
}

fn adjustment(title: String, total: Option<Amount>, tax: Option<Amount>) -> Option<Adjustment> {
    Some(Adjustment { title: plain(title), amount: total?.0, tax: amount(tax) })
}

fn instant(local: Option<&str>, gmt: Option<&str>) -> anyhow::Result<Option<Timestamp>> {
    let (Some(local), Some(gmt)) = (local, gmt) else {
        return Ok(None);
    };
    let (local, gmt) = (PrimitiveDateTime::parse(local, LOCAL)?, PrimitiveDateTime::parse(gmt, LOCAL)?);
    let offset = local - gmt;
    Ok(Some(Timestamp {
        epoch_seconds: gmt.assume_utc().unix_timestamp(),
        nanoseconds: 0,
        offset_minutes: i16::try_from(offset.whole_minutes())?,
    }))
}

fn status(word: &str, is_paid: bool, refunded: Option<Decimal>, total: Decimal) -> Status {
    use FulfilmentState as Goods;
    use OrderState as State;
    use PaymentState as Money;
    let (order, mut payment, fulfilment) = match word {
        "pending" => (State::Pending, Money::Unpaid, Goods::Unfulfilled),
        "on-hold" => (State::OnHold, Money::Pending, Goods::Unfulfilled),
        "processing" => (State::Open, Money::NotReported, Goods::Unfulfilled),
        "shipped" => (State::InProgress, Money::NotReported, Goods::Shipped),
        "completed" => (State::Completed, Money::NotReported, Goods::Shipped),
        "cancelled" => (State::Cancelled, Money::NotReported, Goods::Cancelled),
        "refunded" => (State::Closed, Money::Refunded, Goods::NotReported),
        "failed" => (State::Failed, Money::Failed, Goods::Unfulfilled),
        "draft" | "checkout-draft" | "auto-draft" => (State::Draft, Money::Unpaid, Goods::Unfulfilled),
        "trash" => (State::Closed, Money::NotReported, Goods::NotReported),
        _ => (State::Unknown, Money::Unknown, Goods::Unknown),
    };
    if payment == Money::NotReported {
        if is_paid {
            payment = Money::Paid;
        } else if matches!(order, State::Open | State::InProgress | State::Completed) {
            payment = Money::Pending;
        }
    }
    if let Some(refunded) = refunded.filter(|refunded| refunded.coefficient > 0 && payment != Money::Refunded) {
        payment = if at_least(refunded, total) { Money::Refunded } else { Money::PartiallyRefunded };
    }
    Status { order, payment, fulfilment, raw: word.to_owned() }
}

fn at_least(left: Decimal, right: Decimal) -> bool {
    let scale = left.scale.max(right.scale);
    let scaled = |value: Decimal| i128::from(value.coefficient) * 10_i128.pow(u32::from(scale - value.scale));
    scaled(left) >= scaled(right)
}

impl AddressJson {
    fn full_name(&self) -> String {
        match (self.first_name.as_str(), self.last_name.as_str()) {
            ("", last) => last.to_owned(),
            (first, "") => first.to_owned(),
            (first, last) => format!("{first} {last}"),
        }
    }

    fn normalise(self) -> Option<Address> {
        let texts = [
            &self.first_name,
            &self.last_name,
            &self.company,
            &self.address_1,
            &self.address_2,
            &self.city,
            &self.postcode,
        ];
        let options = [&self.state, &self.country, &self.email, &self.phone];
        if texts.iter().all(|text| text.is_empty())
            && options.iter().all(|text| text.as_deref().unwrap_or("").is_empty())
        {
            return None;
        }
        let (region_code, region_name) = code_or_name(self.state, 3);
        let (country_code, country_name) = code_or_name(self.country, 2);
        Some(Address {
            first_name: self.first_name,
            last_name: self.last_name,
            company: self.company,
            lines: [self.address_1, self.address_2].into_iter().filter(|line| !line.is_empty()).collect(),
            city: self.city,
            postcode: self.postcode,
            region_code,
            region_name,
            country_code,
            country_name,
            phone: filled(self.phone),
            email: filled(self.email),
        })
    }
}

fn code_or_name(text: Option<String>, longest_code: usize) -> (Option<String>, Option<String>) {
    match filled(text) {
        Some(text)
            if text.len() <= longest_code && text.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit()) =>
        {
            (Some(text), None)
        }
        name => (None, name),
    }
}

impl LineJson {
    fn normalise(self) -> OrderLine {
        let id = |id: Option<u64>| id.filter(|id| *id > 0).map(|id| id.to_string());
        let (variant_id, product_id) = (id(self.variation_id), id(self.product_id));
        let may_be_variation = variant_id.is_some() || product_id.is_none();
        let (mut options, mut personalisations) = (Vec::new(), Vec::new());
        for fact in self.meta_data {
            if fact.key.is_empty() || fact.key.starts_with('_') || fact.key.starts_with("wcfm_") {
                continue;
            }
            let Some(value) = fact.value else { continue };
            let value = serde_json::from_str::<String>(value.get()).unwrap_or_else(|_| value.get().to_owned());
            let is_slug = !fact.key.bytes().any(|byte| byte.is_ascii_uppercase() || byte == b' ');
            let is_option = fact.key.starts_with("pa_") || (may_be_variation && is_slug);
            let attribute = Attribute { name: fact.key, value };
            if is_option { options.push(attribute) } else { personalisations.push(attribute) }
        }
        OrderLine {
            id: self.id.to_string(),
            synthetic_id: false,
            sku: filled(self.sku),
            product_id,
            variant_id,
            title: plain(self.name),
            quantity: self.quantity.0,
            unit_price: amount(self.price),
            total: amount(self.total),
            tax: amount(self.total_tax),
            options,
            personalisations,
            commission: amount(self.commission_value),
        }
    }
}

fn shipments(tracking: Tracking) -> Vec<Shipment> {
    let mut shipments: Vec<Shipment> = Vec::new();
    for entry in tracking.each_data {
        let (number, url) = (filled(entry.tracking_code), filled(entry.tracking_url).filter(|url| url != "#"));
        let Some(item) = entry.item_id.filter(|_| number.is_some() || url.is_some()) else { continue };
        let line = ShipmentLine { line_id: item.get().trim_matches('"').to_owned(), quantity: None };
        match shipments.iter_mut().find(|parcel| parcel.tracking_number == number && parcel.tracking_url == url) {
            Some(parcel) => parcel.lines.push(line),
            None => shipments.push(Shipment {
                tracking_number: number,
                tracking_url: url,
                lines: vec![line],
                ..Shipment::default()
            }),
        }
    }
    shipments
}
