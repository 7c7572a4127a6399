//! Whose shop the software runs: the recorded one, or help-ka.ru with the same software in Russian. The differences are data: the name,
//! the currency, the language of the messages and one route that help-ka does not document.

use http::header::CONTENT_TYPE;
use serde_json::Value;

use super::{php_json, russian};
use crate::exchange::Answer;

/// The longest answer of a success that may hold a message; anything longer is a record or a list.
const LONGEST_MESSAGE: usize = 1024;

/// Whose shop it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Edition {
    /// The recorded shop.
    #[default]
    Wcfm,
    /// The Market of help-ka.ru.
    HelpKa,
}

impl Edition {
    /// The platform's short name.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Wcfm => "wcfm",
            Self::HelpKa => "help-ka",
        }
    }

    /// The currency's code.
    pub(super) fn currency(self) -> &'static str {
        match self {
            Self::Wcfm => "INR",
            Self::HelpKa => "RUB",
        }
    }

    /// Whether the route of the restricted capabilities is there.
    pub(super) fn has_restricted_capabilities(self) -> bool {
        self == Self::Wcfm
    }

    /// A recorded text in the shop's currency. The one order in euros stays what it is.
    pub(super) fn localised(self, text: String) -> String {
        match self {
            Self::Wcfm => text,
            Self::HelpKa => text
                .replace("\"INR\"", "\"RUB\"")
                .replace("&#8377;", "&#8381;")
                .replace("\"commission_head\":\"Earning\"", "\"commission_head\":\"Заработок\""),
        }
    }

    /// Shows a product's price in the shop's currency.
    pub(super) fn localise_price(self, product: &mut Value) {
        if let Some(Value::String(html)) = product.get_mut("price_html") {
            *html = self.localised(std::mem::take(html));
        }
    }

    /// An answer with its messages in the shop's language. Codes stay, and so does everything that is no message.
    pub(super) fn spoken(self, mut answer: Answer) -> Answer {
        let is_success = answer.status.is_success();
        if self == Self::Wcfm || (is_success && answer.body.len() > LONGEST_MESSAGE) {
            return answer;
        }
        let is_page = answer
            .headers
            .iter()
            .any(|(name, value)| *name == CONTENT_TYPE && value.as_bytes().starts_with(b"text/html"));
        if is_page {
            answer.body = russian::translated(&String::from_utf8_lossy(&answer.body)).into();
        } else if let Ok(mut said) = serde_json::from_slice::<Value>(&answer.body)
            && (!is_success || said["success"] == false || said.get("errors").is_some())
        {
            translate(&mut said);
            answer.body = php_json::to_vec(&said).into();
        }
        answer
    }
}

/// Translates every text in an error. Codes stay what they are, because no phrase is one.
fn translate(said: &mut Value) {
    match said {
        Value::String(text) => *text = russian::translated(text),
        Value::Array(items) => items.iter_mut().for_each(translate),
        Value::Object(fields) => fields.values_mut().for_each(translate),
        _ => {}
    }
}
