//! What operators do: hold an account back, mend a credential, make a backup and put it back.

use tradepost_platforms::Platform;

use crate::desk::{Daemon, Production};

#[test]
fn an_account_that_is_paused_is_left_alone_until_it_is_resumed() {
    let production = Production::start();
    let desk = &production.desk;
    assert_eq!(desk.object(&["pause", "producer", "--reason", "moves house"])["changed"], true);
    assert_eq!(desk.object(&["pause", "producer"])["changed"], false);
    let held_back = desk.object(&["status"])["held_back"][0].clone();
    assert_eq!((&held_back["state"], &held_back["reason"]), (&"paused".into(), &"moves house".into()));
    let (exit, error) = desk.failure(&["sync", "producer"]);
    assert_eq!((exit, &error["kind"]), (5, &"paused".into()), "{error}");
    assert_eq!(production.platform.ledger().requests(), 0);
    desk.object(&["resume", "producer"]);
    desk.objects(&["sync", "producer"]);
    let (exit, error) = desk.failure(&["pause", "nobody"]);
    assert_eq!(exit, 2, "{error}");
}

#[test]
fn an_account_whose_credential_is_refused_says_so_and_comes_back_when_it_is_right() {
    let production = Production::start();
    let desk = &production.desk;
    let right = std::fs::read_to_string(desk.directory.path().join("password")).unwrap();
    desk.write("password", "not the password");
    assert_eq!(desk.failure(&["sync", "producer"]).0, 4);
    assert_eq!(desk.object(&["status"])["held_back"][0]["state"], "needs-reauth");
    let text = String::from_utf8(desk.run(&["status"]).stdout).unwrap();
    assert!(text.contains("held back") && text.contains("needs-reauth"), "{text}");
    assert_eq!(desk.failure(&["sync", "producer"]).0, 4, "it is asked once more, because somebody may have mended it");
    desk.write("password", &right);
    desk.object(&["check", "producer"]);
    assert_eq!(desk.object(&["status"])["held_back"].as_array().unwrap().len(), 0);
    desk.objects(&["sync", "producer"]);
}

#[test]
fn a_backup_comes_back() {
    let production = Production::start();
    let desk = &production.desk;
    desk.objects(&["sync", "producer"]);
    let before = desk.object(&["status"])["last_position"].clone();
    assert!(before.as_u64() > Some(0));
    assert_eq!(desk.object(&["backup", "copy.db"])["last_position"], before);
    let (exit, error) = desk.failure(&["backup", "copy.db"]);
    assert_eq!(exit, 2, "{error}");
    desk.object(&["pause", "producer"]);

    let daemon = Daemon::start(desk);
    let (exit, error) = desk.failure(&["restore", "copy.db"]);
    assert!(exit == 2 && error["message"].as_str().unwrap().contains("open in another process"), "{error}");
    daemon.kill();
    let restored = desk.object(&["restore", "copy.db"]);
    assert_eq!(restored["position"], before.as_u64().unwrap() + 2, "behind every position that was given away");
    assert_eq!(desk.object(&["status"])["held_back"].as_array().unwrap().len(), 0, "as it was");
    desk.write("junk", "no backup");
    assert_ne!(desk.failure(&["restore", "junk"]).0, 0);
    desk.objects(&["sync", "producer"]);
}
