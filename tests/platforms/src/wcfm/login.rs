//! Who is asking: HTTP Basic as the "JSON Basic Authentication" plugin reads it.
//!
//! Credentials that cannot be read count as none; wrong ones fail the request with 500 wherever it goes, because the plugin's errors
//! carry no status. Credentials in the query do not work, whatever the documentation says.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use http::StatusCode;
use serde_json::{Value, json};

use super::reply;
use crate::exchange::{Answer, Request};
use crate::platform::Credentials;

/// Someone with an account.
#[derive(Debug)]
pub(super) struct User {
    pub(super) id: u64,
    pub(super) email: &'static str,
    pub(super) is_vendor: bool,
    pub(super) credentials: Credentials,
}

/// The vendor whose orders and products the shop holds.
pub(super) const VENDOR: User = User {
    id: 2,
    email: "test_vendor@example.test",
    is_vendor: true,
    credentials: Credentials { username: "sandbox-vendor", password: "not-a-real-password" },
};

/// A vendor with one product.
pub(super) const OTHER_VENDOR: User = User {
    id: 3,
    email: "other.vendor+2@example.test",
    is_vendor: true,
    credentials: Credentials { username: "other-vendor", password: "no-real-password-either" },
};

/// A customer.
pub(super) const CUSTOMER: User = User {
    id: 5,
    email: "customer1@example.test",
    is_vendor: false,
    credentials: Credentials { username: "sandbox-customer", password: "a-made-up-password" },
};

const USERS: [&User; 3] = [&VENDOR, &OTHER_VENDOR, &CUSTOMER];

/// The user who asks, none without credentials, or the failure of wrong ones.
pub(super) fn caller(request: &Request, site: &str) -> Result<Option<&'static User>, Answer> {
    let Some((username, password)) = basic(request) else {
        return Ok(None);
    };
    if password.is_empty() {
        return Err(refused("empty_password", "<strong>Error:</strong> The password field is empty."));
    }
    let user = USERS.into_iter().find(|user| [user.credentials.username, user.email].contains(&username.as_str()));
    match user {
        None => Err(refused(
            "invalid_username",
            &format!(
                "<strong>Error:</strong> The username <strong>{username}</strong> is not registered on this site. If you are unsure of your username, try your email address instead."
            ),
        )),
        Some(user) if user.credentials.password != password => Err(refused(
            "incorrect_password",
            &format!(
                "<strong>Error:</strong> The password you entered for the username <strong>{username}</strong> is incorrect. <a href=\"{site}/wp-login.php?action=lostpassword\">Lost your password?</a>"
            ),
        )),
        Some(user) => Ok(Some(user)),
    }
}

fn basic(request: &Request) -> Option<(String, String)> {
    let encoded = request.header("authorization")?.strip_prefix("Basic ")?;
    let decoded = String::from_utf8(BASE64_STANDARD.decode(encoded.trim()).ok()?).ok()?;
    let (username, password) = decoded.split_once(':')?;
    Some((username.to_owned(), password.to_owned()))
}

/// The plugin's failure: a 500 whose data are null.
fn refused(code: &str, message: &str) -> Answer {
    reply::json(StatusCode::INTERNAL_SERVER_ERROR, &json!({"code": code, "message": message, "data": Value::Null}))
}
