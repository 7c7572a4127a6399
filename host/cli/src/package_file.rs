//! Packages in files: read within bounds, replaced in one step.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::Path;

use bytes::Bytes;
use tradepost_engine::versions;
use tradepost_package::{Claim, MAX_PACKAGE_BYTES, Package, PublicKey, SecretKey};
use tradepost_runtime::Connector;

use crate::explain;
use crate::failure::{Failure, Result};

/// What a loaded connector says of itself, in the terms of a package's statement.
pub(crate) fn claim_of(connector: &Connector) -> Result<Claim> {
    versions::claim_of(connector).map_err(|error| Failure::unexpected(error.to_string()).into())
}

/// Reads a package. Everything about it is checked that can be without running its component.
pub(crate) fn read(file: &Path) -> Result<Package> {
    parse(read_bytes(file)?, file)
}

/// A package from bytes that were read before.
pub(crate) fn parse(bytes: Bytes, file: &Path) -> Result<Package> {
    Package::read(bytes).map_err(|error| explain::package_error(&error, &file.display().to_string()).into())
}

/// Whether a file's bytes are to be taken as a package. A damaged one is known by its name, so that it is told what is wrong with it as one.
pub(crate) fn is_one(bytes: &[u8], file: &Path) -> bool {
    Package::is_one(bytes) || file.extension().is_some_and(|extension| extension == "tradepost")
}

/// The bytes of a file, as far as a package goes and one more, so that a longer file shows as one that is too large.
pub(crate) fn read_bytes(file: &Path) -> Result<Bytes> {
    let read = || {
        let mut bytes = Vec::new();
        File::open(file)?.take(MAX_PACKAGE_BYTES + 1).read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    let bytes = read().map_err(|error: io::Error| {
        Failure::configuration(format!("{} cannot be read: {error}", file.display())).advice("check the path")
    })?;
    Ok(bytes.into())
}

/// Puts other bytes in the place of a file: whoever opens it finds the old ones or the new ones, whole, also after a failure in between.
pub(crate) fn replace(file: &Path, bytes: &[u8]) -> Result<()> {
    let replace = || {
        // Through a link, the file it leads to is replaced and not the link.
        let file = file.canonicalize()?;
        let mut unfinished = tempfile::NamedTempFile::new_in(file.parent().unwrap_or(Path::new(".")))?;
        unfinished.write_all(bytes)?;
        unfinished.as_file().set_permissions(fs::metadata(&file)?.permissions())?;
        unfinished.as_file().sync_all()?;
        unfinished.persist(&file)?;
        Ok(())
    };
    replace().map_err(|error: io::Error| {
        Failure::usage(format!("{} cannot be replaced: {error}; it is as it was", file.display())).into()
    })
}

/// The secret key in a file.
pub(crate) fn secret_key(file: &Path) -> Result<SecretKey> {
    SecretKey::read(file)
        .map_err(|error| Failure::configuration(error.to_string()).advice("`tradepost keygen FILE` makes a key").into())
}

/// Who signed, for people.
pub(crate) fn signers(package: &Package) -> String {
    let keys: Vec<String> = package.signers().iter().map(PublicKey::to_string).collect();
    if keys.is_empty() { "nobody".to_owned() } else { keys.join(", ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_whole_and_nothing_is_left_beside_it() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("shop.tradepost");
        assert!(replace(&file, b"new").is_err(), "there is nothing to replace");
        fs::write(&file, b"old, and longer").unwrap();
        replace(&file, b"new").unwrap();
        assert_eq!(fs::read(&file).unwrap(), b"new");
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
        #[cfg(unix)]
        {
            use std::os::unix::fs::{PermissionsExt, symlink};
            fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
            symlink(&file, directory.path().join("link")).unwrap();
            replace(&directory.path().join("link"), b"newer").unwrap();
            assert_eq!(fs::read(&file).unwrap(), b"newer");
            assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o640);
        }
    }
}
