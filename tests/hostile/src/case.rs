//! A case: one attack, what is expected of the host, and the code that tries it. The table of all cases is
//! [`cases`](crate::cases); the command prints it, and the tests run it.

use std::fmt::Debug;

use anyhow::bail;
use futures_util::future::BoxFuture;

use crate::arena::Arena;

/// What an attack came to: in words, with the figures that were measured; an error where the host did not stand it.
pub type Outcome = anyhow::Result<String>;

/// One row of the table.
#[derive(Clone, Copy)]
pub struct Case {
    /// Such as `HC-01`.
    pub id: &'static str,
    /// Whether it has to hold before a release.
    pub starred: bool,
    /// Whether it is known to fall short: reported by the command, and no failure of the tests.
    pub open: bool,
    /// What is attacked, and how.
    pub title: &'static str,
    /// What is expected of the host.
    pub expected: &'static str,
    /// The attack.
    pub run: Run,
}

/// What there is to run for a case.
#[derive(Clone, Copy)]
pub enum Run {
    /// An attack.
    Attack(for<'a> fn(&'a Arena) -> BoxFuture<'a, Outcome>),
    /// Nothing yet; why.
    NotRun(&'static str),
}

impl Case {
    /// A case that has to hold.
    pub const fn starred(id: &'static str, title: &'static str, expected: &'static str, run: Run) -> Self {
        Self { id, starred: true, open: false, title, expected, run }
    }

    /// A case that a release may fall short of, visibly.
    pub const fn plain(id: &'static str, title: &'static str, expected: &'static str, run: Run) -> Self {
        Self { id, starred: false, open: false, title, expected, run }
    }

    /// A case that is known to fall short today.
    pub const fn open(id: &'static str, title: &'static str, expected: &'static str, run: Run) -> Self {
        Self { id, starred: false, open: true, title, expected, run }
    }

    /// Its name as a test: `hc_01_an_endless_loop_in_an_export`.
    pub fn test_name(&self) -> String {
        let letter = |character: char| if character.is_ascii_alphanumeric() { character } else { ' ' };
        let text: String = format!("{} {}", self.id, self.title).to_lowercase().chars().map(letter).collect();
        text.split_whitespace().collect::<Vec<_>>().join("_")
    }
}

/// The attack of a case: functions `async fn(&Arena) -> Outcome`, one after the other.
macro_rules! attack {
    ($attack:path) => {
        $crate::case::Run::Attack(|arena| Box::pin($attack(arena)))
    };
    ($($attack:path),+) => {
        $crate::case::Run::Attack(|arena| {
            Box::pin(async move { Ok([$($attack(arena).await?),+].join("; ")) })
        })
    };
}
pub(crate) use attack;

/// Fails the case unless both are equal; says what they are.
macro_rules! ensure_eq {
    ($found:expr, $expected:expr $(,)?) => {
        $crate::case::ensure_eq!($found, $expected, "{}", stringify!($found))
    };
    ($found:expr, $expected:expr, $($what:tt)+) => {{
        match (&$found, &$expected) {
            (found, expected) if *found == *expected => {}
            (found, expected) => {
                ::anyhow::bail!("{}: expected {expected:?}, found {found:?}", format_args!($($what)+));
            }
        }
    }};
}
pub(crate) use ensure_eq;

/// For what an attack must not achieve.
pub(crate) trait MustFail<E> {
    /// The error, or a failed case.
    fn must_fail(self, why: &str) -> anyhow::Result<E>;
}

impl<T: Debug, E> MustFail<E> for Result<T, E> {
    fn must_fail(self, why: &str) -> anyhow::Result<E> {
        match self {
            Err(error) => Ok(error),
            Ok(value) => {
                let shown: String = format!("{value:?}").chars().take(300).collect();
                bail!("{why}; and it came through: {shown}")
            }
        }
    }
}
