//! help-ka.ru Market: the WCFM software of one fixed shop, WordPress in the subdirectory `/market`, in roubles and in Russian, without the
//! route of the restricted capabilities.

use super::edition::Edition;
use super::{Wcfm, WcfmBuilder};

/// The Market of help-ka.ru. It is a [`Wcfm`] in every other respect, so that its builder starts one, which is named `help-ka`.
///
/// ```
/// # use tradepost_platforms::{HelpKa, Platform};
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// let platform = HelpKa::builder().orders(30).start().await?;
/// assert_eq!(platform.name(), "help-ka");
/// assert!(platform.root_url().ends_with("/market"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// ```
#[derive(Clone, Copy, Debug)]
pub struct HelpKa;

impl HelpKa {
    /// A Market with the recorded orders and products, in roubles, until told otherwise.
    pub fn builder() -> WcfmBuilder {
        let mut builder = Wcfm::builder().prefix("/market");
        builder.opening.edition = Edition::HelpKa;
        builder
    }
}
