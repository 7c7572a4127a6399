//! The scripted source: a platform played from its description, in the place of the network. It holds records, answers routes,
//! asks for the credential that the manifest promises, and does what a check tells it: change between two requests, fail, fall silent.

mod answering;
mod credential;
mod records;
mod substitution;

use std::collections::BTreeMap;
use std::io::Write as _;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::Value;
use tradepost_runtime::egress::{Clock, SendError, Source};

pub(crate) use credential::{Credential, TOKEN_SECONDS, fill};
pub(crate) use records::{Records, date, plain};
pub(crate) use substitution::{number, remove, render, set, substitute};

use crate::description::{Answer, Description};

/// Where the kit's time begins: 2026-03-02T10:00:00Z.
pub(crate) const BEGINNING: i64 = 1_772_445_600;

/// The kit's time: it moves when a check moves it, and never by itself.
#[derive(Debug)]
pub(crate) struct KitClock {
    /// Seconds since 1970 at the source.
    source: AtomicI64,
    /// How far the host's time of day is ahead of the source's.
    skew: AtomicI64,
}

impl KitClock {
    pub(crate) fn new() -> Self {
        Self { source: AtomicI64::new(BEGINNING), skew: AtomicI64::new(0) }
    }

    /// The source's time, in seconds since 1970.
    pub(crate) fn now(&self) -> i64 {
        self.source.load(Ordering::Relaxed)
    }

    pub(crate) fn advance(&self, seconds: i64) {
        self.source.fetch_add(seconds, Ordering::Relaxed);
    }

    pub(crate) fn skew(&self, seconds: i64) {
        self.skew.store(seconds, Ordering::Relaxed);
    }
}

impl Clock for KitClock {
    fn monotonic(&self) -> Duration {
        Duration::from_secs(u64::try_from(self.now()).unwrap_or_default())
    }

    fn wall(&self) -> SystemTime {
        let seconds = self.now() + self.skew.load(Ordering::Relaxed);
        SystemTime::UNIX_EPOCH + Duration::from_secs(u64::try_from(seconds).unwrap_or_default())
    }
}

/// A request as the source saw it.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    /// Such as `GET`.
    pub(crate) method: String,
    /// The path below the account's root URL.
    pub(crate) path: String,
    /// Query parameters, decoded.
    pub(crate) query: Vec<(String, String)>,
    /// Headers, names in lower case.
    pub(crate) headers: Vec<(String, String)>,
    /// The body as JSON, where it is.
    pub(crate) body: Value,
    /// All of it as text, for messages: `GET /orders?page=2`.
    pub(crate) line: String,
    /// What it is to the source.
    pub(crate) part: Part,
}

/// What a request is to the source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// A login.
    Login,
    /// A route of the description that only reads.
    Reading,
    /// A route of the description that writes.
    Writing,
    /// Nothing that the description knows.
    Unknown,
}

/// What goes wrong with a request.
#[derive(Clone, Debug)]
pub(crate) enum Trouble {
    /// This answer instead; nothing is carried out.
    Instead(Answer),
    /// The connection is refused; nothing was sent.
    Refused,
    /// Nothing is carried out and no answer ever comes.
    Silent,
    /// It is carried out and no answer ever comes.
    Lost,
    /// It is carried out, and the connection breaks in the answer.
    Broken,
    /// It is carried out, and the answer's body is cut in half, as a whole answer.
    Truncated,
    /// It is answered as if it were carried out, and nothing is.
    Ignored,
    /// It is answered as always, so much later.
    Late(Duration),
    /// Every token that was given becomes useless; then it is answered as always.
    Revoked,
    /// A small answer that unpacks to a large one, and nothing is carried out.
    Bomb,
}

type Between = Box<dyn FnMut(&mut State, &Seen) + Send>;
type Troubling = Box<dyn FnMut(&Seen) -> Option<Trouble> + Send>;

/// One platform with one account.
pub(crate) struct World {
    pub(crate) description: Arc<Description>,
    /// The path of the account's root URL, without a slash at its end.
    root_path: String,
    clock: Arc<KitClock>,
    state: Mutex<State>,
}

/// What is inside a world.
pub(crate) struct State {
    pub(crate) records: BTreeMap<String, Records>,
    pub(crate) credential: Credential,
    /// Every request so far.
    pub(crate) seen: Vec<Seen>,
    /// Writes that were carried out: the lines of their requests.
    pub(crate) effects: Vec<String>,
    between: Option<Between>,
    troubling: Option<Troubling>,
}

impl World {
    pub(crate) fn new(
        description: Arc<Description>,
        root_path: String,
        clock: Arc<KitClock>,
        credential: Credential,
    ) -> Self {
        let records = description
            .records
            .iter()
            .map(|kind| (kind.name.clone(), Records::new(kind.clone(), Arc::clone(&clock))))
            .collect();
        let state =
            State { records, credential, seen: Vec::new(), effects: Vec::new(), between: None, troubling: None };
        Self { description, root_path, clock, state: Mutex::new(state) }
    }

    /// The inside, to look at or to change.
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds `count` records of a kind, each a second after the one before, and gives their ids.
    pub(crate) fn seed(&self, kind: &str, count: usize) -> Vec<String> {
        let mut state = self.state();
        (0..count)
            .map(|_| {
                self.clock.advance(1);
                state.records_mut(kind).insert()
            })
            .collect()
    }

    /// Does something before each request to a route is answered.
    pub(crate) fn between(&self, change: impl FnMut(&mut State, &Seen) + Send + 'static) {
        self.state().between = Some(Box::new(change));
    }

    /// Leaves things alone between requests.
    pub(crate) fn quiet(&self) {
        let mut state = self.state();
        (state.between, state.troubling) = (None, None);
    }

    /// Makes requests fail.
    pub(crate) fn trouble(&self, troubling: impl FnMut(&Seen) -> Option<Trouble> + Send + 'static) {
        self.state().troubling = Some(Box::new(troubling));
    }

    /// Requests so far, without logins.
    pub(crate) fn requests(&self) -> usize {
        self.state().seen.iter().filter(|seen| seen.part != Part::Login).count()
    }

    /// Requests of one part so far.
    pub(crate) fn count(&self, part: Part) -> usize {
        self.state().seen.iter().filter(|seen| seen.part == part).count()
    }

    /// What is answered to a request that was seen, once more.
    pub(crate) fn answer_to(&self, seen: &Seen) -> Answer {
        answering::answer(&self.description, &mut self.state(), seen)
    }

    async fn answer(&self, request: http::Request<Bytes>) -> Result<http::Response<Bytes>, SendError> {
        let (answer, trouble) = self.decide(&request);
        match trouble {
            None | Some(Trouble::Instead(_) | Trouble::Ignored | Trouble::Revoked) => response(&answer),
            Some(Trouble::Late(later)) => {
                tokio::time::sleep(later).await;
                response(&answer)
            }
            Some(Trouble::Bomb) => bomb(),
            Some(Trouble::Refused) => Err(SendError::NotSent("the connection was refused".into())),
            Some(Trouble::Silent | Trouble::Lost) => std::future::pending().await,
            Some(Trouble::Broken) => Err(SendError::InDoubt("the connection broke in the answer".into())),
            Some(Trouble::Truncated) => {
                let cut = answer.body.floor_char_boundary(answer.body.len() / 2);
                response(&Answer { body: answer.body[..cut].to_owned(), ..answer })
            }
        }
    }

    /// What is answered, and what goes wrong with it. Everything that happens inside happens here, at one moment.
    fn decide(&self, request: &http::Request<Bytes>) -> (Answer, Option<Trouble>) {
        let mut guard = self.state();
        let state = &mut *guard;
        let seen = answering::read(&self.description, &self.root_path, &state.credential, request);
        state.seen.push(seen.clone());
        let trouble = state.troubling.as_mut().and_then(|troubling| troubling(&seen));
        match &trouble {
            Some(Trouble::Instead(answer)) => return (answer.clone(), trouble),
            Some(Trouble::Refused | Trouble::Silent | Trouble::Bomb) => return (Answer::json(200, "{}"), trouble),
            Some(Trouble::Revoked) => state.credential.revoke(),
            _ => {}
        }
        if seen.part == Part::Login {
            return (state.credential.login(&self.description, &seen, self.clock.now()), trouble);
        }
        if let Some(refusal) = state.credential.refuse(&self.description, request, &seen, self.clock.now()) {
            return (refusal, trouble);
        }
        if let Some(mut between) = state.between.take() {
            between(state, &seen);
            state.between.get_or_insert(between);
        }
        let before = matches!(trouble, Some(Trouble::Ignored)).then(|| (state.records.clone(), state.effects.clone()));
        let answer = answering::answer(&self.description, state, &seen);
        if let Some((records, effects)) = before {
            (state.records, state.effects) = (records, effects);
            // An answer that shows the record shows it as it stands.
            if let Some(answer) = answering::unchanged(&self.description, state, &seen) {
                return (answer, trouble);
            }
        }
        (answer, trouble)
    }
}

impl State {
    /// The records of a kind that the description has.
    pub(crate) fn records_mut(&mut self, kind: &str) -> &mut Records {
        self.records.get_mut(kind).expect("a description names only kinds that it has: Description::parse checks it")
    }
}

impl Answer {
    /// A JSON answer.
    pub(crate) fn json(status: u16, body: impl Into<String>) -> Self {
        Self { status, headers: BTreeMap::new(), body: body.into() }
    }
}

fn response(answer: &Answer) -> Result<http::Response<Bytes>, SendError> {
    let mut builder = http::Response::builder().status(answer.status);
    if !answer.headers.keys().any(|name| name.eq_ignore_ascii_case("content-type")) {
        builder = builder.header("content-type", "application/json");
    }
    for (name, value) in &answer.headers {
        builder = builder.header(name, value);
    }
    builder
        .body(Bytes::from(answer.body.clone()))
        .map_err(|error| SendError::Protocol(format!("the description's answer is not HTTP: {error}")))
}

/// 16 MiB of blanks in 16 KiB.
fn bomb() -> Result<http::Response<Bytes>, SendError> {
    let mut packed = GzEncoder::new(Vec::new(), Compression::best());
    let blanks = vec![b' '; 1 << 16];
    let packed = (0..256).try_for_each(|_| packed.write_all(&blanks)).and_then(|()| packed.finish());
    let body = packed.map_err(|error| SendError::Protocol(format!("the kit cannot compress: {error}")))?;
    http::Response::builder()
        .header("content-type", "application/json")
        .header("content-encoding", "gzip")
        .body(Bytes::from(body))
        .map_err(|error| SendError::Protocol(format!("the kit's answer is not HTTP: {error}")))
}

/// All worlds of a run, found by the host that a request is for.
#[derive(Default)]
pub(crate) struct Worlds {
    worlds: Mutex<BTreeMap<String, Arc<World>>>,
    strays: Mutex<Vec<String>>,
}

impl Worlds {
    pub(crate) fn add(&self, authority: &str, world: &Arc<World>) {
        self.worlds().insert(authority.to_owned(), Arc::clone(world));
    }

    pub(crate) fn remove(&self, authority: &str) {
        self.worlds().remove(authority);
    }

    fn worlds(&self) -> MutexGuard<'_, BTreeMap<String, Arc<World>>> {
        self.worlds.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Requests to hosts where no source stands: method and URL. Empties the list.
    pub(crate) fn take_strays(&self) -> Vec<String> {
        std::mem::take(&mut self.strays.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[async_trait]
impl Source for Worlds {
    async fn answer(&self, request: http::Request<Bytes>) -> Result<http::Response<Bytes>, SendError> {
        let authority = request.uri().authority().map(ToString::to_string).unwrap_or_default();
        let world = self.worlds().get(&authority).cloned();
        if let Some(world) = world {
            return world.answer(request).await;
        }
        let line = format!("{} {}", request.method(), request.uri());
        self.strays.lock().unwrap_or_else(PoisonError::into_inner).push(line);
        Err(SendError::NotSent(format!("no scripted source stands at {authority}")))
    }
}
