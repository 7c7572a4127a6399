//! Compiled components on disk, so that a start does not compile what was compiled before.
//!
//! Machine code is run as it is, so a file here is believed only with a tag: an HMAC-SHA256 over what it was compiled from,
//! for which engine, and the code, under a key that is made in the directory on first use. The tag is checked over the bytes
//! in memory before anything looks into them, and the code is then taken from those bytes. Whatever is doubtful about a file
//! (short, another tag, refused by the engine) has one consequence: it is removed and the component is compiled anew. The
//! cache is never needed: where it cannot be written, the runtime compiles.
//!
//! It protects against files that are damaged, left over, mixed up, or put there by somebody who can write but not read the
//! directory (a restored backup, a mistaken copy). Who can read the key can also run programs as this user.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use hmac::{Hmac, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::inspect::Digest;
use crate::machine_code::{Compatibility, MachineCode};

/// Bytes of the key and of a tag.
const KEY_BYTES: usize = 32;
const TAG_BYTES: usize = 32;
/// The key's file.
const KEY_FILE: &str = "key";
/// What tags are made for. Another layout of the files gets another text.
const PURPOSE: &[u8] = b"tradepost compiled code 1\0";
/// Files that are being written begin so.
const UNFINISHED: &str = ".unfinished-";
/// A file that has been unfinished for so long was left over by a process that ended. Writing one takes a second.
const LEFT_OVER_AFTER: Duration = Duration::from_hours(1);
/// Largest file that is read. The largest component accepted becomes less.
const MAX_FILE_BYTES: u64 = 1 << 30;

/// A directory of compiled components, for [`RuntimeBuilder::code_cache`](crate::RuntimeBuilder::code_cache). Cheap to clone; several
/// processes may use one directory.
///
/// A file belongs to one component (by its digest) and one kind of engine (wasmtime's version, the processor, settings), so another
/// version of this library leaves the files of the old one alone until [`CodeCache::sweep`].
#[derive(Clone)]
pub struct CodeCache {
    inner: Arc<Inner>,
}

struct Inner {
    directory: PathBuf,
    key: Zeroizing<[u8; KEY_BYTES]>,
    /// The engines of this process that use it.
    engines: Mutex<BTreeSet<Compatibility>>,
}

/// Why a directory cannot keep compiled code.
#[derive(Debug, thiserror::Error)]
pub enum CodeCacheError {
    /// It cannot be made, read or written.
    #[error("the directory for compiled code {} cannot be used: {source}; name one that this user can write", directory.display())]
    Unusable {
        /// The directory.
        directory: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It is another user's, who could put any code there.
    #[error("the directory for compiled code {} belongs to another user, whose code would be run; name one of this user", .0.display())]
    OfAnotherUser(PathBuf),
}

impl CodeCache {
    /// Opens a directory; makes it, and the key in it, where there are none.
    ///
    /// The directory is kept from other users: permissions beyond its owner's are taken away, and a key that others could read or put
    /// there is replaced, after which everything is compiled anew once. One that belongs to another user is refused.
    pub fn open(directory: impl Into<PathBuf>) -> Result<Self, CodeCacheError> {
        let directory = directory.into();
        let opened = own::make_private(&directory).and_then(|was_private| match was_private {
            Some(was_private) => open_key(&directory, was_private).map(Some),
            None => Ok(None),
        });
        match opened {
            Ok(Some(key)) => Ok(Self { inner: Arc::new(Inner { directory, key, engines: Mutex::default() }) }),
            Ok(None) => Err(CodeCacheError::OfAnotherUser(directory)),
            Err(source) => Err(CodeCacheError::Unusable { directory, source }),
        }
    }

    /// The directory.
    pub fn directory(&self) -> &Path {
        &self.inner.directory
    }

    /// Removes the code of components that are not to be kept, code of engines other than those that this process has made with this
    /// cache, and what processes that were killed left unfinished an hour ago or more. Gives the bytes freed.
    ///
    /// Removing what is in use does no harm: it is compiled anew when it is loaded the next time.
    pub fn sweep(&self, keep: impl Fn(Digest) -> bool) -> io::Result<u64> {
        let engines = self.inner.engines.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let is_current = |engine: &str| engines.is_empty() || engines.iter().any(|known| known.to_string() == engine);
        let now = SystemTime::now();
        let mut freed = 0;
        for entry in fs::read_dir(&self.inner.directory)? {
            let entry = entry?;
            let name = entry.file_name();
            let Some(name) = name.to_str() else { continue };
            // Another process may have removed it in between.
            let Ok(metadata) = entry.metadata() else { continue };
            let is_to_go = if name.starts_with(UNFINISHED) {
                metadata
                    .modified()
                    .is_ok_and(|written| now.duration_since(written).is_ok_and(|age| age >= LEFT_OVER_AFTER))
            } else {
                parse_file_name(name).is_some_and(|(digest, engine)| !keep(digest) || !is_current(engine))
            };
            if is_to_go {
                match fs::remove_file(entry.path()) {
                    Ok(()) => freed += metadata.len(),
                    Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                    Err(error) => return Err(error),
                }
            }
        }
        Ok(freed)
    }

    /// An engine of this process uses the cache.
    pub(crate) fn used_by(&self, engine: Compatibility) {
        self.inner.engines.lock().unwrap_or_else(PoisonError::into_inner).insert(engine);
    }

    /// The code of a component for an engine, if it is there and beyond doubt. Blocks.
    pub(crate) fn read(&self, digest: Digest, engine: Compatibility) -> Option<MachineCode> {
        let mut file = Vec::new();
        let read = File::open(self.path(digest, engine)).and_then(|opened| {
            file.reserve(usize::try_from(opened.metadata()?.len().min(MAX_FILE_BYTES)).unwrap_or(0));
            opened.take(MAX_FILE_BYTES).read_to_end(&mut file)
        });
        match read {
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => return None,
            Err(error) => {
                self.distrust(digest, engine, &error.to_string());
                return None;
            }
        }
        let Some((tag, code)) = file.split_at_checked(TAG_BYTES) else {
            self.distrust(digest, engine, "it is too short");
            return None;
        };
        // Compares in constant time.
        if self.tag(digest, engine, code).verify_slice(tag).is_err() {
            self.distrust(
                digest,
                engine,
                "it was not written by this installation for this component, or was changed since",
            );
            return None;
        }
        Some(MachineCode::authenticated(file, TAG_BYTES))
    }

    /// Keeps the code of a component. Where that fails, the code is compiled again next time. Blocks.
    pub(crate) fn store(&self, digest: Digest, engine: Compatibility, code: &MachineCode) {
        let tag = self.tag(digest, engine, code.bytes()).finalize().into_bytes();
        let written = write_file(&self.inner.directory, &[&tag, code.bytes()])
            .and_then(|file| file.persist(self.path(digest, engine)).map_err(|failed| failed.error));
        if let Err(error) = written {
            let directory = self.inner.directory.display();
            tracing::warn!(%digest, %directory, %error, "compiled code cannot be kept: the component is compiled anew at each start");
        }
    }

    /// Removes a file that is not as it was written, and says so.
    pub(crate) fn distrust(&self, digest: Digest, engine: Compatibility, reason: &str) {
        let path = self.path(digest, engine);
        tracing::warn!(%digest, file = %path.display(), reason, "compiled code that was kept is not used: the component is compiled anew");
        // Where it cannot be removed, it is found wanting again the next time.
        if let Err(error) = fs::remove_file(&path) {
            tracing::debug!(file = %path.display(), %error, "it could not be removed");
        }
    }

    fn path(&self, digest: Digest, engine: Compatibility) -> PathBuf {
        self.inner.directory.join(file_name(digest, engine))
    }

    /// Each part but the last has one length, so no two inputs run together into the same bytes.
    fn tag(&self, digest: Digest, engine: Compatibility, code: &[u8]) -> Hmac<Sha256> {
        let mut mac = Hmac::new_from_slice(self.inner.key.as_slice()).expect("HMAC takes keys of any length");
        mac.update(PURPOSE);
        mac.update(digest.to_string().as_bytes());
        mac.update(engine.to_string().as_bytes());
        mac.update(code);
        mac
    }
}

/// Shows no key.
impl std::fmt::Debug for CodeCache {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CodeCache").field("directory", &self.inner.directory).finish_non_exhaustive()
    }
}

/// The digest's and the engine's hexadecimal digits.
fn file_name(digest: Digest, engine: Compatibility) -> String {
    let digest = digest.to_string();
    format!("{}.{engine}.code", digest.trim_start_matches("sha256:"))
}

fn parse_file_name(name: &str) -> Option<(Digest, &str)> {
    let (digest, engine) = name.strip_suffix(".code")?.split_once('.')?;
    Some((format!("sha256:{digest}").parse().ok()?, engine))
}

/// A file that is whole on the disk, under no name that anybody looks for. It is its owner's alone.
fn write_file(directory: &Path, parts: &[&[u8]]) -> io::Result<tempfile::NamedTempFile> {
    let mut file = tempfile::Builder::new().prefix(UNFINISHED).tempfile_in(directory)?;
    for part in parts {
        file.write_all(part)?;
    }
    // A name that survives a power cut without its bytes would be found wanting, and compiled again: sound, but slow.
    file.as_file().sync_all()?;
    Ok(file)
}

/// Reads the key; makes one where there is none, or none to be relied on.
fn open_key(directory: &Path, was_private: bool) -> io::Result<Zeroizing<[u8; KEY_BYTES]>> {
    let path = directory.join(KEY_FILE);
    match read_key(&path)? {
        KeyFile::Sound(key) if was_private => return Ok(key),
        KeyFile::Missing => {}
        KeyFile::Sound(_) | KeyFile::Doubtful => {
            let directory = directory.display();
            tracing::warn!(%directory, "the key of the compiled code was open to other users or damaged: another one is made, and components are compiled anew");
            // Two processes that do this at once end with the later one's key; the other finds its files wanting after its next start.
            let key = new_key()?;
            write_file(path.parent().unwrap_or(&path), &[key.as_slice()])?
                .persist(&path)
                .map_err(|failed| failed.error)?;
            return Ok(key);
        }
    }
    let key = new_key()?;
    match write_file(directory, &[key.as_slice()])?.persist_noclobber(&path) {
        Ok(_) => Ok(key),
        Err(failed) if failed.error.kind() == io::ErrorKind::AlreadyExists => match read_key(&path)? {
            KeyFile::Sound(key) => Ok(key),
            KeyFile::Missing | KeyFile::Doubtful => Err(failed.error),
        },
        Err(failed) => Err(failed.error),
    }
}

enum KeyFile {
    Sound(Zeroizing<[u8; KEY_BYTES]>),
    /// Another user's, open to others, no file, or of another length.
    Doubtful,
    Missing,
}

fn read_key(path: &Path) -> io::Result<KeyFile> {
    let metadata = match fs::symlink_metadata(path) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(KeyFile::Missing),
        Err(error) => return Err(error),
    };
    if !metadata.is_file() || metadata.len() != KEY_BYTES as u64 || !own::is_private(&metadata) {
        return Ok(KeyFile::Doubtful);
    }
    let mut key = Zeroizing::new([0; KEY_BYTES]);
    File::open(path)?.read_exact(key.as_mut_slice())?;
    Ok(KeyFile::Sound(key))
}

fn new_key() -> io::Result<Zeroizing<[u8; KEY_BYTES]>> {
    let mut key = Zeroizing::new([0; KEY_BYTES]);
    getrandom::fill(key.as_mut_slice()).map_err(io::Error::other)?;
    Ok(key)
}

/// Who may look at files, where the system tells.
#[cfg(unix)]
mod own {
    use std::fs::{self, DirBuilder, Metadata, Permissions};
    use std::io;
    use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
    use std::path::Path;

    /// Everything that group and others may do, and that they may write.
    const OTHERS: u32 = 0o077;
    const OTHERS_WRITE: u32 = 0o022;

    /// Makes a directory its owner's alone. Gives whether nobody else could write there before; none where it is not this user's.
    pub(super) fn make_private(directory: &Path) -> io::Result<Option<bool>> {
        DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
        let metadata = fs::metadata(directory)?;
        if metadata.uid() != rustix::process::geteuid().as_raw() {
            return Ok(None);
        }
        if !is_private(&metadata) {
            fs::set_permissions(directory, Permissions::from_mode(0o700))?;
        }
        Ok(Some(metadata.mode() & OTHERS_WRITE == 0))
    }

    /// Whether a file is this user's and nobody else may read or write it.
    pub(super) fn is_private(metadata: &Metadata) -> bool {
        metadata.uid() == rustix::process::geteuid().as_raw() && metadata.mode() & OTHERS == 0
    }
}

/// Elsewhere a directory has the protection of the one it is made in.
#[cfg(not(unix))]
mod own {
    use std::fs::{self, Metadata};
    use std::io;
    use std::path::Path;

    pub(super) fn make_private(directory: &Path) -> io::Result<Option<bool>> {
        fs::create_dir_all(directory)?;
        Ok(Some(true))
    }

    pub(super) fn is_private(_metadata: &Metadata) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use wasmtime::{Config, Engine};

    use super::*;

    struct Installation {
        directory: tempfile::TempDir,
        engine: Compatibility,
        other_engine: Compatibility,
    }

    impl Installation {
        fn new() -> Self {
            let engine = |config: &Config| Compatibility::of(&Engine::new(config).unwrap());
            let directory = tempfile::tempdir().unwrap();
            let (engine, other_engine) = (engine(&Config::new()), engine(Config::new().epoch_interruption(true)));
            assert_ne!(engine, other_engine);
            Self { directory, engine, other_engine }
        }

        fn cache(&self) -> CodeCache {
            CodeCache::open(self.path()).unwrap()
        }

        fn path(&self) -> PathBuf {
            self.directory.path().join("compiled")
        }

        fn files(&self) -> Vec<String> {
            let mut names: Vec<String> = fs::read_dir(self.path())
                .unwrap()
                .map(|entry| entry.unwrap().file_name().into_string().unwrap())
                .collect();
            names.sort_unstable();
            names
        }
    }

    fn code(text: &str) -> MachineCode {
        MachineCode::compiled(text.into())
    }

    #[test]
    fn what_is_stored_is_read_by_the_next_process() {
        let installation = Installation::new();
        let digest = Digest::of(b"a component");
        assert!(installation.cache().read(digest, installation.engine).is_none());
        installation.cache().store(digest, installation.engine, &code("its code"));
        let read = installation.cache().read(digest, installation.engine).unwrap();
        assert_eq!(read.bytes(), b"its code");
        assert_eq!(installation.files().len(), 2, "a key and the code, nothing unfinished: {:?}", installation.files());
    }

    #[test]
    fn a_file_under_another_name_is_not_believed() {
        let installation = Installation::new();
        let cache = installation.cache();
        let (digest, other) = (Digest::of(b"a component"), Digest::of(b"another one"));
        for (digest_asked, engine_asked) in
            [(other, installation.engine), (digest, installation.other_engine), (other, installation.other_engine)]
        {
            cache.store(digest, installation.engine, &code("its code"));
            let wrong = cache.path(digest_asked, engine_asked);
            fs::rename(cache.path(digest, installation.engine), &wrong).unwrap();
            assert!(cache.read(digest_asked, engine_asked).is_none());
            assert!(!wrong.exists(), "it is removed");
        }
    }

    #[test]
    fn a_file_of_another_installation_is_not_believed() {
        let (mine, theirs) = (Installation::new(), Installation::new());
        let digest = Digest::of(b"a component");
        theirs.cache().store(digest, mine.engine, &code("its code"));
        let cache = mine.cache();
        fs::copy(theirs.cache().path(digest, mine.engine), cache.path(digest, mine.engine)).unwrap();
        assert!(cache.read(digest, mine.engine).is_none());
    }

    #[test]
    fn a_sweep_leaves_what_is_kept_and_what_is_being_written() {
        let installation = Installation::new();
        let cache = installation.cache();
        let (kept, dropped) = (Digest::of(b"kept"), Digest::of(b"dropped"));
        for digest in [kept, dropped] {
            cache.store(digest, installation.engine, &code("0123456789"));
        }
        cache.store(kept, installation.other_engine, &code("0123456789"));
        let unfinished = |name: &str, age: Duration| {
            let file = File::create(installation.path().join(format!("{UNFINISHED}{name}"))).unwrap();
            (&file).write_all(b"12345").unwrap();
            file.set_modified(SystemTime::now() - age).unwrap();
        };
        unfinished("young", Duration::from_mins(1));
        unfinished("old", Duration::from_hours(2));
        fs::write(installation.path().join("README"), "not of the cache").unwrap();

        // No engine is known yet: only components and leftovers are looked at.
        assert_eq!(cache.sweep(|digest| digest == kept).unwrap(), (TAG_BYTES + 10 + 5) as u64);
        let left = |digest, engine| file_name(digest, engine);
        let mut expected = vec![
            format!("{UNFINISHED}young"),
            left(kept, installation.engine),
            left(kept, installation.other_engine),
            KEY_FILE.to_owned(),
            "README".to_owned(),
        ];
        expected.sort_unstable();
        assert_eq!(installation.files(), expected);
        cache.used_by(installation.engine);
        assert_eq!(cache.sweep(|digest| digest == kept).unwrap(), (TAG_BYTES + 10) as u64);
        expected.retain(|name| *name != left(kept, installation.other_engine));
        assert_eq!(installation.files(), expected);
        assert!(cache.read(kept, installation.engine).is_some());
    }

    #[test]
    fn a_directory_that_is_none_is_refused_with_its_name() {
        let installation = Installation::new();
        fs::write(installation.path(), "a file").unwrap();
        let refused = CodeCache::open(installation.path()).unwrap_err().to_string();
        assert!(refused.contains(&installation.path().display().to_string()), "{refused}");
    }

    #[cfg(unix)]
    mod permissions {
        use std::os::unix::fs::{MetadataExt, PermissionsExt};

        use super::*;

        fn set(path: &Path, mode: u32) {
            fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
        }

        fn mode(path: &Path) -> u32 {
            fs::metadata(path).unwrap().mode() & 0o777
        }

        #[test]
        fn directory_key_and_code_are_their_owner_s_alone() {
            let installation = Installation::new();
            let cache = installation.cache();
            let digest = Digest::of(b"a component");
            cache.store(digest, installation.engine, &code("its code"));
            assert_eq!(mode(cache.directory()), 0o700);
            assert_eq!(mode(&cache.directory().join(KEY_FILE)), 0o600);
            assert_eq!(mode(&cache.path(digest, installation.engine)), 0o600);
        }

        #[test]
        fn a_key_that_others_could_know_is_replaced_and_nothing_of_before_believed() {
            type Damage = fn(&Path);
            let damages: [(&str, Damage); 5] = [
                ("readable by the group", |directory| set(&directory.join(KEY_FILE), 0o640)),
                ("writable by all", |directory| set(&directory.join(KEY_FILE), 0o602)),
                ("in a directory that others could write", |directory| set(directory, 0o770)),
                ("too short", |directory| fs::write(directory.join(KEY_FILE), "short").unwrap()),
                ("a symbolic link", |directory| {
                    fs::rename(directory.join(KEY_FILE), directory.join("elsewhere")).unwrap();
                    std::os::unix::fs::symlink("elsewhere", directory.join(KEY_FILE)).unwrap();
                }),
            ];
            for (name, damage) in damages {
                let installation = Installation::new();
                let digest = Digest::of(b"a component");
                installation.cache().store(digest, installation.engine, &code("its code"));
                damage(&installation.path());
                let cache = installation.cache();
                assert!(cache.read(digest, installation.engine).is_none(), "{name}");
                assert_eq!(mode(cache.directory()), 0o700, "{name}");
                assert_eq!(mode(&cache.directory().join(KEY_FILE)), 0o600, "{name}");
                // All is well from then on.
                cache.store(digest, installation.engine, &code("its code"));
                assert!(installation.cache().read(digest, installation.engine).is_some(), "{name}");
            }
        }

        #[test]
        fn a_directory_that_others_could_only_read_keeps_its_key() {
            let installation = Installation::new();
            let digest = Digest::of(b"a component");
            installation.cache().store(digest, installation.engine, &code("its code"));
            set(&installation.path(), 0o755);
            assert!(installation.cache().read(digest, installation.engine).is_some());
            assert_eq!(mode(&installation.path()), 0o700);
        }
    }
}
