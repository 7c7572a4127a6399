//! A result that goes to a file: never over one that is there, unless that is asked for.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::Path;

use crate::failure::{Failure, Result, Stop};

/// Refuses a file that is there, before any work is done for it.
pub(super) fn refuse_existing(file: &Path, force: bool) -> Result<()> {
    if !force && file.exists() { Err(exists(file)) } else { Ok(()) }
}

/// Writes the file.
pub(super) fn write(file: &Path, content: &[u8], force: bool) -> Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(!force).create(force).truncate(force);
    match options.open(file).and_then(|mut opened| opened.write_all(content)) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(exists(file)),
        Err(error) => Err(Failure::usage(format!("{} cannot be written: {error}", file.display())).into()),
    }
}

fn exists(file: &Path) -> Stop {
    Failure::usage(format!("{} exists", file.display()))
        .advice("name another file, or overwrite it with --force")
        .into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_overwritten_only_by_force() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("slip.pdf");
        assert!(refuse_existing(&file, false).is_ok());
        write(&file, b"first, longer", false).unwrap();
        assert!(refuse_existing(&file, false).is_err() && refuse_existing(&file, true).is_ok());
        assert!(write(&file, b"second", false).is_err());
        assert_eq!(std::fs::read(&file).unwrap(), b"first, longer");
        write(&file, b"second", true).unwrap();
        assert_eq!(std::fs::read(&file).unwrap(), b"second");
    }
}
