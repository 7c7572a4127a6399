//! Packages that are not what they claim: unsigned, tampered, substituted, downgraded (HC-74 to HC-78, HC-84). What a component itself may be
//! is tried in [`loading`](super::loading), what becomes of files on the disk in [`kept_files`](super::kept_files).

use std::collections::BTreeSet;

use anyhow::{Context as _, ensure};
use tradepost_engine::versions::{Activation, Following, Install, VersionChange, VersionError, claim_of};
use tradepost_package::{Claim, Package, PackageError};

use super::loading::Numbers;
use super::swap::version;
use crate::arena::Arena;
use crate::case::{Case, MustFail as _, Outcome, attack, ensure_eq};
use crate::installation::{ACCEPTED, telling};
use crate::publisher::{claiming, packed};
use crate::stage::{spacious, tight};
use crate::{CoreModule, EvilAccount, Installation, ManifestImage, Publisher, Server, Stage, evil};

pub(super) const CASES: &[Case] = &[
    Case::starred(
        "HC-74",
        "an unsigned package",
        "refused unless the operator says otherwise, and marked as such",
        attack!(unsigned),
    ),
    Case::starred(
        "HC-75",
        "a tampered package: flipped bytes, appended sections, a stripped signature",
        "refused with the reason; nothing is changed",
        attack!(flipped, appended, stripped),
    ),
    Case::starred("HC-76", "an unknown, revoked or expired key", "refused with the reason", attack!(keys)),
    Case::starred(
        "HC-77",
        "a valid signature for another name or version",
        "refused with the reason",
        attack!(borrowed_signature, other_name),
    ),
    Case::starred("HC-78", "a downgrade below the floor", "refused with the reason", attack!(below_the_floor)),
    Case::plain(
        "HC-84",
        "a manifest that claims more than was granted",
        "the grant wins",
        attack!(more_than_signed, more_than_accepted, more_than_granted),
    ),
    Case::starred(
        "TP-11",
        "an unsigned copy of a signed component, allowed and installed beside it",
        "the signed version's package stays as it was",
        attack!(unsigned_copy),
    ),
];

/// What the hand-written connectors are called.
const ID: &str = "hand-written";

/// A stage with hand-written 1.0.0 installed and active, and a component that would be 1.1.0.
struct Door {
    stage: Stage,
    installation: Installation,
    next: Vec<u8>,
}

impl Door {
    async fn new(arena: &Arena) -> anyhow::Result<Self> {
        let stage = arena.stage(tight()).await?;
        let installation = Installation::with(&stage.runtime, [telling("1.0.0").component()]).await?;
        Ok(Self { stage, installation, next: telling("1.1.0").component() })
    }

    /// The next version, signed by the publisher.
    async fn signed(&self) -> anyhow::Result<Package> {
        self.installation.publisher.package(&self.stage.runtime, self.next.clone()).await
    }

    /// What the next component says of itself.
    async fn claim(&self) -> anyhow::Result<Claim> {
        Ok(claim_of(&self.stage.runtime.load(self.next.clone()).await?)?)
    }

    /// Refuses it beside the bystander, and still has the version before.
    async fn refuses(&self, package: impl Into<bytes::Bytes>) -> anyhow::Result<VersionError> {
        let refused = self.stage.during(self.installation.refuses(package, ACCEPTED)).await.result?;
        ensure_eq!(self.installation.connector(ID).await?.label(), "hand-written 1.0.0");
        Ok(refused)
    }
}

async fn unsigned(arena: &Arena) -> Outcome {
    let door = Door::new(arena).await?;
    let package = packed(&door.stage.runtime, door.next.clone()).await?.to_bytes();
    for (what, bytes) in [("a package", package), ("a bare component", door.next.clone().into())] {
        let refused = door.refuses(bytes).await?;
        ensure!(matches!(refused, VersionError::Unsigned { .. }), "{what}: {refused:?}");
        ensure!(refused.to_string().contains("is not signed"), "{refused}");
    }
    let allowed = Install { allow_unsigned: true, ..ACCEPTED };
    let installed = door.installation.versions.install(door.next.clone(), allowed).await?;
    let marked = installed.version.to_string();
    ensure!(installed.signers.is_empty() && marked.starts_with("1.1.0+"), "{installed:?}");
    let (_, catalogue) = door.installation.versions.catalogue().await?;
    ensure!(catalogue.connectors[ID].versions[&installed.version].is_unsigned(), "it is not marked in the catalogue");
    let notes = door.installation.versions.notes(Some(ID), 1).await?;
    let note = &notes.first().context("what happened is noted")?.note;
    ensure_eq!((note.change, note.reason.as_deref()), (VersionChange::Installed, Some("unsigned")));
    ensure_eq!(door.installation.connector(ID).await?.label(), "hand-written 1.0.0");
    Ok(format!("refused as a package and bare; allowed, it is version {marked}, without signers, noted as unsigned"))
}

async fn flipped(arena: &Arena) -> Outcome {
    let door = Door::new(arena).await?;
    let bytes = door.signed().await?.to_bytes();
    let (flips, mut numbers) = (arena.scaled(200, 1_000), Numbers(75));
    let before = door.installation.contents().await?;
    for _ in 0..flips {
        let mut changed = bytes.to_vec();
        let (place, bit) = (numbers.below(changed.len()), numbers.below(8));
        changed[place] ^= 1 << bit;
        let refused = door.installation.versions.install(changed, ACCEPTED).await;
        let refused = refused.must_fail(&format!("bit {bit} of byte {place} is flipped"))?;
        // One in the archive's first bytes makes it something that is no package at all.
        ensure!(
            matches!(refused, VersionError::Package(_) | VersionError::Load(_)),
            "bit {bit} of byte {place}: {refused:?}"
        );
    }
    ensure!(door.installation.contents().await? == before, "something was changed");
    for cut in [1, 512, bytes.len() / 2] {
        let refused = door.refuses(bytes.slice(..bytes.len() - cut)).await?;
        ensure!(matches!(refused, VersionError::Package(_)), "{cut} bytes cut off: {refused:?}");
    }
    let refused = door.refuses([&bytes[..], &[0; 512]].concat()).await?;
    ensure!(matches!(refused, VersionError::Package(_)), "bytes behind the end: {refused:?}");
    Ok(format!("{flips} flipped bits in {} KiB: each refused", bytes.len() >> 10))
}

async fn appended(arena: &Arena) -> Outcome {
    let door = Door::new(arena).await?;
    // A custom section called `x` behind the component: it does nothing, and it was not signed.
    let longer = [&door.next[..], &[0, 3, 1, b'x', 0]].concat();
    let altered = claiming(door.claim().await?, longer)?;
    let resigned = door.installation.publisher.signed(altered.clone())?;
    let spliced = door.installation.publisher.with_signature_of(&resigned, &door.signed().await?)?;
    let refused = door.refuses(spliced).await?;
    ensure!(matches!(refused, VersionError::Package(PackageError::BadSignature(_))), "{refused:?}");
    let stranger = Publisher::new()?.signed(altered)?;
    let refused = door.refuses(stranger.to_bytes()).await?;
    ensure!(matches!(refused, VersionError::UnknownSigner { .. }), "{refused:?}");
    // The control: what is refused is the signature and nothing else about it.
    door.installation.versions.install(resigned.to_bytes(), ACCEPTED).await?;
    Ok("a section appended: the signature does not fit; signed by a stranger: unknown".into())
}

async fn stripped(arena: &Arena) -> Outcome {
    let door = Door::new(arena).await?;
    let signed = door.signed().await?;
    let stripped = claiming(signed.statement().claim(), door.next.clone())?;
    ensure_eq!(stripped.statement(), signed.statement());
    let refused = door.refuses(stripped.to_bytes()).await?;
    ensure!(matches!(refused, VersionError::Unsigned { .. }), "{refused:?}");
    Ok("its signature stripped: unsigned".into())
}

async fn keys(arena: &Arena) -> Outcome {
    let door = Door::new(arena).await?;
    let (stranger, versions) = (Publisher::new()?, &door.installation.versions);
    let package = stranger.package(&door.stage.runtime, door.next.clone()).await?;
    let unknown = door.refuses(package.to_bytes()).await?;
    ensure!(matches!(unknown, VersionError::UnknownSigner { .. }), "{unknown:?}");
    ensure!(unknown.to_string().contains(&stranger.key().to_string()), "it does not name the key: {unknown}");
    // Trusted for another connector is not trusted for this one.
    versions.trust("evil", stranger.key()).await?;
    let elsewhere = door.refuses(package.to_bytes()).await?;
    ensure!(matches!(elsewhere, VersionError::UnknownSigner { .. }), "{elsewhere:?}");
    versions.trust(ID, stranger.key()).await?;
    versions.install(package.to_bytes(), ACCEPTED).await?;
    versions.revoke_key(ID, stranger.key(), "stolen").await?;
    let later = stranger.package(&door.stage.runtime, telling("1.2.0").component()).await?;
    let revoked = door.refuses(later.to_bytes()).await?;
    ensure!(matches!(&revoked, VersionError::RevokedKey { reason, .. } if reason == "stolen"), "{revoked:?}");
    // What it signed before gets no accounts any more, and the key is not trusted again.
    let activated = versions.activate(ID, &version("1.1.0"), Activation::default()).await;
    let activated = activated.must_fail("its key is revoked")?;
    ensure!(matches!(activated, VersionError::Revoked { .. }), "{activated:?}");
    let again = versions.trust(ID, stranger.key()).await.must_fail("a revoked key stays revoked")?;
    ensure!(matches!(again, VersionError::RevokedKey { .. }), "{again:?}");
    Ok("unknown, trusted for another connector, revoked: refused by name; what a revoked key signed is not activated. Keys do not expire: they are revoked".into())
}

async fn borrowed_signature(arena: &Arena) -> Outcome {
    let door = Door::new(arena).await?;
    let publisher = &door.installation.publisher;
    // The publisher has signed another version; somebody puts that signature under this one.
    let other = publisher.package(&door.stage.runtime, telling("1.2.0").component()).await?;
    let refused = door.refuses(publisher.with_signature_of(&door.signed().await?, &other)?).await?;
    ensure!(matches!(refused, VersionError::Package(PackageError::BadSignature(_))), "{refused:?}");
    Ok("the signature of another version: does not fit".into())
}

async fn other_name(arena: &Arena) -> Outcome {
    let door = Door::new(arena).await?;
    let truth = door.claim().await?;
    door.installation.versions.trust("hand-made", door.installation.publisher.key()).await?;
    let lies = [
        ("another name", Claim { id: "hand-made".into(), ..truth.clone() }),
        ("a higher version", Claim { version: version("2.0.0"), ..truth.clone() }),
        ("another contract", Claim { contract: version("0.2.0"), ..truth.clone() }),
    ];
    for (what, claim) in lies {
        let package = door.installation.publisher.signed(claiming(claim, door.next.clone())?)?;
        let refused = door.refuses(package.to_bytes()).await?;
        let VersionError::Contradicts(told) = &refused else { anyhow::bail!("{what}: {refused:?}") };
        ensure_eq!(told.len(), 1, "{what}: {refused}");
    }
    Ok("signed as another name, version or contract than the component has: refused, each told".into())
}

async fn below_the_floor(arena: &Arena) -> Outcome {
    let stage = arena.stage(tight()).await?;
    let versions = ["1.0.0", "1.1.0", "1.2.0"].map(|version| telling(version).component());
    let installation = Installation::with(&stage.runtime, versions).await?;
    let of = &installation.versions;
    for text in ["1.1.0", "1.2.0"] {
        installation.activate(ID, &version(text)).await?;
    }
    of.set_floor(ID, Some(version("1.2.0"))).await?;
    let before = installation.contents().await?;
    let meant = Activation { allow_downgrade: true, ..Activation::default() };
    let pinned = Some(Following::Pin(version("1.0.0")));
    for (way, refused) in [
        ("activate", of.activate(ID, &version("1.1.0"), meant).await.map(drop)),
        ("roll back", of.roll_back(ID, None, None, false).await.map(drop)),
        ("pin", of.follow("alice/shop", ID, pinned).await.map(drop)),
    ] {
        let error = refused.must_fail(way)?;
        ensure!(matches!(error, VersionError::BelowFloor { .. }), "{way}: {error:?}");
    }
    ensure!(installation.contents().await? == before, "something was changed");
    let older = installation.publisher.package(&stage.runtime, telling("0.9.0").component()).await?;
    let refused = stage.during(installation.refuses(older.to_bytes(), ACCEPTED)).await.result?;
    ensure!(matches!(refused, VersionError::BelowFloor { .. }), "{refused:?}");
    ensure_eq!(installation.connector(ID).await?.label(), "hand-written 1.2.0");
    Ok(format!("installed, activated, rolled back to, pinned: {refused}"))
}

async fn more_than_signed(arena: &Arena) -> Outcome {
    let door = Door::new(arena).await?;
    let mut claim = door.claim().await?;
    ensure!(claim.rights.hosts.pop_last().is_some(), "the component has hosts");
    let package = door.installation.publisher.signed(claiming(claim, door.next.clone())?)?;
    let refused = door.refuses(package.to_bytes()).await?;
    ensure!(matches!(&refused, VersionError::Contradicts(told) if told.len() == 1), "{refused:?}");
    Ok(format!("more than was signed: {}", super::short(&refused.to_string())))
}

async fn more_than_accepted(arena: &Arena) -> Outcome {
    let door = Door::new(arena).await?;
    let greedy = CoreModule {
        manifest: ManifestImage {
            version: "1.1.0".into(),
            hosts: vec!["https://shop.example".into(), "https://collector.example".into()],
            ..ManifestImage::default()
        },
        ..CoreModule::default()
    };
    let package = door.installation.publisher.package(&door.stage.runtime, greedy.component()).await?;
    let refused = door.installation.refuses(package.to_bytes(), Install::default()).await?;
    let VersionError::MoreRights { more, .. } = &refused else { anyhow::bail!("{refused:?}") };
    ensure_eq!(more.hosts, BTreeSet::from(["https://collector.example".to_owned()]));
    Ok("more than was accepted: refused, the one new host named".into())
}

async fn more_than_granted(arena: &Arena) -> Outcome {
    let stage = arena.stage_keeping_code(spacious()).await?;
    let installation = Installation::with(&stage.runtime, [evil::component()]).await?;
    let connector = installation.connector("evil").await?;
    let (server, collector) = (Server::start().await, arena.stranger().await);
    // Its manifest has both hosts, an operator accepted both, and this account was granted one.
    let account = EvilAccount::new("send").at(&server).with("other-url", collector.url());
    let refused = account.with("url", format!("{}/drop", collector.url())).try_open(&stage, &connector);
    let refused = refused.must_fail("one of its hosts is not granted")?;
    ensure!(refused.to_string().contains("hosts not granted"), "{refused}");
    ensure_eq!(collector.connections(), 0);
    Ok("more than the account was granted: it does not open, and nothing is sent".into())
}

async fn unsigned_copy(arena: &Arena) -> Outcome {
    let door = Door::new(arena).await?;
    door.installation.versions.install(door.signed().await?.to_bytes(), ACCEPTED).await?;
    let signers = async || anyhow::Ok(door.installation.versions.package(ID, &version("1.1.0")).await?.signers());
    let before = signers().await?;
    let allowed = Install { allow_unsigned: true, ..ACCEPTED };
    door.installation.versions.install(door.next.clone(), allowed).await?;
    let after = signers().await?;
    ensure!(
        after == before,
        "the file is named by the component alone, so the unsigned package took the signed one's place: {} signatures before, {} after; the catalogue still says who signed it",
        before.len(),
        after.len()
    );
    Ok("its signature is there".into())
}
