//! Logins and tokens against a source that issues and refuses them, and keeps a ledger.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, AtomicU16, AtomicU64};
use std::time::SystemTime;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::{get as get_route, post as post_route};
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::Semaphore;

use super::*;

/// A source with a login. Tokens are `token-1`, `token-2`, ...
struct Source {
    logins: Mutex<Vec<String>>,
    valid: Mutex<HashSet<String>>,
    /// Requests as they came: method, and the token they carried.
    seen: Mutex<Vec<String>>,
    login_status: AtomicU16,
    login_answer: Mutex<Option<String>>,
    /// Logins wait here, so that a test can hold them.
    gate: Semaphore,
    refuse_all: AtomicBool,
}

impl Source {
    async fn start() -> (Arc<Self>, String) {
        let source = Arc::new(Self {
            logins: Mutex::default(),
            valid: Mutex::default(),
            seen: Mutex::default(),
            login_status: AtomicU16::new(200),
            login_answer: Mutex::default(),
            gate: Semaphore::new(Semaphore::MAX_PERMITS),
            refuse_all: AtomicBool::new(false),
        });
        let router = Router::new()
            .route("/login", post_route(Self::login))
            .route("/orders", get_route(Self::orders).post(Self::orders))
            .with_state(source.clone());
        (source, serve(router).await)
    }

    async fn login(State(source): State<Arc<Self>>, headers: HeaderMap, body: String) -> (StatusCode, String) {
        let media_type = headers["content-type"].to_str().unwrap().to_owned();
        let number = {
            let mut logins = source.logins.lock().unwrap();
            logins.push(format!("{media_type} {body}"));
            logins.len()
        };
        source.gate.acquire().await.unwrap().forget();
        let status = StatusCode::from_u16(source.login_status.load(Ordering::SeqCst)).unwrap();
        if let Some(answer) = source.login_answer.lock().unwrap().clone() {
            return (status, answer);
        }
        let token = format!("token-{number}");
        source.valid.lock().unwrap().insert(token.clone());
        (status, format!(r#"{{"data":{{"token":"{token}"}},"expires_in":300}}"#))
    }

    #[expect(clippy::unused_async, reason = "the router takes async handlers only")]
    async fn orders(State(source): State<Arc<Self>>, headers: HeaderMap, body: String) -> (StatusCode, String) {
        let token = headers.get("x-auth-token").map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default();
        source.seen.lock().unwrap().push(format!("{token} {body}").trim().to_owned());
        if source.refuse_all.load(Ordering::SeqCst) || !source.valid.lock().unwrap().contains(&token) {
            return (StatusCode::UNAUTHORIZED, format!("you sent {token}"));
        }
        (StatusCode::OK, format!("orders, you sent {token}"))
    }

    fn logins(&self) -> usize {
        self.logins.lock().unwrap().len()
    }

    fn seen(&self) -> Vec<String> {
        self.seen.lock().unwrap().clone()
    }

    fn revoke_all(&self) {
        self.valid.lock().unwrap().clear();
    }
}

/// A clock that stands still unless it is moved.
#[derive(Default)]
struct Hands(AtomicU64);

impl Hands {
    fn advance(&self, seconds: u64) {
        self.0.fetch_add(seconds, Ordering::SeqCst);
    }
}

impl Clock for Hands {
    fn monotonic(&self) -> Duration {
        Duration::from_secs(self.0.load(Ordering::SeqCst))
    }

    fn wall(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_hours(500_000) + self.monotonic()
    }
}

fn recipe(url: &str) -> LoginRecipe {
    LoginRecipe {
        url: url.to_owned(),
        body: LoginBody::Json,
        fields: vec![
            LoginField::plain("username", "orders@shop.example"),
            LoginField::secret("password", SecretString::from("pass\"word-1")),
        ],
        token_pointer: "/data/token".to_owned(),
        lifetime: Lifetime::Answer("/expires_in".to_owned()),
        margin_seconds: 30,
        placement: Placement::Header { name: "X-Auth-Token".to_owned(), prefix: String::new() },
    }
}

fn account(origin: &str) -> Account {
    Account::at(origin).credential(Credential::Login(recipe("/login")))
}

fn with_clock(mut account: Account, clock: &Arc<Hands>) -> Account {
    account.egress = account.egress.clock(clock.clone());
    account
}

async fn status(exchange: &Exchange) -> u16 {
    exchange.send(get("/orders")).await.unwrap().status
}

#[tokio::test]
async fn a_login_goes_before_the_first_request_and_its_token_serves_the_next() {
    let (source, origin) = Source::start().await;
    let door = account(&origin).door();
    let exchange = door.exchange(HttpLimits::default());
    assert_eq!(exchange.token_generation(), None);
    for _ in 0..3 {
        let response = exchange.send(get("/orders")).await.unwrap();
        assert_eq!(response.body, "orders, you sent [redacted]");
    }
    let expected = r#"application/json {"password":"pass\"word-1","username":"orders@shop.example"}"#;
    assert_eq!(*source.logins.lock().unwrap(), [expected]);
    assert_eq!(source.seen(), ["token-1", "token-1", "token-1"]);
    assert_eq!(exchange.token_generation(), Some(1));
    assert_eq!(exchange.usage().requests, 3, "the login is the host's, not the connector's");
}

#[tokio::test]
async fn a_form_login_sends_a_form() {
    let (source, origin) = Source::start().await;
    let login = LoginRecipe { body: LoginBody::Form, ..recipe(&format!("{origin}/login")) };
    let exchange = Account::at(&origin).credential(Credential::Login(login)).exchange();
    assert_eq!(status(&exchange).await, 200);
    let expected = "application/x-www-form-urlencoded username=orders%40shop.example&password=pass%22word-1";
    assert_eq!(*source.logins.lock().unwrap(), [expected]);
}

#[tokio::test]
async fn oauth2_client_credentials_is_a_form_login_with_a_bearer_token() {
    let server =
        RawServer::answering(ok(r#"{"access_token":"abc.def","token_type":"Bearer","expires_in":3600}"#)).await;
    let login = LoginRecipe {
        body: LoginBody::Form,
        fields: vec![
            LoginField::plain("grant_type", "client_credentials"),
            LoginField::plain("client_id", "client-7"),
            LoginField::secret("client_secret", SecretString::from("s3cret-value")),
            LoginField::plain("scope", "orders stock"),
        ],
        token_pointer: "/access_token".to_owned(),
        placement: Placement::Header { name: "Authorization".to_owned(), prefix: "Bearer ".to_owned() },
        ..recipe("/oauth/token")
    };
    let exchange = Account::at(&server.origin()).credential(Credential::Login(login)).exchange();
    exchange.send(get("/orders")).await.unwrap();
    let requests = server.requests();
    assert!(requests[0].starts_with("POST /oauth/token HTTP/1.1\r\n"));
    let form = "grant_type=client_credentials&client_id=client-7&client_secret=s3cret-value&scope=orders+stock";
    assert!(requests[0].ends_with(&format!("\r\n\r\n{form}")), "{}", requests[0]);
    assert!(requests[1].contains("authorization: Bearer abc.def\r\n"), "{}", requests[1]);
}

#[tokio::test]
async fn twenty_requests_at_the_end_of_a_token_log_in_once() {
    let (source, origin) = Source::start().await;
    let clock = Arc::new(Hands::default());
    let door = with_clock(account(&origin), &clock).door();
    assert_eq!(status(&door.exchange(HttpLimits::default())).await, 200);
    clock.advance(271);
    let limits = HttpLimits { in_flight: 20, ..HttpLimits::default() };
    let outcomes = door.exchange(limits).send_all((0..20).map(|_| get("/orders")).collect()).await;
    assert!(outcomes.iter().all(|outcome| outcome.as_ref().unwrap().status == 200));
    assert_eq!(source.logins(), 2);
    assert_eq!(source.seen().iter().filter(|token| *token == "token-2").count(), 20);
}

#[tokio::test]
async fn a_token_is_renewed_its_margin_before_it_ends() {
    let (source, origin) = Source::start().await;
    let clock = Arc::new(Hands::default());
    let exchange = with_clock(account(&origin), &clock).exchange();
    for (after, logins) in [(0, 1), (269, 1), (1, 2), (269, 2), (1, 3)] {
        clock.advance(after);
        assert_eq!(status(&exchange).await, 200);
        assert_eq!(source.logins(), logins, "after {after} more seconds");
    }
    assert!(source.seen().iter().all(|token| token.starts_with("token-")), "no request waited for a 401");
}

#[tokio::test]
async fn a_401_renews_and_repeats_the_same_request_once() {
    let (source, origin) = Source::start().await;
    let door = account(&origin).door();
    assert_eq!(status(&door.exchange(HttpLimits::default())).await, 200);
    source.revoke_all();
    let exchange = door.exchange(HttpLimits::default());
    assert_eq!(exchange.send(post("/orders", "{\"id\":7}")).await.unwrap().status, 200);
    assert_eq!(source.seen(), ["token-1", "token-1 {\"id\":7}", "token-2 {\"id\":7}"]);
    assert_eq!(exchange.token_generation(), Some(2));
}

#[tokio::test]
async fn a_second_401_goes_to_the_connector_and_does_not_hammer_the_login() {
    let (source, origin) = Source::start().await;
    source.refuse_all.store(true, Ordering::SeqCst);
    let exchange = account(&origin).exchange();
    let response = exchange.send(get("/orders")).await.unwrap();
    assert_eq!((response.status, response.body.as_ref()), (401, b"you sent [redacted]".as_slice()));
    for _ in 0..10 {
        assert_eq!(status(&exchange).await, 401);
    }
    assert_eq!(source.logins(), 2, "one login, and one because of the 401");
}

#[tokio::test]
async fn parallel_401s_renew_once() {
    let (source, origin) = Source::start().await;
    let door = account(&origin).door();
    assert_eq!(status(&door.exchange(HttpLimits::default())).await, 200);
    source.revoke_all();
    let outcomes = door.exchange(HttpLimits::default()).send_all((0..8).map(|_| get("/orders")).collect()).await;
    assert!(outcomes.iter().all(|outcome| outcome.as_ref().unwrap().status == 200));
    assert_eq!(source.logins(), 2);
}

#[tokio::test]
async fn requests_without_authentication_carry_no_token_and_need_no_login() {
    let (source, origin) = Source::start().await;
    let exchange = account(&origin).exchange();
    let response = exchange.send(Request { authenticate: false, ..get("/orders") }).await.unwrap();
    assert_eq!(response.status, 401, "and its 401 is an answer");
    assert_eq!((source.logins(), source.seen()), (0, vec![String::new()]));
}

#[tokio::test]
async fn a_connectors_auth_expired_leads_to_a_new_login_unless_that_has_happened() {
    let (source, origin) = Source::start().await;
    let door = account(&origin).door();
    let exchange = door.exchange(HttpLimits::default());
    assert_eq!(status(&exchange).await, 200);
    let used = exchange.token_generation().unwrap();
    door.invalidate_token(used);
    door.invalidate_token(used);
    assert_eq!(status(&exchange).await, 200);
    assert_eq!(source.logins(), 2);
    // Late news about the old token does not touch the new one.
    door.invalidate_token(used);
    assert_eq!(status(&exchange).await, 200);
    assert_eq!(source.logins(), 2);
}

#[tokio::test]
async fn a_refused_login_is_auth_rejected_once_a_call() {
    for refusal in [400, 401, 403, 404, 422, 302] {
        let (source, origin) = Source::start().await;
        source.login_status.store(refusal, Ordering::SeqCst);
        *source.login_answer.lock().unwrap() = Some("wrong password pass\"word-1".to_owned());
        let exchange = account(&origin).exchange();
        for _ in 0..3 {
            let error = exchange.send(post("/orders", "{}")).await.unwrap_err();
            assert!(matches!(error, SendError::AuthRejected(_)) && !error.may_have_been_sent(), "{error:?}");
            assert!(error.to_string().contains(&refusal.to_string()) && !error.to_string().contains("pass"), "{error}");
        }
        assert_eq!(source.logins(), 1, "repeating a refused login locks accounts");
        assert_eq!(source.seen().len(), 0, "nothing is sent without a token");
        assert!(!exchange.usage().wrote);
    }
}

#[tokio::test]
async fn parallel_requests_share_one_refused_login() {
    let (source, origin) = Source::start().await;
    source.login_status.store(401, Ordering::SeqCst);
    let limits = HttpLimits { in_flight: 20, ..HttpLimits::default() };
    let outcomes = account(&origin).door().exchange(limits).send_all((0..20).map(|_| get("/orders")).collect()).await;
    assert!(outcomes.iter().all(|outcome| matches!(outcome, Err(SendError::AuthRejected(_)))));
    assert_eq!(source.logins(), 1);
}

#[tokio::test]
async fn an_answer_without_token_is_a_refused_login() {
    for answer in
        [r#"{"error":"bad credentials"}"#, r#"{"data":{"token":""}}"#, r#"{"data":{"token":null},"expires_in":3}"#]
    {
        let (source, origin) = Source::start().await;
        *source.login_answer.lock().unwrap() = Some(answer.to_owned());
        let error = account(&origin).exchange().send(get("/orders")).await.unwrap_err();
        assert!(matches!(error, SendError::AuthRejected(ref text) if text.contains("/data/token")), "{error:?}");
    }
}

#[tokio::test]
async fn an_unavailable_login_sends_nothing_and_is_tried_again() {
    let (source, origin) = Source::start().await;
    let exchange = account(&origin).exchange();
    for unavailable in [408, 429, 500, 502, 503] {
        source.login_status.store(unavailable, Ordering::SeqCst);
        let error = exchange.send(get("/orders")).await.unwrap_err();
        assert!(matches!(error, SendError::NotSent(_)), "{error:?}");
    }
    source.login_status.store(200, Ordering::SeqCst);
    for answer in ["<html>", r#"{"data":{"token":"t-123456"}}"#, r#"{"data":{"token":"t-123456"},"expires_in":"soon"}"#]
    {
        *source.login_answer.lock().unwrap() = Some(answer.to_owned());
        let error = exchange.send(get("/orders")).await.unwrap_err();
        assert!(matches!(error, SendError::NotSent(_)), "{answer}: {error:?}");
        assert!(!error.to_string().contains("t-123456"), "{error}");
    }
    *source.login_answer.lock().unwrap() = None;
    assert_eq!(status(&exchange).await, 200);
}

#[tokio::test]
async fn the_login_passes_the_same_door() {
    let (source, origin) = Source::start().await;
    let elsewhere = account("https://shop.example");
    let mut undeclared = Account::new("https://shop.example", &["https://shop.example"]).granted();
    undeclared.credential = Credential::Login(recipe(&format!("{origin}/login")));
    let door = undeclared.door();
    assert!(
        door.policy_problems()
            .iter()
            .any(|problem| problem.layer() == Layer::Manifest && problem.to_string().contains(&origin))
    );
    assert_eq!(denial(door.exchange(HttpLimits::default()).send(get("/orders")).await).layer(), Layer::Manifest);

    let mut ungranted = Account::new("https://shop.example", &["https://shop.example", &origin]);
    ungranted.policy.grants.hosts = elsewhere.policy.hosts;
    ungranted.credential = Credential::Login(recipe(&format!("{origin}/login")));
    assert_eq!(denial(ungranted.exchange().send(get("/orders")).await).layer(), Layer::Grant);

    let mut private = Account::new("https://shop.example", &["https://shop.example", &origin]).granted();
    private.credential = Credential::Login(recipe(&format!("{origin}/login")));
    assert_eq!(denial(private.exchange().send(get("/orders")).await).layer(), Layer::Address);
    assert_eq!(source.logins(), 0);
}

/// A store that tells what the source had seen when a token was saved, and that can fail.
struct Ledger {
    inner: MemoryTokenStore,
    source: Arc<Source>,
    seen_at_save: Mutex<Vec<usize>>,
    fail: AtomicBool,
}

#[async_trait]
impl TokenStore for Ledger {
    async fn load(&self, account: &str) -> Result<Option<StoredToken>, TokenStoreError> {
        self.inner.load(account).await
    }

    async fn save(&self, account: &str, token: &StoredToken) -> Result<(), TokenStoreError> {
        self.seen_at_save.lock().unwrap().push(self.source.seen().len());
        if self.fail.load(Ordering::SeqCst) {
            return Err(TokenStoreError("disk full".to_owned()));
        }
        self.inner.save(account, token).await
    }
}

#[tokio::test]
async fn a_token_is_stored_before_its_first_use_or_not_used() {
    let (source, origin) = Source::start().await;
    let store = Arc::new(Ledger {
        inner: MemoryTokenStore::default(),
        source: source.clone(),
        seen_at_save: Mutex::default(),
        fail: AtomicBool::new(true),
    });
    let mut account = account(&origin);
    account.tokens = store.clone();
    let exchange = account.exchange();
    let error = exchange.send(get("/orders")).await.unwrap_err();
    assert_eq!(error, SendError::NotSent("the token store failed: disk full".to_owned()));
    assert_eq!(source.seen().len(), 0);
    store.fail.store(false, Ordering::SeqCst);
    assert_eq!(status(&exchange).await, 200);
    assert_eq!(*store.seen_at_save.lock().unwrap(), [0, 0]);
    let stored = store.load("acme/hft71").await.unwrap().unwrap();
    assert_eq!(stored.value.expose_secret(), source.seen()[0]);
}

#[tokio::test]
async fn a_stored_token_survives_a_restart_but_not_its_end_or_a_change_of_credentials() {
    let (source, origin) = Source::start().await;
    let clock = Arc::new(Hands::default());
    let store = Arc::new(MemoryTokenStore::default());
    let restarted = |change: fn(&mut LoginRecipe)| {
        let mut login = recipe("/login");
        change(&mut login);
        let mut account = with_clock(Account::at(&origin), &clock).credential(Credential::Login(login));
        account.tokens = store.clone();
        account.exchange()
    };
    let same = |_: &mut LoginRecipe| {};
    assert_eq!(status(&restarted(same)).await, 200);
    assert_eq!(status(&restarted(same)).await, 200);
    assert_eq!(source.logins(), 1, "after a restart the stored token serves");
    clock.advance(280);
    assert_eq!(status(&restarted(same)).await, 200);
    assert_eq!(source.logins(), 2, "within its margin it does not");
    let changed = restarted(|login| login.fields[1].value = SecretString::from("another"));
    assert_eq!(status(&changed).await, 200);
    assert_eq!(source.logins(), 3, "the old token may belong to another shop");
}

#[tokio::test]
async fn a_token_that_another_process_renewed_is_taken_from_the_store() {
    let (source, origin) = Source::start().await;
    let store = Arc::new(MemoryTokenStore::default());
    let process = || {
        let mut account = account(&origin);
        account.tokens = store.clone();
        account.door()
    };
    let (one, other) = (process(), process());
    assert_eq!(status(&one.exchange(HttpLimits::default())).await, 200);
    assert_eq!(status(&other.exchange(HttpLimits::default())).await, 200);
    source.revoke_all();
    assert_eq!(status(&one.exchange(HttpLimits::default())).await, 200);
    assert_eq!(status(&other.exchange(HttpLimits::default())).await, 200);
    assert_eq!(source.logins(), 2);
}

#[tokio::test]
async fn a_login_goes_on_when_the_call_that_asked_for_it_is_dropped() {
    let (source, origin) = Source::start().await;
    source.gate.forget_permits(Semaphore::MAX_PERMITS);
    let door = account(&origin).door();
    let first = door.exchange(HttpLimits::default());
    {
        let call = first.send(get("/orders"));
        tokio::pin!(call);
        // Until the source has the login, and then no more: the call runs into its deadline.
        while source.logins() == 0 {
            tokio::select! {
                biased;
                _ = &mut call => panic!("the login is held"),
                () = tokio::task::yield_now() => {}
            }
        }
    }
    source.gate.add_permits(1);
    assert_eq!(status(&door.exchange(HttpLimits::default())).await, 200);
    assert_eq!(source.logins(), 1);
}
