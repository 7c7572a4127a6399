//! From an order on the wire to the contract's order.
//!
//! Two things never add up and are not made to: totals, fees and coupons are of the whole order, lines and shipping are this
//! seller's (`totals-scope` says so); and amounts keep the digits the site wrote, float noise included (protocol notes,
//! section 3.7; recordings README, 22 and 28).

use tradepost_sdk::json::{Amount, Id, Loose, PhpList, Text};
use tradepost_sdk::prelude::*;
use tradepost_sdk::wordpress::code_or_name;

use crate::account::Account;
use crate::order_json::{AddressJson, LineJson, MetaJson, OrderJson, TrackingJson};
use crate::status::{self, MoneyFacts};

/// Keys under which the tracking add-on keeps a parcel with its line; told as shipments, not as options.
const TRACKING_KEYS: [&str; 3] = ["wcfm_tracking_code", "wcfm_tracking_url", "wcfm_delivery_boy"];

/// What the add-on's own ShipStation bridge sends where a parcel has no tracking page: WCFM needs a URL to believe in a parcel.
pub const NO_TRACKING_URL: &str = "#";

/// The contract's order. `raw` is its own JSON text, where it is wanted.
pub fn order(account: &Account, source: OrderJson<'_>, raw: Option<&str>) -> Order {
    let clock = account.clock;
    let details = source.vendor_order_details.into_option();
    let refunded = details.as_ref().and_then(|details| details.refunded_amount.decimal());
    let paid_at = clock.instant(source.date_paid, source.date_paid_gmt);
    let money = MoneyFacts { is_paid: paid_at.is_some(), refunded: refunded.as_ref(), total: Some(&source.total) };
    let status = status::status(&account.statuses, &source.status, money);

    let mut extensions = Vec::new();
    if let Some(details) = details {
        let parts = [
            ("wcfm.item_total", details.item_total),
            ("wcfm.total_commission", details.total_commission),
            ("wcfm.withdraw_status", details.withdraw_status),
        ];
        let known = parts.into_iter().filter_map(|(name, value)| Some((name, value.into_option()?)));
        extensions.extend(known.map(|(name, value)| Attribute { name: name.into(), value }));
    }

    let billing = source.billing.into_option();
    let buyer = Buyer {
        id: source.customer_id.and_then(Id::nonzero),
        name: billing.as_ref().map(full_name).unwrap_or_default(),
        email: billing.as_ref().and_then(|billing| billing.email.to_option()),
        phone: billing.as_ref().and_then(|billing| billing.phone.to_option()),
    };
    let id = source.id.0;
    let number = source.number.into_option().unwrap_or_else(|| id.clone());
    Order {
        number,
        status,
        placed_at: clock.instant(source.date_created, source.date_created_gmt),
        updated_at: clock.instant(source.date_modified, source.date_modified_gmt),
        paid_at,
        dispatch_due_at: None,
        currency: source.currency.into_option(),
        prices_include_tax: source.prices_include_tax,
        totals: Totals {
            scope: TotalsScope::WholeOrder,
            items: None,
            shipping: source.shipping_total.decimal(),
            discount: source.discount_total.decimal(),
            fees: None,
            tax: source.total_tax.decimal(),
            credit: None,
            paid: None,
            refunded,
            total: Some(source.total.0),
        },
        buyer,
        billing_address: billing.and_then(address),
        shipping_address: source.shipping.into_option().and_then(address),
        lines: source.line_items.0.into_iter().map(line).collect(),
        shipping_lines: (source.shipping_lines.0.into_iter())
            .map(|line| ShippingLine {
                title: line.method_title.into_plain(),
                code: line.method_id.into_option(),
                price: line.total.decimal(),
                tax: line.total_tax.decimal(),
            })
            .collect(),
        fees: (source.fee_lines.0.into_iter())
            .filter_map(|fee| adjustment(fee.name, &fee.total, &fee.total_tax))
            .collect(),
        discounts: (source.coupon_lines.0.into_iter())
            .filter_map(|coupon| adjustment(coupon.code, &coupon.discount, &coupon.discount_tax))
            .collect(),
        gift: None,
        shipments: source.shipment_tracking.into_option().map(shipments).unwrap_or_default(),
        payment_method: (source.payment_method_title.into_option()).or_else(|| source.payment_method.into_option()),
        delivery_instructions: source.customer_note.into_option(),
        notes: Vec::new(),
        documents: Vec::new(),
        raw: raw.map(str::to_owned),
        extensions,
        id,
    }
}

fn full_name(address: &AddressJson<'_>) -> String {
    format!("{} {}", &*address.first_name, &*address.last_name).trim().to_owned()
}

/// An address, or none where every field is empty, as with virtual goods.
fn address(source: AddressJson<'_>) -> Option<Address> {
    let texts = [
        &source.first_name,
        &source.last_name,
        &source.company,
        &source.address_1,
        &source.address_2,
        &source.city,
        &source.state,
        &source.postcode,
        &source.country,
        &source.email,
        &source.phone,
    ];
    if texts.iter().all(|text| text.is_empty()) {
        return None;
    }
    let (region_code, region_name) = code_or_name(source.state, 3);
    let (country_code, country_name) = code_or_name(source.country, 2);
    let lines = [source.address_1, source.address_2];
    Some(Address {
        first_name: source.first_name.into_string(),
        last_name: source.last_name.into_string(),
        company: source.company.into_string(),
        lines: lines.into_iter().filter_map(Text::into_option).collect(),
        city: source.city.into_string(),
        postcode: source.postcode.into_string(),
        region_code,
        region_name,
        country_code,
        country_name,
        phone: source.phone.into_option(),
        email: source.email.into_option(),
    })
}

fn line(source: LineJson<'_>) -> OrderLine {
    let variant_id = source.variation_id.and_then(Id::nonzero);
    let product_id = source.product_id.and_then(Id::nonzero);
    // When the product is gone, the line forgets its variation and keeps what was chosen (recording 381, order 49).
    let (options, personalisations) = options(&source.meta_data, variant_id.is_some() || product_id.is_none());
    OrderLine {
        id: source.id.0,
        synthetic_id: false,
        sku: source.sku.into_option(),
        product_id,
        variant_id,
        title: source.name.into_plain(),
        quantity: source.quantity.0,
        unit_price: source.price.decimal(),
        total: source.total.decimal(),
        tax: source.total_tax.decimal(),
        options,
        personalisations,
        commission: source.commission_value.decimal(),
    }
}

/// What the buyer chose, and what he asked for. WooCommerce keeps both as visible facts of the line; a variation's own are
/// under attribute slugs (`pa_color`, `size`), what plugins ask the buyer for is under a label (`Engraving`). On a line that
/// cannot have been a variation, only shop-wide attributes (`pa_`) are choices.
fn options(facts: &PhpList<MetaJson<'_>>, may_be_variation: bool) -> (Vec<Attribute>, Vec<Attribute>) {
    let (mut options, mut personalisations) = (Vec::new(), Vec::new());
    for fact in &facts.0 {
        let key = &*fact.key;
        if key.is_empty() || key.starts_with('_') || TRACKING_KEYS.contains(&key) {
            continue;
        }
        let Some(raw) = fact.value else { continue };
        // A plugin's lists and objects stay JSON: losing a wish spoils the article.
        let value = json::decode::<Text<'_>>(raw.0).map_or_else(|_| raw.0.to_owned(), Text::into_string);
        let attribute = Attribute { name: key.to_owned(), value };
        let is_slug = !key.bytes().any(|byte| byte.is_ascii_uppercase() || byte == b' ');
        let is_option = key.starts_with("pa_") || (may_be_variation && is_slug);
        if is_option { options.push(attribute) } else { personalisations.push(attribute) }
    }
    (options, personalisations)
}

fn adjustment(title: Text<'_>, total: &Loose<Amount>, tax: &Loose<Amount>) -> Option<Adjustment> {
    Some(Adjustment { title: title.into_plain(), amount: total.decimal()?, tax: tax.decimal() })
}

/// Lines that share a tracking number travel in one parcel.
fn shipments(tracking: TrackingJson<'_>) -> Vec<Shipment> {
    let mut shipments: Vec<Shipment> = Vec::new();
    for entry in tracking.each_data.0 {
        let url = entry.tracking_url.into_option().filter(|url| url != NO_TRACKING_URL);
        let number = entry.tracking_code.into_option();
        let Some(item) = entry.item_id else { continue };
        if url.is_none() && number.is_none() {
            continue;
        }
        let line = ShipmentLine { line_id: item.0, quantity: None };
        let same = |shipment: &&mut Shipment| shipment.tracking_number == number && shipment.tracking_url == url;
        match shipments.iter_mut().find(same) {
            Some(shipment) => shipment.lines.push(line),
            None => shipments.push(Shipment {
                id: None,
                carrier: None,
                tracking_number: number,
                tracking_url: url,
                shipped_at: None,
                lines: vec![line],
            }),
        }
    }
    shipments
}
