//! What a person sees below `/_sandbox`, and what all marketplaces tell the command line.

use serde_json::{Value, json};
use tradepost_platforms::{HardToFind, HelpKa, Hft71, OmniSeller, Platform, Wcfm};

use crate::client::Client;

#[tokio::test]
async fn people_read_the_ledger_and_the_holdings_without_a_login() {
    let platform = HardToFind::builder().orders(30).variants(5).start().await.unwrap();
    let client = Client::logged_in(&platform).await;
    client.post("/order/123456/transition", &json!({"action": "process"})).await;
    let anyone = Client::anonymous(&platform);
    let ledger = anyone.get("/_sandbox/ledger").await.json();
    assert_eq!(ledger["requests"], 2, "people's requests are not counted");
    assert_eq!(ledger["logins"], 1);
    assert_eq!(ledger["effects"], json!({"order.process": 1}));
    assert_eq!(
        ledger["entries"],
        json!([{
            "sequence": 1,
            "effect": "order.process",
            "method": "POST",
            "path": "/order/123456/transition",
            "key": "123456",
            "json": {"action": "process"},
        }])
    );
    assert_eq!(anyone.get("/_sandbox/held").await.json(), json!({"orders": 30, "stock": 7, "carriers": 3}));
    assert_eq!(anyone.get("/_sandbox/elsewhere").await.status, 404);
}

#[tokio::test]
async fn people_switch_a_fault_on_and_off() {
    let platform = HardToFind::builder().start().await.unwrap();
    let anyone = Client::anonymous(&platform);
    let set = async |wish: &str| anyone.send("POST", "/_sandbox/fault", None, wish).await.unwrap();
    assert_eq!(set("503=5:next=1").await.text(), "503=5:next=1\n");
    assert_eq!(anyone.get("/info").await.status, 503);
    assert_eq!(anyone.get("/info").await.status, 401);
    assert_eq!(set("500").await.status, 200);
    assert_eq!(set("off").await.text(), "no fault\n");
    assert_eq!(anyone.get("/info").await.status, 401);
    let refused = set("404").await;
    assert_eq!(refused.status, 400);
    assert!(refused.text().contains("unknown fault \"404\""), "{}", refused.text());
}

#[tokio::test]
async fn the_ledger_file_has_a_line_per_entry() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.jsonl");
    for round in 1..=2 {
        let platform = HardToFind::builder().ledger_file(&path).start().await.unwrap();
        let client = Client::logged_in(&platform).await;
        client.post("/order/123456/transition", &json!({"action": "process"})).await;
        let lines = std::fs::read_to_string(&path).unwrap();
        assert_eq!(lines.lines().count(), round, "a second run appends");
        let entry: Value = serde_json::from_str(lines.lines().last().unwrap()).unwrap();
        assert_eq!(entry["effect"], "order.process");
    }
}

#[tokio::test]
async fn the_command_line_treats_marketplaces_alike() {
    let platforms: Vec<Box<dyn Platform>> = vec![
        Box::new(HardToFind::builder().start().await.unwrap()),
        Box::new(Hft71::builder().start().await.unwrap()),
        Box::new(Wcfm::builder().prefix("/site").start().await.unwrap()),
        Box::new(HelpKa::builder().start().await.unwrap()),
        Box::new(OmniSeller::builder().start().await.unwrap()),
    ];
    let names: Vec<&str> = platforms.iter().map(|platform| platform.name()).collect();
    assert_eq!(names, ["hardtofind", "hft71", "wcfm", "help-ka", "omniseller"]);
    for platform in &platforms {
        assert_eq!(platform.example_settings(), [("root-url".to_owned(), platform.root_url().to_owned())]);
        let secrets = platform.example_secrets();
        let names: Vec<&str> = secrets.iter().map(|(name, _)| name.as_str()).collect();
        let expected: &[&str] = match platform.name() {
            "omniseller" => &["apiuser", "apipass"],
            "hft71" => &["username", "password", "webhook-secret"],
            _ => &["username", "password"],
        };
        assert_eq!(names, expected, "{}", platform.name());
        assert_eq!(secrets[0].1, platform.credentials().username);
        assert_eq!(secrets[1].1, platform.credentials().password);
        assert!(secrets.iter().all(|(_, value)| value.len() >= 8), "{}", platform.name());
        assert!(platform.held().values().all(|count| *count > 0), "{}", platform.name());
        platform.prepare();
        platform.stop().await;
    }
}

#[tokio::test]
async fn ten_thousand_orders_open_at_once() {
    let start = std::time::Instant::now();
    let hardtofind = HardToFind::builder().orders(10_000).start().await.unwrap();
    let wcfm = Wcfm::builder().orders(10_000).products(10_000).start().await.unwrap();
    assert!(start.elapsed().as_secs() < 2, "{:?}", start.elapsed());
    let omniseller = OmniSeller::builder().orders(10_000).start().await.unwrap();
    assert!(start.elapsed().as_secs() < 3, "{:?}", start.elapsed());
    assert_eq!((hardtofind.held()["orders"], omniseller.held()["orders"]), (10_000, 10_000));
    assert_eq!((wcfm.held()["orders"], wcfm.held()["products"]), (10_000, 10_000));
}

#[tokio::test]
async fn preparing_changes_no_answer() {
    let [lazy, prepared] = [Wcfm::builder(), Wcfm::builder()].map(|builder| builder.orders(40).products(40));
    let (lazy, prepared) = (lazy.start().await.unwrap(), prepared.start().await.unwrap());
    prepared.prepare();
    for path in ["/wp-json/wcfmmp/v1/orders?per_page=100", "/wp-json/wcfmmp/v1/products?per_page=5"] {
        let answer = async |platform: &Wcfm| {
            let client = Client::basic(platform, platform.credentials());
            client.get(path).await.text().replace(&platform.root_url().replace('/', "\\/"), "")
        };
        assert!(answer(&lazy).await == answer(&prepared).await, "{path}");
    }
}
