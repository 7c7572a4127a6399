//! What is kept on the disk and changed there by somebody else: compiled code (HC-81, SW-14), packages (HC-82).

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context as _, ensure};
use hmac::{Hmac, Mac as _};
use sha2::Sha256;
use tempfile::TempDir;
use tradepost_engine::versions::{Activation, VersionError};
use tradepost_runtime::{CodeCache, Connector, Runtime};

use super::loading::Numbers;
use super::swap::version;
use crate::arena::Arena;
use crate::case::{Case, MustFail as _, Outcome, attack, ensure_eq};
use crate::installation::{ACCEPTED, telling, told};
use crate::meddled_store::MeddledStore;
use crate::stage::tight;
use crate::{CoreModule, Installation, Publisher, Stage};

pub(super) const CASES: &[Case] = &[
    Case::starred("HC-81", "a poisoned cache of compiled code", "not used; compiled anew", attack!(poisoned)),
    Case::plain(
        "HC-82",
        "the file changed between verifying and compiling",
        "what was verified is what is compiled",
        attack!(changed_meanwhile, changed_before_loading),
    ),
    Case::plain("SW-14", "compiled code of another engine version", "refused and compiled anew", attack!(other_engine)),
];

/// Bytes of a file of compiled code before the code: its authentication code.
const TAG_BYTES: usize = 32;
/// What the authentication code is made over first.
const PURPOSE: &[u8] = b"tradepost compiled code 1\0";

/// A stage whose runtime keeps compiled code in a directory.
struct Cached {
    stage: Stage,
    directory: TempDir,
}

impl Cached {
    async fn new(arena: &Arena) -> anyhow::Result<Self> {
        let directory = tempfile::tempdir()?;
        let cache = CodeCache::open(directory.path())?;
        let stage = arena.stage_with(Runtime::builder().limits(tight()).code_cache(cache)).await?;
        Ok(Self { stage, directory })
    }

    async fn load(&self, version: &str) -> anyhow::Result<Connector> {
        Ok(self.stage.runtime.load(telling(version).component()).await?)
    }

    /// Fails unless the component is compiled anew, works, and is taken from the cache the next time.
    async fn compiles_anew(&self, version: &str) -> anyhow::Result<()> {
        let connector = self.load(version).await?;
        ensure!(!connector.is_from_cache(), "it was taken from the cache");
        let reply = self.stage.open(&connector)?.check().await;
        ensure_eq!(told(reply)?, version);
        ensure!(self.load(version).await?.is_from_cache(), "it is not kept again");
        Ok(())
    }

    /// The file of a component's code.
    fn file(&self, connector: &Connector) -> anyhow::Result<PathBuf> {
        let digest = connector.digest().to_string();
        let digits = digest.trim_start_matches("sha256:");
        let mut files = fs::read_dir(self.directory.path())?.filter_map(|entry| Some(entry.ok()?.path()));
        files.find(|file| name(file).starts_with(digits)).context("its code is kept")
    }
}

fn name(file: &Path) -> String {
    file.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

async fn poisoned(arena: &Arena) -> Outcome {
    let cached = Cached::new(arena).await?;
    let file = cached.file(&cached.load("1.0.0").await?)?;
    let sound = fs::read(&file)?;
    let mut numbers = Numbers(81);
    let flips = arena.scaled(20, 200);
    for _ in 0..flips {
        let mut changed = sound.clone();
        let (place, bit) = (numbers.below(changed.len()), numbers.below(8));
        changed[place] ^= 1 << bit;
        fs::write(&file, changed)?;
        cached.compiles_anew("1.0.0").await.with_context(|| format!("bit {bit} of byte {place} is flipped"))?;
    }
    // Somebody else's code, as good as any, under this installation's name for the component; and under another component's.
    let elsewhere = Cached::new(arena).await?;
    let theirs = fs::read(elsewhere.file(&elsewhere.load("1.0.0").await?)?)?;
    let another = fs::read(cached.file(&cached.load("1.1.0").await?)?)?;
    for (what, poison) in [
        ("of another installation", theirs),
        ("of another component", another),
        ("without its authentication code", sound[TAG_BYTES..].to_vec()),
        ("with an authentication code of zeros", [&[0; TAG_BYTES][..], &sound[TAG_BYTES..]].concat()),
        ("a stump", sound[..TAG_BYTES - 1].to_vec()),
        ("an ELF file of somebody's", b"\x7fELF\x02\x01\x01".to_vec()),
        ("nothing", Vec::new()),
    ] {
        fs::write(&file, poison)?;
        cached.stage.during(cached.compiles_anew("1.0.0")).await.result.context(what)?;
    }
    // The key is what it rests on: one that others could have read is not believed either.
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        fs::set_permissions(cached.directory.path().join("key"), fs::Permissions::from_mode(0o644))?;
        let cache = CodeCache::open(cached.directory.path())?;
        let stage = arena.stage_with(Runtime::builder().limits(tight()).code_cache(cache)).await?;
        let loaded = stage.runtime.load(telling("1.0.0").component()).await?;
        ensure!(!loaded.is_from_cache(), "code under a key that others could read was used");
    }
    Ok(format!(
        "{flips} flipped bits, 7 foreign files, a key that others could read: none used, each compiled anew and kept again"
    ))
}

async fn other_engine(arena: &Arena) -> Outcome {
    let cached = Cached::new(arena).await?;
    let connector = cached.load("1.0.0").await?;
    let file = cached.file(&connector)?;
    let sound = fs::read(&file)?;
    let file_name = name(&file);
    let engine = file_name.trim_end_matches(".code").rsplit('.').next().context("the engine is in the name")?;
    let key = fs::read(cached.directory.path().join("key"))?;
    let authenticated = |code: &[u8]| -> anyhow::Result<Vec<u8>> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&key)?;
        for part in [PURPOSE, connector.digest().to_string().as_bytes(), engine.as_bytes(), code] {
            mac.update(part);
        }
        Ok([mac.finalize().into_bytes().as_slice(), code].concat())
    };
    // The control: what is made here is what the host makes.
    fs::write(&file, authenticated(&sound[TAG_BYTES..])?)?;
    ensure!(cached.load("1.0.0").await?.is_from_cache(), "this case does not authenticate code as the host does");

    // A file that an older engine left has another name, and nobody looks at it.
    let older = cached.directory.path().join(file_name.replace(engine, &"0".repeat(engine.len())));
    fs::rename(&file, &older)?;
    cached.compiles_anew("1.0.0").await.context("another engine's file")?;
    ensure!(older.exists(), "another engine's file is removed while its engine may be running");
    let freed = CodeCache::open(cached.directory.path())?.sweep(|_| false)?;
    ensure!(freed > 0 && !older.exists(), "a sweep leaves it");

    // Code of an older engine that has come under the name of this one, with a right authentication code.
    let mut code = sound[TAG_BYTES..].to_vec();
    let target = std::env::consts::ARCH.as_bytes();
    // The engine's version stands before the target's name and that name's length.
    let at = code.windows(target.len()).position(|window| window == target).context("code names its target")? - 2;
    ensure!(code[at].is_ascii_digit(), "the engine's version is not where it was; look where it is now");
    code[at] = if code[at] == b'9' { b'8' } else { code[at] + 1 };
    fs::write(&file, authenticated(&code)?)?;
    cached.stage.during(cached.compiles_anew("1.0.0")).await.result.context("code of another engine")?;
    Ok("a file of another engine is left alone until a sweep; code of another engine version, rightly authenticated: refused by the engine, compiled anew".into())
}

/// What the hand-written connectors are called.
const ID: &str = "hand-written";

async fn changed_meanwhile(arena: &Arena) -> Outcome {
    let stage = arena.stage(tight()).await?;
    let installation = Installation::with(&stage.runtime, [telling("1.0.0").component()]).await?;
    let package = installation.publisher.package(&stage.runtime, telling("1.1.0").component()).await?;
    let source = tempfile::NamedTempFile::new()?;
    fs::write(source.path(), package.to_bytes())?;
    let digest = package.statement().digest.to_string();
    // After it was read and verified and before it is recorded, both the file that it came from and the one that is kept are changed.
    let (from, kept, is_changed) =
        (source.path().to_owned(), installation.file_of(&digest), Arc::new(AtomicBool::new(false)));
    let attacker = Publisher::new()?.package(&stage.runtime, trapping("1.1.0")).await?.to_bytes();
    let meddling = {
        let is_changed = Arc::clone(&is_changed);
        move || {
            let written = fs::write(&from, &attacker).and_then(|()| fs::write(&kept, &attacker));
            is_changed.store(written.is_ok(), Ordering::SeqCst);
            async { Ok(()) }
        }
    };
    let versions = installation.on(MeddledStore::new(installation.store.clone(), meddling))?;
    let installed = stage.during(versions.install(fs::read(source.path())?, ACCEPTED)).await.result?;
    ensure!(is_changed.load(Ordering::SeqCst), "the files were not changed");
    ensure_eq!(installed.digest, digest);
    let loaded = versions.connector(&digest).await?;
    ensure_eq!(loaded.digest().to_string(), digest);
    ensure_eq!(told(stage.open(&loaded)?.check().await)?, "1.1.0");
    // A process that finds only the changed file does not take it.
    let refused = installation.restarted()?.activate(ID, &version("1.1.0"), Activation::default()).await;
    let refused = refused.must_fail("its file holds another component")?;
    ensure!(matches!(refused, VersionError::Gone { .. }), "{refused:?}");
    ensure_eq!(installation.restarted()?.connector_for("anyone", ID).await?.label(), "hand-written 1.0.0");
    Ok("read once, and that is what runs; the changed file is refused after a restart".into())
}

/// A connector of this version that breaks off.
fn trapping(version: &str) -> Vec<u8> {
    CoreModule { check: "(unreachable)".into(), ..telling(version) }.component()
}

async fn changed_before_loading(arena: &Arena) -> Outcome {
    let stage = arena.stage(tight()).await?;
    let components = ["1.0.0", "1.1.0"].map(|version| telling(version).component());
    let installation = Installation::with(&stage.runtime, components).await?;
    let (_, catalogue) = installation.versions.catalogue().await?;
    let digest = &catalogue.connectors[ID].versions[&version("1.1.0")].digest;
    let file = installation.file_of(digest);
    let sound = fs::read(&file)?;
    let other = fs::read(installation.file_of(&catalogue.connectors[ID].versions[&version("1.0.0")].digest))?;
    let mut flipped = sound.clone();
    let middle = flipped.len() / 2;
    flipped[middle] ^= 1;
    for (what, bytes) in [
        ("a flipped bit", flipped),
        ("another package, rightly signed", other),
        ("a bare component", telling("1.1.0").component()),
        ("half of it", sound[..sound.len() / 2].to_vec()),
        ("nothing", Vec::new()),
    ] {
        fs::write(&file, bytes)?;
        let versions = installation.restarted()?;
        let refused = stage.during(versions.activate(ID, &version("1.1.0"), Activation::default())).await.result;
        let refused = refused.must_fail(what)?;
        ensure!(matches!(refused, VersionError::Package(_) | VersionError::Gone { .. }), "{what}: {refused:?}");
        ensure_eq!(versions.connector_for("anyone", ID).await?.label(), "hand-written 1.0.0", "{what}");
    }
    fs::write(&file, sound)?;
    installation.restarted()?.activate(ID, &version("1.1.0"), Activation::default()).await?;
    Ok("5 changes to the kept file: not loaded, the active version answers".into())
}
