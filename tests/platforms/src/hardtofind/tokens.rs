//! Tokens: what `POST /authenticate` gives and every other request must carry in `X-Auth-Token`. They look like JSON Web Tokens and
//! live for a time by the machine's clock; their signature is plainly none.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::clock::{self, SYDNEY};

struct Issued {
    at: Instant,
    claims: Value,
}

/// The tokens in use.
pub(super) struct Tokens {
    life: Duration,
    issued: HashMap<String, Issued>,
    count: u64,
}

impl Tokens {
    /// Tokens that live for `life`.
    pub(super) fn new(life: Duration) -> Self {
        Self { life, issued: HashMap::new(), count: 0 }
    }

    /// A new token.
    pub(super) fn issue(&mut self, now: i64) -> String {
        self.count += 1;
        let life = i64::try_from(self.life.as_secs()).unwrap_or(i64::MAX);
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
            part(format!("not a signature, token {}", self.count).as_bytes()),
        );
        self.issued.insert(token.clone(), Issued { at: Instant::now(), claims });
        token
    }

    /// What a token says, if it is one and its time is not over.
    pub(super) fn claims(&self, token: &str) -> Option<&Value> {
        self.issued.get(token).filter(|issued| issued.at.elapsed() < self.life).map(|issued| &issued.claims)
    }

    /// Forgets all tokens.
    pub(super) fn expire_all(&mut self) {
        self.issued.clear();
    }
}
