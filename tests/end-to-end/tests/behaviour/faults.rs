//! Each way in which a marketplace can fail becomes its own typed error, and no write is made twice.

use tradepost_end_to_end::{account, keep, kind, run, walk_orders};
use tradepost_platforms::{HardToFind, Platform, Wcfm};
use tradepost_runtime::commerce::{ListQuery, Order, Shipment};
use tradepost_runtime::errors::ErrorKind;
use tradepost_runtime::{Account, CallError};

async fn read(account: &Account) -> Result<Vec<Order>, CallError> {
    walk_orders(account, &ListQuery::default(), None).await.map(|(orders, _)| orders)
}

/// Fault, the error of a read at hardtofind, the error of a read at WCFM.
const READS: [(&str, &str, &str); 9] = [
    ("429", "rate-limited", "rate-limited"),
    ("500", "transient", "transient"),
    ("503", "transient", "transient"),
    // With a time to come back at, it is down for everybody until then.
    ("503=600", "unavailable", "unavailable"),
    ("html", "protocol", "protocol"),
    ("empty", "protocol", "protocol"),
    ("reset", "transient", "transient"),
    ("truncated", "transient", "transient"),
    ("reset:next=1", "transient", "transient"),
];

#[test]
fn a_failing_read_says_what_failed() {
    run(async {
        let hardtofind = HardToFind::builder().orders(5).start().await.unwrap();
        let wcfm = Wcfm::builder().orders(5).start().await.unwrap();
        for (fault, at_hardtofind, at_wcfm) in READS {
            let platforms: [(&dyn Platform, &str); 2] = [(&hardtofind, at_hardtofind), (&wcfm, at_wcfm)];
            for (platform, expected) in platforms {
                let account = account(platform).await;
                platform.set_fault(None);
                // With a token in hand, so that the fault strikes the list and not the login.
                keep(account.check().await).await.unwrap();
                platform.set_fault(Some(fault.parse().unwrap()));
                let result = read(&account).await;
                assert_eq!(kind(&result), expected, "{} with {fault}: {:?}", platform.name(), result.err());
                platform.set_fault(None);
                assert_eq!(read(&account).await.unwrap().len(), 5, "{} after {fault}", platform.name());
            }
        }
    });
}

#[test]
fn the_wait_that_a_platform_asks_for_is_passed_on() {
    run(async {
        let platform = Wcfm::builder().orders(5).start().await.unwrap();
        let account = account(&platform).await;
        for (fault, wait) in [("429=7", Some(7_000)), ("503=600", Some(600_000)), ("429", None)] {
            platform.set_fault(Some(fault.parse().unwrap()));
            let error = read(&account).await.unwrap_err();
            let Some(ErrorKind::RateLimited(hint) | ErrorKind::Unavailable(hint)) = error.kind() else {
                panic!("{fault}: {error}")
            };
            assert_eq!(hint.retry_after_ms, wait, "{fault}");
        }
    });
}

#[test]
fn notices_in_front_of_the_answer_and_slow_answers_do_no_harm_at_wcfm() {
    run(async {
        let platform = Wcfm::builder().orders(5).start().await.unwrap();
        let account = account(&platform).await;
        for fault in ["notice", "slow=50ms"] {
            platform.set_fault(Some(fault.parse().unwrap()));
            assert_eq!(read(&account).await.unwrap().len(), 5, "{fault}");
        }
    });
}

#[test]
fn a_platform_that_is_gone_is_a_passing_failure() {
    run(async {
        let platform = HardToFind::builder().start().await.unwrap();
        let account = account(&platform).await;
        platform.stop().await;
        assert_eq!(kind(&read(&account).await), "transient");
    });
}

/// The write was carried out and its answer lost: the connector looks instead of sending it again.
#[test]
fn a_write_whose_answer_was_lost_is_made_once() {
    run(async {
        let platform = HardToFind::builder().orders(3).start().await.unwrap();
        let account = account(&platform).await;
        platform.set_fault(Some("apply-then-reset:path=/transition".parse().unwrap()));
        let status = keep(account.acknowledge_order("123456").await).await.unwrap();
        assert_eq!(status.raw, "PROCESSED");
        let parcel =
            Shipment { carrier: Some("Sendle".into()), tracking_number: Some("T-1".into()), ..Shipment::default() };
        let status = keep(account.ship("123456", &parcel).await).await.unwrap();
        assert_eq!(status.raw, "SHIPPED");
        assert_eq!(platform.ledger().effects(), [("order.process".to_owned(), 1), ("order.ship".to_owned(), 1)].into());
    });
}

/// Neither carried out nor answered: nothing is in the ledger, the caller is told, and a second call does it once.
#[test]
fn a_write_that_never_arrived_is_not_taken_for_done() {
    run(async {
        for fault in ["reset:path=/transition", "500:path=/transition", "503:path=/transition", "429:path=/transition"]
        {
            let platform = HardToFind::builder().orders(3).start().await.unwrap();
            let account = account(&platform).await;
            platform.set_fault(Some(fault.parse().unwrap()));
            let result = keep(account.acknowledge_order("123456").await).await;
            assert!(
                ["outcome-unknown", "transient", "unavailable", "rate-limited"].contains(&kind(&result)),
                "{fault}: {result:?}"
            );
            assert!(platform.ledger().is_empty(), "{fault}");
            platform.set_fault(None);
            keep(account.acknowledge_order("123456").await).await.unwrap();
            assert_eq!(platform.ledger().len(), 1, "{fault}");
        }
    });
}
