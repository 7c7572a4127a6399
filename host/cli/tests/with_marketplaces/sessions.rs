//! `demo`, and sessions of `sandbox` with everything else beside it.

use std::path::Path;

use serde_json::Value;
use tradepost_platforms::Platform;

use crate::desk::{Production, Sandbox, command};

#[test]
fn the_demo_pulls_everything_and_each_write_is_in_the_ledger_once() {
    let directory = tempfile::tempdir().unwrap();
    let output = command(directory.path()).args(["demo", "--json", "--orders", "60"]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["ok"], true, "{report:#}");
    let platforms = report["platforms"].as_array().unwrap();
    let writes: Vec<_> = platforms
        .iter()
        .map(|platform| (platform["connector"].as_str().unwrap(), platform["effects"].as_array().unwrap().len()))
        .collect();
    assert_eq!(writes, [("hardtofind", 2), ("wcfm", 4), ("hft71", 1), ("omniseller", 0), ("help-ka", 0)]);
    for platform in platforms {
        assert_eq!(platform["pulled"], platform["held"], "{platform:#}");
        // A producer has stock and no orders to read.
        if platform["connector"] != "hft71" {
            assert_eq!(platform["pulled"]["orders"], 60, "{platform:#}");
        }
        for effect in platform["effects"].as_array().unwrap() {
            assert_eq!(effect["in_ledger"], 1, "{effect}");
        }
    }
}

#[test]
fn a_session_at_hardtofind() {
    let sandbox = Sandbox::start(&["hardtofind", "--orders", "30", "--ledger", "ledger.jsonl"]);
    let account = "sandbox/hardtofind";
    sandbox.object(&["check", account]);
    let orders = sandbox.objects(&["pull", account, "orders"]);
    assert_eq!(orders.len(), 30);
    let ready = sandbox.objects(&["pull", account, "orders", "--status", "READY"]);
    assert!(!ready.is_empty() && ready.len() < 30);
    assert!(ready.iter().all(|order| order["status"]["raw"] == "READY" && order["raw"].is_null()));

    let order = sandbox.object(&["get", account, "order", "123456"]);
    assert_eq!((&order["id"], &order["totals"]["total"]), (&"123456".into(), &"99.95".into()));
    assert!(sandbox.objects(&["carriers", account]).iter().any(|carrier| carrier["name"] == "Australia Post"));
    assert_eq!(sandbox.object(&["acknowledge", account, "123456"])["raw"], "PROCESSED");
    let ship = ["ship", account, "123456", "--carrier", "Australia Post", "--tracking", "33XYZ"];
    assert_eq!(sandbox.object(&ship)["raw"], "SHIPPED");
    assert_eq!(sandbox.object(&ship)["raw"], "SHIPPED", "shipping again with the same number is a success");
    let stock = sandbox.object(&["stock", "set", account, "--sku", "SKU-111", "--available", "4"]);
    assert_eq!(stock["outcome"], "unconfirmed");

    assert_eq!(sandbox.effects(), ["order.process", "order.ship", "variant.update"]);

    let fetched = sandbox.run(&["packing-slip", account, "123456", "--out", "slip.pdf"]);
    assert!(fetched.status.success(), "{}", String::from_utf8_lossy(&fetched.stderr));
    assert!(std::fs::read(sandbox.directory.path().join("slip.pdf")).unwrap().starts_with(b"%PDF"));
    assert_eq!(
        sandbox.failure(&["packing-slip", account, "123456", "--out", "slip.pdf"]).0,
        2,
        "a file is not overwritten"
    );

    let webhook = sandbox.directory.path().join("webhook.json");
    std::fs::write(&webhook, r#"{"method": "POST", "path": "/", "body": "{}"}"#).unwrap();
    let (_, error) = sandbox.failure(&["webhook", account, "--from", "webhook.json"]);
    assert!(error["message"].as_str().unwrap().ends_with("nothing of the request was kept"), "{error}");
    for (arguments, code, kind) in [
        (&["get", account, "order", "999"][..], 3, "not-found"),
        (&["webhook", account, "--from", "webhook.json"], 3, "unsupported"),
        (&["fulfilment", "status", account, "1"], 3, "unsupported"),
        (&["notes", "list", account, "123456"], 3, "unsupported"),
        (&["refunds", account, "123456"], 3, "unsupported"),
        (&["pull", account, "products"], 3, "unsupported"),
        (&["ship", account, "123456", "--tracking", "X"], 3, "invalid-input"),
        (&["stock", "set", account, "--product", "1", "--available", "4"], 3, "refused"),
    ] {
        let (exit, error) = sandbox.failure(arguments);
        assert_eq!((exit, error["kind"].as_str().unwrap()), (code, kind), "{arguments:?}: {error}");
        assert_eq!(error["exit_code"], code);
    }
}

#[test]
fn a_session_at_wcfm() {
    let sandbox = Sandbox::start(&["wcfm", "--orders", "30"]);
    let account = "sandbox/wcfm";
    sandbox.object(&["check", account]);
    assert_eq!(sandbox.objects(&["pull", account, "orders"]).len(), 30);
    for stream in ["products", "stock", "notifications"] {
        assert!(!sandbox.objects(&["pull", account, stream]).is_empty(), "{stream}");
    }
    assert!(!sandbox.objects(&["categories", account]).is_empty());
    assert!(!sandbox.objects(&["restrictions", account]).is_empty());
    assert!(sandbox.object(&["settings", account])["store_name"].is_string());

    let sellers = sandbox.objects(&["sellers", "list", account]);
    assert_eq!(sellers, sandbox.objects(&["pull", account, "sellers"]));
    let seller = sandbox.object(&["sellers", "get", account, sellers[0]["id"].as_str().unwrap()]);
    assert_eq!(seller["name"], sellers[0]["name"]);
    assert_eq!(sandbox.failure(&["sellers", "get", account, "999999"]).1["kind"], "not-found");
    let figures = sandbox.object(&["sales-figures", account]);
    assert!(figures["periods"].as_array().is_some_and(|periods| !periods.is_empty()), "{figures}");
    let refunds = sandbox.objects(&["refunds", account, "57"]);
    assert_eq!(refunds[0]["amount"], serde_json::json!({"amount": "317.54", "currency": "INR"}), "{refunds:?}");
    let table = String::from_utf8(sandbox.run(&["refunds", account, "57"]).stdout).unwrap();
    assert!(table.contains("WHOLE ORDER") && table.contains("317.54 INR"), "{table}");
    assert_eq!(sandbox.objects(&["refunds", account, "75"]).len(), 0);
    assert_eq!(sandbox.failure(&["refunds", account, "999999"]).1["kind"], "not-found");
    let order = sandbox.objects(&["pull", account, "orders", "--max-pages", "1"])[0]["id"].clone();
    let order = order.as_str().unwrap();
    assert!(sandbox.objects(&["notes", "list", account, order]).iter().all(|note| note["text"].is_string()));
    // This site has not bought the add-on that takes remarks.
    assert_eq!(sandbox.failure(&["notes", "add", account, order, "Packed on Monday"]).0, 3);

    let made = sandbox.object(&[
        "product",
        "create",
        account,
        "--name",
        "Blue mug",
        "--kind",
        "simple",
        "--regular-price",
        "12.50",
        "--sku",
        "MUG-BLUE",
    ]);
    let id = made["id"].as_str().unwrap();
    assert_eq!(made["regular_price"], "12.50", "{made}");
    let changed = sandbox.object(&["product", "update", account, id, "--regular-price", "13.00"]);
    assert_eq!((&changed["regular_price"], &changed["name"]), (&"13.00".into(), &"Blue mug".into()));
    let stock = sandbox.object(&["stock", "set", account, "--product", id, "--available", "4"]);
    assert_eq!(stock["outcome"], "confirmed");
    sandbox.object(&["product", "delete", account, id]);
    assert_eq!(sandbox.failure(&["product", "create", account]).0, 2, "no field is given");
}

#[test]
fn an_order_goes_to_a_producer_and_its_webhook_comes_back() {
    let production = Production::start();
    let desk = &production.desk;
    let address = r#"{"first_name": "Jan", "last_name": "Kowalski", "company": "", "lines": ["Prosta 1"],
        "city": "Warszawa", "postcode": "00-001", "country_code": "PL"}"#;
    let order = |sku: &str| {
        format!(
            r#"{{"reference": "1001", "placed_at": "2024-05-01T10:00:00+02:00", "address": {address},
                "items": [{{"sku": "{sku}", "quantity": "2"}}]}}"#
        )
    };
    desk.write("incomplete.json", &order(""));
    let (exit, error) = desk.failure(&["fulfilment", "submit", "producer", "--from", "incomplete.json"]);
    assert_eq!((exit, error["issues"][0]["pointer"].as_str()), (3, Some("/items/0/sku")), "{error}");
    assert!(production.effects().is_empty());

    desk.write("order.json", &order("GL64000-00007-0046"));
    let receipt = desk.object(&["fulfilment", "submit", "producer", "--from", "order.json"]);
    let id = receipt["id"].as_str().unwrap();
    desk.write("address.json", address);
    desk.object(&["fulfilment", "update", "producer", id, "--address", "address.json"]);
    desk.object(&["fulfilment", "update", "producer", id, "--status", "Closed"]);
    production.platform.shop().send_order(id.parse().unwrap(), "DPD", "TRACK-1", "BACK-1");
    let status = desk.object(&["fulfilment", "status", "producer", id]);
    assert_eq!(
        (&status["status"]["raw"], &status["shipments"][0]["tracking_number"]),
        (&"Closed".into(), &"TRACK-1".into())
    );
    let words = desk.objects(&["fulfilment", "customer-status", "producer", id]);
    assert_eq!(words[0]["sku"], "GL64000-00007-0046");
    assert_eq!(production.effects(), ["order.submit", "order.update-address", "order.update-status"]);
    assert_eq!(desk.failure(&["fulfilment", "status", "producer", "999999"]).1["kind"], "not-found");

    desk.write("webhook.json", &format!(r#"{{"external_id": "{id}", "status": "Closed"}}"#));
    let header = format!("X-HFT71-Webhook-Secret: {}", production.platform.shop().webhook_secret());
    let reading = desk.object(&["webhook", "producer", "--header", &header, "--body", "webhook.json"]);
    let told = &reading["events"][0]["order-status"];
    assert_eq!((told["id"].as_str(), &told["status"]["order"]), (Some(id), &"closed".into()), "{reading}");
    assert_eq!(reading["answer"]["status"], 200);
    assert!(reading["answer"]["body"].as_str().unwrap().contains("\"success\":true"), "{reading}");
    for header in ["X-HFT71-Webhook-Secret: wrong", "X-Other: x"] {
        let (exit, error) = desk.failure(&["webhook", "producer", "--header", header, "--body", "webhook.json"]);
        assert_eq!(
            (exit, error["kind"].as_str(), &error["kept"]),
            (4, Some("auth-rejected"), &false.into()),
            "{error}"
        );
        assert!(error["message"].as_str().unwrap().ends_with("nothing of the request was kept"), "{error}");
    }
    production.asynchronous.block_on(production.platform.stop());
}

#[test]
fn wrong_password_missing_grant_and_faults_end_with_their_codes() {
    let sandbox = Sandbox::start(&["hardtofind", "--orders", "10"]);
    let account = "sandbox/hardtofind";
    let table = std::fs::read_to_string(sandbox.table()).unwrap();
    let secret = sandbox.directory.path().join("tradepost.secrets/hardtofind.password");
    let password = std::fs::read_to_string(&secret).unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(std::fs::metadata(&secret).unwrap().permissions().mode() & 0o777, 0o600);
    }
    assert!(!table.contains(&password), "the table holds no secret");

    std::fs::write(&secret, "not-the-password").unwrap();
    let (exit, error) = sandbox.failure(&["check", account]);
    assert_eq!((exit, error["kind"].as_str().unwrap()), (4, "auth-rejected"), "{error}");
    assert!(error["advice"].as_str().unwrap().contains("hardtofind.password"), "{error}");
    assert!(!error.to_string().contains("not-the-password"), "{error}");
    std::fs::write(&secret, &password).unwrap();

    let without_grant: String = table.split_inclusive('\n').filter(|line| !line.starts_with("grants.")).collect();
    std::fs::write(sandbox.table(), without_grant).unwrap();
    let (exit, error) = sandbox.failure(&["check", account]);
    assert_eq!(exit, 8, "{error}");
    assert!(error["allow_with"].as_str().unwrap().starts_with("grants."), "{error}");
    std::fs::write(sandbox.table(), table.replace("settings.username", "settings.user-name")).unwrap();
    let (exit, error) = sandbox.failure(&["check", account]);
    assert_eq!(exit, 2, "{error}");
    assert!(error["issues"].to_string().contains("/username"), "{error}");
}

#[test]
fn a_platform_that_fails_says_whether_to_try_again() {
    for (fault, code, kind) in [("429=7", 5, "rate-limited"), ("503", 5, "transient"), ("html", 3, "protocol")] {
        let sandbox = Sandbox::start(&["wcfm", "--orders", "3", "--fault", fault]);
        let (exit, error) = sandbox.failure(&["pull", "sandbox/wcfm", "orders"]);
        assert_eq!((exit, error["kind"].as_str().unwrap()), (code, kind), "{fault}: {error}");
        if fault == "429=7" {
            assert_eq!(error["retry_after_ms"], 7000);
        }
    }
}

#[test]
fn inspect_shows_a_real_connector() {
    let component = tradepost_components::build("hardtofind", |_| {}).unwrap();
    let output = command(Path::new(".")).args(["inspect", "--json"]).arg(&component).output().unwrap();
    let shown: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(shown["manifest"]["id"], "hardtofind");
    assert!(shown["digest"].as_str().unwrap().starts_with("sha256:"));
    assert!(shown["exports"].as_array().unwrap().contains(&"orders".into()));
    let operations = shown["operations"].as_array().unwrap();
    let effect_of = |interface: &str, function: &str| {
        let found = operations.iter().find(|one| one["interface"] == interface && one["function"] == function);
        found.unwrap_or_else(|| panic!("{interface}.{function} is missing"))["effect"].clone()
    };
    assert_eq!((effect_of("shipments", "ship"), effect_of("orders", "get")), ("once".into(), "read".into()));
    assert_eq!(shown["settings_schema"]["properties"]["password"]["writeOnly"], true);
}

#[test]
fn a_connector_s_page_is_printed_and_written_alike() {
    let component = tradepost_components::build("hardtofind", |_| {}).unwrap();
    let directory = tempfile::tempdir().unwrap();
    let printed = command(directory.path()).arg("docs").arg(&component).output().unwrap();
    assert!(printed.status.success(), "{}", String::from_utf8_lossy(&printed.stderr));
    let page = String::from_utf8(printed.stdout).unwrap();
    for part in ["# hardtofind\n", "| `shipments` | `ship` (once) |", "header `X-Auth-Token`", "| `READY` | `open` |"] {
        assert!(page.contains(part), "{part:?} is not in:\n{page}");
    }
    let written = command(directory.path()).arg("docs").arg(&component).args(["--out", "page.md"]).output().unwrap();
    assert!(written.status.success() && written.stdout.is_empty(), "{}", String::from_utf8_lossy(&written.stderr));
    assert_eq!(std::fs::read_to_string(directory.path().join("page.md")).unwrap(), page);
    let json = command(directory.path()).args(["docs", "--json"]).arg(&component).output().unwrap();
    let json: Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!(json["page"], page.as_str());
}
