//! The archive: fixed entries in a fixed order, each with the one header it can have. Reading compares with what would be written, byte by
//! byte, so there is nothing in a tar file that could be read in two ways: no links, no directories, no long names, no second entry of a
//! name, nothing behind the end.

use bytes::Bytes;
use tar::{EntryType, Header};

use crate::error::PackageError;

/// Largest component in bytes: interpreters compiled into a component reach 30 MiB.
pub const MAX_COMPONENT_BYTES: u64 = 64 << 20;
/// Largest package in bytes: every part as large as it may be.
pub const MAX_PACKAGE_BYTES: u64 = {
    let mut bytes = END as u64;
    let mut index = 0;
    while index < Entry::ALL.len() {
        bytes += (BLOCK as u64) + Entry::ALL[index].limit().next_multiple_of(BLOCK as u64);
        index += 1;
    }
    bytes
};

const BLOCK: usize = 512;
/// Two empty blocks end an archive.
const END: usize = 2 * BLOCK;

/// An entry of a package, in the order of the archive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Entry {
    Statement,
    Signatures,
    Component,
    Manifest,
    Page,
    Conformance,
}

impl Entry {
    pub(crate) const ALL: [Self; 6] =
        [Self::Statement, Self::Signatures, Self::Component, Self::Manifest, Self::Page, Self::Conformance];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Statement => "statement.json",
            Self::Signatures => "signatures.json",
            Self::Component => "component.wasm",
            Self::Manifest => "manifest.json",
            Self::Page => "page.md",
            Self::Conformance => "conformance.json",
        }
    }

    /// Most bytes of its content. A manifest may hold a large settings schema, a page shows it again, a report has a line for each check.
    const fn limit(self) -> u64 {
        match self {
            Self::Statement => 256 << 10,
            Self::Signatures => 16 << 10,
            Self::Component => MAX_COMPONENT_BYTES,
            Self::Manifest | Self::Page => 4 << 20,
            Self::Conformance => 8 << 20,
        }
    }

    const fn may_be_left_out(self) -> bool {
        matches!(self, Self::Conformance)
    }
}

/// Whether the bytes begin like a package, so that it is worth saying what is wrong with it as one.
pub(crate) fn begins_like_one(bytes: &[u8]) -> bool {
    let name = Entry::Statement.name().as_bytes();
    bytes.starts_with(name) && bytes.get(name.len()) == Some(&0)
}

/// The archive with these contents, which are in the entries' order.
pub(crate) fn write(contents: &[(Entry, Bytes)]) -> Result<Bytes, PackageError> {
    let size = |content: &Bytes| BLOCK + content.len().next_multiple_of(BLOCK);
    let mut bytes = Vec::with_capacity(END + contents.iter().map(|(_, content)| size(content)).sum::<usize>());
    for (entry, content) in contents {
        check_size(entry.name(), content.len() as u64, entry.limit())?;
        bytes.extend_from_slice(header(*entry, content.len()).as_bytes());
        bytes.extend_from_slice(content);
        bytes.resize(bytes.len().next_multiple_of(BLOCK), 0);
    }
    bytes.resize(bytes.len() + END, 0);
    Ok(bytes.into())
}

/// The contents of an archive, without a copy of them.
pub(crate) fn read(bytes: &Bytes) -> Result<Vec<(Entry, Bytes)>, PackageError> {
    check_size("the package", bytes.len() as u64, MAX_PACKAGE_BYTES)?;
    if !begins_like_one(bytes) {
        return Err(PackageError::NotAPackage(
            match bytes.as_ref() {
                [] => "it is empty",
                [b'\0', b'a', b's', b'm', ..] => "it is a bare WebAssembly file",
                _ => "it does not begin with statement.json",
            }
            .into(),
        ));
    }
    let mut contents = Vec::with_capacity(Entry::ALL.len());
    let mut at = 0;
    for entry in Entry::ALL {
        if entry.may_be_left_out() && is_blank(&bytes[at..]) {
            continue;
        }
        let content = read_entry(bytes, &mut at, entry)?;
        contents.push((entry, content));
    }
    match &bytes[at..] {
        rest if rest.len() == END && is_end(rest) => Ok(contents),
        rest if rest.len() < END => Err(PackageError::CutOff("its end")),
        rest if is_end(rest) => Err(PackageError::Altered(format!("{} bytes stand behind its end", rest.len() - END))),
        rest => match name_of(rest) {
            Some(found) => Err(PackageError::UnexpectedEntry { found, expected: "its end".into() }),
            None => Err(PackageError::Altered("its end is damaged".into())),
        },
    }
}

fn read_entry(bytes: &Bytes, at: &mut usize, entry: Entry) -> Result<Bytes, PackageError> {
    let rest = &bytes[*at..];
    let Some(block) = rest.first_chunk::<BLOCK>() else { return Err(PackageError::CutOff(entry.name())) };
    if is_end(rest) {
        return Err(PackageError::Missing(entry.name().to_owned()));
    }
    let found = Header::from_byte_slice(block);
    if found.path_bytes() != entry.name().as_bytes() {
        return Err(match name_of(rest) {
            Some(found) => PackageError::UnexpectedEntry { found, expected: entry.name().into() },
            None => PackageError::Altered(format!("the header of {} is damaged", entry.name())),
        });
    }
    let Ok(size) = found.entry_size() else {
        return Err(PackageError::Altered(format!("the size of {} cannot be read", entry.name())));
    };
    check_size(entry.name(), size, entry.limit())?;
    let size = usize::try_from(size).map_err(|_| PackageError::CutOff(entry.name()))?;
    if header(entry, size).as_bytes() != block {
        return Err(PackageError::Altered(format!(
            "the header of {} is not the one it has in a package",
            entry.name()
        )));
    }
    let padded = size.next_multiple_of(BLOCK);
    let Some(content) = rest.get(BLOCK..BLOCK + padded) else { return Err(PackageError::CutOff(entry.name())) };
    if content[size..].iter().any(|byte| *byte != 0) {
        return Err(PackageError::Altered(format!("something stands in the padding of {}", entry.name())));
    }
    let start = *at + BLOCK;
    *at = start + padded;
    Ok(bytes.slice(start..start + size))
}

fn check_size(part: &str, bytes: u64, limit: u64) -> Result<(), PackageError> {
    if bytes > limit {
        return Err(PackageError::TooLarge { part: part.to_owned(), bytes, limit });
    }
    Ok(())
}

/// Whether the archive ends here. Less than a whole end is none: it was cut off.
fn is_end(rest: &[u8]) -> bool {
    rest.len() >= END && is_blank(rest)
}

/// Whether an end begins here, be it cut off.
fn is_blank(rest: &[u8]) -> bool {
    rest.iter().take(END).all(|byte| *byte == 0)
}

/// The name in a header, shortened by tar itself to 255 bytes; none where there is no header that fits its checksum.
fn name_of(rest: &[u8]) -> Option<String> {
    let block = rest.first_chunk::<BLOCK>()?;
    let header = Header::from_byte_slice(block);
    // The sum of all bytes with the checksum's own eight taken as blanks.
    let sum: u32 = block[..148].iter().chain(&[b' '; 8]).chain(&block[156..]).map(|byte| u32::from(*byte)).sum();
    (header.cksum().ok() == Some(sum)).then(|| String::from_utf8_lossy(&header.path_bytes()).into_owned())
}

/// The one header of an entry: nobody's file, of no time, that all may read.
fn header(entry: Entry, size: usize) -> Header {
    let mut header = Header::new_ustar();
    let name = entry.name().as_bytes();
    header.as_mut_bytes()[..name.len()].copy_from_slice(name);
    header.set_entry_type(EntryType::Regular);
    header.set_mode(0o644);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(0);
    header.set_size(size as u64);
    header.set_cksum();
    header
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contents() -> Vec<(Entry, Bytes)> {
        Entry::ALL.iter().map(|entry| (*entry, Bytes::from(entry.name().repeat(50)))).collect()
    }

    #[test]
    fn an_archive_is_read_as_it_was_written_with_and_without_its_last_entry() {
        for contents in [&contents()[..], &contents()[..5]] {
            assert_eq!(read(&write(contents).unwrap()).unwrap(), contents);
        }
    }

    #[test]
    fn other_programs_read_it_too() {
        let bytes = write(&contents()).unwrap();
        let mut archive = tar::Archive::new(bytes.as_ref());
        let names: Vec<_> =
            archive.entries().unwrap().map(|entry| entry.unwrap().path().unwrap().display().to_string()).collect();
        assert_eq!(names, Entry::ALL.map(Entry::name));
    }

    #[test]
    fn entries_that_do_not_belong_there_are_named() {
        let all = contents();
        for (order, expected) in [
            (&[0, 1, 1, 2, 3, 4][..], "\"signatures.json\" where component.wasm belongs"),
            (&[0, 2, 1, 3, 4], "\"component.wasm\" where signatures.json belongs"),
            (&[0, 1, 3, 4], "\"manifest.json\" where component.wasm belongs"),
            (&[0, 1, 2, 3, 4, 5, 5], "\"conformance.json\" where its end belongs"),
            (&[0, 1, 2, 3], "no page.md"),
            (&[1, 0], "does not begin with statement.json"),
        ] {
            let contents: Vec<_> = order.iter().map(|index| all[*index].clone()).collect();
            let error = read(&write(&contents).unwrap()).unwrap_err().to_string();
            assert!(error.contains(expected), "{order:?}: {error}");
        }
    }

    /// An archive whose second entry has another header.
    fn with_header(change: impl Fn(&mut Header)) -> String {
        let mut bytes = write(&contents()).unwrap().to_vec();
        let second = BLOCK + contents()[0].1.len().next_multiple_of(BLOCK);
        let mut header = Header::from_byte_slice(bytes[second..].first_chunk::<BLOCK>().unwrap()).clone();
        change(&mut header);
        header.set_cksum();
        bytes[second..second + BLOCK].copy_from_slice(header.as_bytes());
        read(&bytes.into()).unwrap_err().to_string()
    }

    #[test]
    fn links_directories_foreign_paths_and_sizes_that_lie_are_refused() {
        let renamed = |name: &'static str| {
            move |header: &mut Header| {
                header.as_mut_bytes()[..100].fill(0);
                header.as_mut_bytes()[..name.len()].copy_from_slice(name.as_bytes());
            }
        };
        for (error, expected) in [
            (with_header(renamed("../x")), "an entry \"../x\" where"),
            (with_header(renamed("/etc/passwd")), "an entry \"/etc/passwd\" where"),
            (with_header(renamed("./signatures.json")), "an entry \"./signatures.json\" where"),
            (with_header(|header| header.set_entry_type(EntryType::Symlink)), "is not the one"),
            (with_header(|header| header.set_entry_type(EntryType::Directory)), "is not the one"),
            (with_header(|header| header.set_entry_type(EntryType::GNUSparse)), "is not the one"),
            (with_header(|header| header.set_mode(0o4755)), "is not the one"),
            (with_header(|header| header.set_mtime(1)), "is not the one"),
            (with_header(|header| header.set_size(16 << 10)), "cut off within signatures.json"),
            (with_header(|header| header.set_size((16 << 10) + 1)), "at most 16384"),
            (with_header(|header| header.set_size(u64::MAX)), "at most 16384"),
        ] {
            assert!(error.contains(expected), "{expected}: {error}");
        }
    }

    #[test]
    fn a_part_that_is_too_large_is_neither_written_nor_read() {
        let mut contents = contents();
        contents[1].1 = vec![b' '; (16 << 10) + 1].into();
        let refused = write(&contents);
        assert!(matches!(refused, Err(PackageError::TooLarge { bytes: 16385, limit: 16384, .. })), "{refused:?}");
    }
}
