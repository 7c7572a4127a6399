//! The account's key-value store. Writes take effect with the call's result and not before; a failed call leaves none.

use crate::bindings::contract::errors::Error;
use crate::bindings::contract::storage::StorageError;
use crate::error::{self, ErrorExt};
use crate::host;

/// The value under `key` (UTF-8, 1 to 512 bytes), or none.
pub fn get(key: &str) -> Result<Option<Vec<u8>>, Error> {
    host::storage_get(key).map_err(|refusal| refused(key, refusal))
}

/// Puts a value of at most 256 KiB under `key`; with `ttl_seconds` it is gone after that time.
pub fn set(key: &str, value: &[u8], ttl_seconds: Option<u32>) -> Result<(), Error> {
    host::storage_set(key, value, ttl_seconds).map_err(|refusal| refused(key, refusal))
}

/// Removes `key`; fine where it is not there.
pub fn delete(key: &str) -> Result<(), Error> {
    host::storage_delete(key).map_err(|refusal| refused(key, refusal))
}

/// At most 256 keys that begin with `prefix`, in byte order, behind `after`.
pub fn list(prefix: &str, after: Option<&str>) -> Result<Vec<String>, Error> {
    host::storage_list(prefix, after).map_err(|refusal| refused(prefix, refusal))
}

/// Puts `value` (none removes) where the present value equals `expected` (none = absent), and says whether it did.
pub fn compare_and_set(key: &str, expected: Option<&[u8]>, value: Option<&[u8]>) -> Result<bool, Error> {
    host::storage_compare_and_set(key, expected, value).map_err(|refusal| refused(key, refusal))
}

fn refused(key: &str, refusal: StorageError) -> Error {
    let what = match refusal {
        StorageError::Unavailable => {
            return error::transient("The host's store does not answer at the moment.", None)
                .with_detail(format!("storage key `{key}`: unavailable"));
        }
        StorageError::InvalidKey => "the key is empty, longer than 512 bytes, or holds a control character",
        StorageError::ValueTooLarge => "the value is longer than 256 KiB",
        StorageError::QuotaExceeded => "the account's quota of keys or bytes is used up",
    };
    error::unsupported("This connector asked the host's store for something it does not allow.")
        .with_detail(format!("storage key `{key}`: {what}"))
}
