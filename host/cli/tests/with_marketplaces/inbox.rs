//! What a platform sends by itself, received by the command.

use std::io::{Read, Write};
use std::net::TcpStream;

use serde_json::Value;
use tradepost_platforms::SentSecret;

use crate::desk::{Daemon, Production};

/// Where it says that an account's webhooks come to.
fn url(receiver: &Daemon) -> String {
    let line = receiver.at_first.iter().find(|line| line.contains("webhooks come to")).unwrap();
    line.rsplit(' ').next().unwrap().to_owned()
}

/// Sends bytes to where an URL leads and gives the status line of the answer.
fn raw(url: &str, request: &str) -> String {
    let address = url.strip_prefix("http://").unwrap().split('/').next().unwrap();
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    // A refusal may come with a reset before everything was read; what came before it counts.
    let _cut_off = stream.read_to_string(&mut answer);
    answer.lines().next().unwrap_or_default().to_owned()
}

fn told(production: &Production) -> Vec<Value> {
    production.desk.objects(&["events", "--kind", "order-statuses"])
}

#[cfg(unix)]
#[test]
fn webhooks_are_received_beside_a_daemon_and_told_of_once() {
    let production = Production::start();
    let desk = &production.desk;
    let daemon = Daemon::start(desk);
    let receiver = Daemon::start_as(desk, &["webhook-listen", "--address", "127.0.0.1:0"]);
    let (url, shop) = (url(&receiver), production.platform.shop());
    assert!(url.ends_with("/webhooks/producer"), "{url}");
    shop.send_webhooks_to(format!("{url}/order-status"), shop.webhook_secret());
    production.asynchronous.block_on(async {
        shop.announce("77", "Production", SentSecret::Right);
        shop.announce("77", "Production", SentSecret::Right);
        shop.announce("77", "Cancelled by a stranger", SentSecret::Wrong);
        let deliveries = shop.settled_deliveries().await;
        let statuses: Vec<u16> = deliveries.iter().map(|delivery| delivery.answer.as_ref().unwrap().status).collect();
        assert_eq!(statuses, [200, 200, 401]);
        assert!(deliveries[0].answer.as_ref().unwrap().body.contains("success"), "the connector's own answer");
    });
    let events = told(&production);
    assert_eq!((events.len(), &events[0]["id"]), (1, &"77".into()));
    assert_eq!(desk.object(&["status"])["deliveries"]["read"], 1);

    let host = "host: x\r\nconnection: close\r\n";
    let lost = raw(&url, &format!("POST /webhooks/nobody HTTP/1.1\r\n{host}content-length: 0\r\n\r\n"));
    assert!(lost.contains("404"), "{lost}");
    let large = raw(&url, &format!("POST /webhooks/producer HTTP/1.1\r\n{host}content-length: 2000000\r\n\r\n"));
    assert!(large.contains("413"), "{large}");
    let long = raw(&url, &format!("POST /webhooks/producer HTTP/1.1\r\n{host}x-long: {}\r\n\r\n", "x".repeat(100_000)));
    assert!(long.contains("431") || long.contains("413"), "{long}");
    assert_eq!(receiver.terminate(), 0);
    assert_eq!(daemon.terminate(), 0);
}

#[cfg(unix)]
#[test]
fn a_daemon_that_was_killed_after_its_answer_has_the_event() {
    let production = Production::start();
    let desk = &production.desk;
    let daemon = Daemon::start_as(desk, &["run", "--webhooks", "127.0.0.1:0"]);
    let shop = production.platform.shop();
    shop.send_webhooks_to(format!("{}/order-status", url(&daemon)), shop.webhook_secret());
    production.asynchronous.block_on(async {
        shop.announce("78", "Production", SentSecret::Right);
        assert_eq!(shop.settled_deliveries().await[0].answer.as_ref().unwrap().status, 200);
    });
    daemon.kill();
    assert_eq!(told(&production).len(), 1);
}
