//! Settings are compared with the connector's schema when an account is opened, and each mistake is named with its place.

use std::sync::Arc;

use tradepost_end_to_end::{config, connector, host, run};
use tradepost_platforms::{HardToFind, Platform, Wcfm};
use tradepost_runtime::{AccountConfig, AccountError, MemoryStorage};

/// What is wrong, the change that makes it so, and the pointer that names it.
type Case = (&'static str, fn(&mut AccountConfig), &'static str);

const CASES: [Case; 6] = [
    ("a missing secret", |config| config.secrets.clear(), "/password"),
    ("a missing setting", |config| drop(config.settings.remove("username")), "/username"),
    ("another type", |config| drop(config.settings.insert("username".into(), 7.into())), "/username"),
    ("an empty text", |config| drop(config.settings.insert("username".into(), "".into())), "/username"),
    (
        "a secret among the settings",
        |config| {
            config.secrets.clear();
            config.settings.insert("password".into(), "plainly-visible".into());
        },
        "/password",
    ),
    (
        "a secret that the connector does not have",
        |config| drop(config.secrets.insert("pin".into(), "plainly-visible".into())),
        "/pin",
    ),
];

#[test]
fn each_mistake_is_named_with_its_place_and_without_a_secret() {
    run(async {
        let hardtofind = HardToFind::builder().start().await.unwrap();
        let wcfm = Wcfm::builder().start().await.unwrap();
        for platform in [&hardtofind as &dyn Platform, &wcfm] {
            for (what, spoil, pointer) in CASES {
                let mut config = config(platform).await;
                spoil(&mut config);
                let refused =
                    host().open(&connector(platform.name()).await, config, Arc::new(MemoryStorage::new())).unwrap_err();
                let AccountError::Settings { issues, .. } = &refused else { panic!("{what}: {refused}") };
                assert!(issues.iter().any(|issue| issue.pointer == pointer), "{}, {what}: {issues:?}", platform.name());
                let message = refused.to_string();
                assert!(message.contains(pointer) && !message.contains("plainly-visible"), "{message}");
            }
        }
    });
}

#[test]
fn an_authentication_that_is_not_offered_lists_those_that_are() {
    run(async {
        let platform = Wcfm::builder().start().await.unwrap();
        let config = AccountConfig { auth: Some("oauth".into()), ..config(&platform).await };
        let refused = host().open(&connector("wcfm").await, config, Arc::new(MemoryStorage::new())).unwrap_err();
        assert!(refused.to_string().contains("it offers basic, jwt"), "{refused}");
    });
}

#[test]
fn an_address_that_is_no_url_is_refused_before_anything_is_sent() {
    run(async {
        let platform = Wcfm::builder().start().await.unwrap();
        for address in
            ["shop.example", "https://user:pw@shop.example", "ftp://shop.example", "https://shop.example/?x=1"]
        {
            let mut config = config(&platform).await;
            config.settings.insert("site-url".into(), address.into());
            assert!(
                host().open(&connector("wcfm").await, config, Arc::new(MemoryStorage::new())).is_err(),
                "{address}"
            );
        }
        assert_eq!(platform.ledger().requests(), 0);
    });
}
