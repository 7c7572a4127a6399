//! hardtofind: the seller API of hardtofind.com.au, as its public documentation describes it.
//!
//! What the documentation leaves open is decided here and said at the place: the bodies of errors, the answer to a transition, the
//! rights of `ship`. A connector must not depend on those decisions.

mod catalogue;
mod generate;
mod gift_cards;
mod orders;
mod packing_slip;
mod routes;
mod shop;
mod tokens;
mod transition;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::platform::{Credentials, Platform};
use crate::site::{Plan, Site, StartError};
pub use shop::HardToFindShop;
use shop::Shop;

/// The one seller account.
const SELLER: Credentials = Credentials { username: "sandbox-seller", password: "not-a-real-password" };

/// A running hardtofind.
///
/// ```
/// # use tradepost_platforms::{HardToFind, Platform};
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// let platform = HardToFind::builder().orders(30).start().await?;
/// let shop = platform.shop();
/// platform.between_requests(Box::new(move |served| {
///     if served.number == 2 {
///         shop.touch_order("123456");
///     }
/// }));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// ```
pub struct HardToFind {
    site: Arc<Site>,
    shop: HardToFindShop,
}

impl HardToFind {
    /// A hardtofind with the documentation's sample order and nothing else, until told otherwise.
    pub fn builder() -> HardToFindBuilder {
        HardToFindBuilder { plan: Plan::default(), opening: Opening::default() }
    }

    /// The inside, for changing it from a test.
    pub fn shop(&self) -> HardToFindShop {
        self.shop.clone()
    }
}

impl Platform for HardToFind {
    fn name(&self) -> &'static str {
        "hardtofind"
    }

    fn site(&self) -> &Site {
        &self.site
    }

    fn credentials(&self) -> Credentials {
        SELLER
    }
}

impl Drop for HardToFind {
    fn drop(&mut self) {
        self.site.abandon();
    }
}

/// How the shop is when it opens.
#[derive(Clone, Debug)]
struct Opening {
    orders: u64,
    variants: u64,
    page_size: u64,
    token_life: Duration,
    requests_per_second: Option<u32>,
    gift_cards: bool,
}

impl Default for Opening {
    fn default() -> Self {
        Self {
            orders: 1,
            variants: 100,
            page_size: 10,
            token_life: Duration::from_mins(15),
            requests_per_second: None,
            gift_cards: true,
        }
    }
}

/// How a [`HardToFind`] is to be.
#[derive(Clone, Debug)]
#[must_use]
pub struct HardToFindBuilder {
    plan: Plan,
    opening: Opening,
}

impl HardToFindBuilder {
    /// How many orders it holds: the documentation's sample order `123456` first, then generated ones.
    pub fn orders(mut self, count: u64) -> Self {
        self.opening.orders = count;
        self
    }

    /// How many generated variants the catalogue holds besides the sample's `SKU-111` and one SKU that two variants share. 100 unless
    /// told otherwise.
    pub fn variants(mut self, count: u64) -> Self {
        self.opening.variants = count;
        self
    }

    /// How many orders a page holds. 10 as documented unless told otherwise; at least 1.
    pub fn page_size(mut self, size: u64) -> Self {
        self.opening.page_size = size.max(1);
        self
    }

    /// How long a token lives. 15 minutes as documented unless told otherwise.
    pub fn token_life(mut self, life: Duration) -> Self {
        self.opening.token_life = life;
        self
    }

    /// Answers 429 to more than that many requests in any second. The documentation says 5; there is no limit unless told.
    pub fn requests_per_second(mut self, limit: u32) -> Self {
        self.opening.requests_per_second = Some(limit);
        self
    }

    /// Whether the account may sell gift cards, which only some may; 403 otherwise (undocumented). It may unless told otherwise.
    pub fn gift_cards(mut self, yes: bool) -> Self {
        self.opening.gift_cards = yes;
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
    pub async fn start(self) -> Result<HardToFind, StartError> {
        let Self { plan, opening } = self;
        let (site, shop) = Site::start(plan, |root_url, ledger| Shop::open(root_url, ledger, &opening)).await?;
        Ok(HardToFind { site, shop: HardToFindShop::of(shop) })
    }
}
