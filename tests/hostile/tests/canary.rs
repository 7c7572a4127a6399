//! A secret is in nobody's hands but the host's and the platform's (HC-58 to HC-62, HC-64, HC-65).
//!
//! A password and a live token are used in every placement, against a server that repeats them in every encoding. The
//! connector searches its own memory for them and carries all it saw out by every way there is; the test then looks at
//! everything that came out, and at everything the host said meanwhile, at the most talkative level.

use std::fmt::Debug;
use std::io;
use std::sync::{Arc, LazyLock, Mutex, Once, PoisonError};
use std::time::Duration;

use tracing_subscriber::fmt::MakeWriter;
use tradepost_hostile::forms::{Form, forms, found_in, masked};
use tradepost_hostile::stage::{ATTACKER, tight};
use tradepost_hostile::{EvilAccount, Server, Stage, evil};
use tradepost_runtime::{CallError, Limits, Storage};

/// Characters that every encoding changes.
const PASSWORD: &str = "c4n4ry/p+w \"9<&>é";
/// As servers give them out, and with characters that encodings change.
const TOKEN: &str = "t0k3n.c4n4ry/live+of=today~1";
/// Text that is not secret and arrives in the guest's memory: the search must find it, or it finds nothing.
const MARKER: &str = "accept: application/json";

/// Everything that the process logged.
#[derive(Clone, Default)]
struct Heard(Arc<Mutex<Vec<u8>>>);

impl Heard {
    fn add(&self, bytes: &[u8]) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
    }

    fn so_far(&self) -> Vec<u8> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl io::Write for Heard {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.add(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Heard {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

/// Everything that the process logged, from the first test on.
static HEARD: LazyLock<Heard> = LazyLock::new(Heard::default);

/// Libraries below the host write to `log`.
struct Eavesdropper;

/// What compiles components: it says everything it does, megabytes of it, and has never seen an account.
const COMPILERS: [&str; 4] = ["cranelift", "regalloc", "wasmtime_internal_cranelift", "wasmtime_environ"];

impl log::Log for Eavesdropper {
    fn enabled(&self, metadata: &log::Metadata<'_>) -> bool {
        !COMPILERS.iter().any(|compiler| metadata.target().starts_with(compiler))
    }

    fn log(&self, record: &log::Record<'_>) {
        if !self.enabled(record.metadata()) {
            return;
        }
        HEARD.add(format!("{} {} {}\n", record.level(), record.target(), record.args()).as_bytes());
    }

    fn flush(&self) {}
}

/// Listens to everything at the most talkative level.
fn listen() {
    static LISTENING: Once = Once::new();
    LISTENING.call_once(|| {
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(tracing::level_filters::LevelFilter::TRACE)
            .with_span_events(tracing_subscriber::fmt::format::FmtSpan::FULL)
            .with_ansi(false)
            .with_writer(HEARD.clone())
            .finish();
        tracing::subscriber::set_global_default(subscriber).expect("nobody listens yet");
        log::set_logger(&Eavesdropper).expect("nobody listens yet");
        log::set_max_level(log::LevelFilter::Trace);
    });
}

static SECRETS: LazyLock<Vec<Form>> = LazyLock::new(|| [forms(PASSWORD), forms(TOKEN)].concat());

#[track_caller]
fn assert_clean(place: &str, bytes: &[u8]) {
    let found = found_in(&SECRETS, bytes);
    assert!(found.is_empty(), "{place} holds a secret ({found:?})");
}

#[track_caller]
fn assert_error_clean(place: &str, error: &CallError) {
    assert_clean(place, error.to_string().as_bytes());
    assert_clean(place, format!("{error:?}").as_bytes());
    assert_clean(place, format!("{error:#?}").as_bytes());
}

/// Every way to authenticate, and which of the secrets the server gets to see.
const WAYS: [(&str, bool); 4] = [("basic", false), ("login", true), ("login-in-body", true), ("query", false)];

struct Trap {
    stage: Stage,
    connector: tradepost_runtime::Connector,
    platform: Server,
    elsewhere: Server,
}

async fn set_trap() -> Trap {
    listen();
    let limits =
        Limits { cpu: Duration::from_secs(60), wall: Duration::from_secs(120), memory_bytes: 64 << 20, ..tight() };
    let stage = Stage::new(limits).await;
    let connector = stage.runtime.load(evil::component()).await.expect("it loads");
    Trap { stage, connector, platform: Server::giving_token(TOKEN).await, elsewhere: Server::start().await }
}

impl Trap {
    fn account(&self, case: &str, way: &str) -> EvilAccount {
        let account = EvilAccount::new(case).at(&self.platform).and(&self.elsewhere);
        let patterns = [SECRETS.clone(), vec![Form { name: "marker", bytes: MARKER.into() }]].concat();
        EvilAccount { password: PASSWORD.into(), auth: Some(way.into()), ..account.with("masked", masked(&patterns)) }
    }

    /// The platform did get the secret: otherwise nothing that follows proves anything.
    fn assert_platform_was_sent_a_secret(&self, way: &str, token: bool) {
        let expected = forms(if token { TOKEN } else { PASSWORD });
        let basic = forms(&format!("mallory:{PASSWORD}"));
        let sent = self.platform.seen().iter().any(|seen| {
            let text = seen.text();
            !found_in(&expected, text.as_bytes()).is_empty() || !found_in(&basic, text.as_bytes()).is_empty()
        });
        assert!(sent, "{way}: the platform was never sent the credential");
    }

    async fn assert_nobody_else_has_one(&self, way: &str) {
        for seen in self.elsewhere.seen() {
            assert_clean(&format!("{way}: a request to another host"), seen.text().as_bytes());
        }
        for key in self.stage.storage.list(ATTACKER, "", None, 1000).await.expect("memory storage answers") {
            assert_clean(&format!("{way}: a key in storage"), key.as_bytes());
            let value = self.stage.storage.get(ATTACKER, &key).await.expect("memory storage answers");
            assert_clean(&format!("{way}: a value in storage"), &value.unwrap_or_default());
        }
        let heard = HEARD.so_far();
        assert!(!heard.is_empty(), "something was logged");
        assert_clean(&format!("{way}: the log"), &heard);
    }
}

/// Everything in one value, as its `Debug` shows it and without the escapes that would hide a form.
fn shown(value: &impl Debug) -> Vec<u8> {
    format!("{value:?}").into_bytes()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hc_58_59_64_no_secret_reaches_memory_results_log_storage_or_another_host() {
    for (way, token) in WAYS {
        let trap = set_trap().await;
        let account = trap.account("canary", way).open(&trap.stage, &trap.connector);
        let reply = trap.stage.during(account.check()).await.result.unwrap_or_else(|error| panic!("{way}: {error}"));
        trap.assert_platform_was_sent_a_secret(way, token);

        let count = |index: usize| {
            let name = format!("found {index}");
            let fact =
                reply.value.facts.iter().find(|(present, _)| *present == name).expect("each pattern is reported");
            fact.1.parse::<usize>().expect("a count")
        };
        for (index, form) in SECRETS.iter().enumerate() {
            assert_eq!(count(index), 0, "{way}: the guest's memory holds a secret ({})", form.name);
        }
        assert!(count(SECRETS.len()) > 0, "{way}: the search finds what is there");

        for (name, value) in &reply.value.facts {
            assert_clean(&format!("{way}: a result"), format!("{name} {value}").as_bytes());
        }
        assert_clean(&format!("{way}: the reply as shown"), &shown(&reply));
        for line in &reply.log {
            assert_clean(&format!("{way}: a log line"), format!("{} {:?}", line.message, line.fields).as_bytes());
        }
        assert!(
            reply.value.facts.iter().any(|(_, value)| value.contains("[redacted]")),
            "{way}: echoes arrive redacted"
        );
        assert!(!reply.writes.writes.is_empty() && !reply.log.is_empty() && !trap.elsewhere.seen().is_empty(), "{way}");
        reply.commit().await.expect("what it saw is stored");
        trap.assert_nobody_else_has_one(way).await;
        assert_clean("the account as shown", &shown(&account));
        assert_clean("the runtime as shown", &shown(&trap.stage.runtime));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hc_65_no_secret_is_in_an_error_or_a_panic() {
    for (way, _) in WAYS {
        for ending in ["panic", "error"] {
            let trap = set_trap().await;
            let account = trap.account("canary", way).with("ending", ending).open(&trap.stage, &trap.connector);
            let error = trap.stage.during(account.check()).await.result.expect_err("it ends in an error");
            match (ending, &error) {
                ("panic", CallError::Trap { .. }) | ("error", CallError::Connector(_)) => {}
                other => panic!("{way}: {other:?}"),
            }
            assert_error_clean(&format!("{way}: {ending}"), &error);
            trap.stage.assert_nothing_stored().await;
            trap.assert_nobody_else_has_one(way).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hc_65_no_secret_is_in_what_a_connector_is_told_about_failures() {
    let trap = set_trap().await;
    for (way, _) in WAYS {
        // A header and a URL that the host refuses, an answer that breaks off, a server that is gone.
        for (name, value) in [("header-name", "authorization"), ("url", "http://127.0.0.1:1/"), ("url", "/echo-broken")]
        {
            let account = trap.account("send", way).with("url", "/echo").with("header-value", "x").with(name, value);
            let findings = account.findings(&trap.stage, &trap.connector).await;
            assert!(!findings.get("error").is_empty(), "{way}: {findings:?}");
            assert_clean(way, format!("{findings:?}").as_bytes());
        }
        trap.assert_nobody_else_has_one(way).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hc_65_no_secret_is_in_the_error_of_a_refused_login() {
    let trap = set_trap().await;
    // This login answers without a token and repeats the password.
    let refusing = Server::giving_token("").await;
    for way in ["login", "login-in-body"] {
        let account =
            trap.account("send", way).at(&refusing).with("method", "POST").with("url", "/echo").with("body", "{}");
        let findings = account.findings(&trap.stage, &trap.connector).await;
        assert!(findings.get("error").contains("AuthRejected"), "{way}: {findings:?}");
        assert_clean(way, format!("{findings:?}").as_bytes());
        trap.assert_nobody_else_has_one(way).await;
    }
    assert!(refusing.seen().iter().all(|seen| seen.target == "/login"), "nothing but the login was sent");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_secret_is_in_an_error_about_settings() {
    let trap = set_trap().await;
    let mut wrong = trap.account("send", "basic");
    wrong.settings.insert("username".into(), serde_json::json!(7));
    wrong.settings.remove("case");
    wrong.settings.insert("password".into(), serde_json::json!(PASSWORD));
    let error = wrong.try_open(&trap.stage, &trap.connector).expect_err("three things are wrong");
    assert_clean("the error", error.to_string().as_bytes());
    assert_clean("the error as shown", &shown(&error));
    assert!(error.to_string().contains("/password") && error.to_string().contains("/case"), "{error}");

    let unknown = EvilAccount { auth: Some("retina scan".into()), ..trap.account("send", "basic") };
    let error = unknown.try_open(&trap.stage, &trap.connector).expect_err("there is no such way");
    assert_clean("the error", error.to_string().as_bytes());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hc_60_61_names_of_secrets_are_not_replaced_in_requests() {
    let trap = set_trap().await;
    for placeholder in ["{password}", "{{password}}", "%7Bpassword%7D", "${password}"] {
        let account = trap
            .account("send", "basic")
            .with("method", "POST")
            .with("url", format!("/echo?q={placeholder}"))
            .with("body", format!("{{\"p\":\"{placeholder}\"}}"))
            .with("header-name", "if-match")
            .with("header-value", placeholder);
        let findings = account.findings(&trap.stage, &trap.connector).await;
        assert_eq!(findings.get("status"), "200", "{findings:?}");
    }
    let seen = trap.platform.seen();
    assert_eq!(seen.len(), 4);
    for request in &seen {
        let mut without_credential = request.clone();
        without_credential.headers.retain(|(name, _)| name != "authorization");
        assert_clean("a request's own text", without_credential.text().as_bytes());
        assert!(String::from_utf8_lossy(&request.body).contains("password"), "the body is sent as it was given");
    }
    assert_eq!(seen[0].body, b"{\"p\":\"{password}\"}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hc_62_the_credential_goes_to_no_other_host() {
    // The second host is declared, granted and asked with `authenticate`: being reachable is not being trusted with the
    // account's password.
    for (way, _) in WAYS {
        let trap = set_trap().await;
        let account = trap
            .account("send", way)
            .with("url", format!("{}/drop", trap.elsewhere.url()))
            .with("method", "POST")
            .with("body", "{}");
        let findings = account.findings(&trap.stage, &trap.connector).await;
        assert!(findings.get("detail").contains("url layer"), "{way}: {findings:?}");
        assert_eq!(trap.elsewhere.connections(), 0, "{way}");
        trap.assert_nobody_else_has_one(way).await;
    }
}
