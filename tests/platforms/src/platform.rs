//! What all platforms have in common, so that the command line and the benchmarks can treat them alike.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;

use crate::fault::Fault;
use crate::ledger::Ledger;
use crate::site::{Served, Site};

/// A user of a marketplace. The ones built in are plainly fake and never change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Credentials {
    /// The login name.
    pub username: &'static str,
    /// The password, at least eight characters long.
    pub password: &'static str,
}

/// A running marketplace.
pub trait Platform: Send + Sync {
    /// The platform's short name: `hardtofind`, `hft71`, `wcfm`, `help-ka` or `omniseller`.
    fn name(&self) -> &'static str;

    /// The server behind it.
    fn site(&self) -> &Site;

    /// The user that a connector is: the seller whose orders and products it holds, or the customer of a producer.
    fn credentials(&self) -> Credentials;

    /// The settings of an account that uses it, as keys and values.
    fn example_settings(&self) -> Vec<(String, String)> {
        vec![("root-url".to_owned(), self.root_url().to_owned())]
    }

    /// The secrets of an account that uses it, as keys and values.
    fn example_secrets(&self) -> Vec<(String, String)> {
        let Credentials { username, password } = self.credentials();
        vec![("username".to_owned(), username.to_owned()), ("password".to_owned(), password.to_owned())]
    }

    /// Where it listens, such as `http://127.0.0.1:40123`, with the path prefix if it has one and without a slash at the end.
    fn root_url(&self) -> &str {
        self.site().root_url()
    }

    /// How many records it holds, by the name of the stream that reads or writes them.
    fn held(&self) -> BTreeMap<String, u64> {
        self.site().held()
    }

    /// What it accepted so far.
    fn ledger(&self) -> &Ledger {
        self.site().ledger()
    }

    /// Makes it fail from now on, or stop failing.
    fn set_fault(&self, fault: Option<Fault>) {
        self.site().set_fault(fault);
    }

    /// Calls `hook` after each request that it answered and before it looks at the next one, so that a test can change the
    /// marketplace at an exact point of a walk through its pages. One hook at a time; a second call replaces the first.
    fn between_requests(&self, hook: Box<dyn FnMut(&Served) + Send>) {
        self.site().between_requests(hook);
    }

    /// Writes the text of every record now instead of when it is first asked for, so that a measurement does not include it.
    fn prepare(&self) {
        self.site().prepare();
    }

    /// Stops listening and closes all connections. What it held and its ledger can still be read. Dropping it does the same without
    /// waiting for the end.
    fn stop(&self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(self.site().stop())
    }
}
