//! OmniSeller: a web shop with the HTKService4 interface, the set of PHP files that the OmniSeller cloud calls in the shop.
//!
//! Documented are the token, the categories, the order ids, and of the single order no more than its function. What a shop sends
//! besides is decided here and said at the place, in the interface's own style: German names, amounts as texts. A connector must not
//! depend on those decisions.

mod categories;
mod generate;
mod orders;
mod products;
mod routes;
mod shop;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::platform::{Credentials, Platform};
use crate::site::{Plan, Site, StartError};
pub use shop::OmniSellerShop;
use shop::Shop;

/// The account of the cloud.
const CLOUD: Credentials = Credentials { username: "sandbox-apiuser", password: "not-a-real-apipass" };

/// A running web shop with the OmniSeller interface.
///
/// ```
/// # use tradepost_platforms::{OmniSeller, Platform};
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// let platform = OmniSeller::builder().orders(30).stock_function("21").start().await?;
/// assert_eq!(platform.held()["orders"], 30);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// ```
pub struct OmniSeller {
    site: Arc<Site>,
    shop: OmniSellerShop,
    /// The numbers of the functions that have none in the documentation, under the names of the settings that hold them.
    functions: Vec<(String, String)>,
}

impl OmniSeller {
    /// A shop with the documentation's sample order and category and nothing else but twenty products, until told otherwise.
    pub fn builder() -> OmniSellerBuilder {
        OmniSellerBuilder { plan: Plan::default(), opening: Opening::default() }
    }

    /// The inside, for changing it from a test.
    pub fn shop(&self) -> OmniSellerShop {
        self.shop.clone()
    }
}

impl Platform for OmniSeller {
    fn name(&self) -> &'static str {
        "omniseller"
    }

    fn site(&self) -> &Site {
        &self.site
    }

    fn credentials(&self) -> Credentials {
        CLOUD
    }

    fn example_settings(&self) -> Vec<(String, String)> {
        let root_url = ("root-url".to_owned(), self.root_url().to_owned());
        std::iter::once(root_url).chain(self.functions.iter().cloned()).collect()
    }

    /// Under the names that the interface has for them.
    fn example_secrets(&self) -> Vec<(String, String)> {
        let Credentials { username, password } = CLOUD;
        vec![("apiuser".to_owned(), username.to_owned()), ("apipass".to_owned(), password.to_owned())]
    }
}

impl Drop for OmniSeller {
    fn drop(&mut self) {
        self.site.abandon();
    }
}

/// How the shop is when it opens.
#[derive(Clone, Debug)]
struct Opening {
    orders: u64,
    categories: u64,
    products: u64,
    token_life: Duration,
    time_left: Option<u64>,
    order_in_array: bool,
    decimal_point: bool,
    product_upload_function: Option<String>,
    stock_function: Option<String>,
}

impl Default for Opening {
    fn default() -> Self {
        Self {
            orders: 1,
            categories: 1,
            products: 20,
            token_life: Duration::from_mins(15),
            time_left: None,
            order_in_array: false,
            decimal_point: false,
            product_upload_function: None,
            stock_function: None,
        }
    }
}

/// How an [`OmniSeller`] is to be.
#[derive(Clone, Debug)]
#[must_use]
pub struct OmniSellerBuilder {
    plan: Plan,
    opening: Opening,
}

impl OmniSellerBuilder {
    /// How many orders it holds: the documentation's sample order `6132af04178eabb83271b3c6579431be` first, then generated ones.
    pub fn orders(mut self, count: u64) -> Self {
        self.opening.orders = count;
        self
    }

    /// How many categories it holds: the documentation's sample category first, then generated ones in a tree.
    pub fn categories(mut self, count: u64) -> Self {
        self.opening.categories = count;
        self
    }

    /// How many products it holds, `ART-1000`, `ART-1001` and so on. 20 unless told otherwise.
    pub fn products(mut self, count: u64) -> Self {
        self.opening.products = count;
        self
    }

    /// How long a token lives and, in whole seconds, what its `timeLeft` says. 900 seconds as documented unless told otherwise.
    pub fn token_life(mut self, life: Duration) -> Self {
        self.opening.token_life = life;
        self
    }

    /// What a token's `timeLeft` says in seconds, if it is to differ from how long the token lives.
    pub fn time_left(mut self, seconds: u64) -> Self {
        self.opening.time_left = Some(seconds);
        self
    }

    /// Whether a single order comes as an array of one. The documentation shows neither; an object unless told otherwise.
    pub fn order_in_array(mut self, yes: bool) -> Self {
        self.opening.order_in_array = yes;
        self
    }

    /// Whether amounts are written with a decimal point. With a comma, as a neighbouring interface of the same vendor writes them,
    /// unless told otherwise.
    pub fn decimal_point(mut self, yes: bool) -> Self {
        self.opening.decimal_point = yes;
        self
    }

    /// The function under which products are uploaded. Undocumented, so there is none unless told; `5`, `11` and `12` are taken.
    pub fn product_upload_function(mut self, function: impl Into<String>) -> Self {
        self.opening.product_upload_function = Some(function.into());
        self
    }

    /// The function under which stock is set. Undocumented, so there is none unless told; `5`, `11` and `12` are taken.
    pub fn stock_function(mut self, function: impl Into<String>) -> Self {
        self.opening.stock_function = Some(function.into());
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
    pub async fn start(self) -> Result<OmniSeller, StartError> {
        let Self { plan, opening } = self;
        let functions = [
            ("product-upload-function", opening.product_upload_function.clone()),
            ("stock-function", opening.stock_function.clone()),
        ];
        let functions = functions.into_iter().filter_map(|(name, number)| Some((name.to_owned(), number?))).collect();
        let (site, shop) = Site::start(plan, |_, ledger| Shop::open(ledger, opening)).await?;
        Ok(OmniSeller { site, shop: OmniSellerShop::of(shop), functions })
    }
}
