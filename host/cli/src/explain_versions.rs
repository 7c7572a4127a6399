//! Why something was not done to versions, as failures of the command: which exit code, and what the reader can do about each.

use tradepost_engine::versions::{NoVersion, VersionError};

use crate::explain::{load_error, package_error, store_error};
use crate::failure::{Exit, Failure};

/// Something that was not done to versions. `shown` is the file or the connector that it was about.
pub(crate) fn version_error(error: &VersionError, shown: &str) -> Failure {
    let message = error.to_string();
    let denied = |kind: &str| Failure::new(Exit::Denied, kind, message.clone());
    let usage = |kind: &str| Failure::new(Exit::Usage, kind, message.clone());
    match error {
        VersionError::Package(error) => package_error(error, shown),
        VersionError::Load(error) => load_error(error, shown),
        VersionError::Store(error) => store_error(error),
        VersionError::Unsigned { .. } => {
            denied("unsigned").advice("get a signed package from its publisher").advice(format!(
                "if you know where it comes from: `tradepost install {shown} --allow-unsigned`; it is marked as such everywhere"
            ))
        }
        VersionError::UnknownSigner { connector, signers, .. } => denied("unknown-signer")
            .advice("compare the key with what the publisher says it is, from another source than the package's")
            .fact("connector", connector.as_str())
            .fact("signers", signers.split(", ").collect::<Vec<_>>()),
        VersionError::RevokedKey { .. } => denied("revoked-key")
            .advice("do not install it; ask its publisher for a package that is signed with a key that stands"),
        VersionError::Revoked { connector, .. } => {
            denied("revoked").advice(format!("`tradepost versions {connector}` lists the others"))
        }
        VersionError::BelowFloor { connector, floor, .. } => denied("below-floor")
            .advice(format!("take {connector} {floor} or higher"))
            .fact("floor", floor.to_string()),
        VersionError::Downgrade { connector, .. } => denied("downgrade").advice(format!(
            "`tradepost rollback {connector}` goes back to the version before; --allow-downgrade takes any"
        )),
        VersionError::MoreRights { more, .. } => denied("more-rights")
            .advice(format!("if that is right: `tradepost install {shown} --accept`"))
            .fact("more", more.lines()),
        VersionError::Contradicts(contradictions) => {
            Failure::new(Exit::ConnectorFault, "contradictory-package", format!("{shown}: {message}"))
                .advice("do not use it; tell its publisher")
                .fact("contradictions", contradictions.clone())
        }
        VersionError::VersionTaken { .. } => denied("version-taken"),
        VersionError::NoVersion(error) => no_version(error),
        VersionError::NotInstalled { .. } => usage("not-installed"),
        VersionError::AlreadyActive { .. } => usage("already-active"),
        VersionError::NothingBefore { .. } => usage("nothing-before"),
        VersionError::InUse { connector, .. } => {
            usage("in-use").advice(format!("`tradepost versions {connector}` shows what names it"))
        }
        VersionError::ChangedMeanwhile => Failure::new(Exit::TryAgain, "changed-meanwhile", message),
        VersionError::Gone { .. } => Failure::new(Exit::Unexpected, "package-gone", message),
        VersionError::Files(_) => Failure::new(Exit::Unexpected, "storage", message),
        VersionError::Unreadable(_) => Failure::new(Exit::Unexpected, "unreadable", message),
    }
}

/// An account for which there is no version.
pub(crate) fn no_version(error: &NoVersion) -> Failure {
    let failure = Failure::new(Exit::Usage, "no-version", error.to_string());
    match error {
        NoVersion::NotInstalled { connector, .. } => {
            failure.advice(format!("if it is a component's file that is meant, write its path: ./{connector}"))
        }
        NoVersion::NotActive { connector, .. } => {
            failure.advice(format!("`tradepost versions {connector}` lists what is installed"))
        }
        NoVersion::PinnedAway { .. } => failure,
    }
}

#[cfg(test)]
mod tests {
    use semver::Version;
    use tradepost_package::Rights;

    use super::*;

    #[test]
    fn a_refusal_names_the_option_that_lifts_it_and_ends_as_denied() {
        let (connector, version) = (String::from("shop"), Version::new(1, 1, 0));
        let rights = Rights { hosts: ["https://b.example".into()].into(), ..Rights::default() };
        let cases = [
            (
                VersionError::Unsigned { connector: connector.clone(), version: version.clone() },
                "unsigned",
                "tradepost install shop.wasm --allow-unsigned",
            ),
            (
                VersionError::MoreRights {
                    connector: connector.clone(),
                    version: version.clone(),
                    more: Box::new(rights),
                },
                "more-rights",
                "tradepost install shop.wasm --accept",
            ),
            (
                VersionError::Downgrade { connector, version, active: Version::new(2, 0, 0) },
                "downgrade",
                "--allow-downgrade",
            ),
        ];
        for (error, kind, advice) in cases {
            let failure = version_error(&error, "shop.wasm");
            assert_eq!((failure.exit, failure.kind.as_str()), (Exit::Denied, kind));
            assert!(failure.advice.iter().any(|line| line.contains(advice)), "{:?}", failure.advice);
        }
    }
}
