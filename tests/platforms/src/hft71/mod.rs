//! HFT71: the production API that a shop hands its orders to, as far as its examples show it.
//!
//! What the examples leave open is decided here and said at the place: the bodies of errors, the answer to a change, `GET /order/{id}`,
//! and which changes of status are told by webhook. A connector must not depend on those decisions.

mod delivery;
mod order_form;
mod orders;
mod production;
mod routes;
mod shop;
mod stock;
mod webhook;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::platform::{Credentials, Platform};
use crate::site::{Plan, Site, StartError};
pub use delivery::{Delivery, DeliveryAnswer, SentSecret};
pub use shop::Hft71Shop;
use shop::Shop;
use webhook::Webhook;

/// The one customer account, a shop that hands its orders over.
const CUSTOMER: Credentials = Credentials { username: "api-user@example.com", password: "not-a-real-password" };

/// The shared secret of the webhook unless told otherwise.
const WEBHOOK_SECRET: &str = "not-a-real-webhook-secret";

/// A running HFT71.
///
/// ```
/// # use tradepost_platforms::{Hft71, Platform};
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// let platform = Hft71::builder().articles(450).start().await?;
/// assert_eq!(platform.held()["stock"], 450);
///
/// // Nobody has handed an order over yet.
/// let shop = platform.shop();
/// assert!(shop.order_by_reference("72774").is_none());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// ```
pub struct Hft71 {
    site: Arc<Site>,
    shop: Hft71Shop,
}

impl Hft71 {
    /// An HFT71 that holds a hundred articles and no order, until told otherwise.
    pub fn builder() -> Hft71Builder {
        Hft71Builder { plan: Plan::default(), opening: Opening::default() }
    }

    /// The inside, for changing it from a test.
    pub fn shop(&self) -> Hft71Shop {
        self.shop.clone()
    }
}

impl Platform for Hft71 {
    fn name(&self) -> &'static str {
        "hft71"
    }

    fn site(&self) -> &Site {
        &self.site
    }

    fn credentials(&self) -> Credentials {
        CUSTOMER
    }

    fn example_secrets(&self) -> Vec<(String, String)> {
        let Credentials { username, password } = CUSTOMER;
        vec![
            ("username".to_owned(), username.to_owned()),
            ("password".to_owned(), password.to_owned()),
            ("webhook-secret".to_owned(), self.shop.webhook_secret()),
        ]
    }
}

impl Drop for Hft71 {
    fn drop(&mut self) {
        self.site.abandon();
        self.shop.stop_webhooks();
    }
}

/// How it is when it opens.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "independent switches, each set by its own builder method")]
struct Opening {
    articles: u64,
    longest_page: usize,
    ignores_page: bool,
    new_articles_between_pages: u32,
    token_life: Duration,
    expires_in: Option<u64>,
    order_route: bool,
    only_known_skus: bool,
    requests_per_second: Option<u32>,
    webhook_url: Option<String>,
    webhook_secret: String,
    announces_changes_by_customer: bool,
}

impl Default for Opening {
    fn default() -> Self {
        Self {
            articles: 100,
            longest_page: 500,
            ignores_page: false,
            new_articles_between_pages: 0,
            token_life: Duration::from_mins(5),
            expires_in: None,
            order_route: true,
            only_known_skus: false,
            requests_per_second: None,
            webhook_url: None,
            webhook_secret: WEBHOOK_SECRET.to_owned(),
            announces_changes_by_customer: true,
        }
    }
}

/// How an [`Hft71`] is to be.
#[derive(Clone, Debug)]
#[must_use]
pub struct Hft71Builder {
    plan: Plan,
    opening: Opening,
}

impl Hft71Builder {
    /// How many articles it has in stock: the documentation's `GL64000-00007-0046` first, then generated ones. 100 unless told
    /// otherwise.
    pub fn articles(mut self, count: u64) -> Self {
        self.opening.articles = count;
        self
    }

    /// The most articles that a page of the stock holds, however many are asked for: a page may be shorter than `count` and not be the
    /// last. 500 unless told otherwise (undocumented); at least 1.
    pub fn longest_page(mut self, articles: usize) -> Self {
        self.opening.longest_page = articles.max(1);
        self
    }

    /// Whether it ignores `page` and sends the first page of the stock for ever. It does not unless told otherwise.
    pub fn ignores_page(mut self, yes: bool) -> Self {
        self.opening.ignores_page = yes;
        self
    }

    /// How many articles come new into the stock while it is read: one after each page, in front of all others, so that every later
    /// one moves on by a row. None unless told otherwise.
    pub fn new_articles_between_pages(mut self, count: u32) -> Self {
        self.opening.new_articles_between_pages = count;
        self
    }

    /// How long a token lives and, in whole seconds, what `expires_in` says. 300 seconds as documented unless told otherwise.
    pub fn token_life(mut self, life: Duration) -> Self {
        self.opening.token_life = life;
        self
    }

    /// What `expires_in` says in seconds, if it is to differ from how long a token lives.
    pub fn expires_in(mut self, seconds: u64) -> Self {
        self.opening.expires_in = Some(seconds);
        self
    }

    /// Whether `GET /order/{id}` is there, the undocumented route that tells the shipping. Without it the answer is 404. It is there
    /// unless told otherwise.
    pub fn order_route(mut self, yes: bool) -> Self {
        self.opening.order_route = yes;
        self
    }

    /// Whether an order of an article that is not in the stock is refused with 422 (undocumented). Any SKU is taken unless told
    /// otherwise.
    pub fn only_known_skus(mut self, yes: bool) -> Self {
        self.opening.only_known_skus = yes;
        self
    }

    /// Answers 429 to more than that many requests in any second. That there is a limit is documented, its number is not; there is
    /// none unless told.
    pub fn requests_per_second(mut self, limit: u32) -> Self {
        self.opening.requests_per_second = Some(limit);
        self
    }

    /// Tells every change of an order's status to this address, `http://` only. It tells nobody unless told otherwise; the address
    /// can also be set later with [`Hft71Shop::send_webhooks_to`].
    pub fn webhook_url(mut self, url: impl Into<String>) -> Self {
        self.opening.webhook_url = Some(url.into());
        self
    }

    /// The shared secret that each webhook carries in `X-HFT71-Webhook-Secret`. A plainly fake one unless told otherwise.
    pub fn webhook_secret(mut self, secret: impl Into<String>) -> Self {
        self.opening.webhook_secret = secret.into();
        self
    }

    /// Whether a status that the customer set with `PUT /order/{id}` is told by webhook as well, like an echo (undocumented). It is
    /// unless told otherwise.
    pub fn announces_changes_by_customer(mut self, yes: bool) -> Self {
        self.opening.announces_changes_by_customer = yes;
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
    pub async fn start(self) -> Result<Hft71, StartError> {
        let Self { plan, opening } = self;
        let webhook = Webhook::start(opening.webhook_url.clone(), opening.webhook_secret.clone());
        let (site, shop) = Site::start(plan, |_, ledger| Shop::open(ledger, webhook, opening)).await?;
        Ok(Hft71 { site, shop: Hft71Shop::of(shop) })
    }
}
