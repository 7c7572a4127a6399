//! WCFM: changing an order's status, its notes and its tracking.

use serde_json::json;
use tradepost_platforms::{Generation, Platform, Wcfm, WcfmBuilder};

use crate::client::Client;

async fn started(builder: WcfmBuilder) -> (Wcfm, Client) {
    let platform = builder.start().await.unwrap();
    let client = Client::basic(&platform, platform.credentials());
    (platform, client)
}

fn path(id: u64) -> String {
    format!("/wp-json/wcfmmp/v1/orders/{id}")
}

#[tokio::test]
async fn the_older_generation_says_nothing_and_the_newer_shows_the_order() {
    let body = json!({"status": "processing"});
    let (old, client) = started(Wcfm::builder()).await;
    for method in ["PUT", "POST", "PATCH"] {
        let answer = client.json(method, &path(74), &body).await;
        assert_eq!((answer.status, answer.body.len()), (200, 0), "{method}");
    }
    assert_eq!(client.get(&path(74)).await.json()["status"], "processing");
    assert_eq!(old.ledger().effects()["order.status"], 3);
    assert_eq!(old.ledger().about("74")[0].json, body);

    let (_new, client) = started(Wcfm::builder().generation(Generation::V1_6)).await;
    let answer = client.put(&path(74), &body).await.json();
    assert_eq!((&answer["id"], &answer["status"]), (&json!(74), &json!("processing")));
}

#[tokio::test]
async fn what_is_refused_changes_nothing() {
    let (platform, client) = started(Wcfm::builder()).await;
    for (body, status, code) in [
        (json!({"note": "x"}), 400, "rest_missing_callback_param"),
        (json!({"status": "shipped-maybe"}), 404, "wcfmapi_rest_invalid_shop_order_status"),
        (json!({"status": "wc-processing"}), 404, "wcfmapi_rest_invalid_shop_order_status"),
        (json!({"status": ""}), 404, "wcfmapi_rest_invalid_shop_order_status"),
        (json!({"status": 5}), 404, "wcfmapi_rest_invalid_shop_order_status"),
    ] {
        let answer = client.put(&path(74), &body).await;
        assert_eq!((answer.status, answer.json()["code"].as_str()), (status, Some(code)), "{body}");
    }
    let broken = client.send("PUT", &path(74), Some("application/json"), "{").await.unwrap();
    assert_eq!((broken.status, broken.json()["code"].as_str()), (400, Some("rest_invalid_json")));
    let refunded = client.put(&path(74), &json!({"status": "refunded"})).await;
    assert_eq!((refunded.status, refunded.body.len()), (200, 0), "refused in silence");
    let foreign = client.put(&path(54), &json!({"status": "completed"})).await;
    assert_eq!((foreign.status, foreign.body.len()), (200, 0), "another vendor's order too");
    let unknown = client.put(&path(999_999), &json!({"status": "completed"})).await;
    assert_eq!((unknown.status, unknown.json()["code"].as_str()), (500, Some("internal_server_error")));
    assert_eq!(client.get(&path(74)).await.json()["status"], "on-hold");
    assert!(platform.ledger().is_empty());
}

#[tokio::test]
async fn order_sync_answers_200_and_changes_nothing() {
    let (platform, client) = started(Wcfm::builder().order_sync(true)).await;
    assert_eq!(client.put(&path(74), &json!({"status": "completed"})).await.status, 200);
    assert_eq!(client.get(&path(74)).await.json()["status"], "on-hold");
    assert!(platform.ledger().is_empty());
}

#[tokio::test]
async fn the_date_of_change_follows_the_shops_status_and_not_the_vendors() {
    let (platform, client) = started(Wcfm::builder()).await;
    let shop = platform.shop();
    // Order 49 is shared with another vendor: its own status and date stay the shop's.
    for (id, moves) in [(74, true), (49, false)] {
        let before = shop.order(id).unwrap();
        client.put(&path(id), &json!({"status": "completed"})).await;
        let after = shop.order(id).unwrap();
        assert_eq!(after["status"], "completed");
        assert_eq!(after["vendor_order_details"]["commission_status"], "completed");
        assert_eq!(after["date_modified"] != before["date_modified"], moves, "{id}");
        assert_eq!(after["vendor_order_details"]["order_status"] == "completed", moves, "{id}");
    }
}

#[tokio::test]
async fn an_order_that_is_not_shipped_has_no_tracking() {
    let (_platform, client) = started(Wcfm::builder()).await;
    assert!(client.get(&path(74)).await.json().get("shipment_tracking").is_some());
    client.put(&path(74), &json!({"status": "cancelled"})).await;
    assert!(client.get(&path(74)).await.json().get("shipment_tracking").is_none());
    client.put(&path(74), &json!({"status": "processing"})).await;
    assert_eq!(client.get(&path(74)).await.json()["shipment_tracking"]["each_data"][0]["item_id"], 110);
}

#[tokio::test]
async fn tracking_and_notes_need_the_add_on() {
    let body = json!({"order_id": 74, "product_id": 42, "item_id": 110, "tracking_url": "https://t.example/1", "tracking_code": "T1"});
    let tracking = "/wp-json/wcfmmp/v1/orders/shipment_tracking";
    let note = "/wp-json/wcfmmp/v1/orders/note/74";

    let (without, client) = started(Wcfm::builder()).await;
    let answer = client.post(tracking, &body).await;
    assert_eq!((answer.status, answer.body.len()), (200, 0));
    assert_eq!(client.post(note, &json!({"note": "hello"})).await.status, 500);
    assert_eq!(client.get(note).await.each("added_by"), ["system"]);
    assert!(without.ledger().is_empty());

    let (with, client) = started(Wcfm::builder().tracking_add_on(true)).await;
    let answer = client.post(tracking, &body).await.json();
    assert_eq!((&answer["order_id"], &answer["order_status"]), (&json!(74), &json!("on-hold")));
    assert_eq!(answer["tracking_data"]["each_data"][0]["tracking_code"], "T1");
    let order = client.get(&path(74)).await.json();
    assert_eq!(order["shipment_tracking"], answer["tracking_data"]);
    assert!(order["line_items"][0]["meta_data"].as_array().unwrap().iter().any(|meta| meta["value"] == "T1"));
    let unknown_line = client.post(tracking, &json!({"order_id": 74, "item_id": 1})).await;
    assert!(unknown_line.body.is_empty());
    assert_eq!(
        client.post(note, &json!({"note": "hello", "note_type": "customer"})).await.json()[0]["customer_note"],
        true
    );
    assert_eq!(with.ledger().effects(), [("order.note".to_owned(), 1), ("order.tracking".to_owned(), 1)].into());
}

#[tokio::test]
async fn notes_keep_their_dates_and_their_attachments() {
    let path = "/wp-json/wcfmmp/v1/orders/note/74";
    for (generation, names_order) in [(Generation::V1_5, false), (Generation::V1_6, true)] {
        let (platform, client) = started(Wcfm::builder().tracking_add_on(true).generation(generation)).await;
        let attachment =
            json!({"attachmentText": "Invoice", "attachmentData": {"source_url": "https://files.example/1.pdf"}});
        client.put(path, &json!({"note": "first", "note_type": "customer", "attachments": [attachment]})).await;
        let after_first = client.get(path).await.json();
        client.put(path, &json!({"note": "second", "note_type": "private"})).await;
        let notes = client.get(path).await.json();
        assert_eq!(notes.as_array().unwrap().len(), 3);
        assert_eq!(notes[1], after_first[0], "a note does not change when another is written");
        assert_eq!((&notes[0]["content"], &notes[0]["customer_note"]), (&json!("second"), &json!(false)));
        let link = "first<br /><a href=\"https://files.example/1.pdf\">Invoice</a>";
        assert_eq!((&notes[1]["content"], &notes[1]["customer_note"]), (&json!(link), &json!(true)));
        assert_eq!(notes[1]["date_created"]["timezone"], "Asia/Kolkata");
        assert!(notes.as_array().unwrap().iter().all(|note| note.get("order_id").is_some() == names_order));
        assert_eq!(client.put("/wp-json/wcfmmp/v1/orders/note/9", &json!({"note": "x"})).await.status, 404);
        let other = Client::basic(&platform, platform.other_vendor());
        assert_eq!(other.put(path, &json!({"note": "x"})).await.status, 404);
        assert_eq!(platform.ledger().of("order.note").len(), 2);
    }
}

#[tokio::test]
async fn a_refund_shows_in_the_row_of_the_list_and_nowhere_else() {
    let (platform, client) = started(Wcfm::builder()).await;
    let (shop, row) = (platform.shop(), "vendor_order_details");
    // Recorded are orders 57, part of which was given back, and 58, which was given back whole: made so here, 49 and 75 look the same.
    let before = shop.order(49).unwrap();
    assert!(shop.refund_order(49, 20.5, &[7]));
    let after = shop.order(49).unwrap();
    let told = |order: &serde_json::Value| {
        [
            "refunded_amount",
            "order_item_ids",
            "refund_statuses",
            "refund_status",
            "is_partially_refunded",
            "is_refunded",
        ]
        .map(|column| order[row][column].as_str().unwrap().to_owned())
    };
    assert_eq!(told(&after), ["20.5", "9,7", "pending,completed", "pending", "0", "0"]);
    assert_eq!(told(&shop.order(57).unwrap())[2..], told(&after)[2..]);
    assert_eq!((&after["status"], &after["date_modified"]), (&before["status"], &before["date_modified"]));

    assert!(shop.refund_order(75, 10.17, &[114]) && shop.refund_order(75, 50.0, &[114]));
    let whole = shop.order(75).unwrap();
    assert_eq!(told(&whole), ["60.17", "114", "completed", "completed", "1", "0"]);
    assert_eq!(told(&shop.order(58).unwrap())[2..], told(&whole)[2..]);
    assert_eq!((&whole["status"], &whole["total"]), (&json!("refunded"), &json!("60.17")));
    let single = client.get(&path(75)).await.json();
    assert!(single.get(row).is_none() && single.get("refunds").is_none() && single.get("shipment_tracking").is_none());
    assert!(!shop.refund_order(999_999, 1.0, &[]));
    assert!(platform.ledger().is_empty(), "what the marketplace does itself is not a client's effect");
}
