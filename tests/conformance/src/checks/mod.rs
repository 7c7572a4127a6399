//! The checks, in the order they are run. Each asks one question of any connector and finds evidence.

mod reading;

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
}
