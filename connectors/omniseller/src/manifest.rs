//! The manifest: settings, login, and what the status numbers mean.

use tradepost_sdk::prelude::*;
use tradepost_sdk::status::mapping;

/// The login's path, relative to the root URL (seed 004, "Tokenrequest").
const LOGIN: &str = "/omniseller/Tokenrequest.php";

/// What each `OrderStatus` that comes *from* a shop means (protocol notes, section 5.3). The numbers that go *to* a shop are
/// another table and clash with this one: 3 and 4 are cancelled and reopened there. 2 is in neither documented list of
/// inbound numbers, so it stays unknown.
pub(crate) fn statuses() -> Vec<StatusMapping> {
    use {FulfilmentState as Goods, OrderState as State, PaymentState as Money};
    // Only a refund speaks of money: an open order may have been paid or not.
    vec![
        mapping("0", State::Open, None, Goods::Unfulfilled),
        mapping("1", State::InProgress, None, Goods::Unfulfilled),
        mapping("3", State::OnHold, None, Goods::Unfulfilled),
        mapping("4", State::Cancelled, None, Goods::Cancelled),
        // Says nothing about the goods, which may have been sent.
        mapping("5", State::Closed, Money::Refunded, None),
        mapping("6", State::Failed, None, Goods::Unfulfilled),
        // The shop's waste bin: ended, nothing says how.
        mapping("7", State::Closed, None, None),
    ]
}

pub(crate) fn describe() -> Manifest {
    let stream = |interface: &str| StreamDescription {
        interface: interface.into(),
        paging: Paging::Single,
        incremental: false,
        volatile_fields: Vec::new(),
    };
    let effect = |operation: &str, effect| OperationEffect { operation: operation.into(), effect };
    Manifest {
        id: "omniseller".into(),
        name: "OmniSeller".into(),
        version: env!("CARGO_PKG_VERSION").into(),
        platform: "OmniSeller HTKService4".into(),
        homepage: Some("https://wiki.htk.de/index.php?title=OmniSeller:HTKService4".into()),
        settings_schema: include_str!("settings-schema.json").into(),
        root_url: "{root-url}".into(),
        hosts: vec!["{root-url}".into()],
        request_headers: Vec::new(),
        auth: vec![login()],
        // No limit is documented (protocol notes, section 5.6).
        pace: None,
        statuses: statuses(),
        streams: vec![stream("orders"), stream("categories")],
        effects: vec![
            // Nobody documents what a second upload of an article does: the first one is not repeated.
            effect("product-writes.create", Effect::Once),
            effect("product-writes.update", Effect::Repeatable),
            // Sends nothing: it is unsupported.
            effect("product-writes.delete", Effect::Read),
            effect("stock-updates.set", Effect::Repeatable),
        ],
        extensions: Vec::new(),
    }
}

/// A token in each JSON body. Its life is `timeLeft`, the smaller of the two lives that the answer names (900 against half an
/// hour between its dates, which have no zone; protocol notes, section 5.3), read as seconds.
fn login() -> AuthRecipe {
    let field = |name: &str| (name.to_owned(), format!("{{{name}}}"));
    AuthRecipe {
        name: "login".into(),
        method: AuthMethod::Login(LoginExchange {
            url: LOGIN.into(),
            body: LoginBody::Json,
            fields: vec![field("apiuser"), field("apipass")],
            token: "/token/token".into(),
            lifetime: TokenLifetime::Answer("/token/timeLeft".into()),
            margin_seconds: 60,
        }),
        placement: Placement::JsonBody("token".into()),
    }
}
