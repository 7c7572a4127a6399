//! Accounts that are kept in the store: added, used by every command, changed and removed; and their secrets, which are nowhere to be found.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::Value;
use tokio::runtime::Runtime;
use tradepost_platforms::{HardToFind, Platform};

use crate::desk::{Daemon, Desk, command};

const SHOP: &str = "acme/shop";
const PASSWORD: &str = "ACME_PASSWORD";

/// A marketplace in this process, and a desk whose table holds no account.
struct Market {
    asynchronous: Runtime,
    platform: HardToFind,
    desk: Desk,
    component: PathBuf,
}

impl Market {
    fn open() -> Self {
        let asynchronous = Runtime::new().unwrap();
        let platform = asynchronous.block_on(HardToFind::builder().orders(12).start()).unwrap();
        let desk = Desk { directory: tempfile::tempdir().unwrap() };
        desk.write("tradepost.toml", "");
        let component = tradepost_components::build("hardtofind", |_| {}).unwrap();
        Self { asynchronous, platform, desk, component }
    }

    fn password(&self) -> &'static str {
        self.platform.credentials().password
    }

    /// `tradepost account add`, but for the secret and the grant.
    fn add(&self) -> Vec<String> {
        let root = self.platform.root_url();
        let user = self.platform.credentials().username;
        let component = self.component.display();
        ["account", "add", SHOP, "--connector", &component.to_string()]
            .map(str::to_owned)
            .into_iter()
            .chain(["--setting".into(), format!("root-url={root}"), "--setting".into(), format!("username={user}")])
            .collect()
    }

    fn kept() -> Self {
        let market = Self::open();
        let (secret, root) = (format!("password=env:{PASSWORD}"), market.platform.root_url().to_owned());
        let arguments = [market.add(), ["--secret", &secret, "--grant-private", &root].map(str::to_owned).to_vec()];
        let added = market.run(&arguments.concat(), &[(PASSWORD, market.password())]);
        assert!(added.status.success(), "{}", stderr(&added));
        market
    }

    fn run<T: AsRef<str>>(&self, arguments: &[T], environment: &[(&str, &str)]) -> Output {
        let mut command = command(self.desk.directory.path());
        command.args(arguments.iter().map(AsRef::as_ref)).arg("--json").envs(environment.iter().copied());
        command.output().unwrap()
    }

    /// Runs what is to fail, and gives its exit code and error.
    fn failure<T: AsRef<str>>(&self, arguments: &[T], environment: &[(&str, &str)]) -> (i32, Value) {
        let output = self.run(arguments, environment);
        let text = stderr(&output);
        let error: Value = serde_json::from_str(text.lines().last().unwrap_or_default()).unwrap();
        (output.status.code().unwrap(), error["error"].clone())
    }

    fn data(&self) -> PathBuf {
        self.desk.directory.path().join(".tradepost")
    }

    fn logins(&self) -> u64 {
        self.platform.ledger().logins()
    }

    fn close(self) {
        self.asynchronous.block_on(self.platform.stop());
    }
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// The files below a directory that hold these bytes.
fn holding(directory: &Path, bytes: &[u8]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(holding(&path, bytes));
        } else if std::fs::read(&path).unwrap().windows(bytes.len()).any(|window| window == bytes) {
            found.push(path);
        }
    }
    found
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

#[test]
fn an_account_of_the_store_works_like_one_of_the_table_and_its_secrets_are_nowhere_to_be_found() {
    let market = Market::kept();
    let desk = &market.desk;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let key = std::fs::metadata(market.data().join("tradepost.key")).unwrap();
        assert_eq!(key.permissions().mode() & 0o777, 0o600);
    }
    let listed = desk.object(&["accounts"]);
    assert_eq!((text(&listed["account"]), text(&listed["kept_in"])), (SHOP, "store"));
    assert_eq!(listed["secrets"]["password"]["from"], "the store");
    assert_eq!(desk.object(&["account", "show", SHOP]), listed);

    assert_eq!(market.logins(), 0, "adding asks the platform nothing");
    desk.object(&["check", SHOP]);
    assert_eq!(market.logins(), 1);
    assert_eq!(desk.objects(&["pull", SHOP, "orders"]).len(), 12);
    assert!(desk.objects(&["sync"]).iter().any(|walk| walk["kind"] == "orders" && walk["account"] == SHOP));
    assert_eq!(desk.objects(&["records", SHOP, "orders"]).len(), 12);
    assert_eq!(desk.object(&["acknowledge", SHOP, "123456"])["raw"], "PROCESSED");
    assert_eq!(market.logins(), 1, "the first command's login serves all that come after it");

    // The sandbox's tokens say which they are.
    let token = BASE64_URL_SAFE_NO_PAD.encode("not a signature, token 1");
    for canary in [market.password(), &token] {
        assert_eq!(holding(desk.directory.path(), canary.as_bytes()), Vec::<PathBuf>::new(), "{canary}");
    }
    assert!(!holding(desk.directory.path(), b"PROCESSED").is_empty(), "the scan finds what is there");

    assert_eq!(desk.object(&["account", "remove", SHOP])["removed"], true);
    let (exit, error) = desk.failure(&["check", SHOP]);
    assert_eq!((exit, text(&error["kind"])), (2, "configuration"), "{error}");
    assert_eq!(desk.failure(&["account", "remove", SHOP]).0, 2);
    assert_eq!(desk.objects(&["records", SHOP, "orders"]).len(), 12, "history stays");
    market.close();
}

#[test]
fn what_cannot_work_is_not_kept_and_names_its_place() {
    let market = Market::open();
    let add = |more: &[&str]| [market.add(), more.iter().map(|text| (*text).to_owned()).collect()].concat();
    let secret = format!("password=env:{PASSWORD}");
    let environment = [(PASSWORD, market.password())];
    let root = market.platform.root_url();
    let grant = format!("--grant-private {root}");

    let (exit, error) = market.failure(&add(&["--secret", &secret]), &environment);
    assert_eq!((exit, text(&error["kind"])), (8, "denied"), "{error}");
    assert!(text(&error["advice"]).contains(&grant), "{error}");

    let whole = ["--secret", &secret, "--grant-private", root];
    let (exit, error) = market.failure(&add(&[&whole[..], &["--setting", "colour=blue"]].concat()), &environment);
    assert_eq!(exit, 2, "{error}");
    assert!(text(&error["message"]).contains("no setting `colour`"), "{error}");
    let (exit, error) = market.failure(&add(&[&whole[..], &["--setting", "status-table=none"]].concat()), &environment);
    assert_eq!(exit, 2, "{error}");
    assert!(error["issues"].to_string().contains("/status-table"), "{error}");

    let (exit, error) = market.failure(&add(&["--grant-private", root]), &[]);
    assert_eq!(exit, 2, "{error}");
    assert!(error["issues"].to_string().contains("/password"), "{error}");

    for given in [["--secret", "password=hunter2hunter2"], ["--setting", "password=hunter2hunter2"]] {
        let (exit, error) = market.failure(&add(&[&given[..], &["--grant-private", root]].concat()), &[]);
        assert_eq!((exit, text(&error["kind"])), (2, "usage"), "{error}");
        assert!(text(&error["message"]).contains("does not belong on the command line"), "{error}");
        assert!(!error.to_string().contains("hunter2"), "{error}");
    }
    let (_, error) = market.failure(&add(&whole), &[]);
    assert!(text(&error["message"]).contains(PASSWORD), "{error}");
    assert!(market.desk.objects(&["accounts"]).is_empty());
    assert!(!market.data().join("tradepost.key").exists(), "nothing was sealed");

    assert!(market.run(&add(&whole), &environment).status.success());
    let (exit, error) = market.failure(&add(&whole), &environment);
    assert_eq!(exit, 2, "{error}");
    assert!(text(&error["advice"]).contains("set-secret"), "{error}");

    let table = format!("[accounts.{SHOP:?}]\nconnector = \"x.wasm\"\n[accounts.other]\nconnector = \"x.wasm\"\n");
    market.desk.write("tradepost.toml", &table);
    for arguments in [&["check", SHOP][..], &["accounts"], &["sync"], &["run"]] {
        let (exit, error) = market.desk.failure(arguments);
        assert_eq!(exit, 2, "{arguments:?}: {error}");
        let advice = text(&error["advice"]);
        assert!(advice.contains("[accounts.\"acme/shop\"]") && advice.contains("account remove acme/shop"), "{error}");
    }
    market.desk.object(&["account", "remove", SHOP]);
    assert_eq!(market.desk.objects(&["accounts"]).len(), 2);
    let (_, error) = market.failure(&add(&whole), &environment);
    assert!(text(&error["message"]).contains("stands in"), "{error}");
    assert!(text(&market.desk.failure(&["account", "remove", "other"]).1["message"]).contains("stands in"));
    market.close();
}

#[test]
fn a_secret_is_changed_from_stdin_and_the_old_login_is_not_used() {
    let market = Market::kept();
    market.desk.object(&["check", SHOP]);
    let set = |value: &str| {
        let mut child = command(market.desk.directory.path())
            .args(["account", "set-secret", SHOP, "password=-", "--json"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(format!("{value}\n").as_bytes()).unwrap();
        child.wait_with_output().unwrap()
    };
    assert!(set("certainly-not-the-password").status.success());
    let (exit, error) = market.desk.failure(&["check", SHOP]);
    assert_eq!((exit, text(&error["kind"])), (4, "auth-rejected"), "{error}");
    assert!(text(&error["advice"]).contains("account set-secret acme/shop"), "{error}");
    assert!(set(market.password()).status.success());
    market.desk.object(&["check", SHOP]);
    assert!(!set("").status.success());
    let (_, error) = market.failure(&["account", "set-secret", SHOP, "pin=env:ACME_PASSWORD"], &[(PASSWORD, "x")]);
    assert!(error["issues"].to_string().contains("/pin"), "{error}");
    market.desk.object(&["check", SHOP]);
    market.close();
}

#[test]
fn a_wrong_key_is_told_before_anything_is_sent_and_changes_nothing() {
    let market = Market::kept();
    market.desk.object(&["check", SHOP]);
    let (wrong, next) = ("ab".repeat(32), "cd".repeat(32));
    let requests = market.platform.ledger().requests();
    for arguments in [&["check", SHOP][..], &["account", "set-secret", SHOP, "password=env:ACME_PASSWORD"], &["run"]] {
        let (exit, error) = market.failure(arguments, &[("TRADEPOST_KEY", &wrong), (PASSWORD, "other")]);
        assert_eq!((exit, text(&error["kind"])), (2, "configuration"), "{error}");
        let message = text(&error["message"]);
        assert!(message.contains("account acme/shop") && message.contains("TRADEPOST_KEY"), "{error}");
        assert!(!error.to_string().contains(&wrong), "{error}");
    }
    assert_eq!(market.platform.ledger().requests(), requests);

    let key = market.data().join("tradepost.key");
    let before = std::fs::read_to_string(&key).unwrap();
    assert_eq!(market.desk.object(&["account", "rekey"])["resealed"], 2, "a secret and a login");
    assert_ne!(std::fs::read_to_string(&key).unwrap(), before);
    market.desk.object(&["check", SHOP]);
    let (exit, _) = market.failure(&["check", SHOP], &[("TRADEPOST_KEY", before.trim())]);
    assert_eq!(exit, 2, "the old key opens nothing");

    assert!(market.run(&["account", "rekey"], &[("TRADEPOST_NEW_KEY", &next)]).status.success());
    assert!(market.run(&["check", SHOP], &[("TRADEPOST_KEY", &next)]).status.success());
    let (_, error) = market.failure(&["account", "rekey"], &[("TRADEPOST_KEY", &next)]);
    assert!(text(&error["advice"]).contains("TRADEPOST_NEW_KEY"), "{error}");
    assert_eq!(market.logins(), 1, "a login outlives changes of the key");

    // The file holds a key that fits nothing any more, and the right one is lost.
    let (exit, error) = market.desk.failure(&["check", SHOP]);
    assert_eq!(exit, 2);
    assert!(text(&error["advice"]).contains("--forget-unreadable"), "{error}");
    let forgotten = market.desk.object(&["account", "rekey", "--forget-unreadable"])["forgotten"].clone();
    assert_eq!(forgotten.as_array().unwrap().len(), 2, "{forgotten}");
    let (_, error) = market.desk.failure(&["check", SHOP]);
    assert!(error["issues"].to_string().contains("/password"), "{error}");
    let set = ["account", "set-secret", SHOP, "password=env:ACME_PASSWORD"];
    assert!(market.run(&set, &[(PASSWORD, market.password())]).status.success());
    market.desk.object(&["check", SHOP]);
    market.close();
}

#[test]
fn a_daemon_works_with_accounts_of_the_store_and_keeps_its_key_and_accounts_from_being_taken_away() {
    let market = Market::kept();
    let daemon = Daemon::start(&market.desk);
    daemon.lines_until(|line| line.contains("acme/shop orders: 12 created"));
    for arguments in [&["account", "remove", SHOP][..], &["account", "rekey"]] {
        let (exit, error) = market.desk.failure(arguments);
        assert_eq!(exit, 2, "{error}");
        assert!(text(&error["message"]).contains("a daemon works"), "{error}");
    }
    let second = market.add().into_iter().map(|argument| argument.replace(SHOP, "acme/second")).collect::<Vec<_>>();
    let more = ["--secret", "password=env:ACME_PASSWORD", "--grant-private", market.platform.root_url()];
    let second = [second, more.map(str::to_owned).to_vec()].concat();
    let added = market.run(&second, &[(PASSWORD, market.password())]);
    assert!(added.status.success() && stderr(&added).contains("when it is started again"), "{}", stderr(&added));
    daemon.kill();
    assert_eq!(market.desk.object(&["account", "remove", SHOP])["removed"], true);
    assert_eq!(market.desk.objects(&["accounts"]).len(), 1);
    market.close();
}
