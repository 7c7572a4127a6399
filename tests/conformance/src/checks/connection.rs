//! Connecting: four things that can be wrong with an account, each told apart, and tokens that end at a bad moment.

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::future::join_all;
use serde_json::{Value, json};
use tokio::time::Instant;
use tradepost_runtime::contract::manifest::{AuthMethod, TokenLifetime};

use super::ending::{Ending, ending, told, word};
use crate::description::Answer;
use crate::kit::{Bench, Kit, shown};
use crate::report::{Finding, Found, failed, skipped};
use crate::source::{Part, Seen, TOKEN_SECONDS, Trouble};

const CHECK: &str = "connector.check";
/// Longer than this nobody waits in front of a form.
const PATIENCE: Duration = Duration::from_secs(30);
/// How many calls ask for a token at the same moment.
const AT_ONCE: usize = 20;
/// Logins of one call, where the source refuses them: one for what it has, one more for what it believes.
const LOGINS_OF_A_CALL: usize = 2;
/// How long the login of the concurrent calls takes: all of them have asked before it is answered.
const SLOW_LOGIN: Duration = Duration::from_secs(2);

/// Calls `connector.check` and says how long it took.
async fn ask(bench: &Bench) -> Result<Ending, Finding> {
    let started = Instant::now();
    let ended = ending(bench.call_with(CHECK, &json!({})).await)?;
    let took = started.elapsed();
    if took > PATIENCE {
        return failed(format!("{CHECK} took {took:.0?}; a person waits {PATIENCE:.0?} at most"));
    }
    Ok(ended)
}

pub(super) async fn check_ok(kit: &Kit) -> Found {
    let bench = kit.bench()?;
    let ended = ask(&bench).await?;
    let Ok(identity) = &ended else { return failed(format!("{CHECK} of a good account: {}", told(&ended))) };
    let requests = bench.requests();
    if requests == 0 {
        return failed(format!("{CHECK} sent nothing, so it proves nothing"));
    }
    Ok(format!("{requests} requests and {} logins; {}", bench.count(Part::Login), identity.value))
}

pub(super) async fn check_bad_credentials(kit: &Kit) -> Found {
    let bench = kit.bench()?;
    refuse_everything(&bench);
    let ended = ask(&bench).await?;
    if word(&ended) != "auth-rejected" {
        return failed(format!(
            "a credential that is refused: expected auth-rejected, and {CHECK} says {}",
            told(&ended)
        ));
    }
    Ok(format!("auth-rejected after {} logins and {} other requests", bench.count(Part::Login), bench.requests()))
}

pub(super) async fn check_unreachable(kit: &Kit) -> Found {
    let mut evidence = Vec::new();
    for (name, trouble) in [("refused", Trouble::Refused), ("silent", Trouble::Silent)] {
        let bench = kit.bench()?;
        bench.trouble(move |_| Some(trouble.clone()));
        let ended = ask(&bench).await?;
        if !matches!(word(&ended).as_str(), "transient" | "unavailable") {
            return failed(format!("{name}: expected transient or unavailable, and {CHECK} says {}", told(&ended)));
        }
        evidence.push(format!("{name}: {}", word(&ended)));
    }
    Ok(evidence.join(", "))
}

/// At first somebody else's server answers everything; then only the login is the platform's, as with a wrong path. The second
/// shows what the connector itself makes of a stranger.
pub(super) async fn check_wrong_store(kit: &Kit) -> Found {
    let mut evidence = Vec::new();
    for status in [200, 404] {
        for login_too in [true, false] {
            let bench = kit.bench()?;
            if !login_too && !bench.state().credential.has_login() {
                continue;
            }
            bench.trouble(move |seen| (login_too || seen.part != Part::Login).then(|| Trouble::Instead(page(status))));
            let ended = ask(&bench).await?;
            let said = word(&ended);
            let place = if login_too { "" } else { " behind a good login" };
            if ended.is_ok() {
                return failed(format!(
                    "a page for people with HTTP {status}{place}: {CHECK} takes it for the platform: {}",
                    told(&ended)
                ));
            }
            if !login_too && matches!(said.as_str(), "transient" | "unavailable" | "rate-limited") {
                return failed(format!(
                    "a page for people with HTTP {status}{place}: waiting does not help, and {CHECK} says {}",
                    told(&ended)
                ));
            }
            evidence.push(format!("HTML {status}{place}: {said}"));
        }
    }
    Ok(evidence.join(", "))
}

/// A page of a web site that is not the platform.
pub(super) fn page(status: u16) -> Answer {
    let body = "<!DOCTYPE html><html><head><title>Welcome</title></head><body><h1>Another web site</h1></body></html>";
    let headers = BTreeMap::from([("content-type".to_owned(), "text/html; charset=utf-8".to_owned())]);
    Answer { headers, ..Answer::json(status, body) }
}

fn refuse_everything(bench: &Bench) {
    let mut state = bench.state();
    (state.credential.refuses_logins, state.credential.refuses_requests) = (true, true);
}

fn needs_login(bench: &Bench) -> Result<(), Finding> {
    if bench.state().credential.has_login() {
        return Ok(());
    }
    skipped("the manifest's credential is placed in each request: there is no login and no token that ends")
}

pub(super) async fn token_refresh_single_flight(kit: &Kit) -> Found {
    for why in ["without a token", "when the token ends", "when the source drops the token"] {
        let bench = kit.bench()?;
        needs_login(&bench)?;
        if why != "without a token" {
            ask(&bench).await?.or_else(|error| failed(format!("the first call: {}", told(&Err(error)))))?;
        }
        match why {
            "when the token ends" => kit.clock.advance(lifetime(kit) + 1),
            "when the source drops the token" => bench.state().credential.revoke(),
            _ => {}
        }
        let logins = bench.count(Part::Login);
        bench.trouble(|seen| (seen.part == Part::Login).then_some(Trouble::Late(SLOW_LOGIN)));
        for ended in join_all((0..AT_ONCE).map(|_| ask(&bench))).await {
            let ended = ended?;
            if ended.is_err() {
                return failed(format!("one of {AT_ONCE} concurrent calls {why}: {}", told(&ended)));
            }
        }
        let logins = bench.count(Part::Login) - logins;
        if logins != 1 {
            return failed(format!("{AT_ONCE} concurrent calls {why} logged in {logins} times, not once"));
        }
    }
    Ok(format!(
        "{AT_ONCE} concurrent calls logged in once: without a token, at its end, and when the source dropped it"
    ))
}

/// How long a token of the scripted source lives.
fn lifetime(kit: &Kit) -> i64 {
    match kit.connector.manifest().auth.first().map(|recipe| &recipe.method) {
        Some(AuthMethod::Login(login)) => match &login.lifetime {
            TokenLifetime::Seconds(seconds) => i64::from(*seconds),
            TokenLifetime::Answer(_) => TOKEN_SECONDS,
        },
        _ => TOKEN_SECONDS,
    }
}

pub(super) async fn token_expires_midwalk(kit: &Kit) -> Found {
    needs_login(&kit.bench()?)?;
    let lists = kit.lists();
    if lists.is_empty() {
        return skipped("the connector reads no list");
    }
    let mut evidence = Vec::new();
    for (list, kind) in lists {
        let rows = kit.description.routes.iter().filter(|route| route.list.as_ref() == Some(&kind.name));
        let rows = rows.filter_map(|route| route.page.as_ref()).map(|page| page.rows).next().unwrap_or(3);
        let count = rows * 2 + 1;
        let whole = kit.bench()?;
        whole.seed(&kind.name, count);
        whole.walk(list, None).await?;
        let requests = whole.requests();
        for number in 0..requests {
            let bench = kit.bench()?;
            let ids = bench.seed(&kind.name, count);
            // The first token is there before the walk, so that there is always one to lose.
            ask(&bench).await?.or_else(|error| failed(format!("the first call: {}", told(&Err(error)))))?;
            let logins = bench.count(Part::Login);
            bench.trouble(nth(number, Trouble::Revoked));
            let walked = bench
                .walk(list, None)
                .await
                .or_else(|end| failed(format!("{}: the token went before request {}: {end}", list.name, number + 1)))?;
            let brought: Vec<String> =
                walked.items.iter().filter_map(|item| shown(item, list.shows.id.as_ref())).collect();
            if let Some(lost) = ids.iter().find(|id| !brought.contains(id)) {
                return failed(format!(
                    "{}: the token went before request {}, and record {lost} of {count} was not brought",
                    list.name,
                    number + 1
                ));
            }
            let logins = bench.count(Part::Login) - logins;
            if logins != 1 {
                return failed(format!(
                    "{}: the token went before request {}, and {logins} logins followed, not one",
                    list.name,
                    number + 1
                ));
            }
        }
        evidence.push(format!(
            "{}: the token gone before each of {requests} requests, {count} of {count} brought, one login each",
            list.name
        ));
    }
    Ok(evidence.join("; "))
}

/// Trouble at one request, counted from 0 and without logins.
fn nth(number: usize, trouble: Trouble) -> impl FnMut(&Seen) -> Option<Trouble> + Send {
    let mut seen_so_far = 0;
    move |seen| {
        if seen.part == Part::Login {
            return None;
        }
        seen_so_far += 1;
        (seen_so_far == number + 1).then(|| trouble.clone())
    }
}

pub(super) async fn refresh_rejected_needs_reauth(kit: &Kit) -> Found {
    let (mut calls, mut logins) = (0, 0);
    for operation in kit.operations() {
        if operation.skip.contains_key("refresh-rejected-needs-reauth") {
            continue;
        }
        let (bench, id) = kit.ready(operation)?;
        needs_login(&bench)?;
        ask(&bench).await?.or_else(|error| failed(format!("the first call: {}", told(&Err(error)))))?;
        bench.state().credential.revoke();
        bench.state().credential.refuses_logins = true;
        for _ in 0..2 {
            let before = bench.count(Part::Login);
            let ended = bench.perform(operation, &id).await?;
            let attempts = bench.count(Part::Login) - before;
            if word(&ended) != "auth-rejected" {
                return failed(format!(
                    "{}: the token is gone and logins are refused: expected auth-rejected, seen {}",
                    operation.name,
                    told(&ended)
                ));
            }
            if attempts > LOGINS_OF_A_CALL {
                return failed(format!(
                    "{}: {attempts} logins in one call after the first was refused; accounts are locked for that",
                    operation.name
                ));
            }
            (calls, logins) = (calls + 1, logins + attempts);
        }
    }
    if calls == 0 {
        return skipped("the description has no operation that needs the account");
    }
    Ok(format!("{calls} calls, all auth-rejected, {logins} logins in all"))
}

pub(super) async fn auth_never_cross_host(kit: &Kit) -> Found {
    const ELSEWHERE: &str = "https://elsewhere.test/collect";
    let mut calls = 0;
    for operation in kit.operations().into_iter().filter(|operation| !operation.is_write()) {
        for redirect in [None, Some(301), Some(302), Some(303), Some(307), Some(308)] {
            let (bench, id) = kit.ready(operation)?;
            if let Some(kind) = &operation.record {
                let ids: Vec<String> =
                    bench.state().records[kind].all().iter().map(|record| record.id.clone()).collect();
                for id in ids {
                    bench.state().records_mut(kind).edit(&id, |record| point_elsewhere(record, ELSEWHERE));
                }
            }
            if let Some(status) = redirect {
                let headers = BTreeMap::from([("location".to_owned(), ELSEWHERE.to_owned())]);
                let moved = Answer { headers, ..Answer::json(status, "{}") };
                bench.trouble(move |seen| (seen.part != Part::Login).then(|| Trouble::Instead(moved.clone())));
            }
            let ended = bench.perform(operation, &id).await?;
            if let (Some(status), true) = (redirect, ended.is_ok()) {
                return failed(format!(
                    "{}: a redirect ({status}) to another host passes for an answer",
                    operation.name
                ));
            }
            calls += 1;
            if let Some(stray) = kit.take_strays().first() {
                return failed(format!("{}: a request went to another host: {stray}", operation.name));
            }
        }
    }
    if calls == 0 {
        return skipped("the description has no reading operation");
    }
    Ok(format!(
        "{calls} calls over records full of foreign addresses and five kinds of redirects: no request to another host, none denied"
    ))
}

/// Every absolute URL in a record becomes another one.
fn point_elsewhere(value: &mut Value, elsewhere: &str) {
    match value {
        Value::String(text) if text.starts_with("https://") || text.starts_with("http://") => {
            elsewhere.clone_into(text);
        }
        Value::Array(items) => items.iter_mut().for_each(|item| point_elsewhere(item, elsewhere)),
        Value::Object(fields) => fields.values_mut().for_each(|item| point_elsewhere(item, elsewhere)),
        _ => {}
    }
}
