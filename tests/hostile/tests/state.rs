//! What a call may leave behind and what it may say when it ends: nothing, and nothing harmful (HC-30 to HC-32, HC-38,
//! HC-69 to HC-71, HC-87).

use tradepost_hostile::stage::{BYSTANDER, tight};
use tradepost_hostile::{CoreModule, EvilAccount, Stage, evil};
use tradepost_runtime::commerce::ListQuery;
use tradepost_runtime::errors::{Error, ErrorKind};
use tradepost_runtime::{CallError, Connector, Limits, Storage};

/// Text that would clear a terminal, forge a line, and reverse what follows.
const HOSTILE: &str = "\u{1b}[2Jboo\r\n2026-01-01 ERROR forged\u{202e}\0";

/// A kibibyte: what is kept of a trap's message.
const MESSAGE_BYTES: usize = 1024;

/// Two thousand characters of [`HOSTILE`] text and more.
fn long_and_hostile() -> String {
    HOSTILE.repeat(200)
}

fn assert_harmless(place: &str, text: &str) {
    let harmful = text.chars().find(|character| character.is_control() || *character == '\u{202e}');
    assert_eq!(harmful, None, "{place}: {text:?}");
}

async fn evil_stage(limits: Limits) -> (Stage, Connector) {
    let stage = Stage::new(limits).await;
    let connector = stage.runtime.load(evil::component()).await.expect("it loads");
    (stage, connector)
}

async fn failure(stage: &Stage, connector: &Connector, account: &EvilAccount) -> CallError {
    let account = account.open(stage, connector);
    let error = stage.during(account.check()).await.result.expect_err("this attack fails");
    stage.assert_nothing_stored().await;
    error
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hc_30_a_panics_message_arrives_escaped_and_cut() {
    let (stage, connector) = evil_stage(tight()).await;
    let account = EvilAccount::new("panic").with("text", format!("the reason: {}", long_and_hostile()));
    let error = failure(&stage, &connector, &account).await;
    let shown = error.to_string();
    let CallError::Trap { connector, operation, message } = error else { panic!("expected a trap, got {error:?}") };
    assert_eq!((connector.as_str(), operation.as_str()), ("evil 0.1.0", "connector.check"));
    assert!(message.contains("the reason: \\u{1b}[2Jboo\\r\\n2026-01-01 ERROR forged\\u{202e}"), "{message}");
    assert!(message.len() <= MESSAGE_BYTES, "{} bytes", message.len());
    assert_harmless("the message", &message);
    assert_harmless("the error as shown", &shown);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hc_30_38_aborting_leaving_and_breaking_off_roll_the_call_back() {
    let (stage, connector) = evil_stage(tight()).await;
    for case in ["abort", "exit"] {
        let error = failure(&stage, &connector, &EvilAccount::new(case)).await;
        assert!(matches!(error, CallError::Trap { .. }), "{case}: {error:?}");
        assert!(error.is_guest_fault(), "{case}");
    }
    let unreachable = stage.attack(&CoreModule::checking("(unreachable)")).await.result;
    assert!(
        matches!(&unreachable, CallError::Trap { message, .. } if message.contains("unreachable")),
        "{unreachable:?}"
    );
    let divided = stage.attack(&CoreModule::checking("(i32.div_u (i32.const 1) (i32.const 0))")).await.result;
    assert!(matches!(&divided, CallError::Trap { message, .. } if message.contains("divide by zero")), "{divided:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hc_31_a_call_after_a_trap_begins_afresh() {
    let stage = Stage::new(tight()).await;
    // A counter in a global: it would be 2 in the second call if the instance were used again.
    let module = CoreModule {
        items: "(global $calls (mut i32) (i32.const 0))".into(),
        check: "(global.set $calls (i32.add (global.get $calls) (i32.const 1)))
            (if (i32.ne (global.get $calls) (i32.const 1)) (then (loop $forever (br $forever))))
            (unreachable)"
            .into(),
        ..CoreModule::default()
    };
    let connector = stage.runtime.load(module.component()).await.expect("it loads");
    let account = stage.open(&connector);
    for call in 1..=3 {
        let error = stage.during(account.check()).await.result.expect_err("each call traps");
        assert!(
            matches!(&error, CallError::Trap { message, .. } if message.contains("unreachable")),
            "call {call}: {error}"
        );
    }
    stage.assert_nothing_stored().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hc_32_statics_of_one_tenant_are_not_there_for_the_next() {
    // One slot beside the bystander's: both tenants get the same memory, one after the other.
    let stage = Stage::with_pool(tradepost_runtime::Runtime::builder().limits(tight()), 2).await;
    let connector = stage.runtime.load(evil::component()).await.expect("it loads");
    for (tenant, text) in [("alice/evil", "alice's secret"), ("mallory/evil", "x"), ("alice/evil", "y")] {
        let account = EvilAccount { id: tenant.into(), ..EvilAccount::new("statics").with("text", text) };
        assert_eq!(account.findings(&stage, &connector).await.get("before"), "", "{tenant}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hc_32_memory_of_the_last_instance_is_zero_for_the_next() {
    let stage = Stage::with_pool(tradepost_runtime::Runtime::builder().limits(tight()), 1).await;
    let grow = "(drop (memory.grow (i32.const 64)))";
    let writes = CoreModule::checking(format!(
        "{grow} (memory.fill (i32.const 262144) (i32.const 90) (i32.const 4194304)) (unreachable)"
    ));
    stage.attack(&writes).await;
    // Another component, so that not even the image is the same.
    let reads = CoreModule::checking(format!(
        "(local $at i32) {grow}
         (local.set $at (i32.const 262144))
         (loop $next
           (if (i32.load8_u (local.get $at)) (then (unreachable)))
           (br_if $next (i32.lt_u (local.tee $at (i32.add (local.get $at) (i32.const 64))) (i32.const 4456448))))
         (i32.const 512)"
    ));
    let connector = stage.runtime.load(reads.component()).await.expect("it loads");
    drop(stage.during(stage.open(&connector).check()).await.result.expect("every byte is zero"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connectors_error_arrives_escaped_and_cut_in_every_text() {
    let (stage, connector) = evil_stage(tight()).await;
    for kind in ["conflict", "invalid-input", "partial", "protocol"] {
        let account = EvilAccount::new("hostile-error").with("kind", kind).with("text", long_and_hostile());
        let error = failure(&stage, &connector, &account).await;
        assert_harmless(kind, &error.to_string());
        let CallError::Connector(Error { kind: found, message, detail }) = error else {
            panic!("{kind}: got {error:?}")
        };
        let mut texts = vec![message, detail];
        match found {
            ErrorKind::InvalidInput(issues) => {
                texts.extend(issues.into_iter().flat_map(|issue| [issue.pointer, issue.code, issue.message]));
            }
            ErrorKind::Partial(failures) => {
                texts.extend(failures.into_iter().flat_map(|item| [item.item, item.code, item.message]));
            }
            ErrorKind::Protocol(answer) => texts.extend([answer.pointer, answer.expected, answer.excerpt]),
            ErrorKind::Conflict => {}
            other => panic!("{kind}: became {other:?}"),
        }
        for text in texts {
            assert_harmless(kind, &text);
            assert!(text.len() <= 2 * MESSAGE_BYTES, "{kind}: {} bytes", text.len());
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hc_69_70_a_flood_of_log_lines_is_cut_and_counted() {
    let (stage, connector) = evil_stage(Limits { cpu: std::time::Duration::from_secs(20), ..tight() }).await;
    let account = EvilAccount::new("log-flood").open(&stage, &connector);
    let reply = stage.during(account.check()).await.result.expect("logging too much is no failure");
    assert_eq!(reply.log.len(), 101);
    assert!(reply.log.iter().all(|line| line.message.len() <= 4 << 10));
    assert_eq!(reply.log[0].message.len(), 4 << 10, "the long line is cut, not lost");
    assert_eq!(reply.log[100].fields, [("dropped".to_owned(), "900".to_owned())]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hc_71_log_lines_cannot_be_forged() {
    let (stage, connector) = evil_stage(tight()).await;
    let account = EvilAccount::new("log-forgery").open(&stage, &connector);
    let reply = stage.during(account.check()).await.result.expect("it only logs");
    assert_eq!(reply.log.len(), 1);
    assert_harmless("the line", &reply.log[0].message);
    for (name, value) in &reply.log[0].fields {
        assert_harmless("a field's name", name);
        assert_harmless("a field's value", value);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hc_87_pages_that_lead_nowhere_are_refused_and_leave_nothing() {
    let (stage, connector) = evil_stage(tight()).await;
    for (case, problem) in [("long-cursor", "cursor of 4097 bytes"), ("no-cursor", "no cursor to go on with")] {
        let account = EvilAccount::new(case).open(&stage, &connector);
        let error =
            stage.during(account.list_orders(&ListQuery::default(), None)).await.result.expect_err("the page lies");
        assert!(
            matches!(&error, CallError::InvalidResult { problem: found, .. } if found.contains(problem)),
            "{case}: {error}"
        );
        assert!(error.is_guest_fault() && error.to_string().contains("evil 0.1.0"), "{error}");
        stage.assert_nothing_stored().await;
    }
    let longest = EvilAccount::new("longest-cursor").open(&stage, &connector);
    let reply =
        stage.during(longest.list_orders(&ListQuery::default(), None)).await.result.expect("4096 bytes are allowed");
    assert_eq!(reply.value.next.map(|cursor| cursor.len()), Some(4096));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_sandbox_has_no_environment_files_sockets_or_processes() {
    let (stage, connector) = evil_stage(tight()).await;
    let findings = EvilAccount::new("surroundings").findings(&stage, &connector).await;
    assert_eq!(findings.0.len(), 11);
    for (door, state) in &findings.0 {
        assert!(state == "closed" || state == "0", "{door}: {state}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_bystanders_own_writes_are_kept() {
    // What every other test rests on: a call that succeeds does leave something.
    let stage = Stage::new(tight()).await;
    stage.attack(&CoreModule::checking("(unreachable)")).await;
    assert_eq!(stage.storage.usage(BYSTANDER).await.expect("memory storage answers").keys, 1);
}
