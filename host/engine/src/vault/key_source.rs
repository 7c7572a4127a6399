//! Where the master key comes from, whether it fits what is kept, and its change.
//!
//! It is given from outside ([`KEY_VARIABLE`]), or stands in a file of the data directory that only its owner may read. The file is made when
//! a key is first needed, and is on the disk before anything is sealed with it. A key is never made where something is sealed already: it
//! could not open it.
//!
//! A change of the key must survive the end of the process at any point, and file and database cannot be changed as one. So the new key is
//! written beside the old one, everything is sealed anew in one transaction, and then the new file takes the old one's name. Whoever comes in
//! between takes the key of the two that fits, and finishes that last step.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use secrecy::{ExposeSecret, SecretString};
use tokio::sync::OnceCell;
use tokio::task::spawn_blocking;
use zeroize::Zeroizing;

use super::{MasterKey, NotAKey, Place, Reseal, Sealed, Vault, VaultError};
use crate::store::{Store, StoreError};

/// The environment variable that gives the key.
pub const KEY_VARIABLE: &str = "TRADEPOST_KEY";
/// The key's file in the data directory.
pub const KEY_FILE: &str = "tradepost.key";
/// The next key while everything is being sealed with it.
const NEXT_KEY_FILE: &str = "tradepost.key.next";
/// A key takes 45 bytes; what is much longer is something else.
const LONGEST_FILE: u64 = 1024;

/// Why there is no key to work with. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// What was given is no key.
    #[error("{KEY_VARIABLE} is set and cannot be used: {0}")]
    Given(NotAKey),
    /// The file holds no key.
    #[error("{path} holds no key: {problem}; restore it from a backup")]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        problem: NotAKey,
    },
    /// Others may read the file.
    #[error(
        "{0} can be read by other users of this machine; `chmod 600` it, and change the key if they may have read it"
    )]
    OpenToOthers(PathBuf),
    /// The file cannot be read, made or replaced.
    #[error("{path}: {source}; check that the data directory can be written")]
    Unusable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Something is sealed, and there is no key at all.
    #[error("{place} is sealed, and the key {path} is gone; restore it from a backup, or give it as {KEY_VARIABLE}")]
    Missing {
        /// Where the key should be.
        path: PathBuf,
        /// Something that is sealed.
        place: Place,
    },
    /// Something is sealed with another key.
    #[error("{place} was sealed with another key than that of {origin}; give the key that it was sealed with")]
    Misfit {
        /// Where the key came from: the variable or the file.
        origin: String,
        /// Something that it does not open.
        place: Place,
    },
    /// The key is given from outside, so a new one must be, too.
    #[error("the key comes from {KEY_VARIABLE}, so the new one must be given as well")]
    NewKeyNeeded,
    /// The new key is the old one.
    #[error("the new key is the one that is in use")]
    SameKey,
    /// The system gave no random bytes.
    #[error("no key can be made: {0}")]
    NotMade(getrandom::Error),
    /// A value was not opened or not sealed.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What came of a change of the key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeyChange {
    /// Values that are sealed with the new key now.
    pub resealed: usize,
    /// Values that no key at hand opened, and that are gone.
    pub forgotten: Vec<Place>,
}

/// Where the key of a data directory comes from.
#[derive(Clone, Debug)]
pub struct KeySource {
    directory: PathBuf,
    given: Option<SecretString>,
}

/// A key with the place it was found in.
struct Found {
    key: MasterKey,
    path: Option<PathBuf>,
}

impl Found {
    fn origin(&self) -> String {
        self.path.as_ref().map_or_else(|| KEY_VARIABLE.to_owned(), |path| path.display().to_string())
    }
}

impl KeySource {
    /// The key that is `given`, as text in base64 or hexadecimal, else that of the file in this data directory.
    pub fn new(data_directory: impl Into<PathBuf>, given: Option<SecretString>) -> Self {
        Self { directory: data_directory.into(), given }
    }

    /// The key of the environment variable [`KEY_VARIABLE`], else that of the file. A variable that is set and holds no key is an error
    /// when the key is needed, so that a mistake there does not make a new key.
    pub fn from_environment(data_directory: impl Into<PathBuf>) -> Self {
        let given = std::env::var_os(KEY_VARIABLE).map(|value| value.to_string_lossy().into_owned().into());
        Self::new(data_directory, given)
    }

    /// The key's file.
    pub fn file(&self) -> PathBuf {
        self.directory.join(KEY_FILE)
    }

    fn next_file(&self) -> PathBuf {
        self.directory.join(NEXT_KEY_FILE)
    }

    /// A vault under the key that fits what is kept. Where nothing is kept and there is no key, one is made.
    pub async fn vault(&self, store: &dyn Store) -> Result<Vault, KeyError> {
        let mut again = true;
        loop {
            let sample = store.sealed_values(1).await?.pop();
            let source = self.clone();
            let found = blocking(move || source.find(sample.as_ref())).await?;
            match found {
                Ok(key) => return Ok(Vault::new(key)),
                // Another process may have changed the key between the two looks.
                Err(_) if again => again = false,
                Err(misfit) => return Err(misfit),
            }
        }
    }

    /// The key for a store that holds this, or nothing. The inner error is that no key fits.
    fn find(&self, sample: Option<&(Place, Sealed)>) -> Result<Result<MasterKey, KeyError>, KeyError> {
        let mut candidates = self.candidates()?;
        let Some((place, sealed)) = sample else {
            // Of two files, the next one is in use only where something is sealed with it.
            let first = candidates.into_iter().find(|found| found.path.as_ref() != Some(&self.next_file()));
            return first.map_or_else(|| self.make(), |found| Ok(found.key)).map(Ok);
        };
        let Some(name) = sealed.key_name() else {
            return Ok(Err(VaultError::Damaged(place.clone()).into()));
        };
        if let Some(at) = candidates.iter().position(|found| found.key.name() == name) {
            let found = candidates.swap_remove(at);
            if found.path.as_ref() == Some(&self.next_file()) {
                self.promote()?;
            }
            return Ok(Ok(found.key));
        }
        Ok(Err(match candidates.first() {
            Some(found) => KeyError::Misfit { origin: found.origin(), place: place.clone() },
            None => KeyError::Missing { path: self.file(), place: place.clone() },
        }))
    }

    /// The keys there are, the one in use first.
    fn candidates(&self) -> Result<Vec<Found>, KeyError> {
        if let Some(given) = &self.given {
            let key = MasterKey::parse(given.expose_secret()).map_err(KeyError::Given)?;
            return Ok(vec![Found { key, path: None }]);
        }
        let mut found = Vec::new();
        for path in [self.file(), self.next_file()] {
            match read(&path) {
                // Cut off while it was written: nothing was ever sealed with it.
                Err(KeyError::File { .. }) if path == self.next_file() => {}
                read => found.extend(read?.map(|key| Found { key, path: Some(path) })),
            }
        }
        Ok(found)
    }

    /// Makes the first key. Where another process does the same at the same moment, both get the key of the one that was faster.
    fn make(&self) -> Result<MasterKey, KeyError> {
        let path = self.file();
        let unusable = |source| KeyError::Unusable { path: path.clone(), source };
        let key = MasterKey::generate().map_err(KeyError::NotMade)?;
        // It gets its name when it is whole: nobody ever reads half a key, and none is ever replaced.
        let unnamed = self.directory.join(format!("{KEY_FILE}.{}", key.name()));
        let made = write(&unnamed, &key).and_then(|()| match fs::hard_link(&unnamed, &path) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
            _ => sync_directory(&self.directory),
        });
        let removed = fs::remove_file(&unnamed);
        made.and(removed).map_err(unusable)?;
        read(&path)?.ok_or_else(|| unusable(io::ErrorKind::NotFound.into()))
    }

    /// Seals everything anew, under a key that is given or, where the key stands in the file, under a new one. Until it has succeeded
    /// nothing is changed. A value that no key at hand opens is an error, unless such values are to be forgotten.
    ///
    /// Whoever works with the old key meanwhile has his writes refused; it is best done while nobody does.
    pub async fn change(
        &self,
        store: &dyn Store,
        new: Option<MasterKey>,
        forget_unreadable: bool,
    ) -> Result<KeyChange, KeyError> {
        // Makes the key where there is none, and finishes a change that was cut off.
        match self.vault(store).await {
            Err(KeyError::Missing { .. } | KeyError::Misfit { .. } | KeyError::Vault(_)) if forget_unreadable => {}
            other => drop(other?),
        }
        let in_file = self.given.is_none() && new.is_none();
        let (source, next) = (self.clone(), new);
        let (old, next) = blocking(move || {
            let old = source.candidates()?;
            let next = match next {
                Some(next) if old.iter().any(|found| found.key.name() == next.name()) => return Err(KeyError::SameKey),
                Some(next) => next,
                None if !in_file => return Err(KeyError::NewKeyNeeded),
                None => source.write_next()?,
            };
            Ok((old.into_iter().map(|found| Vault::new(found.key)).collect::<Vec<_>>(), Vault::new(next)))
        })
        .await?;
        let mut change = KeyChange::default();
        let mut rows = Vec::new();
        for (place, from) in store.sealed_values(usize::MAX).await? {
            let mut opened = Err(VaultError::OtherKey(place.clone()));
            for vault in &old {
                match vault.open(&place, &from) {
                    Err(VaultError::OtherKey(_)) => {}
                    told => opened = told,
                }
            }
            let to = match opened {
                Ok(value) => {
                    change.resealed += 1;
                    Some(next.seal(&place, value.expose_secret())?)
                }
                Err(_) if forget_unreadable => {
                    change.forgotten.push(place.clone());
                    None
                }
                Err(error) => return Err(error.into()),
            };
            rows.push(Reseal { place, from, to });
        }
        store.reseal(rows).await?;
        if in_file {
            let source = self.clone();
            blocking(move || source.promote()).await?;
        }
        Ok(change)
    }

    /// Writes the next key down, in the place of one that was left over and is not in use.
    fn write_next(&self) -> Result<MasterKey, KeyError> {
        let path = self.next_file();
        let key = MasterKey::generate().map_err(KeyError::NotMade)?;
        remove_if_there(&path)
            .and_then(|()| write(&path, &key))
            .and_then(|()| sync_directory(&self.directory))
            .map_err(|source| KeyError::Unusable { path, source })?;
        Ok(key)
    }

    /// Makes the next key the one in use. Where somebody else has done that by now, it is done.
    fn promote(&self) -> Result<(), KeyError> {
        match fs::rename(self.next_file(), self.file()) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            renamed => renamed.and_then(|()| sync_directory(&self.directory)),
        }
        .map_err(|source| KeyError::Unusable { path: self.file(), source })
    }
}

/// A vault that is opened when it is first needed: who keeps no secret needs no key.
pub struct LazyVault {
    store: Arc<dyn Store>,
    source: KeySource,
    vault: OnceCell<Vault>,
}

impl LazyVault {
    /// The vault of a store, under the key from this source.
    pub fn new(store: Arc<dyn Store>, source: KeySource) -> Self {
        Self { store, source, vault: OnceCell::new() }
    }

    /// Where its key comes from.
    pub fn source(&self) -> &KeySource {
        &self.source
    }

    /// The vault; its key is made where there is none.
    pub async fn open(&self) -> Result<&Vault, KeyError> {
        self.vault.get_or_try_init(|| self.source.vault(self.store.as_ref())).await
    }

    /// Fails where something is kept that the key does not fit, before work begins that would need it in the middle. Makes no key.
    pub async fn check(&self) -> Result<(), KeyError> {
        if self.vault.get().is_none() && !self.store.sealed_values(1).await?.is_empty() {
            self.open().await?;
        }
        Ok(())
    }
}

/// Runs what waits for the disk where waiting holds nobody up.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, KeyError> + Send + 'static,
) -> Result<T, KeyError> {
    match spawn_blocking(work).await {
        Ok(done) => done,
        Err(broken) => Err(StoreError::Unavailable(format!("reading the key broke off: {broken}")).into()),
    }
}

/// The key in a file; none where there is no such file.
fn read(path: &Path) -> Result<Option<MasterKey>, KeyError> {
    let unusable = |source| KeyError::Unusable { path: path.to_owned(), source };
    let file = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        opened => opened.map_err(unusable)?,
    };
    // Asked of what was opened: what has the name may be another file by now.
    if is_open_to_others(&file.metadata().map_err(unusable)?) {
        return Err(KeyError::OpenToOthers(path.to_owned()));
    }
    // Room for all of it: a string that grew would leave a copy behind.
    let mut text = Zeroizing::new(String::with_capacity(usize::try_from(LONGEST_FILE).unwrap_or(0) + 1));
    let not_a_key = |problem| KeyError::File { path: path.to_owned(), problem };
    match file.take(LONGEST_FILE).read_to_string(&mut text) {
        Err(error) if error.kind() == io::ErrorKind::InvalidData => return Err(not_a_key(NotAKey)),
        read => read.map_err(unusable)?,
    };
    MasterKey::parse(&text).map(Some).map_err(not_a_key)
}

#[cfg(unix)]
fn is_open_to_others(metadata: &fs::Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt;
    metadata.permissions().mode() & 0o077 != 0
}

/// Elsewhere, rights are not told by a mode: the file has those of its directory.
#[cfg(not(unix))]
fn is_open_to_others(_metadata: &fs::Metadata) -> bool {
    false
}

/// Writes a new file that only its owner may read, from its first byte on, and waits until it is on the disk.
fn write(path: &Path, key: &MasterKey) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(key.to_text().as_bytes())?;
    file.write_all(b"\n")?;
    file.sync_all()
}

fn remove_if_there(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// A name is as durable as the directory it stands in.
#[cfg(unix)]
fn sync_directory(directory: &Path) -> io::Result<()> {
    File::open(directory)?.sync_all()
}

/// Elsewhere, directories cannot be opened to be synced; the file system does it by itself.
#[cfg(not(unix))]
fn sync_directory(_directory: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;
    use crate::store::{self, SqliteStorage};

    const VALUE: &[u8] = b"hunter2hunter2";

    struct Kept {
        directory: TempDir,
        store: SqliteStorage,
    }

    impl Kept {
        fn new() -> Self {
            let directory = tempfile::tempdir().unwrap();
            let store = store::open(directory.path()).unwrap();
            Self { directory, store }
        }

        /// A token is kept, sealed with the key of the file.
        async fn with_token() -> Self {
            let kept = Self::new();
            let vault = kept.source().vault(&kept.store).await.unwrap();
            kept.store.keep_token("shop", vault.seal(&place(), VALUE).unwrap()).await.unwrap();
            kept
        }

        fn source(&self) -> KeySource {
            KeySource::new(self.directory.path(), None)
        }

        fn given(&self, byte: u8) -> KeySource {
            KeySource::new(self.directory.path(), Some(text(byte).into()))
        }

        fn key(&self) -> Option<String> {
            fs::read_to_string(self.directory.path().join(KEY_FILE)).ok()
        }

        async fn opens_with(&self, source: &KeySource) -> Result<(), KeyError> {
            let vault = source.vault(&self.store).await?;
            let sealed = self.store.token("shop").await?.expect("a token is kept");
            assert_eq!(vault.open(&place(), &sealed)?.expose_secret(), VALUE);
            Ok(())
        }
    }

    fn place() -> Place {
        Place::token("shop")
    }

    fn text(byte: u8) -> String {
        format!("{byte:02x}").repeat(32)
    }

    fn files(directory: &Path) -> Vec<String> {
        let name = |entry: io::Result<fs::DirEntry>| entry.unwrap().file_name().into_string().unwrap();
        let mut names: Vec<String> = fs::read_dir(directory).unwrap().map(name).collect();
        names.retain(|name| name.contains("key"));
        names.sort();
        names
    }

    #[tokio::test]
    async fn a_key_is_made_at_first_need_for_its_owner_only_and_is_the_same_for_all() {
        let kept = Kept::new();
        let lazy = LazyVault::new(Arc::new(kept.store.clone()), kept.source());
        lazy.check().await.unwrap();
        assert_eq!(kept.key(), None, "nothing is kept, so no key is needed");
        let source = kept.source();
        let (one, other) = tokio::join!(source.vault(&kept.store), source.vault(&kept.store));
        let name = one.unwrap().key_name();
        assert_eq!(other.unwrap().key_name(), name);
        assert_eq!(lazy.open().await.unwrap().key_name(), name);
        assert_eq!(files(kept.directory.path()), [KEY_FILE]);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(fs::metadata(kept.source().file()).unwrap().permissions().mode() & 0o777, 0o600);
        }
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn a_key_that_others_can_read_is_refused_with_what_to_do() {
        use std::os::unix::fs::PermissionsExt;
        let kept = Kept::with_token().await;
        for mode in [0o640, 0o604, 0o660] {
            fs::set_permissions(kept.source().file(), fs::Permissions::from_mode(mode)).unwrap();
            let refused = kept.opens_with(&kept.source()).await.unwrap_err();
            assert!(matches!(refused, KeyError::OpenToOthers(_)), "{refused}");
            assert!(refused.to_string().contains("`chmod 600`"), "{refused}");
        }
        fs::set_permissions(kept.source().file(), fs::Permissions::from_mode(0o400)).unwrap();
        kept.opens_with(&kept.source()).await.unwrap();
    }

    #[tokio::test]
    async fn a_key_that_does_not_fit_is_told_with_what_it_does_not_open_and_none_is_made() {
        let kept = Kept::with_token().await;
        let misfit = kept.opens_with(&kept.given(7)).await.unwrap_err();
        assert!(matches!(&misfit, KeyError::Misfit { origin, .. } if origin == KEY_VARIABLE), "{misfit}");
        assert!(
            misfit.to_string().starts_with("the login token of account shop was sealed with another key"),
            "{misfit}"
        );

        for wrong in ["", "hunter2hunter2"] {
            let source = KeySource::new(kept.directory.path(), Some(wrong.into()));
            let refused = source.vault(&kept.store).await.unwrap_err();
            assert!(matches!(refused, KeyError::Given(_)), "{refused}");
            assert!(!refused.to_string().contains("hunter2"), "{refused}");
        }

        let key = kept.key().unwrap();
        fs::write(kept.source().file(), "hunter2hunter2").unwrap();
        let refused = kept.opens_with(&kept.source()).await.unwrap_err();
        assert!(matches!(refused, KeyError::File { .. }) && !refused.to_string().contains("hunter2"), "{refused}");

        fs::remove_file(kept.source().file()).unwrap();
        let lazy = LazyVault::new(Arc::new(kept.store.clone()), kept.source());
        let missing = lazy.check().await.unwrap_err();
        assert!(matches!(missing, KeyError::Missing { .. }), "{missing}");
        assert!(
            missing.to_string().contains("account shop") && missing.to_string().contains(KEY_VARIABLE),
            "{missing}"
        );
        assert_eq!(files(kept.directory.path()), [""; 0], "a new key would open nothing");
        let given = KeySource::new(kept.directory.path(), Some(key.into()));
        kept.opens_with(&given).await.unwrap();
    }

    #[tokio::test]
    async fn a_changed_key_opens_everything_and_the_old_one_nothing() {
        let kept = Kept::with_token().await;
        let old = kept.key().unwrap();
        let change = kept.source().change(&kept.store, None, false).await.unwrap();
        assert_eq!(change, KeyChange { resealed: 1, forgotten: Vec::new() });
        assert_ne!(kept.key().unwrap(), old);
        assert_eq!(files(kept.directory.path()), [KEY_FILE]);
        kept.opens_with(&kept.source()).await.unwrap();
        let old = KeySource::new(kept.directory.path(), Some(old.into()));
        assert!(matches!(kept.opens_with(&old).await, Err(KeyError::Misfit { .. })));
    }

    #[tokio::test]
    async fn a_key_that_is_given_is_changed_to_one_that_is_given() {
        let kept = Kept::with_token().await;
        let key = |byte| MasterKey::parse(&text(byte)).unwrap();
        kept.source().change(&kept.store, Some(key(1)), false).await.unwrap();
        kept.opens_with(&kept.given(1)).await.unwrap();
        let refused = kept.given(1).change(&kept.store, None, false).await;
        assert!(matches!(refused, Err(KeyError::NewKeyNeeded)));
        let refused = kept.given(1).change(&kept.store, Some(key(1)), false).await;
        assert!(matches!(refused, Err(KeyError::SameKey)));
        let refused = kept.given(3).change(&kept.store, Some(key(2)), false).await;
        assert!(matches!(refused, Err(KeyError::Misfit { .. })));
        kept.given(1).change(&kept.store, Some(key(2)), false).await.unwrap();
        kept.opens_with(&kept.given(2)).await.unwrap();
    }

    #[tokio::test]
    async fn a_change_that_is_cut_off_anywhere_leaves_the_key_that_fits() {
        // While the next key was being written.
        let kept = Kept::with_token().await;
        let old = kept.key();
        kept.source().write_next().unwrap();
        File::options().write(true).open(kept.source().next_file()).unwrap().set_len(5).unwrap();
        kept.opens_with(&kept.source()).await.unwrap();

        // Before everything was sealed anew: the next key is there, and is not the one.
        kept.source().write_next().unwrap();
        kept.opens_with(&kept.source()).await.unwrap();
        assert_eq!(kept.key(), old);

        // After it, and before the key has its name. The leftover of before is not in the way.
        let next = kept.source().write_next().unwrap();
        let sealed = kept.store.token("shop").await.unwrap().unwrap();
        let to = Some(Vault::new(next).seal(&place(), VALUE).unwrap());
        kept.store.reseal(vec![Reseal { place: place(), from: sealed, to }]).await.unwrap();
        kept.opens_with(&kept.source()).await.unwrap();
        assert_ne!(kept.key(), old);
        assert_eq!(files(kept.directory.path()), [KEY_FILE], "whoever comes next finishes it");
        kept.opens_with(&kept.source()).await.unwrap();
    }

    #[tokio::test]
    async fn what_nobody_can_open_is_forgotten_only_where_that_is_wanted() {
        let kept = Kept::with_token().await;
        fs::remove_file(kept.source().file()).unwrap();
        let refused = kept.source().change(&kept.store, None, false).await;
        assert!(matches!(refused, Err(KeyError::Missing { .. })));
        assert!(kept.store.token("shop").await.unwrap().is_some());
        let change = kept.source().change(&kept.store, None, true).await.unwrap();
        assert_eq!(change, KeyChange { resealed: 0, forgotten: vec![place()] });
        assert!(kept.store.token("shop").await.unwrap().is_none());
        // One that was damaged keeps the others from nothing.
        let vault = kept.source().vault(&kept.store).await.unwrap();
        let moved = vault.seal(&Place::token("other"), VALUE).unwrap();
        kept.store.keep_token("shop", moved).await.unwrap();
        kept.store.keep_token("whole", vault.seal(&Place::token("whole"), VALUE).unwrap()).await.unwrap();
        let refused = kept.source().change(&kept.store, None, false).await.unwrap_err();
        assert!(matches!(&refused, KeyError::Vault(VaultError::Damaged(damaged)) if *damaged == place()), "{refused}");
        kept.source().vault(&kept.store).await.unwrap();
        let change = kept.source().change(&kept.store, None, true).await.unwrap();
        assert_eq!(change, KeyChange { resealed: 1, forgotten: vec![place()] });
    }
}
