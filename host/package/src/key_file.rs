//! Keys in files: the secret one for its owner's eyes only, the public one beside it to be given away. No file is ever replaced.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::key::{NotAKey, PublicKey, SecretKey};

/// Longer than any file with one key, and short enough to read whatever somebody names by mistake.
const LONGEST_FILE: u64 = 1024;

/// Why a key was not read or written.
#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
    /// There is a file already.
    #[error("{0} exists, and a key is never overwritten; name another file")]
    Exists(PathBuf),
    /// Others may read a secret key.
    #[error("the secret key {0} can be read by others; `chmod 600` it, and make a new key if they may have done so")]
    OpenToOthers(PathBuf),
    /// The file holds something else.
    #[error("{path}: {problem}", path = path.display())]
    NotAKey {
        /// The file.
        path: PathBuf,
        /// What it is not.
        problem: NotAKey,
    },
    /// The machine failed, or there is no such file.
    #[error("the key file {path} cannot be used: {source}", path = path.display())]
    Unusable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

impl SecretKey {
    /// The file of the public key that belongs to the secret key in this file: the same name with `.pub` behind it.
    pub fn public_file(file: &Path) -> PathBuf {
        let mut name = file.as_os_str().to_owned();
        name.push(".pub");
        name.into()
    }

    /// Writes the key into a new file that its owner alone may read, and its public key into [`SecretKey::public_file`]. Both are there
    /// afterwards, or neither.
    pub fn write(&self, file: &Path) -> Result<(), KeyFileError> {
        let public = Self::public_file(file);
        if public.exists() {
            return Err(KeyFileError::Exists(public));
        }
        write_new(file, self.to_text().as_bytes(), 0o600)?;
        write_new(&public, self.public().to_string().as_bytes(), 0o644).inspect_err(|_| {
            // It was made a moment ago, by us; nobody has its public half.
            let _gone = fs::remove_file(file);
        })
    }

    /// Reads the key from its file.
    pub fn read(file: &Path) -> Result<Self, KeyFileError> {
        let opened = File::open(file).map_err(|source| unusable(file, source))?;
        // Asked of what was opened: what has the name may be another file by now.
        if is_open_to_others(&opened.metadata().map_err(|source| unusable(file, source))?) {
            return Err(KeyFileError::OpenToOthers(file.to_owned()));
        }
        let text = read_text(opened, file, NotAKey::Secret)?;
        Self::parse(&text).map_err(|problem| KeyFileError::NotAKey { path: file.to_owned(), problem })
    }
}

impl PublicKey {
    /// Reads a public key from a file.
    pub fn read(file: &Path) -> Result<Self, KeyFileError> {
        let opened = File::open(file).map_err(|source| unusable(file, source))?;
        let text = read_text(opened, file, NotAKey::Public)?;
        text.trim().parse().map_err(|problem| KeyFileError::NotAKey { path: file.to_owned(), problem })
    }
}

fn unusable(path: &Path, source: io::Error) -> KeyFileError {
    KeyFileError::Unusable { path: path.to_owned(), source }
}

fn read_text(opened: File, path: &Path, kind: NotAKey) -> Result<Zeroizing<String>, KeyFileError> {
    // Room for all of it: a string that grew would leave a copy behind.
    let mut text = Zeroizing::new(String::with_capacity(usize::try_from(LONGEST_FILE).unwrap_or(0) + 1));
    match opened.take(LONGEST_FILE).read_to_string(&mut text) {
        Ok(_) => Ok(text),
        Err(error) if error.kind() == io::ErrorKind::InvalidData => {
            Err(KeyFileError::NotAKey { path: path.to_owned(), problem: kind })
        }
        Err(error) => Err(unusable(path, error)),
    }
}

/// Writes a new file with these rights from its first byte on, and waits until it is on the disk.
fn write_new(path: &Path, text: &[u8], mode: u32) -> Result<(), KeyFileError> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, mode);
    #[cfg(not(unix))]
    let _rights_of_the_directory = mode;
    let mut file = options.open(path).map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => KeyFileError::Exists(path.to_owned()),
        _ => unusable(path, error),
    })?;
    let written = file.write_all(text).and_then(|()| file.write_all(b"\n")).and_then(|()| file.sync_all());
    written.map_err(|error| {
        // Half a key is none; the file is ours.
        let _gone = fs::remove_file(path);
        unusable(path, error)
    })
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_written_for_its_owner_and_read_again() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("acme");
        let key = SecretKey::generate().unwrap();
        key.write(&file).unwrap();
        assert_eq!(SecretKey::read(&file).unwrap().public(), key.public());
        assert_eq!(PublicKey::read(&directory.path().join("acme.pub")).unwrap(), key.public());
        assert!(matches!(PublicKey::read(&file), Err(KeyFileError::NotAKey { .. })));
        assert!(matches!(SecretKey::read(&directory.path().join("absent")), Err(KeyFileError::Unusable { .. })));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
            fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
            assert!(matches!(SecretKey::read(&file), Err(KeyFileError::OpenToOthers(_))));
        }
    }

    #[test]
    fn no_file_is_overwritten_and_none_is_left_behind() {
        let directory = tempfile::tempdir().unwrap();
        let key = SecretKey::generate().unwrap();
        for taken in ["acme", "acme.pub"] {
            let taken = directory.path().join(taken);
            fs::write(&taken, "mine").unwrap();
            let refused = key.write(&directory.path().join("acme")).unwrap_err();
            assert!(refused.to_string().starts_with(&taken.display().to_string()), "{refused}");
            assert_eq!(fs::read(&taken).unwrap(), b"mine");
            assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
            fs::remove_file(taken).unwrap();
        }
    }
}
