//! The two files and their functions. Whatever happens in them is a 200; `status` says `OK` or, undocumented, `ERROR` with the reason in
//! German in `debugMessage`.

use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::CLOUD;
use super::generate;
use super::shop::{Shop, Stores};
use crate::clock::{self, BERLIN};
use crate::exchange::{Answer, Request};

/// An answer that did what was asked.
fn ok(message: &str, data: &Value) -> Answer {
    Answer::json(StatusCode::OK, &json!({"status": "OK", "debugMessage": message, "data": data}))
}

/// An answer that did not. One kind for all reasons: an expired token differs from the rest by its text alone.
fn failed(message: &str) -> Answer {
    Answer::json(StatusCode::OK, &json!({"status": "ERROR", "debugMessage": message, "data": ""}))
}

/// Answers any request. Paths besides the two files are the shop's own pages.
pub(super) fn answer(shop: &Shop, request: &Request) -> Answer {
    let file: fn(&Shop, &Value, &Request) -> Answer = match request.path.as_str() {
        "/omniseller/Tokenrequest.php" => issue_token,
        "/omniseller/HTKService4.php" => call,
        _ => {
            return Answer::new(
                StatusCode::NOT_FOUND,
                "text/html; charset=UTF-8",
                "<!DOCTYPE html>\n<title>Seite nicht gefunden</title>\n",
            );
        }
    };
    // PHP reads the body of a POST; any other method comes with nothing in it.
    match request.json() {
        Ok(body) if request.method == Method::POST => file(shop, &body, request),
        _ => failed("Der Request enthält kein gültiges JSON."),
    }
}

/// Answers `Tokenrequest.php`. The dates of the sample span twice the time that its `timeLeft` says and four seconds more; so do these.
fn issue_token(shop: &Shop, body: &Value, _request: &Request) -> Answer {
    if (body["apiuser"].as_str(), body["apipass"].as_str()) != (Some(CLOUD.username), Some(CLOUD.password)) {
        return failed("Der Benutzername oder das Passwort ist falsch.");
    }
    shop.ledger.count_login();
    let mut stores = shop.stores();
    let token = generate::token(stores.tokens.count());
    stores.tokens.issue(token.clone(), ());
    let time_left = shop.opening.time_left.unwrap_or(stores.tokens.life().as_secs());
    let now = shop.clock.now();
    let span = i64::try_from(time_left).unwrap_or(i64::MAX).saturating_mul(2).saturating_add(4);
    Answer::json(
        StatusCode::OK,
        &json!({
            "status": "OK",
            "debugMessage": "GetToken",
            "token": {
                "token": token,
                "user": CLOUD.username,
                "creationdate": clock::database(now, BERLIN),
                "expirationdate": clock::database(now.saturating_add(span), BERLIN),
                "timeLeft": time_left,
            },
        }),
    )
}

/// Answers `HTKService4.php`.
fn call(shop: &Shop, body: &Value, request: &Request) -> Answer {
    let mut stores = shop.stores();
    if stores.tokens.holder(body["token"].as_str().unwrap_or_default()).is_none() {
        return failed("Der Token ist ungültig oder abgelaufen.");
    }
    let data = &body["data"];
    match body["function"].as_str().unwrap_or_default() {
        "5" => ok("Oxid6_GetCategories", &stores.categories.json()),
        "12" => ok("Oxid6_GetOrderIDs", &stores.orders.heads()),
        "11" => order(shop, &stores, data),
        "" => failed("Es wurde keine Funktion angegeben."),
        function if shop.opening.product_upload_function.as_deref() == Some(function) => {
            let uploaded = stores.products.upload(data);
            taken(shop, request, "product.upload", "Oxid6_ProductUpload", uploaded)
        }
        function if shop.opening.stock_function.as_deref() == Some(function) => {
            let set = stores.products.set_stock(data);
            taken(shop, request, "stock.set", "Oxid6_SetStock", set)
        }
        function => failed(&format!("Die Funktion {function} ist nicht vorhanden.")),
    }
}

/// Answers function 11, the single order. Its `data` are decided here: the order's `ID` as a text.
fn order(shop: &Shop, stores: &Stores, data: &Value) -> Answer {
    let Some(order) = stores.orders.json(data.as_str().unwrap_or_default()) else {
        return failed("Die Bestellung ist nicht vorhanden.");
    };
    let order = if shop.opening.order_in_array { json!([order]) } else { order.clone() };
    ok("Oxid6_GetOrder", &order)
}

/// Enters what was taken, one entry for each article.
fn taken(
    shop: &Shop,
    request: &Request,
    effect: &'static str,
    routine: &str,
    items: Result<Vec<(String, Value)>, String>,
) -> Answer {
    match items {
        Err(message) => failed(&message),
        Ok(items) => {
            for (sku, item) in items {
                shop.clock.tick();
                shop.ledger.enter(request, effect, sku, item);
            }
            ok(routine, &json!(""))
        }
    }
}
