//! Where an account's secrets come from: an environment variable or a file, never the table of accounts itself.

use std::env;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use secrecy::SecretString;

/// Where one secret comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum SecretSource {
    /// An environment variable.
    Env(String),
    /// A file with the value and at most a line end behind it.
    File(PathBuf),
}

/// An entry of `secrets` that names no source. Never quotes a value.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotASource {
    #[error(
        "secret `{name}` stands in the table as plain text: put its value into an environment variable and write secrets.{name} = {{ env = \"NAME\" }}, or into a file that only you can read and write secrets.{name} = {{ file = \"PATH\" }}"
    )]
    PlainText { name: String },
    #[error("secret `{name}`: unknown key `{key}`, expected either `env` or `file`")]
    UnknownKey { name: String, key: String },
    #[error("secret `{name}` needs either `env` or `file`, as text")]
    NotOne { name: String },
}

/// A source that gives no value.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SecretMissing {
    #[error("secret `{name}` of account {account}: the environment variable {variable} {problem}")]
    Env { account: String, name: String, variable: String, problem: &'static str },
    #[error("secret `{name}` of account {account}: the file {} {problem}", file.display())]
    File { account: String, name: String, file: PathBuf, problem: String },
}

impl SecretMissing {
    /// How to give it a value.
    pub(crate) fn advice(&self) -> String {
        match self {
            Self::Env { variable, .. } => {
                format!("set it without leaving it in the shell's history: read -rs {variable} && export {variable}")
            }
            Self::File { file, .. } => {
                format!("write the value into {}, readable for you only (chmod 600)", file.display())
            }
        }
    }
}

impl SecretSource {
    /// Reads one entry of an account's `secrets`.
    pub(crate) fn from_toml(name: &str, value: &toml::Value, base: &Path) -> Result<Self, NotASource> {
        let toml::Value::Table(table) = value else {
            return Err(NotASource::PlainText { name: name.to_owned() });
        };
        if let Some(key) = table.keys().find(|key| !["env", "file"].contains(&key.as_str())) {
            return Err(NotASource::UnknownKey { name: name.to_owned(), key: key.clone() });
        }
        let text = |key: &str| table.get(key).and_then(toml::Value::as_str);
        match (text("env"), text("file")) {
            (Some(variable), None) if table.len() == 1 => Ok(Self::Env(variable.to_owned())),
            (None, Some(file)) if table.len() == 1 => Ok(Self::File(base.join(file))),
            _ => Err(NotASource::NotOne { name: name.to_owned() }),
        }
    }

    /// The secret's value.
    pub(crate) fn read(&self, account: &str, name: &str) -> Result<SecretString, SecretMissing> {
        let value = match self {
            Self::Env(variable) => {
                let problem = |problem| SecretMissing::Env {
                    account: account.to_owned(),
                    name: name.to_owned(),
                    variable: variable.clone(),
                    problem,
                };
                env::var(variable)
                    .map_err(|error| match error {
                        env::VarError::NotPresent => problem("is not set"),
                        env::VarError::NotUnicode(_) => problem("is not UTF-8"),
                    })
                    .and_then(|value| if value.is_empty() { Err(problem("is empty")) } else { Ok(value) })?
            }
            Self::File(file) => {
                let problem = |problem: String| SecretMissing::File {
                    account: account.to_owned(),
                    name: name.to_owned(),
                    file: file.clone(),
                    problem,
                };
                let text = fs::read_to_string(file).map_err(|error| problem(format!("cannot be read: {error}")))?;
                let value = text.strip_suffix('\n').unwrap_or(&text);
                let value = value.strip_suffix('\r').unwrap_or(value);
                if value.is_empty() {
                    return Err(problem("is empty".into()));
                }
                value.to_owned()
            }
        };
        Ok(value.into())
    }

    /// Whether the file of a secret can be read by other users of the machine.
    #[cfg(unix)]
    pub(crate) fn is_open_to_others(&self) -> bool {
        use std::os::unix::fs::PermissionsExt;
        matches!(self, Self::File(file) if fs::metadata(file).is_ok_and(|metadata| metadata.permissions().mode() & 0o077 != 0))
    }

    /// Elsewhere, rights are not told by a mode.
    #[cfg(not(unix))]
    pub(crate) fn is_open_to_others(&self) -> bool {
        false
    }
}

impl fmt::Display for SecretSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Env(variable) => write!(f, "environment variable {variable}"),
            Self::File(file) => write!(f, "file {}", file.display()),
        }
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    #[test]
    fn a_file_gives_its_text_without_the_last_line_end() {
        let directory = tempfile::tempdir().unwrap();
        for (content, value) in [("pw", "pw"), ("pw\n", "pw"), ("pw\r\n", "pw"), (" p w \n\n", " p w \n")] {
            let file = directory.path().join("secret");
            fs::write(&file, content).unwrap();
            assert_eq!(SecretSource::File(file).read("a", "password").unwrap().expose_secret(), value);
        }
    }

    #[test]
    fn a_source_without_a_value_is_named_with_what_to_do() {
        let variable =
            SecretSource::Env("TRADEPOST_TEST_UNSET_VARIABLE".into()).read("acme/x", "password").unwrap_err();
        assert_eq!(
            variable.to_string(),
            "secret `password` of account acme/x: the environment variable TRADEPOST_TEST_UNSET_VARIABLE is not set"
        );
        assert!(variable.advice().contains("export TRADEPOST_TEST_UNSET_VARIABLE"));
        let file = SecretSource::File("/nonexistent/secret".into()).read("acme/x", "password").unwrap_err();
        assert!(file.to_string().contains("/nonexistent/secret cannot be read"), "{file}");
        assert!(file.advice().contains("chmod 600"));
    }

    #[test]
    fn an_empty_file_is_no_secret() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("secret");
        fs::write(&file, "\n").unwrap();
        assert!(SecretSource::File(file).read("a", "password").unwrap_err().to_string().contains("is empty"));
    }
}
