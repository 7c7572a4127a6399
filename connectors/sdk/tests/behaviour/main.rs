//! The SDK's public behaviour, one module per subject.

mod decimals;
mod errors;
mod http_answers;
mod json_decoding;
mod json_differential;
mod php_habits;
mod scripted_host;
mod status_table;
mod times;
mod walk_cursor;
mod walk_simulation;
