//! Single records as people read them.

use tradepost_runtime::commerce::{Address, Order, Product, Shipment, Status};
use tradepost_runtime::contract::{
    AccountIdentity, Figures, FulfilmentStatus, GiftCard, Receipt, Seller, SellerProfile, WebhookEvent,
};

use crate::output::{column, facts, money, number, optional, printable, section, word};

/// A status on its three axes.
pub(crate) fn status(status: &Status) -> String {
    let Status { order, payment, fulfilment, raw } = status;
    let raw = printable(raw);
    format!("{raw} (order {}, payment {}, fulfilment {})", word(order), word(payment), word(fulfilment))
}

/// Who the platform says we are.
pub(crate) fn identity(identity: &AccountIdentity) -> String {
    let mut pairs = vec![
        ("id", optional(identity.id.as_ref())),
        ("name", optional(identity.name.as_ref())),
        ("server", optional(identity.server.as_ref())),
    ];
    pairs.extend(identity.facts.iter().map(|(name, value)| (name.as_str(), value.clone())));
    facts(pairs)
}

/// An order with its lines.
pub(crate) fn order(order: &Order) -> String {
    let amount = |value: Option<&_>| money(value, order.currency.as_deref());
    let totals = &order.totals;
    let mut text = facts([
        ("number", order.number.clone()),
        ("id", if order.id == order.number { String::new() } else { order.id.clone() }),
        ("status", status(&order.status)),
        ("placed", optional(order.placed_at.as_ref())),
        ("updated", optional(order.updated_at.as_ref())),
        ("paid", optional(order.paid_at.as_ref())),
        ("dispatch due", optional(order.dispatch_due_at.as_ref())),
        ("items", amount(totals.items.as_ref())),
        ("shipping", amount(totals.shipping.as_ref())),
        ("discount", amount(totals.discount.as_ref())),
        ("fees", amount(totals.fees.as_ref())),
        ("tax", amount(totals.tax.as_ref())),
        ("total", format!("{} ({})", amount(totals.total.as_ref()), word(&totals.scope))),
        (
            "buyer",
            [Some(order.buyer.name.clone()), order.buyer.email.clone(), order.buyer.phone.clone()]
                .into_iter()
                .flatten()
                .filter(|part| !part.is_empty())
                .collect::<Vec<_>>()
                .join(", "),
        ),
        ("ship to", order.shipping_address.as_ref().map(address).unwrap_or_default()),
        ("bill to", order.billing_address.as_ref().map(address).unwrap_or_default()),
        ("instructions", optional(order.delivery_instructions.as_ref())),
        ("gift", order.gift.as_ref().map(|gift| format!("{}: {}", gift.description, gift.message)).unwrap_or_default()),
        ("payment method", optional(order.payment_method.as_ref())),
    ]);
    text.push('\n');
    text.push_str(&section(
        "Lines",
        &[
            number("QTY", 6),
            column("SKU", 20),
            column("TITLE", 40),
            number("UNIT PRICE", 12),
            number("TOTAL", 12),
            column("DETAILS", 30),
        ],
        order.lines.iter().map(|line| {
            let details: Vec<String> = line
                .options
                .iter()
                .chain(&line.personalisations)
                .map(|detail| format!("{}: {}", detail.name, detail.value))
                .collect();
            vec![
                line.quantity.to_string(),
                optional(line.sku.as_ref()),
                line.title.clone(),
                optional(line.unit_price.as_ref()),
                optional(line.total.as_ref()),
                details.join("\n"),
            ]
        }),
    ));
    text.push_str(&shipments(&order.shipments));
    text
}

fn shipments(shipments: &[Shipment]) -> String {
    section(
        "Shipments",
        &[column("CARRIER", 20), column("TRACKING", 24), column("SHIPPED", 25), column("URL", 40)],
        shipments.iter().map(|shipment| {
            vec![
                optional(shipment.carrier.as_ref()),
                optional(shipment.tracking_number.as_ref()),
                optional(shipment.shipped_at.as_ref()),
                optional(shipment.tracking_url.as_ref()),
            ]
        }),
    )
}

/// A product with its variants.
pub(crate) fn product(product: &Product) -> String {
    let price = |value: Option<&_>| money(value, product.currency.as_deref());
    let mut text = facts([
        ("id", product.id.clone()),
        ("sku", optional(product.sku.as_ref())),
        ("name", product.name.clone()),
        ("kind", word(&product.kind)),
        ("state", format!("{} ({})", word(&product.state), product.state_raw)),
        ("price", price(product.price.as_ref())),
        ("regular price", price(product.regular_price.as_ref())),
        ("sale price", price(product.sale_price.as_ref())),
        ("quantity", if product.manages_stock { optional(product.quantity.as_ref()) } else { "not counted".into() }),
        (
            "categories",
            product
                .categories
                .iter()
                .map(|category| format!("{} ({})", category.name, category.id))
                .collect::<Vec<_>>()
                .join(", "),
        ),
        ("tags", product.tags.join(", ")),
        ("images", product.images.iter().map(|image| image.url.clone()).collect::<Vec<_>>().join("\n")),
        ("page", optional(product.url.as_ref())),
        ("updated", optional(product.updated_at.as_ref())),
    ]);
    text.push('\n');
    text.push_str(&section(
        "Variants",
        &[column("ID", 10), column("SKU", 20), column("OPTIONS", 30), number("PRICE", 12), number("STOCK", 8)],
        product.variants.iter().map(|variant| {
            let options: Vec<String> =
                variant.options.iter().map(|option| format!("{}: {}", option.name, option.value)).collect();
            vec![
                variant.id.clone(),
                optional(variant.sku.as_ref()),
                options.join(", "),
                optional(variant.price.as_ref()),
                optional(variant.quantity.as_ref()),
            ]
        }),
    ));
    text
}

/// A seller's profile.
pub(crate) fn seller(profile: &SellerProfile) -> String {
    let mut pairs = vec![
        ("store", optional(profile.store_name.as_ref())),
        ("e-mail", optional(profile.email.as_ref())),
        ("phone", optional(profile.phone.as_ref())),
        ("address", profile.address.as_ref().map(address).unwrap_or_default()),
        ("on vacation", optional(profile.on_vacation.as_ref())),
    ];
    pairs.extend(profile.details.iter().map(|detail| (detail.name.as_str(), detail.value.clone())));
    facts(pairs)
}

/// A seller of a marketplace's directory.
pub(crate) fn directory_entry(seller: &Seller) -> String {
    let mut pairs = vec![
        ("id", seller.id.clone()),
        ("name", seller.name.clone()),
        ("e-mail", optional(seller.email.as_ref())),
        ("phone", optional(seller.phone.as_ref())),
        ("address", optional(seller.address.as_ref())),
        ("rating", optional(seller.rating.as_ref())),
        ("open", optional(seller.open.as_ref())),
        ("description", seller.description.clone()),
    ];
    pairs.extend(seller.extensions.iter().map(|fact| (fact.name.as_str(), fact.value.clone())));
    facts(pairs)
}

/// Sums a period each.
pub(crate) fn figures(figures: &Figures) -> String {
    let amount = |value: Option<&_>| money(value, Some(&figures.currency));
    let periods = section(
        "Sales",
        &[column("PERIOD", 12), number("GROSS", 16), number("EARNINGS", 16)],
        figures
            .periods
            .iter()
            .map(|period| vec![period.name.clone(), amount(period.gross.as_ref()), amount(period.earnings.as_ref())]),
    );
    if periods.is_empty() { "the platform tells no figures".into() } else { periods.trim_start().to_owned() }
}

/// A gift card.
pub(crate) fn gift_card(card: &GiftCard) -> String {
    facts([
        ("code", card.code.clone()),
        ("state", format!("{} ({})", word(&card.state), card.state_raw)),
        ("balance", money(card.balance.as_ref(), Some(&card.currency))),
        ("issued", optional(card.created_at.as_ref())),
        ("expires", optional(card.expires_at.as_ref())),
        ("description", card.description.clone()),
    ])
}

/// What a producer answered to an order.
pub(crate) fn receipt(receipt: &Receipt) -> String {
    facts([("producer's id", receipt.id.clone()), ("expected or taken over", optional(receipt.at.as_ref()))])
}

/// How an order stands at a producer.
pub(crate) fn fulfilment(fulfilment: &FulfilmentStatus) -> String {
    let mut text = facts([("status", status(&fulfilment.status))]);
    text.push('\n');
    text.push_str(&section(
        "Items",
        &[column("SKU", 24), column("STATUS", 60)],
        fulfilment.items.iter().map(|item| vec![item.sku.clone(), status(&item.status)]),
    ));
    text.push_str(&section(
        "Shipments",
        &[column("CARRIER", 20), column("TRACKING", 24), column("RETURN TRACKING", 24)],
        fulfilment.shipments.iter().map(|shipment| {
            vec![
                optional(shipment.carrier.as_ref()),
                optional(shipment.tracking_number.as_ref()),
                optional(shipment.return_tracking_number.as_ref()),
            ]
        }),
    ));
    text
}

/// What a webhook told, in a line.
pub(crate) fn webhook_event(event: &WebhookEvent) -> String {
    match event {
        WebhookEvent::OrderStatus(told) => format!("order {}: {}", told.id, status(&told.status)),
        WebhookEvent::Changed(told) => format!("{} {} changed: read it", told.kind, told.id),
    }
}

fn address(address: &Address) -> String {
    let name = format!("{} {}", address.first_name, address.last_name);
    let region = address.region_code.as_ref().or(address.region_name.as_ref());
    let country = address.country_code.as_ref().or(address.country_name.as_ref());
    let place = format!("{} {} {}", address.city, optional(region), address.postcode);
    let mut parts = vec![name, address.company.clone()];
    parts.extend(address.lines.iter().cloned());
    parts.extend([place, optional(country)]);
    parts.iter().map(|part| part.trim()).filter(|part| !part.is_empty()).collect::<Vec<_>>().join(", ")
}
