//! Logins: made once for many, renewed when a token ran out, and not tried again with a password that was refused.

use std::sync::Arc;

use tradepost_end_to_end::{account, config, connector, host, keep, kind, run, walk_orders};
use tradepost_platforms::{HardToFind, Platform, Wcfm};
use tradepost_runtime::commerce::ListQuery;
use tradepost_runtime::{Account, AccountError, CallError, Grants, MemoryStorage};

const WRONG: &str = "certainly-not-the-password";

async fn with_wrong_password(platform: &dyn Platform) -> Account {
    let mut config = config(platform).await;
    config.secrets.insert("password".into(), WRONG.into());
    host().open(&connector(platform.name()).await, config, Arc::new(MemoryStorage::new())).unwrap()
}

#[test]
fn a_wrong_password_is_told_and_not_tried_again() {
    run(async {
        let hardtofind = HardToFind::builder().start().await.unwrap();
        let wcfm = Wcfm::builder().start().await.unwrap();
        for platform in [&hardtofind as &dyn Platform, &wcfm] {
            let account = with_wrong_password(platform).await;
            let result = walk_orders(&account, &ListQuery::default(), None).await;
            assert_eq!(kind(&result), "auth-rejected", "{}: {:?}", platform.name(), result.err());
            assert_eq!(platform.ledger().requests(), 1, "{}: one request and no second try", platform.name());
            let result = keep(account.check().await).await;
            assert_eq!(kind(&result), "auth-rejected", "{}: {:?}", platform.name(), result.err());
            assert!(!result.unwrap_err().to_string().contains(WRONG));
        }
    });
}

#[test]
fn concurrent_calls_share_one_login() {
    run(async {
        let platform = HardToFind::builder().orders(40).start().await.unwrap();
        let account = account(&platform).await;
        let calls: Vec<_> = (0..12)
            .map(|_| {
                let account = account.clone();
                tokio::spawn(async move { keep(account.get_order("123456").await).await })
            })
            .collect();
        for call in calls {
            assert_eq!(call.await.unwrap().unwrap().id, "123456");
        }
        assert_eq!(platform.ledger().logins(), 1);
    });
}

#[test]
fn a_token_that_ran_out_is_renewed_once_and_the_call_succeeds() {
    run(async {
        let platform = HardToFind::builder().orders(40).start().await.unwrap();
        let account = account(&platform).await;
        keep(account.get_order("123456").await).await.unwrap();
        platform.shop().expire_tokens();
        let calls: Vec<_> = (0..6)
            .map(|_| {
                let account = account.clone();
                tokio::spawn(async move { keep(account.get_order("123456").await).await })
            })
            .collect();
        for call in calls {
            call.await.unwrap().unwrap();
        }
        assert_eq!(platform.ledger().logins(), 2, "one login before, one after");
    });
}

#[test]
fn a_missing_grant_is_told_with_the_line_that_would_allow_it() {
    run(async {
        let hardtofind = HardToFind::builder().start().await.unwrap();
        let wcfm = Wcfm::builder().start().await.unwrap();
        for platform in [&hardtofind as &dyn Platform, &wcfm] {
            let config = tradepost_runtime::AccountConfig { grants: Grants::default(), ..config(platform).await };
            let id = config.id.clone();
            let refused =
                host().open(&connector(platform.name()).await, config, Arc::new(MemoryStorage::new())).unwrap_err();
            let AccountError::Denied(denial) = &refused else { panic!("{refused}") };
            let line = denial.allow_with().unwrap();
            assert!(line.starts_with("grants.") && line.contains(platform.root_url()), "{line}");
            let message = refused.to_string();
            assert!(message.contains(&id) && message.contains(platform.root_url()), "{message}");
            assert_eq!(platform.ledger().requests(), 0);
        }
    });
}

#[test]
fn loopback_is_refused_where_only_public_addresses_are_granted() {
    run(async {
        let platform = HardToFind::builder().start().await.unwrap();
        let mut config = config(&platform).await;
        config.grants = Grants { hosts: config.grants.private_hosts, private_hosts: Vec::new() };
        let opened = host().open(&connector("hardtofind").await, config, Arc::new(MemoryStorage::new()));
        let message = match opened {
            Err(refused) => refused.to_string(),
            Ok(account) => match keep(account.check().await).await {
                Err(CallError::Denied { denial, .. }) => denial.to_string(),
                other => panic!("expected a denial, got {other:?}"),
            },
        };
        assert!(message.contains("grants.private_hosts"), "{message}");
        assert_eq!(platform.ledger().requests(), 0);
    });
}
