//! `export!`: turns a type that implements the contract's traits into a component.
//!
//! Each interface has a world of its own, and the macro joins the worlds that are listed: what a component exports is its
//! capability list, so nothing may be exported that is not implemented.

/// Exports a connector: the type, then the interfaces it implements, by their names in the contract with underscores.
/// The interface `connector` is always exported.
///
/// Expands to nothing on native targets, where the same crate is compiled for its tests, and installs the bump allocator
/// (feature `bump-allocator`).
///
/// ```
/// # use tradepost_sdk::prelude::*;
/// # struct Shop;
/// # impl Connector for Shop {
/// #     fn describe() -> Manifest { panic!("the example is only compiled") }
/// #     fn check() -> Result<AccountIdentity, Error> { Err(error::unsupported("the example has no account")) }
/// # }
/// # impl Carriers for Shop { fn list() -> Result<Vec<Carrier>, Error> { Ok(vec![]) } }
/// tradepost_sdk::export!(Shop: carriers);
/// ```
#[macro_export]
macro_rules! export {
    ($connector:ident $(: $($interface:ident),* $(,)?)?) => {
        #[cfg(target_family = "wasm")]
        $crate::export_interfaces!($connector: connector, $($($interface),*)?);
        #[cfg(target_family = "wasm")]
        $crate::install_allocator!();
    };
}

/// The part of [`export!`] that joins the worlds.
#[doc(hidden)]
#[macro_export]
macro_rules! export_interfaces {
    ($connector:ident: $($interface:ident),+ $(,)?) => {
        $(
            // Generated exports are `unsafe extern` functions by nature; the block holds nothing else.
            #[allow(unsafe_code, missing_docs, clippy::all, clippy::pedantic)]
            const _: () = {
                $crate::bindings::$interface::export!($connector with_types_in $crate::bindings::$interface);
            };
        )+
    };
}

/// The part of [`export!`] that installs the allocator, or nothing without the feature.
#[cfg(feature = "bump-allocator")]
#[doc(hidden)]
#[macro_export]
macro_rules! install_allocator {
    () => {
        #[global_allocator]
        static TRADEPOST_ALLOCATOR: $crate::allocator::BumpAllocator = $crate::allocator::BumpAllocator::new();
    };
}

/// The part of [`export!`] that installs the allocator, or nothing without the feature.
#[cfg(not(feature = "bump-allocator"))]
#[doc(hidden)]
#[macro_export]
macro_rules! install_allocator {
    () => {};
}
