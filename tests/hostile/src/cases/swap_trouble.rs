//! Swaps that go wrong: new versions that trap, do not fit, or are older; operators in each other's way; a disk that is full (SW-05 to SW-07,
//! SW-09 to SW-12).

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use tokio::io::AsyncWriteExt as _;
use tokio::sync::{Barrier, Notify, mpsc};
use tradepost_components::alter;
use tradepost_engine::store::StoreError;
use tradepost_engine::versions::{Activation, Fleet, FleetNews, FleetOptions, Install, VersionError, claim_of};
use tradepost_engine::{Engine, EngineOptions, Happening};
use tradepost_runtime::CallError;
use tradepost_runtime::contract::AccountIdentity;

use super::swap::version;
use crate::arena::{Arena, Effort};
use crate::case::{Case, MustFail as _, Outcome, Run, attack, ensure_eq};
use crate::core_module::altered_component;
use crate::evil::{self, Findings};
use crate::installation::{ACCEPTED, account, look, telling, told, version_of};
use crate::meddled_store::MeddledStore;
use crate::publisher::{claiming, packed};
use crate::stage::{ATTACKER, spacious, tight};
use crate::{CoreModule, EvilAccount, Installation, RawServer, Server, Stage, own_process};

pub(super) const CASES: &[Case] = &[
    Case::starred(
        "SW-05",
        "a new version that traps",
        "rolled back by itself within 5 s, with the reason",
        attack!(trapping),
    ),
    Case::starred("SW-06", "an unsigned or mistyped new version", "refused; the old one goes on", attack!(unfit)),
    Case::open(
        "SW-07",
        "a new version that keeps its values in another shape",
        "rolled back with its values",
        attack!(values_in_another_shape),
    ),
    Case::plain("SW-09", "two operators swap at once", "one wins, the other is told", attack!(two_operators)),
    Case::plain(
        "SW-10",
        "no room, or the store fails, at each step of a swap",
        "nothing changed; done again, it works. Kills at each step are the crash harness's",
        attack!(no_store, no_room),
    ),
    Case::plain("SW-11", "a downgrade", "needs an explicit word", attack!(downgrade)),
    Case::plain(
        "SW-12",
        "a rolling swap over three machines",
        "never two digests on one account at once",
        Run::NotRun("one machine works on a store at a time; there is no shared store yet"),
    ),
];

/// What the hand-written connectors are called.
const ID: &str = "hand-written";

/// A stage with an installation of hand-written versions, the first of them active, and the attacker's account on it.
struct Shelf {
    stage: Stage,
    installation: Installation,
    engine: Engine,
    fleet: Fleet,
}

impl Shelf {
    async fn new(arena: &Arena, versions: &[&str]) -> anyhow::Result<Self> {
        let stage = arena.stage(tight()).await?;
        let components: Vec<Vec<u8>> = versions.iter().map(|version| telling(version).component()).collect();
        let installation = Installation::with(&stage.runtime, components).await?;
        let opened = stage.open(&installation.connector(ID).await?)?;
        let (engine, mut fleet) = installation.fleet(vec![opened], EngineOptions::default(), FleetOptions::default());
        look(&mut fleet).await?;
        Ok(Self { stage, installation, engine, fleet })
    }

    /// Fails unless the account is on this version, by the host's word and by the code's.
    async fn serves(&mut self, version: &str) -> anyhow::Result<()> {
        look(&mut self.fleet).await?;
        ensure_eq!(version_of(&self.engine, ATTACKER)?, version);
        let reply = self.stage.during(account(&self.engine, ATTACKER)?.check()).await.result;
        ensure_eq!(told(reply)?, version);
        Ok(())
    }
}

/// What an engine and its fleet say.
enum Said {
    Fleet(FleetNews),
    Engine(Happening),
}

/// Judged only where nothing else runs on the machine.
const WITHIN: Duration = Duration::from_secs(5);

async fn trapping(arena: &Arena) -> Outcome {
    let stage = arena.stage_keeping_code(spacious()).await?;
    let bad = alter::trapping_in(&evil::as_version("0.2.0"), "orders.list");
    let installation = Installation::with(&stage.runtime, [evil::component(), bad]).await?;
    let server = RawServer::start(|mut connection| async move {
        connection.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\nconnection: close\r\n\r\n3").await
    })
    .await;
    let names = ["tenant-1", "tenant-2", "tenant-3"];
    let old = installation.connector("evil").await?;
    let open = |id: &&str| EvilAccount::new("honest").at_raw(&server).of(id).open(&stage, &old);
    let accounts = names.iter().map(open).collect::<anyhow::Result<Vec<_>>>()?;
    // Walks are as frequent as a busy engine's; how often versions are looked at is what everybody gets.
    let options =
        EngineOptions { every: Duration::from_millis(50), tick: Duration::from_millis(20), ..EngineOptions::default() };
    let (engine, mut fleet) = installation.fleet(accounts, options, FleetOptions::default());
    let (sender, mut said) = mpsc::unbounded_channel();
    let (judged, walked, tell) = (Arc::new(Notify::new()), Notify::new(), sender.clone());
    let following = tokio::spawn({
        let judged = Arc::clone(&judged);
        async move { fleet.run(judged.notified(), |news| drop(tell.send(Said::Fleet(news)))).await }
    });
    let story = async {
        let told = taken_back(&installation, &mut said, &names).await;
        walked.notify_one();
        told
    };
    let running = engine.run(walked.notified(), |happening| drop(sender.send(Said::Engine(happening))));
    let (told, ()) = Box::pin(stage.during(async { tokio::join!(story, running) })).await.result;
    judged.notify_one();
    following.await?;
    let TakenBack { took, since_trap, failed, reason } = told?;
    let text = format!(
        "all accounts back {took:.1?} after it was activated, {since_trap:.1?} after its first trap, {failed} calls failed: {reason}"
    );
    ensure!(took < WITHIN || arena.effort() == Effort::Quick, "{text}");
    let notes = installation.versions.notes(Some("evil"), 1).await?;
    ensure!(notes[0].note.by_itself && notes[0].note.reason.as_ref() == Some(&reason), "{notes:?}");
    Ok(text)
}

/// How a version was taken back.
#[derive(Debug)]
struct TakenBack {
    took: Duration,
    since_trap: Duration,
    failed: u32,
    reason: String,
}

/// Has all accounts walk, activates the version that traps, and waits until all accounts walk again on the one before.
async fn taken_back(
    installation: &Installation,
    said: &mut mpsc::UnboundedReceiver<Said>,
    names: &[&str],
) -> anyhow::Result<TakenBack> {
    all_walk(said, names).await?;
    installation.activate("evil", &version("0.2.0")).await?;
    let begun = Instant::now();
    let (mut failed, mut back, mut reason, mut first_trap) = (0, BTreeSet::new(), None, None);
    while back.len() < names.len() {
        match next(said).await? {
            Said::Fleet(FleetNews::RolledBack { reason: why, .. }) => reason = Some(why),
            Said::Fleet(FleetNews::Moved { account, now, .. }) if now == "evil 0.1.0" => drop(back.insert(account)),
            Said::Fleet(FleetNews::Moved { .. }) => {}
            Said::Fleet(other) => bail!("{other:?}"),
            Said::Engine(Happening::PullFailed(..)) => {
                failed += 1;
                first_trap.get_or_insert_with(Instant::now);
            }
            Said::Engine(_) => {}
        }
    }
    let (took, since_trap) = (begun.elapsed(), first_trap.context("it traps")?.elapsed());
    all_walk(said, names).await?;
    Ok(TakenBack { took, since_trap, failed, reason: reason.context("the fleet says why")? })
}

async fn next(said: &mut mpsc::UnboundedReceiver<Said>) -> anyhow::Result<Said> {
    let next = tokio::time::timeout(Duration::from_secs(60), said.recv()).await.context("nothing happens")?;
    next.context("the engine works")
}

/// Waits until each account has walked its orders.
async fn all_walk(said: &mut mpsc::UnboundedReceiver<Said>, names: &[&str]) -> anyhow::Result<()> {
    let mut walked = BTreeSet::new();
    while walked.len() < names.len() {
        match next(said).await? {
            Said::Engine(Happening::Pulled(pulled)) if pulled.complete => drop(walked.insert(pulled.key.account)),
            Said::Fleet(FleetNews::Failed(error)) => return Err(error.into()),
            _ => {}
        }
    }
    Ok(())
}

async fn unfit(arena: &Arena) -> Outcome {
    let mut shelf = Shelf::new(arena, &["1.0.0"]).await?;
    let (runtime, publisher) = (shelf.stage.runtime.clone(), &shelf.installation.publisher);
    let good = telling("1.1.0").component();
    let claim = claim_of(&runtime.load(good.clone()).await?)?;
    let claimed = |component: Vec<u8>| publisher.signed(claiming(claim.clone(), component)?);
    let world = CoreModule::default().world;
    let mistyped = altered_component(
        ("check: func() -> result<account-identity, error>", "check: func() -> account-identity"),
        &world,
        &CoreModule::default().wat(),
    );
    let mut stump = good.clone();
    stump.truncate(good.len() / 2);
    let mut refused = Vec::new();
    for (what, package, is_expected) in [
        (
            "unsigned",
            packed(&runtime, good.clone()).await?.to_bytes(),
            (|error| matches!(error, VersionError::Unsigned { .. })) as fn(&VersionError) -> bool,
        ),
        ("mistyped", claimed(mistyped)?.to_bytes(), |error| matches!(error, VersionError::Load(_))),
        ("cut off", claimed(stump)?.to_bytes(), |error| matches!(error, VersionError::Load(_))),
        ("another component", claimed(telling("9.9.9").component())?.to_bytes(), |error| {
            matches!(error, VersionError::Contradicts(_))
        }),
    ] {
        let error = shelf.installation.refuses(package, ACCEPTED).await?;
        ensure!(is_expected(&error), "{what}: {error:?}");
        let activated = shelf.installation.activate(ID, &version("1.1.0")).await;
        ensure!(matches!(activated, Err(VersionError::NotInstalled { .. })), "{what}: {activated:?}");
        refused.push(what);
        shelf.serves("1.0.0").await.context(what)?;
    }
    Ok(format!("{}: refused, nothing changed, 1.0.0 answers", refused.join(", ")))
}

async fn values_in_another_shape(arena: &Arena) -> Outcome {
    let stage = arena.stage_keeping_code(spacious()).await?;
    let server = Server::start().await;
    let components = [evil::component(), evil::as_version("0.2.0")];
    let installation = Installation::with(&stage.runtime, components).await?;
    let old = installation.connector("evil").await?;
    let opened = EvilAccount::new("version").at(&server).with("url", "/ok").open(&stage, &old)?;
    let (engine, mut fleet) = installation.fleet(vec![opened], EngineOptions::default(), FleetOptions::default());
    let kept = async |engine: &Engine| -> anyhow::Result<String> {
        let reply = stage.during(account(engine, ATTACKER)?.check()).await.result?;
        let AccountIdentity { facts, .. } = reply.commit().await?;
        Ok(Findings(facts).get("kept").to_owned())
    };
    look(&mut fleet).await?;
    ensure_eq!(kept(&engine).await?, "", "values before the first call");
    ensure_eq!(kept(&engine).await?, "0.1.0", "what the old version finds");
    installation.activate("evil", &version("0.2.0")).await?;
    look(&mut fleet).await?;
    // A call of the new version that fails leaves nothing of its shape.
    let breaking = EvilAccount::new("version-panic").at(&server).with("url", "/ok");
    let error = breaking.open(&stage, &installation.connector("evil").await?)?.check().await;
    ensure!(matches!(error, Err(CallError::Trap { .. })), "{error:?}");
    ensure_eq!(kept(&engine).await?, "0.1.0", "what the new version finds after its failed call");
    ensure_eq!(kept(&engine).await?, "0.2.0", "what the new version finds after a good one");
    installation.versions.roll_back("evil", None, None, false).await?;
    look(&mut fleet).await?;
    ensure_eq!(version_of(&engine, ATTACKER)?, "0.1.0");
    let found = kept(&engine).await?;
    ensure!(
        found == "0.1.0",
        "the contract has no migration of values: what a failed call of the new version writes is dropped, what its good calls wrote stays, and the old version finds {found:?} of the new one after the roll-back; a connector has to be able to read what the version after it wrote"
    );
    Ok("the old version finds its own values again".into())
}

async fn two_operators(arena: &Arena) -> Outcome {
    let mut shelf = Shelf::new(arena, &["1.0.0", "1.1.0", "1.2.0"]).await?;
    let before = shelf.installation.versions.generation().await?;
    // Each keeps what it changed when the other has seen the same catalogue.
    let both = Arc::new(Barrier::new(2));
    let desk = || {
        let both = Arc::clone(&both);
        let meet = move || {
            let both = Arc::clone(&both);
            async move {
                both.wait().await;
                Ok(())
            }
        };
        shelf.installation.on(MeddledStore::new(shelf.installation.store.clone(), meet))
    };
    let (one, other) = (desk()?, desk()?);
    let (first, second) = (version("1.1.0"), version("1.2.0"));
    let (one, other) = tokio::join!(
        one.activate(ID, &first, Activation::default()),
        other.activate(ID, &second, Activation::default())
    );
    let (winner, told) = match (one, other) {
        (Ok(_), Err(told)) => ("1.1.0", told),
        (Err(told), Ok(_)) => ("1.2.0", told),
        (one, other) => bail!("one wins and one loses, found {one:?} and {other:?}"),
    };
    ensure!(matches!(told, VersionError::ChangedMeanwhile), "{told:?}");
    ensure_eq!(shelf.installation.versions.generation().await?, before + 1, "changes that were kept");
    shelf.serves(winner).await?;
    // Whoever lost looks again, and may do it again.
    shelf.installation.activate(ID, &second).await?;
    shelf.serves("1.2.0").await?;
    Ok(format!("one change is kept; the other operator is told: {told}"))
}

async fn no_store(arena: &Arena) -> Outcome {
    let mut shelf = Shelf::new(arena, &["1.0.0", "1.1.0"]).await?;
    let full = || async { Err(StoreError::Unavailable("database or disk is full".into())) };
    let versions = shelf.installation.on(MeddledStore::new(shelf.installation.store.clone(), full))?;
    let (generation, catalogue) = shelf.installation.versions.catalogue().await?;
    let package = shelf.installation.publisher.package(&shelf.stage.runtime, telling("1.2.0").component()).await?;
    let failures = [
        versions.install(package.to_bytes(), ACCEPTED).await.map(drop),
        versions.activate(ID, &version("1.1.0"), Activation::default()).await.map(drop),
        versions.follow(ATTACKER, ID, None).await.map(drop),
    ];
    for failed in failures {
        let error = failed.must_fail("nothing can be kept")?;
        ensure!(matches!(error, VersionError::Store(StoreError::Unavailable(_))), "{error:?}");
    }
    ensure!(shelf.installation.versions.catalogue().await? == (generation, catalogue), "something was changed");
    shelf.serves("1.0.0").await?;
    // What was written before the catalogue is garbage, and is known as such.
    let (files, _) = shelf.installation.versions.sweep().await?;
    ensure_eq!(files, 1, "files that are swept away");
    shelf.installation.versions.install(package.to_bytes(), ACCEPTED).await?;
    shelf.installation.activate(ID, &version("1.2.0")).await?;
    shelf.serves("1.2.0").await?;
    Ok("the store full: install, activate and follow change nothing, 1.0.0 answers; afterwards they work".into())
}

/// The room that is left, and a package that needs more.
const ROOM_KIB: usize = 4 << 10;
const TOO_MUCH: usize = 6 << 20;

async fn no_room(arena: &Arena) -> Outcome {
    let stage = arena.stage(tight()).await?;
    let installation = Installation::with(&stage.runtime, [telling("1.0.0").component()]).await?;
    // A section of another tool's, as long as it likes.
    let mut component = telling("1.1.0").component();
    component.extend(custom_section(TOO_MUCH));
    let package = installation.publisher.package(&stage.runtime, component).await?;
    let file = tempfile::NamedTempFile::new()?;
    fs::write(file.path(), package.to_bytes())?;
    let before = installation.contents().await?;
    let install =
        async |data: &Path| stage.during(own_process::install_without_room(data, file.path(), ROOM_KIB)).await.result;
    let (installation, reason) = installation.closed_during(install).await?;
    ensure!(reason.contains("cannot be kept"), "{reason}");
    ensure!(installation.contents().await? == before, "something was changed");
    ensure_eq!(installation.connector(ID).await?.label(), "hand-written 1.0.0");
    installation.versions.install(package.to_bytes(), ACCEPTED).await?;
    installation.activate(ID, &version("1.1.0")).await?;
    ensure_eq!(installation.connector(ID).await?.label(), "hand-written 1.1.0");
    Ok(format!("{} MiB of package, room for {}: {reason}; the same files as before", TOO_MUCH >> 20, ROOM_KIB >> 10))
}

/// A custom section of about so many bytes.
fn custom_section(bytes: usize) -> Vec<u8> {
    let content = [&[4][..], b"more", &vec![0; bytes]].concat();
    let mut length = content.len();
    let mut section = vec![0];
    while length > 0x7f {
        section.push(u8::try_from(length & 0x7f).expect("seven bits") | 0x80);
        length >>= 7;
    }
    section.push(u8::try_from(length).expect("seven bits"));
    [section, content].concat()
}

async fn downgrade(arena: &Arena) -> Outcome {
    let mut shelf = Shelf::new(arena, &["1.1.0", "1.0.0"]).await?;
    let versions = shelf.installation.versions.clone();
    let silent = versions.activate(ID, &version("1.0.0"), Activation::default()).await;
    let error = silent.must_fail("nobody said that a downgrade is meant")?;
    ensure!(matches!(error, VersionError::Downgrade { .. }), "{error:?}");
    shelf.serves("1.1.0").await?;
    let meant = Activation { allow_downgrade: true, ..Activation::default() };
    versions.activate(ID, &version("1.0.0"), meant.clone()).await?;
    shelf.serves("1.0.0").await?;
    // The floor is stronger than the word.
    versions.activate(ID, &version("1.1.0"), Activation::default()).await?;
    versions.set_floor(ID, Some(version("1.1.0"))).await?;
    let error = versions.activate(ID, &version("1.0.0"), meant).await.must_fail("it is below the floor")?;
    ensure!(matches!(error, VersionError::BelowFloor { .. }), "{error:?}");
    shelf.serves("1.1.0").await?;
    let older = shelf.installation.publisher.package(&shelf.stage.runtime, telling("0.9.0").component()).await?;
    let error = shelf.installation.refuses(older.to_bytes(), Install { allow_unsigned: true, ..ACCEPTED }).await?;
    ensure!(matches!(error, VersionError::BelowFloor { .. }), "{error:?}");
    Ok("refused, then done when it is said; below the floor refused all the same".into())
}
