//! An order as it stands on the wire: only the members that become part of the contract's order. Everything else (thumbnails,
//! tax details, user agents) is passed over without being decoded.
//!
//! Types follow the recordings, not the documentation (protocol notes, sections 3.7 and 3.8; recordings README, 20-31).

use tradepost_sdk::json::{Amount, DecodeError, Id, Loose, PhpList, Raw, Reader, Text};
use tradepost_sdk::prelude::*;
use tradepost_sdk::wordpress::SiteDate;

json::record! {
    /// An element of `GET /orders`, or the answer of `GET /orders/{id}`.
    pub struct OrderJson<'a> {
        /// The order's id.
        pub id: Id,
        /// Differs from the id where a numbering plugin is installed.
        pub number: Text<'a>,
        /// The seller's own status, without `wc-`.
        pub status: Text<'a>,
        /// ISO 4217.
        pub currency: Text<'a>,
        /// Whether prices include tax.
        pub prices_include_tax: Option<bool>,
        /// When it was placed.
        pub date_created: SiteDate,
        /// The same in UTC.
        pub date_created_gmt: SiteDate,
        /// When the shop's order last changed; the seller's own status does not touch it.
        pub date_modified: SiteDate,
        /// The same in UTC.
        pub date_modified_gmt: SiteDate,
        /// When it was paid.
        pub date_paid: SiteDate,
        /// The same in UTC.
        pub date_paid_gmt: SiteDate,
        /// Of the whole order, like all sums.
        pub discount_total: Loose<Amount>,
        /// Shipping without tax.
        pub shipping_total: Loose<Amount>,
        /// All taxes.
        pub total_tax: Loose<Amount>,
        /// The grand total. Stays gross after refunds.
        pub total: Amount,
        /// 0 for guests.
        pub customer_id: Option<Id>,
        /// Where the bill goes.
        pub billing: Loose<AddressJson<'a>>,
        /// Where the goods go.
        pub shipping: Loose<AddressJson<'a>>,
        /// Code of the payment method.
        pub payment_method: Text<'a>,
        /// Its title.
        pub payment_method_title: Text<'a>,
        /// What the buyer wrote at the checkout.
        pub customer_note: Text<'a>,
        /// This seller's lines.
        pub line_items: PhpList<LineJson<'a>>,
        /// This seller's shipping.
        pub shipping_lines: PhpList<ShippingJson<'a>>,
        /// Fees of the whole order.
        pub fee_lines: PhpList<FeeJson<'a>>,
        /// Coupons of the whole order.
        pub coupon_lines: PhpList<CouponJson<'a>>,
        /// Tracking of each line, on orders that can be shipped.
        pub shipment_tracking: Loose<TrackingJson<'a>>,
        /// The seller's row of the commission table; lists only.
        pub vendor_order_details: Loose<VendorDetailsJson<'a>>,
    }

    /// A postal address.
    pub struct AddressJson<'a> {
        /// Given name.
        pub first_name: Text<'a>,
        /// Family name.
        pub last_name: Text<'a>,
        /// Company.
        pub company: Text<'a>,
        /// First street line.
        pub address_1: Text<'a>,
        /// Second street line.
        pub address_2: Text<'a>,
        /// Town.
        pub city: Text<'a>,
        /// A name ("West Bengal") from newer servers, a code ("WB") from old ones, null where the code is not known.
        pub state: Text<'a>,
        /// Post code.
        pub postcode: Text<'a>,
        /// ISO 3166-1 alpha-2.
        pub country: Text<'a>,
        /// E-mail, of billing addresses only.
        pub email: Text<'a>,
        /// Telephone.
        pub phone: Text<'a>,
    }

    /// A line.
    pub struct LineJson<'a> {
        /// The line's id.
        pub id: Id,
        /// The title at the time of sale.
        pub name: Text<'a>,
        /// 0 when the product is gone.
        pub product_id: Option<Id>,
        /// 0 without variation.
        pub variation_id: Option<Id>,
        /// How many.
        pub quantity: Amount,
        /// After discounts, without tax.
        pub total: Loose<Amount>,
        /// Tax on that.
        pub total_tax: Loose<Amount>,
        /// Null when the product is gone.
        pub sku: Text<'a>,
        /// `total` divided by `quantity` in floating point.
        pub price: Loose<Amount>,
        /// The seller's share; null where the seller may not see it.
        pub commission_value: Loose<Amount>,
        /// Chosen options, and what plugins keep with the line.
        pub meta_data: PhpList<MetaJson<'a>>,
    }

    /// A fact that a plugin or a variation keeps with a line.
    pub struct MetaJson<'a> {
        /// Hidden ones begin with `_`.
        pub key: Text<'a>,
        /// Any JSON.
        pub value: Option<Raw<'a>>,
    }

    /// A shipping charge.
    pub struct ShippingJson<'a> {
        /// As the buyer saw it.
        pub method_title: Text<'a>,
        /// Code of the method.
        pub method_id: Text<'a>,
        /// What it costs, without tax.
        pub total: Loose<Amount>,
        /// Tax on it.
        pub total_tax: Loose<Amount>,
    }

    /// A fee; negative for a rebate.
    pub struct FeeJson<'a> {
        /// Its name.
        pub name: Text<'a>,
        /// The amount, without tax.
        pub total: Loose<Amount>,
        /// Tax on it.
        pub total_tax: Loose<Amount>,
    }

    /// A coupon.
    pub struct CouponJson<'a> {
        /// Its code.
        pub code: Text<'a>,
        /// What it takes off, without tax.
        pub discount: Loose<Amount>,
        /// Tax that goes with it.
        pub discount_tax: Loose<Amount>,
    }

    /// Tracking of an order.
    pub struct TrackingJson<'a> {
        /// One entry for each line that is shipped.
        pub each_data: PhpList<LineTrackingJson<'a>>,
    }

    /// Tracking of a line; without code or URL, nothing was reported yet.
    pub struct LineTrackingJson<'a> {
        /// The line's id.
        pub item_id: Option<Id>,
        /// Tracking number.
        pub tracking_code: Text<'a>,
        /// Where to track.
        pub tracking_url: Text<'a>,
    }

    /// The seller's part of the order. A raw database row: every value is text or null.
    pub struct VendorDetailsJson<'a> {
        /// Sum of the seller's lines.
        pub item_total: Text<'a>,
        /// The seller's earnings.
        pub total_commission: Text<'a>,
        /// What has been given back.
        pub refunded_amount: Loose<Amount>,
        /// Whether the earnings were paid out.
        pub withdraw_status: Text<'a>,
        /// Ids of the lines, separated by commas, the last line first.
        pub order_item_ids: Text<'a>,
        /// For each of these lines `completed` once something of it was given back.
        pub refund_statuses: Text<'a>,
    }
}

/// The order of `GET /orders/{id}` and where it stands in the text: an object, or on old servers an array of one. An empty
/// array is none (protocol notes, section 3.9).
pub fn single_order<'a>(reader: &mut Reader<'a>) -> Result<Option<(OrderJson<'a>, &'a str)>, DecodeError> {
    if reader.peek_kind()? != json::Kind::Array {
        return reader.with_raw(json::Decode::decode).map(Some);
    }
    let mut found = None;
    reader.array(|reader| {
        if found.is_some() {
            return Err(reader.expected("an array of one order"));
        }
        found = Some(reader.with_raw(json::Decode::decode)?);
        Ok(())
    })?;
    Ok(found)
}
