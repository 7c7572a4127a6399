//! WCFM Marketplace: the REST API `wcfmmp/v1` of a WordPress shop, as recorded from the real server software.
//!
//! Orders and products are the recorded ones and renumbered copies of them, so that their shapes are the real server's by
//! construction. Two generations of the software can be played, because shops run both.

mod edition;
mod feedback;
mod generate;
mod help_ka;
mod login;
mod notifications;
mod order_notes;
mod order_routes;
mod order_status;
mod orders;
mod paging;
mod php_json;
mod product_form;
mod product_list;
mod product_routes;
mod products;
mod quick_edit;
mod recorded;
mod reply;
mod routes;
mod russian;
mod seller;
mod shop;
mod tracking;

use std::path::PathBuf;
use std::sync::Arc;

use crate::platform::{Credentials, Platform};
use crate::site::{Plan, Site, StartError};
use edition::Edition;
pub use help_ka::HelpKa;
use shop::Shop;
pub use shop::WcfmShop;

/// Which generation of the server software is played.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Generation {
    /// WCFM REST API 1.5.3: a status change answers nothing, someone who is no vendor gets 200 with `success: false`, anyone may
    /// read products.
    #[default]
    V1_5,
    /// WCFM REST API 1.6.2: a status change answers the order, someone who is no vendor gets 403, products need a login.
    V1_6,
}

/// A running WCFM marketplace.
pub struct Wcfm {
    site: Arc<Site>,
    shop: WcfmShop,
    edition: Edition,
}

impl Wcfm {
    /// A shop with the recorded orders and products, until told otherwise.
    pub fn builder() -> WcfmBuilder {
        WcfmBuilder { plan: Plan::default(), opening: Opening::default() }
    }

    /// The inside, for changing it from a test.
    pub fn shop(&self) -> WcfmShop {
        self.shop.clone()
    }

    /// A second vendor, who has one product, no orders, and never saved his settings.
    pub fn other_vendor(&self) -> Credentials {
        login::OTHER_VENDOR.credentials
    }

    /// A customer, who is no vendor.
    pub fn customer(&self) -> Credentials {
        login::CUSTOMER.credentials
    }
}

impl Platform for Wcfm {
    fn name(&self) -> &'static str {
        self.edition.name()
    }

    fn site(&self) -> &Site {
        &self.site
    }

    fn credentials(&self) -> Credentials {
        login::VENDOR.credentials
    }
}

impl Drop for Wcfm {
    fn drop(&mut self) {
        self.site.abandon();
    }
}

/// How the shop is when it opens.
#[derive(Clone, Debug, Default)]
struct Opening {
    orders: Option<u64>,
    products: Option<u64>,
    notifications: Option<u64>,
    reviews: u64,
    enquiries: u64,
    edition: Edition,
    behaviour: Behaviour,
}

/// What differs from shop to shop.
#[derive(Clone, Copy, Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "independent switches of a shop, each set by its own builder method")]
struct Behaviour {
    generation: Generation,
    /// `GET /orders/{id}` answers an array of one.
    order_in_array: bool,
    /// The paid add-on for tracking and notes is installed.
    tracking_add_on: bool,
    /// The marketplace's option "order sync" is on.
    order_sync: bool,
    /// Nothing is restricted.
    unrestricted: bool,
}

/// How a [`Wcfm`] is to be.
#[derive(Clone, Debug)]
#[must_use]
pub struct WcfmBuilder {
    plan: Plan,
    opening: Opening,
}

impl WcfmBuilder {
    /// How many orders it holds: the recorded ones first (24, the newest first), then generated ones. The recorded ones unless told
    /// otherwise.
    pub fn orders(mut self, count: u64) -> Self {
        self.opening.orders = Some(count);
        self
    }

    /// How many products the vendor has, drafts and pending ones included: the recorded ones first (24), then generated ones. The
    /// recorded ones unless told otherwise.
    pub fn products(mut self, count: u64) -> Self {
        self.opening.products = Some(count);
        self
    }

    /// How many unread notifications the vendor has: the recorded ones first (31), then generated ones. The recorded ones unless told
    /// otherwise.
    pub fn notifications(mut self, count: u64) -> Self {
        self.opening.notifications = Some(count);
        self
    }

    /// How many reviews the vendor has, generated ones: every fourth waits for approval. None, as recorded, unless told otherwise.
    pub fn reviews(mut self, count: u64) -> Self {
        self.opening.reviews = count;
        self
    }

    /// How many enquiries the vendor has, generated ones: every third is replied to. None, as recorded, unless told otherwise.
    pub fn enquiries(mut self, count: u64) -> Self {
        self.opening.enquiries = count;
        self
    }

    /// Which generation of the software it plays. The older unless told otherwise.
    pub fn generation(mut self, generation: Generation) -> Self {
        self.opening.behaviour.generation = generation;
        self
    }

    /// Whether `GET /orders/{id}` answers an array of one, as the documentation shows it and old servers do. An object unless told
    /// otherwise.
    pub fn order_in_array(mut self, yes: bool) -> Self {
        self.opening.behaviour.order_in_array = yes;
        self
    }

    /// Whether the paid add-on is installed, without which tracking answers nothing and writing a note crashes. It is not unless told
    /// otherwise.
    pub fn tracking_add_on(mut self, yes: bool) -> Self {
        self.opening.behaviour.tracking_add_on = yes;
        self
    }

    /// Whether the marketplace's option "order sync" is on, under which a vendor's status change answers 200 and changes nothing. It
    /// is off unless told otherwise.
    pub fn order_sync(mut self, yes: bool) -> Self {
        self.opening.behaviour.order_sync = yes;
        self
    }

    /// Whether nothing is restricted, so that the restricted capabilities are an empty array in place of an object.
    pub fn unrestricted(mut self, yes: bool) -> Self {
        self.opening.behaviour.unrestricted = yes;
        self
    }

    /// A path in front of everything, such as `/market`, for WordPress in a subdirectory. None unless told otherwise.
    pub fn prefix(mut self, prefix: &str) -> Self {
        let prefix = prefix.trim_matches('/');
        self.plan.prefix = if prefix.is_empty() { String::new() } else { format!("/{prefix}") };
        self
    }

    /// The port. Any free one unless told otherwise.
    pub fn port(mut self, port: u16) -> Self {
        self.plan.port = port;
        self
    }

    /// Appends the ledger to a file as well, one line of JSON per entry.
    pub fn ledger_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.plan.ledger_file = Some(path.into());
        self
    }

    /// Starts it on the loopback address, inside a Tokio runtime.
    pub async fn start(self) -> Result<Wcfm, StartError> {
        let Self { plan, opening } = self;
        let prefix = plan.prefix.clone();
        let (site, shop) =
            Site::start(plan, |root_url, ledger| Shop::open(root_url, &prefix, ledger, &opening)).await?;
        Ok(Wcfm { site, shop: WcfmShop::of(shop), edition: opening.edition })
    }
}
