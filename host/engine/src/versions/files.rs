//! Packages of installed versions as files, each named by the digest of its component. A file is whole or it is not there: it is written
//! beside its place, brought to the disk, and renamed. What no version in the catalogue names is garbage.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

const EXTENSION: &str = "tradepost";

/// The directory of packages.
#[derive(Clone, Debug)]
pub(super) struct PackageFiles {
    directory: PathBuf,
}

impl PackageFiles {
    pub(super) fn open(directory: &Path) -> io::Result<Self> {
        fs::create_dir_all(directory)?;
        Ok(Self { directory: directory.to_owned() })
    }

    /// Keeps sweepers out, of this process and others, until it is dropped: for files that nothing names yet.
    pub(super) fn adding(&self) -> io::Result<File> {
        let lock = self.lock()?;
        lock.lock_shared()?;
        Ok(lock)
    }

    /// Waits until nobody adds files, and has nobody do so until it is dropped.
    pub(super) fn alone(&self) -> io::Result<File> {
        let lock = self.lock()?;
        lock.lock()?;
        Ok(lock)
    }

    /// The file beside the directory that is locked: shared by those who add, alone by who sweeps.
    fn lock(&self) -> io::Result<File> {
        File::options().create(true).truncate(false).write(true).open(self.directory.with_extension("lock"))
    }

    fn place(&self, digest: &str) -> PathBuf {
        self.directory.join(digest.replace(':', "-")).with_extension(EXTENSION)
    }

    /// Keeps a package. One that is there already under this digest is replaced: it may have more signatures now.
    pub(super) fn keep(&self, digest: &str, package: &[u8]) -> io::Result<()> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let (process, number) = (std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let beside = self.directory.join(format!("{process}-{number}.partial"));
        let written = (|| {
            let mut file = File::create_new(&beside)?;
            file.write_all(package)?;
            file.sync_all()?;
            fail::fail_point!("install.file-written");
            fs::rename(&beside, self.place(digest))?;
            File::open(&self.directory)?.sync_all()
        })();
        if written.is_err() {
            let _gone = fs::remove_file(&beside);
        }
        written
    }

    pub(super) fn read(&self, digest: &str) -> io::Result<Vec<u8>> {
        fs::read(self.place(digest))
    }

    /// Removes every file but those of these digests. Gives how many files and bytes that were.
    pub(super) fn sweep(&self, keep: impl Fn(&str) -> bool) -> io::Result<(u64, u64)> {
        let (mut files, mut bytes) = (0, 0);
        for entry in fs::read_dir(&self.directory)? {
            let entry = entry?;
            let path = entry.path();
            let name = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
            let is_package = path.extension().is_some_and(|extension| extension == EXTENSION);
            if is_package && keep(&name.replacen('-', ":", 1)) {
                continue;
            }
            let size = entry.metadata().map_or(0, |file| file.len());
            fs::remove_file(&path)?;
            (files, bytes) = (files + 1, bytes + size);
        }
        Ok((files, bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_sweeps_waits_for_those_who_add() {
        let directory = tempfile::tempdir().unwrap();
        let files = PackageFiles::open(&directory.path().join("packages")).unwrap();
        let adding = (files.adding().unwrap(), files.adding().unwrap());
        assert!(files.lock().unwrap().try_lock().is_err());
        drop(adding);
        let alone = files.alone().unwrap();
        assert!(files.lock().unwrap().try_lock_shared().is_err());
        drop(alone);
        drop(files.adding().unwrap());
    }

    #[test]
    fn a_sweep_leaves_what_is_named_and_nothing_else() {
        let directory = tempfile::tempdir().unwrap();
        let files = PackageFiles::open(&directory.path().join("packages")).unwrap();
        files.keep("sha256:aa", b"first").unwrap();
        files.keep("sha256:aa", b"again").unwrap();
        files.keep("sha256:bb", b"other").unwrap();
        fs::write(directory.path().join("packages/7-7.partial"), b"half").unwrap();
        assert_eq!(files.sweep(|digest| digest == "sha256:aa").unwrap(), (2, 9));
        assert_eq!(files.read("sha256:aa").unwrap(), b"again");
        assert_eq!(files.read("sha256:bb").unwrap_err().kind(), io::ErrorKind::NotFound);
    }
}
