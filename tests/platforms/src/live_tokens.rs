//! Tokens in use: which were issued, what each stands for, and whether its time is over. Their life follows the machine's clock, the
//! only thing in a marketplace that does.

use std::collections::HashMap;
use std::time::{Duration, Instant};

struct Issued<T> {
    at: Instant,
    holder: T,
}

/// Tokens that all live for the same time.
pub(crate) struct LiveTokens<T> {
    life: Duration,
    issued: HashMap<String, Issued<T>>,
    count: u64,
}

impl<T> LiveTokens<T> {
    /// Tokens that live for `life`.
    pub(crate) fn new(life: Duration) -> Self {
        Self { life, issued: HashMap::new(), count: 0 }
    }

    /// How long each lives.
    pub(crate) fn life(&self) -> Duration {
        self.life
    }

    /// How many were issued before, expired ones included, so that the next can differ from all of them.
    pub(crate) fn count(&self) -> u64 {
        self.count
    }

    /// Takes a token into use.
    pub(crate) fn issue(&mut self, token: String, holder: T) {
        self.count += 1;
        self.issued.insert(token, Issued { at: Instant::now(), holder });
    }

    /// What a token stands for, if it is one and its time is not over.
    pub(crate) fn holder(&self, token: &str) -> Option<&T> {
        self.issued.get(token).filter(|issued| issued.at.elapsed() < self.life).map(|issued| &issued.holder)
    }

    /// Forgets all tokens.
    pub(crate) fn expire_all(&mut self) {
        self.issued.clear();
    }
}
