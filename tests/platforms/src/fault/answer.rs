//! What is sent in place of, or around, the right answer when a fault strikes. The texts are those of real hosts.

use http::StatusCode;
use http::header::{CONTENT_TYPE, RETRY_AFTER};

use super::FaultKind;
use crate::exchange::Answer;

const HTML: &str = "text/html; charset=UTF-8";
const TOO_MANY: &str = "<html>\r\n<head><title>429 Too Many Requests</title></head>\r\n<body>\r\n<center><h1>429 Too Many Requests</h1></center>\r\n</body>\r\n</html>\r\n";
const FAILED: &str = "<!DOCTYPE html>\n<html lang=\"en-US\">\n<head><title>WordPress &rsaquo; Error</title></head>\n<body id=\"error-page\">\n\t<div class=\"wp-die-message\"><p>There has been a critical error on this website.</p></div></body>\n</html>\n";
const MAINTENANCE: &str = "<!DOCTYPE html>\n<html dir='ltr'>\n<head><title>Maintenance</title></head>\n<body id=\"error-page\">\n\t<div class=\"wp-die-message\">Briefly unavailable for scheduled maintenance. Check back in a minute.</div></body>\n</html>\n";
const WALL: &str = "<!DOCTYPE html>\n<html lang=\"en-US\">\n<head><title>Just a moment...</title></head>\n<body><h1>Checking your browser before you go on</h1></body>\n</html>\n";
/// A notice as a WordPress shop shows it.
pub(crate) const WORDPRESS_NOTICE: &str = "<br />\n<b>Deprecated</b>:  Creation of dynamic property WooCommerce::$api is deprecated in <b>/srv/www/wp-content/plugins/woocommerce/includes/class-woocommerce.php</b> on line <b>556</b><br />\n";

/// The answer of a fault that keeps the request from the marketplace; none for the other kinds. `notice` is what PHP prints there.
pub(crate) fn instead(kind: FaultKind, notice: &'static str) -> Option<Answer> {
    let (answer, retry_after) = match kind {
        FaultKind::TooManyRequests { retry_after } => {
            (Answer::new(StatusCode::TOO_MANY_REQUESTS, HTML, TOO_MANY), retry_after)
        }
        FaultKind::Unavailable { retry_after } => {
            (Answer::new(StatusCode::SERVICE_UNAVAILABLE, HTML, MAINTENANCE), retry_after)
        }
        FaultKind::ServerError => (Answer::new(StatusCode::INTERNAL_SERVER_ERROR, HTML, FAILED), None),
        FaultKind::Html => (Answer::new(StatusCode::OK, HTML, WALL), None),
        FaultKind::NoticeOnly => (Answer::new(StatusCode::OK, HTML, notice), None),
        FaultKind::Empty => (Answer::new(StatusCode::OK, "application/json; charset=UTF-8", ""), None),
        FaultKind::Notice
        | FaultKind::Reset
        | FaultKind::Slow(_)
        | FaultKind::Truncated
        | FaultKind::ApplyThenReset => return None,
    };
    Some(match retry_after {
        Some(seconds) => answer.with(RETRY_AFTER, &seconds.to_string()),
        None => answer,
    })
}

/// The right answer behind a notice. A site that shows notices sends every answer as 200 and as HTML, because the notice has gone out
/// before the status is set.
pub(crate) fn with_notice(mut answer: Answer, notice: &str) -> Answer {
    answer.body = [notice.as_bytes(), &answer.body].concat().into();
    answer.status = StatusCode::OK;
    answer.with(CONTENT_TYPE, HTML)
}
