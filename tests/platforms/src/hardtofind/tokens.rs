//! Tokens: what `POST /authenticate` gives and every other request must carry in `X-Auth-Token`. They look like JSON Web Tokens and
//! live for a time by the machine's clock; their signature is plainly none.

use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::clock::{self, SYDNEY};
use crate::live_tokens::LiveTokens;

/// The tokens in use, with what each says.
pub(super) struct Tokens(LiveTokens<Value>);

impl Tokens {
    /// Tokens that live for `life`.
    pub(super) fn new(life: Duration) -> Self {
        Self(LiveTokens::new(life))
    }

    /// A new token.
    pub(super) fn issue(&mut self, now: i64) -> String {
        let life = i64::try_from(self.0.life().as_secs()).unwrap_or(i64::MAX);
        let claims = json!({
            "user_id": 111,
            "seller_account_id": 222,
            "created": clock::offset_without_colon(now, SYDNEY),
            "expires": clock::offset_without_colon(now.saturating_add(life), SYDNEY),
            "roles": ["ROLE_SELLER"],
        });
        let part = |bytes: &[u8]| BASE64_URL_SAFE_NO_PAD.encode(bytes);
        let token = format!(
            "{}.{}.{}",
            part(br#"{"typ":"JWT","alg":"HS256"}"#),
            part(claims.to_string().as_bytes()),
            part(format!("not a signature, token {}", self.0.count() + 1).as_bytes()),
        );
        self.0.issue(token.clone(), claims);
        token
    }

    /// What a token says, if it is one and its time is not over.
    pub(super) fn claims(&self, token: &str) -> Option<&Value> {
        self.0.holder(token)
    }

    /// Forgets all tokens.
    pub(super) fn expire_all(&mut self) {
        self.0.expire_all();
    }
}
