//! The whole command against loopback marketplaces: `demo`, and a session of `sandbox` with everything else beside it.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

fn command(directory: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tradepost"));
    command.current_dir(directory).env_remove("TRADEPOST_CONFIG").env_remove("RUST_LOG").stdin(Stdio::null());
    command
}

/// `tradepost sandbox` in a directory of its own, ended with the test.
struct Sandbox {
    child: Child,
    directory: TempDir,
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        // It may have ended by itself; then there is nothing to end.
        let _ended = self.child.kill();
        let _ended = self.child.wait();
    }
}

impl Sandbox {
    fn start(arguments: &[&str]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let child = command(directory.path())
            .args(["sandbox", "--write", "tradepost.toml"])
            .args(arguments)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut sandbox = Self { child, directory };
        let mut said = Vec::new();
        for line in BufReader::new(sandbox.child.stderr.take().unwrap()).lines() {
            let line = line.unwrap();
            if line.starts_with("ready") {
                return sandbox;
            }
            said.push(line);
        }
        panic!("the sandbox did not become ready: {said:?}");
    }

    fn run(&self, arguments: &[&str]) -> Output {
        command(self.directory.path()).args(arguments).output().unwrap()
    }

    fn table(&self) -> PathBuf {
        self.directory.path().join("tradepost.toml")
    }

    /// Runs a command with --json and gives its objects.
    fn objects(&self, arguments: &[&str]) -> Vec<Value> {
        let output = self.run(&[arguments, &["--json"]].concat());
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    fn object(&self, arguments: &[&str]) -> Value {
        let mut objects = self.objects(arguments);
        assert_eq!(objects.len(), 1, "{arguments:?}");
        objects.remove(0)
    }

    /// Runs a command that is to fail, and gives its exit code and error.
    fn failure(&self, arguments: &[&str]) -> (i32, Value) {
        let output = self.run(&[arguments, &["--json"]].concat());
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        let last = text.lines().last().unwrap_or_default();
        let value: Value = serde_json::from_str(last).unwrap_or_else(|error| panic!("{arguments:?}: {error}: {text}"));
        (output.status.code().unwrap(), value["error"].clone())
    }
}

#[test]
fn the_demo_pulls_everything_and_each_write_is_in_the_ledger_once() {
    let directory = tempfile::tempdir().unwrap();
    let output = command(directory.path()).args(["demo", "--json", "--orders", "60"]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["ok"], true, "{report:#}");
    let platforms = report["platforms"].as_array().unwrap();
    let names: Vec<_> = platforms.iter().map(|platform| platform["connector"].as_str().unwrap()).collect();
    assert_eq!(names, ["hardtofind", "wcfm"]);
    for platform in platforms {
        assert_eq!(platform["pulled"], platform["held"], "{platform:#}");
        assert_eq!(platform["pulled"]["orders"], 60, "{platform:#}");
        for effect in platform["effects"].as_array().unwrap() {
            assert_eq!(effect["in_ledger"], 1, "{effect}");
        }
    }
    assert_eq!(platforms[0]["effects"].as_array().unwrap().len(), 2);
    assert_eq!(platforms[1]["effects"].as_array().unwrap().len(), 1);
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

    let ledger = std::fs::read_to_string(sandbox.directory.path().join("ledger.jsonl")).unwrap();
    let effects: Vec<Value> =
        ledger.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["effect"].clone()).collect();
    assert_eq!(effects, ["order.process", "order.ship", "variant.update"]);

    let fetched = sandbox.run(&["packing-slip", account, "123456", "--out", "slip.pdf"]);
    assert!(fetched.status.success(), "{}", String::from_utf8_lossy(&fetched.stderr));
    assert!(std::fs::read(sandbox.directory.path().join("slip.pdf")).unwrap().starts_with(b"%PDF"));
    assert_eq!(
        sandbox.failure(&["packing-slip", account, "123456", "--out", "slip.pdf"]).0,
        2,
        "a file is not overwritten"
    );

    for (arguments, code, kind) in [
        (&["get", account, "order", "999"][..], 3, "not-found"),
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
    assert_eq!(shown["settings_schema"]["properties"]["password"]["writeOnly"], true);
}
