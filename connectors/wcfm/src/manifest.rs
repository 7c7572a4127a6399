//! What the connector says of itself, for WCFM and for marketplaces that run on it.
//!
//! A connector for one such marketplace reuses all of this crate and differs in a [`Marketplace`]: its name and its schema of
//! settings. The templates read the settings `site-url` and `api-prefix`, so that WordPress in a folder keeps its folder.

use tradepost_sdk::prelude::*;

use crate::{WcfmConnector, identity, status};

/// A token of the JWT plugin lives seven days (protocol notes, section 3.2).
const TOKEN_SECONDS: u32 = 7 * 24 * 60 * 60;

/// What differs between WCFM itself and a marketplace that runs on it.
pub trait Marketplace {
    /// The connector's id.
    const ID: &'static str;
    /// Its name.
    const NAME: &'static str;
    /// Its version.
    const VERSION: &'static str;
    /// The platform it speaks to.
    const PLATFORM: &'static str;
    /// Where to read more.
    const HOMEPAGE: &'static str;
    /// JSON Schema of the settings. Must have `site-url`, `api-prefix` (with a default), `username`, `password`; may have
    /// `utc-offset-minutes` and `status-table`.
    const SETTINGS_SCHEMA: &'static str;
}

/// Any marketplace that runs WCFM.
#[derive(Debug, Clone, Copy)]
pub struct AnyMarketplace;

impl Marketplace for AnyMarketplace {
    const ID: &'static str = "wcfm";
    const NAME: &'static str = "WCFM Marketplace";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const PLATFORM: &'static str = "WCFM Marketplace REST API (wcfmmp/v1), servers 1.1 to 1.6";
    const HOMEPAGE: &'static str = "https://wclovers.github.io/wcfm-rest-api/";
    const SETTINGS_SCHEMA: &'static str = include_str!("settings-schema.json");
}

impl<M: Marketplace> Connector for WcfmConnector<M> {
    fn describe() -> Manifest {
        Manifest {
            id: M::ID.into(),
            name: M::NAME.into(),
            version: M::VERSION.into(),
            platform: M::PLATFORM.into(),
            homepage: Some(M::HOMEPAGE.into()),
            settings_schema: M::SETTINGS_SCHEMA.into(),
            root_url: "{site-url}/{api-prefix}/wcfmmp/v1".into(),
            hosts: vec!["{site-url}".into()],
            request_headers: Vec::new(),
            auth: auth(),
            // The plugin limits nothing (protocol notes, section 3.1); a firewall in front of a site tells by 429.
            pace: None,
            statuses: status::mappings(),
            streams: streams(),
            effects: effects(),
            extensions: Vec::new(),
        }
    }

    fn check() -> Result<AccountIdentity, Error> {
        identity::check()
    }
}

/// Basic, with a login or an application password; or a token of the JWT plugin. Credentials in the query string, which the
/// documentation names as a way out, are not offered: no server takes them (recording 005).
fn auth() -> Vec<AuthRecipe> {
    let authorization =
        |prefix: &str| Placement::Header(HeaderPlacement { name: "Authorization".into(), prefix: prefix.into() });
    vec![
        AuthRecipe {
            name: "basic".into(),
            method: AuthMethod::Basic(BasicCredential { username: "{username}".into(), password: "{password}".into() }),
            placement: authorization("Basic "),
        },
        AuthRecipe {
            name: "jwt".into(),
            method: AuthMethod::Login(LoginExchange {
                url: "{site-url}/{api-prefix}/jwt-auth/v1/token".into(),
                body: LoginBody::Json,
                fields: vec![("username".into(), "{username}".into()), ("password".into(), "{password}".into())],
                token: "/token".into(),
                lifetime: TokenLifetime::Seconds(TOKEN_SECONDS),
                margin_seconds: 3600,
            }),
            placement: authorization("Bearer "),
        },
    ]
}

fn streams() -> Vec<StreamDescription> {
    let stream = |interface: &str, paging, volatile: &[&str]| StreamDescription {
        interface: interface.into(),
        paging,
        // Nothing in the API tells what changed: see `list_page`.
        incremental: false,
        volatile_fields: volatile.iter().map(|field| (*field).to_owned()).collect(),
    };
    vec![
        stream("orders", Paging::NewestFirst, &[]),
        // Related products are drawn anew on each read; the seller's own profile with its ratings and the links say nothing
        // of the product.
        stream("products", Paging::Numbered, &["/related_ids", "/store", "/_links"]),
        stream("categories", Paging::Single, &[]),
        stream("stock", Paging::Numbered, &[]),
        stream("notifications", Paging::NewestFirst, &[]),
        stream("sellers", Paging::Numbered, &[]),
    ]
}

fn effects() -> Vec<OperationEffect> {
    let operations = [
        ("order-notes.add", Effect::Once),
        ("order-status.set", Effect::Repeatable),
        ("shipments.ship", Effect::Once),
        ("product-writes.create", Effect::Once),
        ("product-writes.update", Effect::Repeatable),
        ("product-writes.delete", Effect::Repeatable),
        ("stock-updates.set", Effect::Repeatable),
    ];
    operations.into_iter().map(|(operation, effect)| OperationEffect { operation: operation.into(), effect }).collect()
}

#[cfg(test)]
mod tests {
    use super::{AnyMarketplace, Marketplace};
    use crate::Wcfm;
    use serde_json::Value;
    use tradepost_sdk::prelude::Connector;

    #[test]
    fn every_placeholder_is_a_setting_that_is_required_or_has_a_default() {
        let manifest = Wcfm::describe();
        let schema: Value = serde_json::from_str(&manifest.settings_schema).unwrap();
        let templates = format!("{manifest:?}");
        let mut placeholders = 0;
        for piece in templates.split('{').skip(1) {
            let Some((name, _)) = piece.split_once('}') else { continue };
            if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-') {
                continue;
            }
            placeholders += 1;
            let is_required = schema["required"].as_array().unwrap().iter().any(|required| required == name);
            assert!(is_required || schema["properties"][name]["default"].is_string(), "{name}");
        }
        assert!(placeholders >= 8, "{placeholders} placeholders in {templates}");
    }

    #[test]
    fn only_the_password_is_a_secret() {
        let schema: Value = serde_json::from_str(AnyMarketplace::SETTINGS_SCHEMA).unwrap();
        let secrets: Vec<&String> = schema["properties"]
            .as_object()
            .unwrap()
            .iter()
            .filter(|(_, field)| field["writeOnly"] == true)
            .map(|(name, _)| name)
            .collect();
        assert_eq!(secrets, ["password"]);
    }
}
