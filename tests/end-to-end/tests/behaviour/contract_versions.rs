//! Versions of the contract side by side: a component that was built when an older one was the newest runs as it did, beside one that
//! was built today, in the same host.

use std::sync::Arc;

use tokio::sync::OnceCell;
use tradepost_end_to_end::{config, connector, host, ids, keep, run, walk_orders};
use tradepost_platforms::{HardToFind, Platform, Wcfm};
use tradepost_runtime::commerce::{ListQuery, Shipment};
use tradepost_runtime::{
    Account, CONTRACT_VERSION, CallError, Capability, Connector, Digest, MemoryStorage, SUPPORTED_CONTRACTS,
};

/// The connector for hardtofind, built against contract 0.1.0 and never since.
const BUILT_AGAINST_0_1_0: &[u8] = include_bytes!("../../../fixtures/contract-0.1.0/hardtofind.wasm");

async fn frozen() -> Connector {
    static LOADED: OnceCell<Connector> = OnceCell::const_new();
    let loaded =
        LOADED.get_or_init(|| async { host().load(BUILT_AGAINST_0_1_0).await.expect("it is still supported") });
    loaded.await.clone()
}

async fn open(connector: &Connector, platform: &HardToFind) -> Account {
    host().open(connector, config(platform).await, Arc::new(MemoryStorage::new())).expect("its settings are the same")
}

#[test]
fn a_component_of_the_older_contract_pulls_acknowledges_and_ships() {
    run(async {
        let platform = HardToFind::builder().orders(57).start().await.unwrap();
        let account = open(&frozen().await, &platform).await;
        keep(account.check().await).await.unwrap();
        let (orders, _) = walk_orders(&account, &ListQuery::default(), None).await.unwrap();
        assert_eq!(ids(&orders).len(), 57);
        assert_eq!(keep(account.acknowledge_order("123456").await).await.unwrap().raw, "PROCESSED");
        let parcel = Shipment {
            carrier: Some("Australia Post".into()),
            tracking_number: Some("33XYZ".into()),
            ..Shipment::default()
        };
        assert_eq!(keep(account.ship("123456", &parcel).await).await.unwrap().raw, "SHIPPED");
        let slip = keep(account.packing_slip("123456").await).await.unwrap();
        assert!(slip.content.starts_with(b"%PDF"));
        assert_eq!(platform.ledger().effects(), [("order.process".to_owned(), 1), ("order.ship".to_owned(), 1)].into());
    });
}

#[test]
fn a_component_is_shown_as_it_was_built() {
    run(async {
        let (old, new) = (frozen().await, connector("hardtofind").await);
        assert_eq!(old.digest(), Digest::of(BUILT_AGAINST_0_1_0), "the identity is that of the bytes that were given");
        assert_eq!(old.inspection().bytes, BUILT_AGAINST_0_1_0.len());
        assert_eq!(
            (old.inspection().contract.as_str(), new.inspection().contract.as_str()),
            ("0.1.0", CONTRACT_VERSION)
        );
        assert_eq!(SUPPORTED_CONTRACTS.last(), Some(&CONTRACT_VERSION));
        let of_contract: Vec<&String> =
            old.inspection().imports.iter().filter(|import| import.starts_with("tradepost:connector/")).collect();
        assert!(
            !of_contract.is_empty() && of_contract.iter().all(|import| import.ends_with("@0.1.0")),
            "{of_contract:?}"
        );
        assert_eq!(old.capabilities().collect::<Vec<_>>(), new.capabilities().collect::<Vec<_>>());
    });
}

#[test]
fn both_versions_are_called_at_once_in_one_host() {
    run(async {
        let platform = HardToFind::builder().orders(40).start().await.unwrap();
        let old = open(&frozen().await, &platform).await;
        let new = open(&connector("hardtofind").await, &platform).await;
        let query = ListQuery { include_raw: true, ..ListQuery::default() };
        let (by_old, by_new) = tokio::join!(walk_orders(&old, &query, None), walk_orders(&new, &query, None));
        let (by_old, by_new) = (by_old.unwrap().0, by_new.unwrap().0);
        assert_eq!(by_old.len(), 40);
        assert_eq!(by_old, by_new, "the same orders in the same words");
        // What one version began, the other finds done.
        assert_eq!(keep(old.acknowledge_order("123456").await).await.unwrap().raw, "PROCESSED");
        assert_eq!(keep(new.acknowledge_order("123456").await).await.unwrap().raw, "PROCESSED");
        assert_eq!(platform.ledger().effects(), [("order.process".to_owned(), 1)].into());
    });
}

#[test]
fn what_a_newer_contract_adds_is_not_asked_of_an_older_component() {
    run(async {
        let platform = HardToFind::builder().start().await.unwrap();
        let old = frozen().await;
        assert!(!old.has(Capability::Refunds) && connector("wcfm").await.has(Capability::Refunds));
        let account = open(&old, &platform).await;
        let refused = account.list_refunds("123456").await.expect_err("it was built before there were refunds");
        assert!(matches!(refused, CallError::Unsupported { .. }), "{refused:?}");
        let market = Wcfm::builder().start().await.unwrap();
        let refunds = keep(tradepost_end_to_end::account(&market).await.list_refunds("57").await).await.unwrap();
        assert_eq!(refunds.len(), 1);
        assert_eq!(platform.ledger().requests(), 0);
    });
}
