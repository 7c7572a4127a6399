//! The one seam between the SDK and the host: the contract's imports inside the sandbox, the scripted host elsewhere.
//!
//! Everything else in the SDK goes through these functions, so connector code runs unchanged in native tests and benchmarks.

#[cfg(not(target_family = "wasm"))]
pub(crate) use crate::testing::seam::*;
#[cfg(target_family = "wasm")]
pub(crate) use imports::*;

#[cfg(target_family = "wasm")]
mod imports {
    use crate::bindings::contract::errors::Error;
    use crate::bindings::contract::log::Level;
    use crate::bindings::contract::secrets::{HmacAlgorithm, SecretError};
    use crate::bindings::contract::storage::StorageError;
    use crate::bindings::contract::values::Timestamp;
    use crate::bindings::contract::{http, log as host_log, secrets, settings as host_settings, storage};

    pub(crate) fn send(request: &http::Request) -> Result<http::Response, Error> {
        http::send(request)
    }

    pub(crate) fn send_all(requests: &[http::Request]) -> Vec<Result<http::Response, Error>> {
        http::send_all(requests)
    }

    pub(crate) fn settings() -> String {
        host_settings::get()
    }

    pub(crate) fn log(level: Level, message: &str, fields: &[(String, String)]) {
        host_log::write(level, message, fields);
    }

    pub(crate) fn secret_matches(name: &str, candidate: &[u8]) -> Result<bool, SecretError> {
        secrets::matches(name, candidate)
    }

    pub(crate) fn secret_hmac(name: &str, algorithm: HmacAlgorithm, data: &[u8]) -> Result<Vec<u8>, SecretError> {
        secrets::hmac(name, algorithm, data)
    }

    pub(crate) fn storage_get(key: &str) -> Result<Option<Vec<u8>>, StorageError> {
        storage::get(key)
    }

    pub(crate) fn storage_set(key: &str, value: &[u8], ttl_seconds: Option<u32>) -> Result<(), StorageError> {
        storage::set(key, value, ttl_seconds)
    }

    pub(crate) fn storage_delete(key: &str) -> Result<(), StorageError> {
        storage::delete(key)
    }

    pub(crate) fn storage_list(prefix: &str, after: Option<&str>) -> Result<Vec<String>, StorageError> {
        storage::list(prefix, after)
    }

    pub(crate) fn storage_compare_and_set(
        key: &str,
        expected: Option<&[u8]>,
        value: Option<&[u8]>,
    ) -> Result<bool, StorageError> {
        storage::compare_and_set(key, expected, value)
    }

    /// The host's clock, which WASI's clock is bound to: frozen for the length of a command.
    pub(crate) fn now() -> Timestamp {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        Timestamp {
            epoch_seconds: i64::try_from(since.as_secs()).unwrap_or(i64::MAX),
            nanoseconds: since.subsec_nanos(),
            offset_minutes: 0,
        }
    }
}
