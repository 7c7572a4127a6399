//! What is kept in the data directory: streams, events and records; commands that are recorded first and done once, here or by the daemon;
//! and those that wait for a person.

use serde_json::Value;
use tradepost_platforms::Platform;

use crate::desk::{Daemon, Production, Sandbox};

const SHOP: &str = "sandbox/hardtofind";

fn shop() -> Sandbox {
    Sandbox::start(&["hardtofind", "--orders", "30", "--ledger", "ledger.jsonl"])
}

/// The arguments of a command that ships the sample order.
fn ship<'a>(tracking: &'a str, options: &[&'a str]) -> Vec<&'a str> {
    [&["ship", SHOP, "123456", "--carrier", "Australia Post", "--tracking", tracking], options].concat()
}

#[test]
fn a_stream_is_kept_and_only_what_changed_is_told_again() {
    let sandbox = shop();
    let first = sandbox.object(&["sync"]);
    assert_eq!(
        (&first["account"], &first["kind"], &first["created"], &first["unchanged"]),
        (&SHOP.into(), &"orders".into(), &30.into(), &0.into()),
        "{first}"
    );
    let again = sandbox.object(&["sync", SHOP, "--stream", "orders"]);
    assert_eq!((&again["created"], &again["updated"], &again["deleted"]), (&0.into(), &0.into(), &0.into()), "{again}");
    let events = sandbox.objects(&["events"]);
    let positions: Vec<u64> = events.iter().map(|event| event["position"].as_u64().unwrap()).collect();
    assert_eq!(positions, (1..=30).collect::<Vec<u64>>());
    assert_eq!(sandbox.objects(&["events", "--after", "27", "--limit", "2"]), events[27..29]);
    assert!(sandbox.objects(&["events", "--kind", "commands"]).is_empty());

    sandbox.object(&["acknowledge", SHOP, "123456"]);
    let changed = sandbox.object(&["sync"]);
    assert_eq!((&changed["created"], &changed["updated"]), (&0.into(), &1.into()), "{changed}");
    let event = sandbox.object(&["events", "--after", "30", "--kind", "orders"]);
    assert_eq!((&event["id"], &event["change"], &event["version"]), (&"123456".into(), &"updated".into(), &2.into()));

    let shown = sandbox.object(&["status"]);
    let stream = &shown["streams"][0];
    assert_eq!(
        (&stream["records"], &stream["walks"], &stream["failure"]),
        (&30.into(), &3.into(), &Value::Null),
        "{shown}"
    );
    assert_eq!((&shown["commands"]["done"], &shown["daemon"]), (&1.into(), &false.into()), "{shown}");
    assert!(String::from_utf8(sandbox.run(&["status"]).stdout).unwrap().contains("commands: 0 waiting"));
}

#[test]
fn records_are_found_without_asking_the_platform() {
    let sandbox = shop();
    sandbox.object(&["sync"]);
    let ids = |orders: &[Value], id: &str| {
        let mut ids: Vec<String> = orders.iter().map(|order| order.pointer(id).unwrap().to_string()).collect();
        ids.sort();
        ids
    };
    let ready = sandbox.objects(&["pull", SHOP, "orders", "--status", "READY"]);
    let kept = sandbox.objects(&["records", SHOP, "orders", "--status", "READY"]);
    assert!(!kept.is_empty() && kept.len() < 30);
    assert_eq!(ids(&kept, "/record/id"), ids(&ready, "/id"));
    let one = sandbox.object(&["records", SHOP, "orders", "--id", "123456"]);
    assert_eq!((&one["record"]["totals"]["total"], &one["version"]), (&"99.95".into(), &1.into()));
    assert_eq!(sandbox.objects(&["records", SHOP, "orders", "--limit", "3"]).len(), 3);
    assert_eq!(sandbox.objects(&["orders", "--status", "READY"]), kept);
    let table = String::from_utf8(sandbox.run(&["orders", "--id", "123456"]).stdout).unwrap();
    assert!(table.contains("ACCOUNT") && table.contains(SHOP), "{table}");
    assert!(sandbox.objects(&["records", SHOP, "orders", "--text", "no such words"]).is_empty());
    assert!(sandbox.objects(&["records", SHOP, "orders", "--since", "2999-01-01T00:00:00Z"]).is_empty());
    let table = String::from_utf8(sandbox.run(&["records", SHOP, "orders", "--id", "123456"]).stdout).unwrap();
    assert!(table.contains("NUMBER") && table.contains("99.95 AUD"), "{table}");
    assert_eq!(
        sandbox.failure(&["records", "sandbox/hardtofnd", "orders"]).0,
        2,
        "a misspelt account is not an empty one"
    );
}

#[test]
fn a_stream_that_fails_keeps_no_other_from_being_walked() {
    let sandbox = Sandbox::start(&["wcfm", "--orders", "5", "--fault", "503:path=/orders"]);
    let output = sandbox.run(&["sync", "--json", "--stream", "orders", "--stream", "products"]);
    assert_eq!(output.status.code(), Some(5));
    let text = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((&lines[0]["kind"], &lines[0]["error"]["kind"]), (&"orders".into(), &"transient".into()), "{text}");
    assert!(lines[1]["kind"] == "products" && lines[1]["created"].as_u64() > Some(0), "{text}");
    let (exit, error) = sandbox.failure(&["sync", "sandbox/wcfm", "--stream", "orders"]);
    assert_eq!((exit, &error["kind"]), (5, &"transient".into()), "{error}");
    let failed = &sandbox.object(&["status"])["streams"][0];
    assert!(failed["failure"].is_string() && failed["failures"] == 2, "{failed}");
}

#[test]
fn the_same_key_is_the_same_command_and_is_done_once() {
    let sandbox = shop();
    sandbox.object(&["acknowledge", SHOP, "123456"]);
    let first = sandbox.object(&ship("A1", &["--key", "parcel-1"]));
    assert_eq!(first["raw"], "SHIPPED");
    assert_eq!(sandbox.object(&ship("A1", &["--key", "parcel-1"])), first);
    assert_eq!(sandbox.effects(), ["order.process", "order.ship"]);
    let commands = sandbox.objects(&["commands"]);
    assert_eq!(commands.len(), 2, "{commands:?}");
    assert_eq!((&commands[0]["operation"], &commands[0]["state"]), (&"shipments.ship".into(), &"done".into()));
    let (exit, error) = sandbox.failure(&ship("A2", &["--key", "parcel-1"]));
    assert_eq!((exit, &error["command"]), (2, &commands[0]["id"]), "another parcel with the same key: {error}");
    let (exit, error) = sandbox.failure(&["acknowledge", SHOP, "999", "--key", "no-order"]);
    assert_eq!((exit, &error["kind"]), (3, &"not-found".into()), "{error}");
    assert_eq!(sandbox.failure(&["acknowledge", SHOP, "999", "--key", "no-order"]).0, 3, "a refusal is kept as well");
    assert_eq!(sandbox.effects().len(), 2);
}

#[test]
fn a_dry_run_shows_the_first_write_and_sends_none() {
    let sandbox = shop();
    sandbox.object(&["acknowledge", SHOP, "123456"]);
    let shown = sandbox.object(&ship("A1", &["--dry-run"]));
    let request = &shown["request"];
    assert_eq!((&request["method"], &request["path"]), (&"POST".into(), &"/order/123456/transition".into()), "{shown}");
    assert!(request["body"].as_str().unwrap().contains("A1"), "{shown}");
    assert!(!shown.to_string().to_lowercase().contains("auth"), "no credential: {shown}");
    let text = String::from_utf8(sandbox.run(&ship("A1", &["--dry-run"])).stdout).unwrap();
    assert!(text.starts_with("POST /order/123456/transition\n") && text.contains("A1"), "{text}");
    assert_eq!(sandbox.effects(), ["order.process"]);
    assert_eq!(sandbox.objects(&["commands"]).len(), 1);
    assert_eq!(sandbox.failure(&["acknowledge", SHOP, "999", "--dry-run"]).1["kind"], "not-found");
    sandbox.object(&ship("A1", &[]));
    let done = sandbox.object(&ship("A1", &["--dry-run"]));
    assert_eq!(
        (&done["request"], &done["result"]["raw"]),
        (&Value::Null, &"SHIPPED".into()),
        "nothing is left to send"
    );
}

/// A producer, and an order for it in `order.json`.
fn producer() -> Production {
    let production = Production::start();
    production.desk.write(
        "order.json",
        r#"{"reference": "1001", "placed_at": "2024-05-01T10:00:00+02:00", "address": {"first_name": "Jan",
            "last_name": "Kowalski", "company": "", "lines": ["Prosta 1"], "city": "Warszawa", "postcode": "00-001",
            "country_code": "PL"}, "items": [{"sku": "GL64000-00007-0046", "quantity": "2"}]}"#,
    );
    production
}

fn submit<'a>(options: &[&'a str]) -> Vec<&'a str> {
    [&["fulfilment", "submit", "producer", "--from", "order.json"], options].concat()
}

#[test]
fn what_nobody_can_tell_is_parked_with_its_evidence_until_it_is_decided() {
    let production = producer();
    let desk = &production.desk;
    production.platform.set_fault(Some("reset:path=/order".parse().unwrap()));
    let (exit, error) = desk.failure(&submit(&["--key", "order-1001"]));
    assert_eq!((exit, &error["kind"]), (6, &"outcome-unknown".into()), "{error}");
    let error_id = error["command"].clone();
    let id = error_id.to_string();
    assert!(error["advice"].as_str().unwrap().contains(&format!("tradepost parked show {id}")), "{error}");
    production.platform.set_fault(None);
    assert_eq!(desk.failure(&submit(&["--key", "order-1001"])).0, 6, "it stays parked");
    let (exit, error) = desk.failure(&submit(&["--key", "behind"]));
    assert_eq!((exit, &error["kind"]), (5, &"waiting".into()), "{error}");
    assert!(error["message"].as_str().unwrap().contains(&format!("waits for command {id}")), "{error}");
    assert!(production.effects().is_empty());

    let parked = desk.object(&["parked", "list"]);
    assert_eq!(parked["id"], error_id);
    assert!(parked["reason"].as_str().unwrap().contains("POST /order"), "{parked}");
    let shown = desk.object(&["parked", "show", &id]);
    assert_eq!(shown["command"]["arguments"]["order"]["reference"], "1001");
    let doubtful = shown["journal"].as_array().unwrap().last().unwrap();
    assert_eq!(
        (&doubtful["line"], &doubtful["effect"], &doubtful["status"]),
        (&"POST /order".into(), &"once".into(), &Value::Null)
    );
    let text = String::from_utf8(desk.run(&["parked", "show", &id]).stdout).unwrap();
    assert!(text.contains("POST /order") && text.contains("not known") && text.contains("Kowalski"), "{text}");

    assert_eq!(desk.failure(&["parked", "resolve", &id]).0, 2, "a decision is needed");
    assert_eq!(desk.object(&["parked", "resolve", &id, "--retry"])["state"], "waiting");
    let receipt = desk.object(&submit(&["--key", "order-1001"]));
    assert_eq!(production.effects(), ["order.submit"]);
    assert_eq!(desk.object(&submit(&["--key", "order-1001"])), receipt);
    let shown = desk.object(&["parked", "show", &id]);
    let answers = shown["journal"].as_array().unwrap();
    assert!(
        answers.iter().any(|answer| answer["body"].as_str().is_some_and(|body| body.contains("orderId"))),
        "{shown}"
    );
    let (exit, error) = desk.failure(&["parked", "resolve", &id, "--retry"]);
    assert_eq!((exit, &error["kind"]), (2, &"not-parked".into()), "{error}");
    assert_eq!(desk.failure(&["parked", "show", "999"]).1["kind"], "no-command");
    production.asynchronous.block_on(production.platform.stop());
}

#[test]
fn a_person_s_word_ends_a_parked_command_without_sending_anything() {
    let production = producer();
    let desk = &production.desk;
    production.platform.set_fault(Some("apply-then-reset:path=/order".parse().unwrap()));
    let (exit, error) = desk.failure(&submit(&["--key", "taken"]));
    assert_eq!(exit, 6, "{error}");
    desk.object(&["parked", "resolve", &error["command"].to_string(), "--applied", "the producer shows it"]);
    let found = desk.object(&submit(&["--key", "taken"]));
    assert_eq!(found["outcome"]["found-applied"], "the producer shows it");

    let (exit, error) = desk.failure(&submit(&["--key", "cancelled"]));
    assert_eq!(exit, 6, "{error}");
    desk.object(&["parked", "resolve", &error["command"].to_string(), "--abandon", "the buyer cancelled"]);
    let (exit, error) = desk.failure(&submit(&["--key", "cancelled"]));
    assert_eq!((exit, &error["kind"]), (3, &"abandoned".into()), "{error}");
    assert_eq!(production.effects(), ["order.submit", "order.submit"], "once for each that was sent, before its end");
    production.asynchronous.block_on(production.platform.stop());
}

#[test]
fn a_command_that_has_to_wait_is_recorded_and_goes_on_with_its_key() {
    let production = producer();
    let desk = &production.desk;
    production.platform.set_fault(Some("429=60:path=/login".parse().unwrap()));
    let (exit, error) = desk.failure(&submit(&["--key", "later"]));
    assert_eq!((exit, &error["kind"]), (5, &"waiting".into()), "{error}");
    assert_eq!(desk.object(&["commands", "--state", "waiting"])["id"], error["command"]);
    let (exit, again) = desk.failure(&submit(&["--key", "later"]));
    assert_eq!((exit, &again["command"]), (5, &error["command"]), "{again}");
    assert!(production.effects().is_empty());
    production.asynchronous.block_on(production.platform.stop());
}

#[cfg(unix)]
#[test]
fn while_a_daemon_works_it_does_what_commands_record() {
    let sandbox = shop();
    let table = std::fs::read_to_string(sandbox.table()).unwrap();
    let locked =
        "[accounts.locked]\nconnector = \"absent.wasm\"\nsecrets.password = { env = \"TRADEPOST_TEST_UNSET\" }\n";
    sandbox.write("tradepost.toml", &format!("{table}\n{locked}"));
    let daemon = Daemon::start(&sandbox);
    let left_out = daemon.at_first.join("\n");
    assert!(left_out.contains("locked is left out") && left_out.contains("TRADEPOST_TEST_UNSET"), "{left_out}");
    daemon.lines_until(|line| line.contains("30 created"));
    assert_eq!(sandbox.object(&["status"])["daemon"], true);
    for refused in [&["run"][..], &["sync"]] {
        let (exit, error) = sandbox.failure(refused);
        assert_eq!(exit, 2, "{refused:?}: {error}");
    }

    assert_eq!(sandbox.object(&["acknowledge", SHOP, "123456"])["raw"], "PROCESSED");
    assert_eq!(sandbox.object(&ship("A1", &["--key", "parcel-1"]))["raw"], "SHIPPED");
    assert_eq!(sandbox.effects(), ["order.process", "order.ship"]);
    let (exit, error) = sandbox.failure(&["acknowledge", SHOP, "999"]);
    assert_eq!((exit, &error["kind"]), (3, &"not-found".into()), "{error}");
    daemon.lines_until(|line| line.contains("shipments.ship: command 2 applied"));
    assert_eq!(daemon.terminate(), 0);

    assert_eq!(sandbox.object(&["status"])["daemon"], false);
    assert_eq!(sandbox.object(&ship("A1", &["--key", "parcel-1"]))["raw"], "SHIPPED");
    assert_eq!(sandbox.effects().len(), 2);
}

#[test]
fn where_a_daemon_was_killed_the_next_one_starts_and_commands_go_on_without_it() {
    let sandbox = shop();
    Daemon::start(&sandbox).kill();
    assert_eq!(sandbox.object(&["acknowledge", SHOP, "123456"])["raw"], "PROCESSED");
    Daemon::start(&sandbox).kill();
    sandbox.object(&["sync"]);
    assert_eq!(sandbox.effects(), ["order.process"]);
}
