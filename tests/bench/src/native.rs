//! The yardsticks: native programs that do what a connector and its host do, without sandbox and without host.

pub(crate) mod hardtofind;
pub(crate) mod sync;
pub(crate) mod wcfm;
