//! Why bytes are no package, or not the package they say they are. Every message tells what to do.

use crate::digest::Digest;
use crate::key::PublicKey;

/// Why a package is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PackageError {
    /// The bytes are something else.
    #[error("it is no connector package: {0}; `tradepost pack` makes one from a component")]
    NotAPackage(String),
    /// The file ends before its last entry does.
    #[error("the package is cut off within {0}; get it again from its publisher")]
    CutOff(&'static str),
    /// More bytes than a part may have.
    #[error("{part} is {bytes} bytes, and at most {limit} are read; make it smaller and pack it again")]
    TooLarge {
        /// The entry.
        part: String,
        /// Its size.
        bytes: u64,
        /// The largest accepted.
        limit: u64,
    },
    /// An entry that is not one of a package, or not where it belongs, or a second one of its name.
    #[error(
        "the package has an entry {found:?} where {expected} belongs; pack it with `tradepost pack`, not with another archiver"
    )]
    UnexpectedEntry {
        /// Its name.
        found: String,
        /// What belongs there.
        expected: String,
    },
    /// Bytes that no package has: another header, something in the padding, something behind the end.
    #[error("the package was altered or made by another program: {0}; get it again from its publisher")]
    Altered(String),
    /// An entry is missing.
    #[error("the package has no {0}; get it again from its publisher, or pack it again")]
    Missing(String),
    /// A later format.
    #[error("the package has format {0}, and this program reads format 1; use a newer tradepost")]
    UnknownFormat(u32),
    /// The statement cannot be used.
    #[error("statement.json cannot be used: {0}; pack it again with `tradepost pack`")]
    Statement(String),
    /// A part is not the one that the statement is about.
    #[error(
        "{part} is not what the statement says: its digest is {found}, stated is {}; it was altered or belongs to another package: get it again from its publisher",
        stated.map_or_else(|| "none".to_owned(), |stated| stated.to_string())
    )]
    OtherPart {
        /// The entry.
        part: &'static str,
        /// The digest in the statement; none where it does not name the part.
        stated: Option<Digest>,
        /// The digest of the part.
        found: Digest,
    },
    /// A part is not of its kind.
    #[error("{part} cannot be used: {problem}; pack it again with `tradepost pack`")]
    Part {
        /// The entry.
        part: &'static str,
        /// What is wrong.
        problem: String,
    },
    /// The conformance report was made of another component.
    #[error(
        "the conformance report is about the component {about}, and this one is {component}; run `tradepost test` on this one"
    )]
    OtherReport {
        /// The digest in the report.
        about: String,
        /// The digest of the component.
        component: Digest,
    },
    /// The list of signatures cannot be used.
    #[error("signatures.json cannot be used: {0}; get the package again from its publisher")]
    Signatures(String),
    /// A signature that its key did not make over this statement.
    #[error(
        "the signature of {0} does not fit the statement: one of them was altered or belongs to another package; get it again from its publisher"
    )]
    BadSignature(PublicKey),
}
