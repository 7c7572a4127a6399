//! The OmniSeller interface: tokens, categories, orders, product upload and stock.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};
use tradepost_platforms::{OmniSeller, OmniSellerBuilder, Platform};

use crate::client::{Answer, Client};

const TOKEN_REQUEST: &str = "/omniseller/Tokenrequest.php";
const SERVICE: &str = "/omniseller/HTKService4.php";
const SAMPLE_ORDER: &str = "6132af04178eabb83271b3c6579431be";

struct Cloud {
    platform: OmniSeller,
    client: Client,
    token: Value,
}

impl Cloud {
    async fn open(builder: OmniSellerBuilder) -> Self {
        let platform = builder.start().await.unwrap();
        let client = Client::anonymous(&platform);
        let token = log_in(&platform).await["token"]["token"].clone();
        Self { platform, client, token }
    }

    async fn call(&self, function: &str, data: Value) -> Value {
        let answer = self.send(function, data).await;
        assert_eq!(answer.status, 200);
        answer.json()
    }

    async fn send(&self, function: &str, data: Value) -> Answer {
        self.client.post(SERVICE, &json!({"token": self.token, "function": function, "data": data})).await
    }
}

async fn log_in(platform: &OmniSeller) -> Value {
    let credentials = platform.credentials();
    let body = json!({"apiuser": credentials.username, "apipass": credentials.password});
    Client::anonymous(platform).post(TOKEN_REQUEST, &body).await.json()
}

fn sample(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

fn keys(value: &Value) -> Vec<&String> {
    value.as_object().unwrap().keys().collect()
}

#[tokio::test]
async fn a_token_looks_like_the_documentations() {
    let sample = sample(include_str!("../../../fixtures/seeds/omniseller-token.json"));
    let platform = OmniSeller::builder().start().await.unwrap();
    let answer = log_in(&platform).await;
    assert_eq!((keys(&answer), keys(&answer["token"])), (keys(&sample), keys(&sample["token"])));
    let token = &answer["token"];
    assert_eq!((&answer["status"], &token["timeLeft"]), (&sample["status"], &sample["token"]["timeLeft"]));
    assert_eq!(token["creationdate"], "2026-11-22 01:30:00");
    assert_eq!(token["expirationdate"], "2026-11-22 02:00:04", "the sample's dates span more than its timeLeft");
    let shape = |value: &Value| value.as_str().unwrap().split('-').map(str::len).collect::<Vec<_>>();
    assert_eq!(shape(&token["token"]), shape(&sample["token"]["token"]));
    assert_ne!(log_in(&platform).await["token"]["token"], token["token"]);
    let short = OmniSeller::builder().token_life(Duration::from_secs(60)).time_left(7).start().await.unwrap();
    assert_eq!(log_in(&short).await["token"]["timeLeft"], 7);
}

#[tokio::test]
async fn whatever_goes_wrong_is_a_200_with_another_status() {
    let cloud = Cloud::open(OmniSeller::builder()).await;
    let client = &cloud.client;
    let call = |function: Value, data: &str| json!({"token": cloud.token, "function": function, "data": data});
    for (path, body, reason) in [
        (TOKEN_REQUEST, json!({"apiuser": "apiuser", "apipass": "apipass"}), "Passwort"),
        (TOKEN_REQUEST, json!({}), "Passwort"),
        (SERVICE, json!({"token": "00000000-0000-0000-0000-000000000000", "function": "5", "data": ""}), "Token"),
        (SERVICE, json!({"function": "5", "data": ""}), "Token"),
        (SERVICE, call(json!("99"), ""), "Funktion 99"),
        (SERVICE, call(json!(5), ""), "keine Funktion"),
        (SERVICE, call(json!("11"), ""), "Bestellung"),
        (SERVICE, call(json!("11"), "nowhere"), "Bestellung"),
    ] {
        let answer = client.post(path, &body).await;
        assert_eq!((answer.status, answer.json()["status"].as_str()), (200, Some("ERROR")), "{body}");
        assert!(answer.json()["debugMessage"].as_str().unwrap().contains(reason), "{body} gave {}", answer.text());
    }
    for (method, body) in [("POST", "{"), ("POST", ""), ("GET", "")] {
        let answer = client.send(method, SERVICE, Some("application/json"), body).await.unwrap();
        assert_eq!((answer.status, answer.json()["status"].as_str()), (200, Some("ERROR")), "{method} {body:?}");
    }
    assert_eq!(client.get("/omniseller/HTKService5.php").await.status, 404);
    assert_eq!(cloud.platform.ledger().logins(), 1);
}

#[tokio::test]
async fn an_expired_token_is_a_200_with_a_german_reason() {
    let dead = Cloud::open(OmniSeller::builder().token_life(Duration::ZERO)).await;
    let answer = dead.call("5", json!("")).await;
    assert_eq!(
        answer,
        json!({"status": "ERROR", "debugMessage": "Der Token ist ungültig oder abgelaufen.", "data": ""})
    );
    let cloud = Cloud::open(OmniSeller::builder()).await;
    assert_eq!(cloud.call("5", json!("")).await["status"], "OK");
    cloud.platform.shop().expire_tokens();
    assert_eq!(cloud.call("5", json!("")).await["status"], "ERROR");
}

#[tokio::test]
async fn the_sample_categories_and_order_ids_are_served_as_the_documentation_prints_them() {
    let cloud = Cloud::open(OmniSeller::builder()).await;
    let categories = sample(include_str!("../../../fixtures/seeds/omniseller-categories.json"));
    assert_eq!(cloud.call("5", json!("")).await, categories);
    let mut ids = sample(include_str!("../../../fixtures/seeds/omniseller-order-ids.json"));
    // The sample says only `string` here.
    ids["debugMessage"] = json!("Oxid6_GetOrderIDs");
    assert_eq!(cloud.call("12", json!("")).await, ids);
    let order = sample(include_str!("../../../fixtures/seeds/omniseller-order.json"));
    assert_eq!(keys(&cloud.call("11", json!(SAMPLE_ORDER)).await), keys(&order));
}

#[tokio::test]
async fn categories_are_a_tree_whose_flags_have_every_type() {
    let cloud = Cloud::open(OmniSeller::builder().categories(200)).await;
    assert_eq!(cloud.platform.held()["categories"], 200);
    let answer = cloud.call("5", json!("")).await;
    let rows = answer["data"].as_array().unwrap();
    let mut known = BTreeSet::from(["oxrootID"]);
    let mut types = BTreeSet::new();
    for row in rows {
        assert!(known.contains(row["ParentID"].as_str().unwrap()), "a parent comes before its children: {row}");
        assert!(known.insert(row["ID"].as_str().unwrap()), "{row}");
        types.insert(row["Aktiv"].to_string());
    }
    assert_eq!(types, ["\"0\"", "\"1\"", "0", "1", "false", "true"].map(str::to_owned).into());
    let shop = cloud.platform.shop();
    assert!(shop.remove_category(rows[1]["ID"].as_str().unwrap()));
    shop.insert_category_json(json!({"ID": "x", "ParentID": null}));
    let after = cloud.call("5", json!("")).await["data"].clone();
    assert_eq!((after.as_array().unwrap().len(), &after[199]), (200, &json!({"ID": "x", "ParentID": null})));
    assert_eq!(shop.categories(), after);
}

#[tokio::test]
async fn every_order_of_the_list_can_be_read_whole() {
    for in_array in [false, true] {
        let cloud = Cloud::open(OmniSeller::builder().orders(40).order_in_array(in_array)).await;
        let heads = cloud.call("12", json!("")).await["data"].clone();
        let heads = heads.as_array().unwrap();
        assert_eq!((heads.len() as u64, heads.len()), (cloud.platform.held()["orders"], 40));
        for head in heads {
            let answer = cloud.call("11", head["ID"].clone()).await;
            assert_eq!(answer["data"].is_array(), in_array);
            let order = if in_array { &answer["data"][0] } else { &answer["data"] };
            for field in keys(head) {
                assert_eq!(order[field], head[field]);
            }
            assert_eq!(order["Waehrung"], "EUR");
        }
        assert_eq!(heads.iter().map(|head| head["ID"].to_string()).collect::<BTreeSet<_>>().len(), 40);
    }
}

#[tokio::test]
async fn amounts_are_texts_that_add_up() {
    for (point, mark) in [(false, ','), (true, '.')] {
        let cloud = Cloud::open(OmniSeller::builder().orders(20).decimal_point(point)).await;
        for id in cloud.platform.shop().order_ids() {
            let order = cloud.call("11", json!(id)).await["data"].clone();
            // Four decimals: without the mark it is ten-thousandths.
            let read = |amount: &Value| -> u64 {
                let (whole, part) = amount.as_str().unwrap().split_once(mark).expect("the mark");
                assert_eq!(part.len(), 4);
                format!("{whole}{part}").parse().unwrap()
            };
            let lines = order["Positionen"].as_array().unwrap();
            for line in lines {
                assert_eq!(read(&line["Menge"]) / 10_000 * read(&line["Einzelpreis"]), read(&line["Gesamtpreis"]));
            }
            let sum: u64 = lines.iter().map(|line| read(&line["Gesamtpreis"])).sum();
            assert_eq!(sum + read(&order["Versandkosten"]), read(&order["Gesamtsumme"]));
        }
    }
}

#[tokio::test]
async fn orders_change_by_hand() {
    let cloud = Cloud::open(OmniSeller::builder().orders(3)).await;
    let shop = cloud.platform.shop();
    let new = shop.insert_order(1);
    assert!(shop.set_order_status(SAMPLE_ORDER, 4));
    assert!(shop.remove_order(&shop.order_ids()[1]));
    assert!(!shop.insert_order_json(json!({"DisplayID": 9})));
    assert!(shop.insert_order_json(json!({"ID": "wc-9", "DisplayID": "9", "OrderStatus": "7"})));
    let heads = cloud.call("12", json!("")).await["data"].clone();
    let statuses: Vec<_> = heads.as_array().unwrap().iter().map(|head| head["OrderStatus"].clone()).collect();
    assert_eq!(statuses, [json!(4), json!(0), json!(1), json!("7")]);
    assert_eq!(heads[3], json!({"ID": "wc-9", "DisplayID": "9", "OrderStatus": "7"}));
    assert_eq!(cloud.call("11", json!(new)).await["data"], shop.order(&new).unwrap());
    assert!(cloud.platform.ledger().is_empty(), "none of it was done through the interface");
}

#[tokio::test]
async fn uploads_and_stock_need_a_function() {
    let cloud = Cloud::open(OmniSeller::builder()).await;
    let stock = json!({"Artikelnummer": "ART-1000", "Bestand": 4});
    for function in ["6", "7", "20", "21"] {
        assert_eq!(cloud.call(function, stock.clone()).await["status"], "ERROR", "{function}");
    }

    let cloud = Cloud::open(OmniSeller::builder().product_upload_function("20").stock_function("21")).await;
    let settings = cloud.platform.example_settings();
    for (name, value) in [("product-upload-function", "20"), ("stock-function", "21")] {
        assert!(settings.contains(&(name.to_owned(), value.to_owned())), "{settings:?}");
    }
    let shop = cloud.platform.shop();
    let uploaded =
        cloud.call("20", json!([{"SKU": "NEU", "Bezeichnung": "Tisch"}, {"Artikelnummer": "ART-1000"}])).await;
    assert_eq!(uploaded, json!({"status": "OK", "debugMessage": "Oxid6_ProductUpload", "data": ""}));
    assert_eq!(shop.product("NEU").unwrap()["Bezeichnung"], "Tisch");
    assert_eq!(shop.product("ART-1000").unwrap()["Bezeichnung"], "Artikel 0", "what is not sent stays");
    assert_eq!(cloud.call("21", stock).await["status"], "OK");
    assert_eq!(cloud.call("21", json!({"SKU": "NEU", "Bestand": "7,0000"})).await["status"], "OK");
    assert_eq!((shop.stock("ART-1000"), shop.stock("NEU")), (Some(json!(4)), Some(json!("7,0000"))));
    for (function, data, reason) in [
        ("20", json!(""), "keine Daten"),
        ("20", json!([]), "keine Daten"),
        ("20", json!([{"SKU": ""}]), "Artikelnummer"),
        ("21", json!([{"SKU": "NEU", "Bestand": 1}, {"SKU": "FEHLT", "Bestand": 1}]), "FEHLT"),
        ("21", json!({"SKU": "NEU", "Bestand": "viel"}), "keine Zahl"),
    ] {
        let answer = cloud.call(function, data).await;
        assert_eq!(answer["status"], "ERROR");
        assert!(answer["debugMessage"].as_str().unwrap().contains(reason), "{answer}");
    }
    assert_eq!(shop.stock("NEU"), Some(json!("7,0000")), "a list is taken whole or not at all");
    let entries: Vec<_> =
        cloud.platform.ledger().entries().into_iter().map(|entry| (entry.effect, entry.key)).collect();
    let expected =
        [("product.upload", "NEU"), ("product.upload", "ART-1000"), ("stock.set", "ART-1000"), ("stock.set", "NEU")];
    assert_eq!(entries, expected.map(|(effect, key)| (effect, key.to_owned())));
}

#[tokio::test]
async fn a_notice_comes_before_the_answer_or_in_place_of_it() {
    let cloud = Cloud::open(OmniSeller::builder().stock_function("21")).await;
    let stock = json!({"SKU": "ART-1000", "Bestand": 4});
    for (fault, whole, applied) in [("notice", true, 1), ("notice-only", false, 1)] {
        cloud.platform.set_fault(Some(fault.parse().unwrap()));
        let answer = cloud.send("21", stock.clone()).await;
        assert_eq!((answer.status, answer.header("content-type")), (200, Some("text/html; charset=UTF-8")));
        assert!(answer.text().starts_with("<br />\n<b>Notice</b>:  Undefined index"), "{}", answer.text());
        assert_eq!(answer.text().ends_with(r#""status":"OK"}"#), whole, "{}", answer.text());
        assert_eq!(cloud.platform.ledger().len(), applied, "{fault}");
    }
}
