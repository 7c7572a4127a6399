//! A proxy in the environment would take every request past the address check. It is ignored.

use std::process::Command;

use super::*;

/// Set in the child process, to the origin it shall ask.
const TARGET: &str = "TRADEPOST_EGRESS_TEST_TARGET";

/// The environment of this process is shared by all tests, so the test runs itself again in one of its own.
#[tokio::test(flavor = "multi_thread")]
async fn nf_19_a_proxy_in_the_environment_is_ignored() {
    if let Ok(target) = std::env::var(TARGET) {
        assert_eq!(Account::at(&target).exchange().send(get("/")).await.unwrap().body, "direct");
        return;
    }
    let server = RawServer::answering(ok("direct")).await;
    let proxy = RawServer::answering(ok("through the proxy")).await;
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args(["nf_19_a_proxy_in_the_environment_is_ignored", "--nocapture"]).env(TARGET, server.origin());
    for name in ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"] {
        child.env(name, proxy.origin());
    }
    child.env_remove("NO_PROXY").env_remove("no_proxy");
    let output = tokio::task::spawn_blocking(move || child.output()).await.unwrap().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    assert_eq!((server.requests().len(), proxy.connections()), (1, 0));
}
