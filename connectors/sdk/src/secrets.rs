//! Questions about secrets, whose values never enter the sandbox.

use crate::bindings::contract::errors::Error;
pub use crate::bindings::contract::secrets::HmacAlgorithm;
use crate::bindings::contract::secrets::SecretError;
use crate::error::{self, ErrorExt};
use crate::host;

/// Whether `candidate` equals the secret setting `name`, compared in constant time.
///
/// Fails with `auth-rejected` where the account has no value for it, and with `unsupported` where the manifest's settings
/// schema does not mark the field with `"writeOnly": true`.
pub fn matches(name: &str, candidate: &[u8]) -> Result<bool, Error> {
    host::secret_matches(name, candidate).map_err(|refusal| refused(name, refusal))
}

/// The keyed hash of `data` with the secret setting `name` as its key, raw bytes. Fails like [`matches()`].
pub fn hmac(name: &str, algorithm: HmacAlgorithm, data: &[u8]) -> Result<Vec<u8>, Error> {
    host::secret_hmac(name, algorithm, data).map_err(|refusal| refused(name, refusal))
}

fn refused(name: &str, refusal: SecretError) -> Error {
    match refusal {
        SecretError::Missing => error::auth_rejected(format!("The setting `{name}` has no value yet."))
            .with_detail(format!("secret `{name}` is declared and empty: set it for this account")),
        SecretError::Undeclared => error::unsupported("This connector asks for a secret it has not declared.")
            .with_detail(format!("mark `{name}` with \"writeOnly\": true in the manifest's settings schema")),
    }
}
