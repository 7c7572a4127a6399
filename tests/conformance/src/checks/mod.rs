//! The checks, in the order they are run. Each asks one question of any connector and finds evidence.

mod confidentiality;
mod configuration;
mod connection;
mod ending;
mod failures;
mod hygiene;
mod reading;
mod records;
mod refunds;
mod texts;
mod values;
mod webhooks;
mod writing;

use std::future::Future;
use std::pin::Pin;

use serde_json::Value;
use tradepost_runtime::errors::Error;

use crate::kit::Kit;
use crate::report::{Area, Found};

/// A check.
pub struct Check {
    /// Its name.
    pub name: &'static str,
    /// What it belongs to.
    pub area: Area,
    /// What it asks.
    pub question: &'static str,
    pub(crate) run: for<'a> fn(&'a Kit) -> Pin<Box<dyn Future<Output = Found> + 'a>>,
}

impl std::fmt::Debug for Check {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Check").field("name", &self.name).finish_non_exhaustive()
    }
}

/// The contract's word for what went wrong.
pub(crate) fn kind_name(error: &Error) -> String {
    match serde_json::to_value(&error.kind) {
        Ok(Value::String(name)) => name,
        Ok(Value::Object(object)) => object.keys().next().cloned().unwrap_or_default(),
        _ => String::new(),
    }
}

macro_rules! checks {
    ($($area:ident { $($module:ident::$function:ident $name:literal $question:literal;)* })*) => {
        /// All checks, in the order they are run.
        pub fn checks() -> &'static [Check] {
            &[$($(
                Check {
                    name: $name,
                    area: Area::$area,
                    question: $question,
                    run: |kit| Box::pin($module::$function(kit)),
                },
            )*)*]
        }
    };
}

checks! {
    Hygiene {
        hygiene::imports_only_declared "imports-only-declared" "Does the component import nothing but the contract?";
        hygiene::exports_match_manifest "exports-match-manifest" "Does the manifest describe what the component exports, and nothing else?";
        hygiene::egress_declared "egress-declared" "Do foreign addresses in records and redirects lead to no other host?";
        hygiene::fuel_budget "fuel-budget" "Does a page of 100 records take at most half of a call's processor time and host calls?";
        hygiene::memory_budget "memory-budget" "Does a page of 100 records take at most half of the memory that a call may have?";
        hygiene::trap_contained "trap-contained" "Does a call that is ended from outside leave the account, its storage and other accounts as they were?";
        hygiene::no_state_between_calls "no-state-between-calls" "Do two accounts in turn and at once get what each gets alone?";
        hygiene::size_and_digest "size-and-digest" "Is the component within its size, and is it the one that was given?";
        confidentiality::no_secret_material_visible "no-secret-material-visible" "Does no secret appear in results, errors, logs and stored values, also when the source quotes it?";
    }
    Configuration {
        configuration::config_schema_form_safe "config-schema-form-safe" "Can any form show the settings?";
        configuration::secrets_marked "secrets-marked" "Is every secret marked as one?";
        configuration::required_missing_fails_early "required-missing-fails-early" "Does an account without a required setting fail when it opens, with the setting's name?";
        configuration::optional_absent_works "optional-absent-works" "Does an account with nothing but the required settings work?";
    }
    Connection {
        connection::check_ok "check-ok" "Does the connection check pass with a good account, and ask the platform?";
        connection::check_bad_credentials "check-bad-credentials" "Is a wrong credential told apart from other failures?";
        connection::check_unreachable "check-unreachable" "Is a platform that cannot be reached told apart, within 30 seconds?";
        connection::check_wrong_store "check-wrong-store" "Is somebody else's web site at the address recognised?";
        connection::token_refresh_single_flight "token-refresh-single-flight" "Do 20 concurrent calls that need a token log in once?";
        connection::token_expires_midwalk "token-expires-midwalk" "Is nothing lost when the token ends between two requests of a walk, and is there one login more?";
        connection::refresh_rejected_needs_reauth "refresh-rejected-needs-reauth" "Does every operation say that the credential is refused, without a storm of logins?";
        connection::auth_never_cross_host "auth-never-cross-host" "Do foreign addresses in records and redirects bring no request to another host?";
    }
    Reading {
        reading::backfill_complete "backfill-complete" "Does a first walk bring every record exactly as often as the source holds it?";
        reading::insert_during_paging "insert-during-paging" "Is nothing lost when records appear between two pages?";
        reading::update_during_paging "update-during-paging" "Is the newest version of every record brought when records change between two pages?";
        reading::leave_filter_during_paging "leave-filter-during-paging" "Is nothing lost when records move to another status between two pages?";
        reading::delete_during_paging "delete-during-paging" "Is nothing else lost when records vanish between two pages?";
        reading::same_second_burst "same-second-burst" "Are three pages of records that changed in the same second all brought?";
        reading::resume_after_crash "resume-after-crash" "Does a walk that fails at any of its requests, and is taken up from its last cursor, bring everything?";
        reading::corrupt_cursor "corrupt-cursor-typed-error" "Is a cursor that was never given answered with an error of the contract?";
        reading::future_cursor "future-cursor-yields-nothing" "Does a cursor from a later time bring nothing twice?";
        reading::clock_skew "clock-skew" "Is nothing lost when the host's clock is an hour off, either way?";
        reading::empty_and_single_page "empty-and-single-page" "Does a walk over nothing, one record and one full page end, with that many items?";
        reading::endless_pages_end "endless-pages-end" "Does a walk end when the source gives the same page for every number?";
        reading::idempotent_read "idempotent-read" "Does a second walk over an unchanged source bring nothing new?";
    }
    Values {
        values::money_exact "money-exact" "Is every amount shown with exactly the value that the source wrote, and nothing else taken for an amount?";
        values::dates_exact "dates-exact" "Is every date shown as exactly the moment that the source wrote, and nothing else taken for a date?";
        texts::text_safe "text-safe" "Do texts arrive whole, whatever characters they hold?";
        texts::ids_are_opaque "ids-are-opaque" "Are ids passed on digit by digit, also beyond what a float holds?";
        records::unknown_status_preserved "unknown-status-preserved" "Is a status word that nobody knows kept, and called unknown?";
        records::mapping_total "mapping-total" "Does every status word of the platform mean something, and what the manifest says?";
        records::raw_roundtrip "raw-roundtrip" "Is the source's own JSON handed on byte by byte, with fields that nobody knows?";
        refunds::refunds_as_given "refunds-as-given" "Is a refund told as it was given, and none where nothing was given back?";
        records::missing_and_null_fields "missing-and-null-fields" "Does a record with a field missing, null or of another type come through, or as a protocol error?";
    }
    Writing {
        writing::write_works "write-works" "Does each write arrive at the source once, with the right content, and is the result what the source shows?";
        writing::write_idempotent "write-idempotent" "Is the same write twice the same as once?";
        writing::timeout_after_send "timeout-after-send" "Is a write whose answer is lost sent once, and never called safe to repeat where it is not?";
        writing::partial_batch_reported "partial-batch-reported" "Is each article of a batch answered, and nothing called confirmed that the source does not show?";
        writing::invalid_input_before_sending "invalid-input-before-sending" "Is bad input refused with the right pointers before anything is sent?";
        writing::guest_never_retries "guest-never-retries" "Does a write that fails send exactly one writing request?";
    }
    Failures {
        failures::error_matrix "error-matrix" "Is every failure of the source told as the right error of the contract?";
        failures::guest_never_sleeps "guest-never-sleeps" "Is waiting left to the host?";
    }
    Webhooks {
        webhooks::webhook_genuine "webhook-genuine" "Is a genuine webhook read as what it says?";
        webhooks::webhook_forged "webhook-forged" "Is a webhook that is not genuine refused before anything else?";
        webhooks::webhook_malformed "webhook-malformed" "Is a genuine webhook that makes no sense an error, and never an event?";
        webhooks::webhook_repeated "webhook-repeated" "Is the same webhook read the same twice?";
        webhooks::webhook_unknown_word "webhook-unknown-word" "Is a status word that nobody knows kept and called unknown?";
    }
}
