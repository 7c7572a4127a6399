//! Secrets stay in the host: out of answers, out of `Debug` and `Display`, out of the log.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use secrecy::SecretString;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

use super::*;

const CANARY: &str = "canary-7f3d/9b+Z";

fn canary() -> SecretString {
    SecretString::from(CANARY)
}

fn assert_clean(what: &str, text: &str) {
    let encoded =
        [STANDARD.encode(CANARY), STANDARD.encode(format!("shop:{CANARY}")), "canary-7f3d%2F9b%2BZ".to_owned()];
    for form in encoded.iter().map(String::as_str).chain([CANARY, "7f3d"]) {
        assert!(!text.contains(form), "{what} shows the secret as {form}: {text}");
    }
}

fn header(name: &str, prefix: &str) -> Placement {
    Placement::Header { name: name.to_owned(), prefix: prefix.to_owned() }
}

/// Every kind of credential that needs no login.
fn credentials() -> Vec<Credential> {
    let username = || "shop".to_owned();
    vec![
        Credential::Basic { username: username(), password: canary(), placement: header("Authorization", "Basic ") },
        Credential::Fixed { value: canary(), placement: header("X-Api-Key", "") },
        Credential::Fixed { value: canary(), placement: Placement::Query("consumer_secret".to_owned()) },
        Credential::Fixed { value: canary(), placement: Placement::JsonBody("token".to_owned()) },
    ]
}

/// A source that sends everything back: as body, and as a header.
async fn echo() -> RawServer {
    let echoed: Arc<Mutex<Option<RawServer>>> = Arc::default();
    let own = echoed.clone();
    let server = RawServer::start(move |mut connection| {
        let request = own.lock().unwrap().as_ref().unwrap().requests().pop().unwrap();
        async move {
            let line = format!("x-echo: {}", request.lines().collect::<Vec<_>>().join(" | "));
            connection.write_all(&answer("200 OK", &[&line], request.as_bytes())).await
        }
    })
    .await;
    *echoed.lock().unwrap() = Some(server.clone());
    server
}

#[tokio::test]
async fn hc_58_59_an_echo_of_the_credential_reaches_the_connector_redacted() {
    for credential in credentials() {
        let server = echo().await;
        let what = format!("{:?}", credential.placement());
        let exchange = Account::at(&server.origin()).credential(credential).exchange();
        let response =
            exchange.send(Request { effect: Effect::Read, ..post("/orders?page=1", "{\"id\":7}") }).await.unwrap();
        let body = String::from_utf8(response.body.to_vec()).unwrap();
        let echoed = response.headers.iter().find(|(name, _)| name == "x-echo").unwrap();
        for text in [&body, &echoed.1] {
            assert_clean(&what, text);
            assert!(text.contains(REDACTED) && text.contains("/orders?page=1"), "{what}: {text}");
        }
        assert_clean("Debug of Response", &format!("{response:?}"));
        let sent = &server.requests()[0];
        assert!(
            sent.contains("canary") || sent.contains(&STANDARD.encode(format!("shop:{CANARY}"))),
            "it was sent: {sent}"
        );
    }
}

#[tokio::test]
async fn secrets_that_the_credential_does_not_use_are_redacted_too() {
    let server = RawServer::answering(ok(&format!("{{\"webhook_key\":\"{}\"}}", CANARY.replace('/', "\\/")))).await;
    let mut account = Account::at(&server.origin());
    account.secrets = vec![canary()];
    assert_eq!(account.exchange().send(get("/")).await.unwrap().body, "{\"webhook_key\":\"[redacted]\"}");
}

#[tokio::test]
async fn hc_60_61_nothing_in_a_request_is_replaced_by_a_secret() {
    let server = echo().await;
    let exchange = Account::at(&server.origin())
        .credential(Credential::Fixed { value: canary(), placement: header("X-Api-Key", "") })
        .exchange();
    let request = Request { authenticate: false, ..post("/?key={api_key}&x=$API_KEY", "{\"key\":\"{api_key}\"}") };
    exchange.send(request).await.unwrap();
    assert_clean("the request", &server.requests()[0]);
}

#[tokio::test]
async fn no_public_type_shows_a_secret() {
    let server = echo().await;
    let login = LoginRecipe {
        url: "/login".to_owned(),
        body: LoginBody::Json,
        fields: vec![LoginField::secret("password", canary()), LoginField::plain("name", CANARY)],
        token_pointer: "/token".to_owned(),
        lifetime: Lifetime::Seconds(300),
        margin_seconds: 30,
        placement: header("X-Auth-Token", ""),
    };
    let mut all = credentials();
    all.push(Credential::Login(login));
    for credential in all {
        assert_clean("Credential", &format!("{credential:?} {credential:#?}"));
        let mut account = Account::at(&server.origin()).credential(credential);
        account.secrets = vec![canary()];
        let door = account.door();
        let exchange = door.exchange(HttpLimits::default());
        let request = Request {
            headers: vec![("if-match".to_owned(), CANARY.to_owned())],
            ..post(&format!("/?q={CANARY}"), CANARY)
        };
        assert_clean("Door, Exchange, Request", &format!("{door:?} {exchange:?} {request:?} {:?}", door.policy()));
    }
    let stored = StoredToken { value: canary(), expires_at: std::time::SystemTime::now(), login: canary() };
    let store = MemoryTokenStore::default();
    store.save("a", &stored).await.unwrap();
    assert_clean("StoredToken, MemoryTokenStore", &format!("{stored:?} {store:?}"));
}

#[tokio::test]
async fn hc_65_errors_show_no_secret() {
    let (_held, closed) = refusing_port();
    let broken =
        RawServer::answering(format!("HTTP/1.1 200 OK\r\ncontent-length: 99\r\nx: {CANARY}\r\n\r\n{CANARY}")).await;
    let garbage = RawServer::answering(format!("{CANARY}\r\n\r\n")).await;
    let encoded = RawServer::answering(answer("200 OK", &["content-encoding: br"], CANARY.as_bytes())).await;
    let origins = [
        format!("http://{closed}"),
        format!("https://{}", broken.address),
        broken.origin(),
        garbage.origin(),
        encoded.origin(),
    ];
    for origin in origins {
        for credential in credentials() {
            let outcome =
                Account::at(&origin).timeouts(hasty()).credential(credential).exchange().send(post("/x", "{}")).await;
            let error = outcome.unwrap_err();
            assert_clean("an error", &format!("{error} {error:?}"));
        }
    }
    let unfit =
        Credential::Fixed { value: SecretString::from(format!("{CANARY}\n")), placement: header("X-Api-Key", "") };
    let error = Account::at(&broken.origin()).credential(unfit).exchange().send(get("/")).await.unwrap_err();
    assert_clean("an error", &format!("{error} {error:?}"));
    let colon = Credential::Basic {
        username: "a:b".to_owned(),
        password: canary(),
        placement: header("Authorization", "Basic "),
    };
    let account = Account::at(&broken.origin());
    let error =
        Egress::builder().build().unwrap().door(account.policy, colon, vec![canary()], account.tokens).unwrap_err();
    assert_clean("a door error", &format!("{error} {error:?}"));
}

/// Collects every event and span of every level and library as text.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<String>>);

struct Line<'l>(&'l mut String);

impl Visit for Line<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        let _ = write!(self.0, "{}={value:?} ", field.name());
    }
}

impl Subscriber for Log {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        span.record(&mut Line(&mut self.0.lock().unwrap()));
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, values: &Record<'_>) {
        values.record(&mut Line(&mut self.0.lock().unwrap()));
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        event.record(&mut Line(&mut self.0.lock().unwrap()));
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

/// On one thread, so that the subscriber sees everything.
#[tokio::test(flavor = "current_thread")]
async fn the_log_shows_no_secret_at_any_level() {
    let log = Log::default();
    let guard = tracing::subscriber::set_default(log.clone());
    let server = RawServer::answering(ok(&format!("{{\"token\":\"{CANARY}\"}}"))).await;
    let login = LoginRecipe {
        url: "/login".to_owned(),
        body: LoginBody::Form,
        fields: vec![LoginField::secret("password", canary())],
        token_pointer: "/token".to_owned(),
        lifetime: Lifetime::Seconds(300),
        margin_seconds: 30,
        placement: Placement::Query("token".to_owned()),
    };
    let mut all = credentials();
    all.push(Credential::Login(login));
    for credential in all {
        let exchange = Account::at(&server.origin()).credential(credential).exchange();
        exchange.send(post(&format!("/x?customer={CANARY}"), "{}")).await.unwrap();
        let _ = exchange.send(get("https://elsewhere.example/")).await;
    }
    drop(guard);
    let text = log.0.lock().unwrap().clone();
    assert!(text.contains("acme/hft71") && text.contains("logged in"), "the log says something: {text}");
    assert_clean("the log", &text);
}
