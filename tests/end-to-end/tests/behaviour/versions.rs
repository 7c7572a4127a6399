//! Versions of a connector: what is refused at the door, what happens to calls when versions are swapped, and who takes a bad one back.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use semver::Version;
use serde_json::json;
use tradepost_components::alter;
use tradepost_end_to_end::{config, host, run};
use tradepost_engine::command::{CommandOutcome, CommandState};
use tradepost_engine::event::{Event, EventFilter};
use tradepost_engine::store::{self, Store};
use tradepost_engine::stream::StreamKey;
use tradepost_engine::versions::{
    Activation, Fleet, FleetNews, FleetOptions, Following, Install, TrialRules, TrialScope, VersionChange,
    VersionError, Versions, claim_of,
};
use tradepost_engine::{Engine, EngineOptions, Order};
use tradepost_package::{Package, Parts, SecretKey};
use tradepost_platforms::{HardToFind, Platform};
use tradepost_runtime::MemoryStorage;

const ID: &str = "hardtofind";
/// Nothing is asked twice.
const YES: Install = Install { accept: true, allow_unsigned: false };

fn version(text: &str) -> Version {
    text.parse().unwrap()
}

/// The connector as it is built, which is version 0.1.0.
async fn component() -> Vec<u8> {
    let built = tokio::task::spawn_blocking(|| tradepost_components::build(ID, |_| {})).await.unwrap();
    std::fs::read(built.unwrap()).unwrap()
}

/// The same as another version.
async fn as_version(text: &str) -> Vec<u8> {
    alter::with_version(&component().await, "0.1.0", text)
}

/// A package that says the truth of its component.
async fn package(component: Vec<u8>, key: Option<&SecretKey>) -> Package {
    let connector = host().load(component.clone()).await.unwrap();
    let mut package = Package::build(Parts {
        claim: claim_of(&connector).unwrap(),
        component: component.into(),
        manifest: serde_json::to_string(connector.manifest()).unwrap(),
        page: "# hardtofind".into(),
        report: None,
    })
    .unwrap();
    if let Some(key) = key {
        package.sign(key).unwrap();
    }
    package
}

/// A store, its versions, and a publisher who is trusted.
struct Desk {
    directory: tempfile::TempDir,
    store: Arc<dyn Store>,
    versions: Versions,
    key: SecretKey,
}

impl Desk {
    async fn open() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let store: Arc<dyn Store> = Arc::new(store::open(directory.path()).unwrap());
        let versions = Versions::open(host().clone(), store.clone(), &directory.path().join("packages")).unwrap();
        let key = SecretKey::generate().unwrap();
        versions.trust(ID, key.public()).await.unwrap();
        Self { directory, store, versions, key }
    }

    /// Installs versions of the connector that differ in nothing else, and activates the first.
    async fn with(texts: &[&str]) -> Self {
        let desk = Self::open().await;
        for text in texts {
            desk.install(as_version(text).await).await;
        }
        desk.versions.activate(ID, &version(texts[0]), Activation::default()).await.unwrap();
        desk
    }

    async fn install(&self, component: Vec<u8>) -> Version {
        let package = package(component, Some(&self.key)).await;
        self.versions.install(package.to_bytes(), YES).await.unwrap().version
    }

    /// An engine with accounts at this platform, on their versions, and its fleet.
    async fn fleet(&self, platform: &dyn Platform, ids: &[&str], options: FleetOptions) -> (Engine, Fleet) {
        let mut accounts = Vec::new();
        for id in ids {
            let mut config = config(platform).await;
            config.id = (*id).to_owned();
            let connector = self.versions.connector_for(id, ID).await.unwrap();
            accounts.push(host().open(&connector, config, Arc::new(MemoryStorage::new())).unwrap());
        }
        let engine = Engine::new(Arc::clone(&self.store), accounts, EngineOptions::default());
        let named = ids.iter().map(|id| ((*id).to_owned(), ID.to_owned()));
        let fleet = Fleet::new(engine.clone(), self.versions.clone(), named, options);
        (engine, fleet)
    }

    /// The events of orders.
    async fn events(&self) -> Vec<Event> {
        let orders = EventFilter { kind: Some("orders".into()), ..EventFilter::default() };
        self.store.events(0, 100_000, &orders).await.unwrap()
    }

    async fn refuses(&self, bytes: impl Into<Bytes>, install: Install) -> VersionError {
        let before = self.versions.catalogue().await.unwrap();
        let refused = self.versions.install(bytes, install).await.unwrap_err();
        assert_eq!(self.versions.catalogue().await.unwrap(), before, "{refused}");
        refused
    }
}

/// The label of the connector that an account is on.
fn on(engine: &Engine, account: &str) -> String {
    engine.account(account).unwrap().connector().label().to_owned()
}

#[test]
fn what_is_not_signed_by_somebody_who_is_trusted_is_refused() {
    run(async {
        let desk = Desk::with(&["0.1.0"]).await;
        let next = as_version("0.2.0").await;
        let unsigned = package(next.clone(), None).await;
        assert!(matches!(desk.refuses(unsigned.to_bytes(), YES).await, VersionError::Unsigned { .. }));
        assert!(matches!(desk.refuses(next.clone(), YES).await, VersionError::Unsigned { .. }));

        let stranger = SecretKey::generate().unwrap();
        let signed = package(next.clone(), Some(&stranger)).await;
        let refused = desk.refuses(signed.to_bytes(), YES).await;
        assert!(matches!(refused, VersionError::UnknownSigner { .. }));
        assert!(refused.to_string().contains(&stranger.public().to_string()), "{refused}");
        desk.versions.trust(ID, stranger.public()).await.unwrap();
        desk.versions.revoke_key(ID, stranger.public(), "lost").await.unwrap();
        let refused = desk.refuses(signed.to_bytes(), YES).await;
        assert!(matches!(&refused, VersionError::RevokedKey { reason, .. } if reason == "lost"), "{refused}");
        let again = desk.versions.trust(ID, stranger.public()).await.unwrap_err();
        assert!(matches!(again, VersionError::RevokedKey { .. }), "{again}");

        let mut changed = package(next.clone(), Some(&desk.key)).await.to_bytes().to_vec();
        let middle = changed.len() / 2;
        changed[middle] ^= 1;
        assert!(matches!(desk.refuses(changed, YES).await, VersionError::Package(_)));
        let whole = package(next.clone(), Some(&desk.key)).await.to_bytes();
        assert!(matches!(desk.refuses(whole.slice(..whole.len() - 512), YES).await, VersionError::Package(_)));

        // Allowed by an operator, it is marked by its build and by having no signer.
        let allowed = Install { accept: true, allow_unsigned: true };
        let installed = desk.versions.install(next, allowed).await.unwrap();
        assert!(installed.signers.is_empty() && installed.version.to_string().starts_with("0.2.0+"), "{installed:?}");
        assert_eq!(desk.versions.connector_for("anyone", ID).await.unwrap().label(), "hardtofind 0.1.0");

        // The active component again, without its signature: its package keeps it.
        desk.versions.install(component().await, allowed).await.unwrap();
        let kept = desk.versions.package(ID, &version("0.1.0")).await.unwrap();
        assert!(kept.signers().contains(&desk.key.public()));
    });
}

#[test]
fn a_component_that_is_not_what_was_signed_is_refused() {
    run(async {
        let desk = Desk::with(&["0.1.0"]).await;
        let component = as_version("0.2.0").await;
        let connector = host().load(component.clone()).await.unwrap();
        for change in ["id", "version", "less rights", "more rights"] {
            let mut claim = claim_of(&connector).unwrap();
            match change {
                "id" => claim.id = "wcfm".into(),
                "version" => claim.version = version("0.3.0"),
                "less rights" => claim.rights.effects.clear(),
                _ => drop(claim.rights.hosts.insert("https://elsewhere.example".into())),
            }
            let parts = Parts {
                claim,
                component: component.clone().into(),
                manifest: "{}".into(),
                page: String::new(),
                report: None,
            };
            let mut package = Package::build(parts).unwrap();
            package.sign(&desk.key).unwrap();
            desk.versions.trust("wcfm", desk.key.public()).await.unwrap();
            let refused = desk.refuses(package.to_bytes(), YES).await;
            assert!(matches!(&refused, VersionError::Contradicts(what) if !what.is_empty()), "{change}: {refused}");
        }
    });
}

#[test]
fn more_rights_than_were_accepted_need_a_yes() {
    run(async {
        let desk = Desk::open().await;
        let first = package(component().await, Some(&desk.key)).await;
        let refused = desk.refuses(first.to_bytes(), Install::default()).await;
        let VersionError::MoreRights { more, .. } = &refused else { panic!("{refused}") };
        assert_eq!(**more, first.statement().rights());
        assert!(refused.to_string().contains("uses the secret"), "{refused}");
        desk.versions.install(first.to_bytes(), YES).await.unwrap();
        // The next one asks for nothing more, so nobody is asked.
        let second = package(as_version("0.2.0").await, Some(&desk.key)).await;
        let installed = desk.versions.install(second.to_bytes(), Install::default()).await.unwrap();
        assert!(installed.more.is_empty() && !installed.was_there);
        let again = desk.versions.install(second.to_bytes(), Install::default()).await.unwrap();
        assert!(again.was_there);
    });
}

#[test]
fn nothing_goes_back_without_being_told_to() {
    run(async {
        let desk = Desk::with(&["0.2.0", "0.1.0", "0.3.0"]).await;
        let down = desk.versions.activate(ID, &version("0.1.0"), Activation::default()).await.unwrap_err();
        assert!(matches!(down, VersionError::Downgrade { .. }), "{down}");
        let allowed = Activation { allow_downgrade: true, ..Activation::default() };
        desk.versions.activate(ID, &version("0.1.0"), allowed.clone()).await.unwrap();
        desk.versions.activate(ID, &version("0.3.0"), Activation::default()).await.unwrap();
        let back = desk.versions.roll_back(ID, None, Some("slow".into()), false).await.unwrap();
        assert_eq!((back.version, back.before), (version("0.1.0"), Some(version("0.3.0"))));

        desk.versions.set_floor(ID, Some(version("0.3.0"))).await.unwrap();
        assert_eq!(desk.versions.unusable_in_use(ID).await.unwrap(), [version("0.1.0")]);
        desk.versions.activate(ID, &version("0.3.0"), Activation::default()).await.unwrap();
        for refused in [
            desk.versions.roll_back(ID, None, None, false).await.unwrap_err(),
            desk.versions.activate(ID, &version("0.2.0"), allowed).await.unwrap_err(),
            desk.versions.follow("acme", ID, Some(Following::Pin(version("0.2.0")))).await.unwrap_err(),
            desk.refuses(package(as_version("0.0.9").await, Some(&desk.key)).await.to_bytes(), YES).await,
        ] {
            assert!(matches!(refused, VersionError::BelowFloor { .. }), "{refused}");
        }
        desk.versions.set_floor(ID, None).await.unwrap();
        desk.versions.revoke_version(ID, &version("0.2.0"), "loses parcels").await.unwrap();
        let pinned = desk.versions.follow("acme", ID, Some(Following::Pin(version("0.2.0")))).await.unwrap_err();
        assert!(pinned.to_string().contains("loses parcels"), "{pinned}");
        let notes = desk.versions.notes(Some(ID), 100).await.unwrap();
        let rolled = notes.iter().find(|note| note.note.change == VersionChange::RolledBack).unwrap();
        assert_eq!((rolled.note.reason.as_deref(), rolled.note.by_itself), (Some("slow"), false));
    });
}

#[test]
fn a_version_that_is_published_never_changes() {
    run(async {
        let desk = Desk::with(&["0.1.0"]).await;
        let other = alter::with_text(&component().await, "AUD", "NZD");
        let refused = desk.refuses(package(other, Some(&desk.key)).await.to_bytes(), YES).await;
        assert!(matches!(refused, VersionError::VersionTaken { .. }), "{refused}");
    });
}

#[test]
fn of_two_operators_who_act_at_once_one_is_told() {
    run(async {
        let desk = Desk::with(&["0.1.0", "0.2.0"]).await;
        let (generation, document) = desk.store.versions().await.unwrap();
        let document = document.unwrap();
        assert_eq!(
            desk.store.keep_versions(generation, document.clone(), Vec::new()).await.unwrap(),
            Some(generation + 1)
        );
        assert_eq!(desk.store.keep_versions(generation, document, Vec::new()).await.unwrap(), None);
    });
}

#[test]
fn a_damaged_package_on_the_disk_is_not_loaded() {
    run(async {
        let desk = Desk::with(&["0.1.0", "0.2.0"]).await;
        let packages = desk.directory.path().join("packages");
        for file in std::fs::read_dir(&packages).unwrap() {
            let path = file.unwrap().path();
            let mut bytes = std::fs::read(&path).unwrap();
            let middle = bytes.len() / 2;
            bytes[middle] ^= 4;
            std::fs::write(&path, bytes).unwrap();
        }
        let versions = Versions::open(host().clone(), desk.store.clone(), &packages).unwrap();
        let refused = versions.activate(ID, &version("0.2.0"), Activation::default()).await.unwrap_err();
        assert!(matches!(refused, VersionError::Package(_)), "{refused}");
        std::fs::remove_dir_all(&packages).unwrap();
        let versions = Versions::open(host().clone(), desk.store.clone(), &packages).unwrap();
        let gone = versions.connector_for("anyone", ID).await.unwrap_err();
        assert!(matches!(gone, VersionError::Gone { .. }), "{gone}");
        // As after a backup was restored somewhere else: installing it again brings it back.
        let first = package(component().await, Some(&desk.key)).await;
        assert!(versions.install(first.to_bytes(), Install::default()).await.unwrap().was_there);
        assert_eq!(versions.connector_for("anyone", ID).await.unwrap().label(), "hardtofind 0.1.0");
    });
}

#[test]
fn what_nothing_names_is_swept_away_and_what_is_used_is_not_removed() {
    run(async {
        let desk = Desk::with(&["0.1.0", "0.2.0"]).await;
        let used = desk.versions.remove(ID, &version("0.1.0")).await.unwrap_err();
        assert!(matches!(used, VersionError::InUse { .. }), "{used}");
        desk.versions.remove(ID, &version("0.2.0")).await.unwrap();
        let (files, bytes) = desk.versions.sweep().await.unwrap();
        assert!(files == 1 && bytes > 100_000, "{files} {bytes}");
        assert_eq!(desk.versions.sweep().await.unwrap(), (0, 0));
        desk.versions.connector_for("anyone", ID).await.unwrap();
    });
}

#[test]
fn a_pull_goes_on_with_the_next_version_in_the_middle_of_its_pages() {
    run(async {
        let desk = Desk::with(&["0.1.0", "0.2.0"]).await;
        let platform = HardToFind::builder().orders(5_000).start().await.unwrap();
        let (engine, mut fleet) = desk.fleet(&platform, &["acme"], FleetOptions::default()).await;
        fleet.look(&mut |news| panic!("{news:?}")).await.unwrap();
        let key = StreamKey::new("acme", "orders");
        let (mut pages, mut swapped) = (0, None);
        let (told, mut swap) = tokio::sync::mpsc::unbounded_channel();
        let pull = async {
            let pulled = engine.pull(&key, |_| {
                pages += 1;
                if pages == 10 {
                    told.send(()).unwrap();
                }
            });
            pulled.await.unwrap()
        };
        let swapping = async {
            swap.recv().await.unwrap();
            desk.versions.activate(ID, &version("0.2.0"), Activation::default()).await.unwrap();
            fleet.look(&mut |news| swapped = Some(format!("{news:?}"))).await.unwrap();
        };
        let (pulled, ()) = tokio::join!(pull, swapping);
        assert!(pulled.complete && pulled.records.created == 5_000 && pulled.records.updated == 0, "{pulled:?}");
        assert!(swapped.unwrap().contains("Moved"));
        assert_eq!(on(&engine, "acme"), "hardtofind 0.2.0");
        let events = desk.events().await;
        let ids: BTreeSet<&str> = events.iter().map(|event| event.id.as_str()).collect();
        assert_eq!((events.len(), ids.len()), (5_000, 5_000));
        assert_eq!(engine.pull(&key, |_| {}).await.unwrap().records.created, 0);
    });
}

#[test]
fn a_ship_that_is_under_way_ends_on_the_version_that_it_began_on() {
    run(async {
        for (drain, slow) in [(Duration::from_secs(60), "slow=700ms"), (Duration::from_millis(50), "slow=8s")] {
            let desk = Desk::with(&["0.1.0", "0.2.0"]).await;
            let platform = HardToFind::builder().orders(20).start().await.unwrap();
            let options = FleetOptions { drain, ..FleetOptions::default() };
            let (engine, mut fleet) = desk.fleet(&platform, &["acme"], options).await;
            fleet.look(&mut |_| {}).await.unwrap();
            let began = engine.account("acme").unwrap().connector().digest().to_string();
            engine.pull(&StreamKey::new("acme", "orders"), |_| {}).await.unwrap();
            let arguments = json!({"order_id": "123456", "shipment": {
                "id": null, "carrier": "Australia Post", "tracking_number": "AP-1", "tracking_url": null,
                "shipped_at": null, "lines": [],
            }});
            let acknowledge = Order {
                operation: "order-acceptance.acknowledge".into(),
                arguments: json!({"id": "123456"}),
                key: None,
            };
            let acknowledged = engine.enqueue("acme", acknowledge).await.unwrap();
            engine.carry_out(acknowledged.id).await.unwrap();
            let ship = Order { operation: "shipments.ship".into(), arguments, key: None };
            let command = engine.enqueue("acme", ship).await.unwrap();
            platform.set_fault(Some(slow.parse().unwrap()));
            let (carrier, id) = (engine.clone(), command.id);
            let shipping = tokio::spawn(async move { carrier.carry_out(id).await });
            // Something of it is in the journal: a request is under way.
            while desk.store.requests_of(id).await.unwrap().is_empty() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            desk.versions.activate(ID, &version("0.2.0"), Activation::default()).await.unwrap();
            fleet.look(&mut |_| {}).await.unwrap();
            assert_eq!(on(&engine, "acme"), "hardtofind 0.2.0");
            let mut told = Vec::new();
            fleet.drained(|news| told.push(news)).await;
            let mut ended = shipping.await.unwrap().unwrap();
            platform.set_fault(None);
            assert_eq!(
                told.iter().any(|news| matches!(news, FleetNews::Ended { .. })),
                drain < Duration::from_secs(1),
                "{told:?}"
            );
            for _ in 0..20 {
                if Engine::is_settled(&ended) {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(500)).await;
                ended = engine.carry_out(id).await.unwrap();
            }
            assert_eq!(ended.state, CommandState::Done, "{ended:?}");
            assert!(matches!(ended.outcome, Some(CommandOutcome::Applied(_))), "{ended:?}");
            assert_eq!(ended.digest, Some(began));
            assert_eq!(platform.ledger().of("order.ship").len(), 1);
        }
    });
}

/// Rules under which a trial is decided by its calls alone.
const AT_ONCE: TrialRules = TrialRules { seconds: 0, calls: 5, faults: 3 };

#[test]
fn a_bad_canary_is_taken_back_by_itself() {
    run(async {
        let desk = Desk::with(&["0.1.0"]).await;
        let bad = desk.install(alter::trapping_in(&as_version("0.2.0").await, "orders.list")).await;
        let platform = HardToFind::builder().orders(20).start().await.unwrap();
        let (engine, mut fleet) = desk.fleet(&platform, &["brave", "other"], FleetOptions::default()).await;
        let trial = TrialScope { accounts: vec!["brave".into()], ..TrialScope::default() };
        let canary = Activation { trial: Some(trial), ..Activation::default() };
        desk.versions.activate(ID, &bad, canary).await.unwrap();
        let mut told = Vec::new();
        fleet.look(&mut |news| told.push(news)).await.unwrap();
        assert_eq!(
            (on(&engine, "brave"), on(&engine, "other")),
            ("hardtofind 0.2.0".into(), "hardtofind 0.1.0".into())
        );
        for _ in 0..3 {
            engine.pull(&StreamKey::new("other", "orders"), |_| {}).await.unwrap();
            engine.pull(&StreamKey::new("brave", "orders"), |_| {}).await.unwrap_err();
            fleet.look(&mut |news| told.push(news)).await.unwrap();
        }
        fleet.look(&mut |news| told.push(news)).await.unwrap();
        assert_eq!(on(&engine, "brave"), "hardtofind 0.1.0", "{told:?}");
        let reason = told.iter().find_map(|news| match news {
            FleetNews::RolledBack { reason, .. } => Some(reason.clone()),
            _ => None,
        });
        assert!(reason.unwrap().starts_with("3 of 3 calls failed by its own fault"));
        assert_eq!(engine.pull(&StreamKey::new("brave", "orders"), |_| {}).await.unwrap().records.created, 20);
        let notes = desk.versions.notes(Some(ID), 1).await.unwrap();
        assert!(notes[0].note.by_itself && notes[0].note.change == VersionChange::RolledBack, "{notes:?}");
    });
}

#[test]
fn a_bad_version_that_all_accounts_have_is_taken_back_too() {
    run(async {
        let desk = Desk::with(&["0.1.0"]).await;
        let bad = desk.install(alter::trapping_in(&as_version("0.2.0").await, "orders.list")).await;
        let platform = HardToFind::builder().orders(20).start().await.unwrap();
        let (engine, mut fleet) = desk.fleet(&platform, &["acme"], FleetOptions::default()).await;
        fleet.look(&mut |_| {}).await.unwrap();
        desk.versions.activate(ID, &bad, Activation::default()).await.unwrap();
        for _ in 0..5 {
            fleet.look(&mut |_| {}).await.unwrap();
            let _fails = engine.pull(&StreamKey::new("acme", "orders"), |_| {}).await;
        }
        assert_eq!(on(&engine, "acme"), "hardtofind 0.1.0");
        assert!(engine.pull(&StreamKey::new("acme", "orders"), |_| {}).await.is_ok());
    });
}

#[test]
fn a_good_canary_reaches_all_accounts() {
    run(async {
        let desk = Desk::with(&["0.1.0", "0.2.0"]).await;
        let platform = HardToFind::builder().orders(20).start().await.unwrap();
        let (engine, mut fleet) = desk.fleet(&platform, &["brave", "other"], FleetOptions::default()).await;
        let trial = TrialScope { accounts: vec!["brave".into()], ..TrialScope::default() };
        let canary = Activation { trial: Some(trial), rules: AT_ONCE, ..Activation::default() };
        desk.versions.activate(ID, &version("0.2.0"), canary).await.unwrap();
        fleet.look(&mut |_| {}).await.unwrap();
        let mut told = Vec::new();
        for _ in 0..6 {
            assert_eq!(on(&engine, "brave"), "hardtofind 0.2.0");
            engine.pull(&StreamKey::new("brave", "orders"), |_| {}).await.unwrap();
            fleet.look(&mut |news| told.push(news)).await.unwrap();
        }
        fleet.look(&mut |news| told.push(news)).await.unwrap();
        assert_eq!(on(&engine, "other"), "hardtofind 0.2.0", "{told:?}");
        assert!(told.iter().any(|news| matches!(news, FleetNews::Promoted { .. })), "{told:?}");
        // It is watched with the same rules, and then it stays.
        for _ in 0..3 {
            fleet.look(&mut |_| {}).await.unwrap();
        }
        let (_, catalogue) = desk.versions.catalogue().await.unwrap();
        assert_eq!(catalogue.connectors[ID].channels["stable"].trial, None);
    });
}

#[test]
fn a_shadow_tells_what_it_would_change_and_changes_nothing() {
    run(async {
        let desk = Desk::with(&["0.1.0"]).await;
        let other = desk.install(alter::with_text(&as_version("0.2.0").await, "AUD", "NZD")).await;
        let platform = HardToFind::builder().orders(20).start().await.unwrap();
        let (engine, mut fleet) = desk.fleet(&platform, &["acme"], FleetOptions::default()).await;
        let trial = TrialScope { share: 100, shadow: true, ..TrialScope::default() };
        let shadow = Activation { trial: Some(trial), ..Activation::default() };
        desk.versions.activate(ID, &other, shadow).await.unwrap();
        fleet.look(&mut |_| {}).await.unwrap();
        assert_eq!(engine.pull(&StreamKey::new("acme", "orders"), |_| {}).await.unwrap().records.created, 20);
        assert_eq!(on(&engine, "acme"), "hardtofind 0.1.0");
        let report = desk.versions.shadow_report(ID, &other).await.unwrap();
        assert_eq!((report.records, report.failed, report.differing), (20, 0, 20), "{report:?}");
        let told = &report.differences[0].what;
        assert!(told.contains("\"AUD\" in use, \"NZD\" along"), "{told}");
        let events = desk.events().await;
        assert!(events.iter().all(|event| !event.record.as_ref().unwrap().to_string().contains("NZD")));
        desk.versions.roll_back(ID, None, None, false).await.unwrap();
        fleet.look(&mut |_| {}).await.unwrap();
        engine.pull(&StreamKey::new("acme", "orders"), |_| {}).await.unwrap();
        assert_eq!(desk.versions.shadow_report(ID, &other).await.unwrap().pages, report.pages);
    });
}

#[test]
fn accounts_that_are_pinned_or_on_another_channel_stay_where_they_are() {
    run(async {
        let desk = Desk::with(&["0.1.0", "0.2.0", "0.3.0"]).await;
        let platform = HardToFind::builder().orders(5).start().await.unwrap();
        let (engine, mut fleet) = desk.fleet(&platform, &["pinned", "beta", "plain"], FleetOptions::default()).await;
        desk.versions.follow("pinned", ID, Some(Following::Pin(version("0.1.0")))).await.unwrap();
        let beta = Activation { channel: Some("beta".into()), ..Activation::default() };
        desk.versions.activate(ID, &version("0.3.0"), beta).await.unwrap();
        desk.versions.follow("beta", ID, Some(Following::Channel("beta".into()))).await.unwrap();
        desk.versions.activate(ID, &version("0.2.0"), Activation::default()).await.unwrap();
        fleet.look(&mut |_| {}).await.unwrap();
        let labels = ["pinned", "beta", "plain"].map(|account| on(&engine, account));
        assert_eq!(labels, ["hardtofind 0.1.0", "hardtofind 0.3.0", "hardtofind 0.2.0"]);
        desk.versions.follow("pinned", ID, None).await.unwrap();
        fleet.look(&mut |_| {}).await.unwrap();
        assert_eq!(on(&engine, "pinned"), "hardtofind 0.2.0");
    });
}
