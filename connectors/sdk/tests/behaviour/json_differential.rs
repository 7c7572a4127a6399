//! The decoder accepts exactly the texts that serde_json accepts: on real answers, and on real answers with damage.

use proptest::prelude::*;
use serde::de::IgnoredAny;
use tradepost_sdk::json::{self, Raw, Text};

const ORDER: &str = include_str!("../../../../tests/fixtures/seeds/hardtofind-order.json");
const SETTINGS: &str = include_str!("../../../../tests/fixtures/wcfm-1.5.3/shop/settings.json");
const NOTIFICATIONS: &str = include_str!("../../../../tests/fixtures/wcfm-1.5.3/shop/unread-notifications.json");

fn agree(text: &str) {
    let theirs = serde_json::from_str::<IgnoredAny>(text);
    let ours = json::decode::<Raw<'_>>(text);
    assert_eq!(ours.is_ok(), theirs.is_ok(), "{text:?}: ours {ours:?}, theirs {theirs:?}");
}

#[test]
fn real_answers_are_accepted_whole() {
    for text in [ORDER, SETTINGS, NOTIFICATIONS] {
        assert_eq!(json::decode::<Raw<'_>>(text).unwrap().0, text.trim());
    }
}

#[test]
fn an_answer_cut_anywhere_is_refused() {
    for end in 0..ORDER.trim_end().len() {
        assert!(json::decode::<Raw<'_>>(&ORDER[..end]).is_err(), "cut at {end}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3000, ..ProptestConfig::default() })]

    #[test]
    fn damaged_answers_are_judged_alike(
        which in 0..3_usize,
        damages in prop::collection::vec((any::<prop::sample::Index>(), prop::sample::select(br#"{}[]",:\0-e.u5 tn"#.to_vec())), 1..4),
    ) {
        let mut bytes = [ORDER, SETTINGS, NOTIFICATIONS][which].as_bytes().to_vec();
        for (place, byte) in damages {
            let place = place.index(bytes.len());
            bytes[place] = byte;
        }
        if let Ok(text) = String::from_utf8(bytes) {
            agree(&text);
        }
    }

    #[test]
    fn small_texts_are_judged_alike(text in r#"[{}\[\]",:\\0-9eE.+\- tfnrulsa]{0,24}"#) {
        agree(&text);
    }

    #[test]
    fn strings_mean_the_same(content in ".{0,80}") {
        let text = serde_json::to_string(&content).unwrap();
        prop_assert_eq!(json::decode::<Text<'_>>(&text).unwrap().into_string(), content.clone());
        prop_assert_eq!(json::quote(&content).parse::<serde_json::Value>().unwrap(), content);
    }
}
