//! What a hostile or broken server may answer: the HS cases, redirects, truncation, time.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};

use super::*;

fn gzip(body: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(body).unwrap();
    encoder.finish().unwrap()
}

fn zlib(body: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(body).unwrap();
    encoder.finish().unwrap()
}

fn raw_deflate(body: &[u8]) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(body).unwrap();
    encoder.finish().unwrap()
}

fn encoded(coding: &str, body: &[u8]) -> Vec<u8> {
    answer("200 OK", &[&format!("content-encoding: {coding}")], body)
}

/// What becomes of these bytes as an answer.
async fn outcome(bytes: Vec<u8>) -> Result<Response, SendError> {
    let server = RawServer::answering(bytes).await;
    Account::at(&server.origin()).timeouts(hasty()).exchange().send(post("/", "{}")).await
}

/// The text of an answer that the host does not accept.
async fn protocol(bytes: Vec<u8>) -> String {
    match outcome(bytes).await {
        Err(error @ SendError::Protocol(_)) => {
            assert!(error.may_have_been_sent());
            error.to_string()
        }
        other => panic!("expected a protocol error, got {other:?}"),
    }
}

async fn in_doubt(bytes: Vec<u8>) -> String {
    match outcome(bytes).await {
        Err(SendError::InDoubt(text)) => text,
        other => panic!("expected an outcome in doubt, got {other:?}"),
    }
}

#[tokio::test]
async fn hc_47_to_50_redirects_are_answers() {
    let elsewhere = RawServer::answering(ok("followed")).await;
    let (there, itself) = (elsewhere.origin(), "/");
    for location in [there.as_str(), "http://169.254.169.254/latest/meta-data/", "http://shop.example/", itself] {
        for status in ["301 Moved", "302 Found", "303 See Other", "307 Temporary Redirect", "308 Permanent Redirect"] {
            let server = RawServer::answering(answer(status, &[&format!("location: {location}")], b"")).await;
            let response = Account::at(&server.origin()).exchange().send(get("/")).await.unwrap();
            assert_eq!(response.status.to_string(), status[..3]);
            assert!(response.headers.contains(&("location".to_owned(), location.to_owned())));
            assert_eq!(server.requests().len(), 1);
        }
    }
    assert_eq!(elsewhere.connections(), 0);
}

#[tokio::test]
async fn hs_01_a_gzip_bomb_is_refused() {
    let bomb = gzip(&vec![0; 10 * 1024 * 1024]);
    assert!(protocol(encoded("gzip", &bomb)).await.contains("bomb"));
    assert!(protocol(encoded("deflate", &zlib(&vec![0; 10 * 1024 * 1024]))).await.contains("bomb"));
}

#[tokio::test]
async fn hs_01_decoded_bytes_count_against_the_call() {
    // Compresses some ten times: no bomb, but too much.
    let page = (0_u64..120_000).fold(String::new(), |page, n| {
        let digits = n.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40;
        page + &format!("{digits:016x},")
    });
    let server = RawServer::answering(encoded("gzip", &gzip(page.as_bytes()))).await;
    let limits = HttpLimits { bytes_in: 1024 * 1024, ..HttpLimits::default() };
    let error = Account::at(&server.origin()).door().exchange(limits).send(get("/")).await.unwrap_err();
    assert_eq!(error, SendError::Budget(BudgetExceeded { limit: Limit::BytesIn, allowed: 1024 * 1024, sent: true }));
    assert!(error.may_have_been_sent());
}

#[tokio::test]
async fn hs_01_wire_bytes_that_decode_to_nothing_have_a_limit_too() {
    // Empty stored blocks, for ever.
    let server = RawServer::start(|mut connection| async move {
        connection.write_all(b"HTTP/1.1 200 OK\r\ncontent-encoding: deflate\r\nconnection: close\r\n\r\n").await?;
        let blocks = [0, 0, 0, 0xff, 0xff].repeat(4096);
        loop {
            connection.write_all(&blocks).await?;
        }
    })
    .await;
    let limits = HttpLimits { bytes_in: 256 * 1024, ..HttpLimits::default() };
    let error = Account::at(&server.origin()).door().exchange(limits).send(get("/")).await.unwrap_err();
    assert!(matches!(error, SendError::Budget(BudgetExceeded { limit: Limit::BytesIn, .. })), "{error}");
}

#[tokio::test]
async fn small_answers_may_compress_well() {
    let body = vec![b' '; 60 * 1024];
    assert_eq!(outcome(encoded("gzip", &gzip(&body))).await.unwrap().body, body);
}

#[tokio::test]
async fn hs_02_one_layer_of_gzip_or_deflate_is_decoded() {
    let text = br#"{"orders":[{"id":"W00123","total":"12.10"}]}"#.as_slice();
    let members = [gzip(&text[..10]), gzip(&text[10..])].concat();
    for (coding, body) in [
        ("gzip", gzip(text)),
        ("GZIP", gzip(text)),
        ("x-gzip", gzip(text)),
        ("gzip", members),
        ("deflate", zlib(text)),
        ("deflate", raw_deflate(text)),
        ("identity", text.to_vec()),
        ("", text.to_vec()),
    ] {
        let response = outcome(encoded(coding, &body)).await.unwrap();
        assert_eq!(response.body, text, "{coding}");
        assert!(response.headers.iter().all(|(name, _)| name != "content-encoding" && name != "content-length"));
    }
    assert_eq!(outcome(encoded("gzip", b"")).await.unwrap().body, "", "an empty body needs no decoding");
}

#[tokio::test]
async fn hs_02_other_and_nested_encodings_are_refused() {
    let body = gzip(&gzip(b"{}"));
    for (coding, reason) in [
        ("gzip, gzip", "more than once"),
        ("gzip\r\ncontent-encoding: gzip", "more than once"),
        ("deflate, gzip, br", "more than once"),
        ("br", "only gzip and deflate"),
        ("zstd", "only gzip and deflate"),
        ("compress", "only gzip and deflate"),
    ] {
        let text = protocol(encoded(coding, &body)).await;
        assert!(text.contains(reason), "{coding}: {text}");
    }
}

#[tokio::test]
async fn damaged_and_cut_compressed_bodies_are_errors() {
    let whole = gzip(b"a list of orders that is longer than one line");
    let mut wrong_sum = whole.clone();
    let sum = wrong_sum.len() - 6;
    wrong_sum[sum] ^= 0xff;
    for (what, coding, body) in [
        ("cut", "gzip", whole[..whole.len() - 12].to_vec()),
        ("without checksum", "gzip", whole[..whole.len() - 8].to_vec()),
        ("wrong checksum", "gzip", wrong_sum),
        ("not gzip", "gzip", b"<html>".to_vec()),
        ("one byte", "deflate", vec![0x78]),
        ("cut", "deflate", zlib(b"a list of orders")[..10].to_vec()),
        ("not deflate", "deflate", b"\xff\xff\xff\xff".to_vec()),
    ] {
        let text = protocol(encoded(coding, &body)).await;
        assert!(text.contains("damaged"), "{what}: {text}");
    }
}

/// Sends `start`, then `piece` again and again, slowly.
async fn dripping(start: &'static [u8], piece: &'static [u8]) -> RawServer {
    RawServer::start(move |mut connection| async move {
        connection.write_all(start).await?;
        let mut tick = tokio::time::interval(Duration::from_millis(20));
        loop {
            tick.tick().await;
            connection.write_all(piece).await?;
        }
    })
    .await
}

#[tokio::test]
async fn hs_03_slow_headers_run_into_the_first_byte_deadline() {
    let server = dripping(b"HTTP/1.1 200 OK\r\nx-slow: ", b"a").await;
    let outcome = Account::at(&server.origin()).timeouts(hasty()).exchange().send(post("/", "{}")).await;
    assert_eq!(outcome.unwrap_err(), SendError::InDoubt("no answer came in time".to_owned()));
}

#[tokio::test]
async fn hs_04_a_slow_body_is_cut_off() {
    let server = dripping(b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n", b"a").await;
    let outcome = Account::at(&server.origin()).timeouts(hasty()).exchange().send(get("/")).await;
    assert!(
        matches!(outcome, Err(SendError::InDoubt(ref text)) if text.contains("slower than 1024 bytes")),
        "{outcome:?}"
    );
}

#[tokio::test]
async fn hs_04_a_body_that_stops_is_cut_off() {
    let server = RawServer::start(|mut connection| async move {
        connection.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc").await?;
        std::future::pending().await
    })
    .await;
    let outcome = Account::at(&server.origin()).timeouts(hasty()).exchange().send(get("/")).await;
    assert!(
        matches!(outcome, Err(SendError::InDoubt(ref text)) if text.contains("stopped after 3 bytes")),
        "{outcome:?}"
    );
}

#[tokio::test]
async fn a_request_has_a_total_deadline() {
    // Fast enough for every other limit.
    let server = dripping(b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n", &[b'a'; 512]).await;
    let limits = HttpLimits { each: Duration::from_millis(400), ..HttpLimits::default() };
    let started = std::time::Instant::now();
    let outcome = Account::at(&server.origin()).door().exchange(limits).send(get("/")).await;
    assert!(matches!(outcome, Err(SendError::InDoubt(_))), "{outcome:?}");
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
}

#[tokio::test]
async fn hs_05_an_endless_body_ends_at_the_budget() {
    let server = RawServer::start(|mut connection| async move {
        connection.write_all(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n").await?;
        let chunk = [b"4000\r\n".as_slice(), &[b'a'; 0x4000], b"\r\n"].concat();
        loop {
            connection.write_all(&chunk).await?;
        }
    })
    .await;
    let exchange = Account::at(&server.origin()).exchange();
    let error = exchange.send(get("/")).await.unwrap_err();
    assert_eq!(
        error,
        SendError::Budget(BudgetExceeded { limit: Limit::BytesIn, allowed: 16 * 1024 * 1024, sent: true })
    );
    assert!(exchange.usage().bytes_in <= 16 * 1024 * 1024);
}

#[tokio::test]
async fn hs_06_header_floods_are_refused() {
    let flood = |count: usize, value: usize| {
        let lines: Vec<String> = (0..count).map(|number| format!("x-{number}: {}", "a".repeat(value))).collect();
        answer("200 OK", &lines.iter().map(String::as_str).collect::<Vec<_>>(), b"ok")
    };
    assert!(outcome(flood(90, 10)).await.is_ok());
    assert!(protocol(flood(70, 1024)).await.contains("headers of"));
    for bytes in [flood(10_000, 10), flood(101, 1), flood(1, 1024 * 1024)] {
        let error = outcome(bytes).await.unwrap_err();
        assert!(error.may_have_been_sent(), "{error}");
    }
}

#[tokio::test]
async fn hs_07_broken_framing_is_an_error_and_never_a_part_of_an_answer() {
    for (what, bytes) in [
        ("short body", "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n[{\"id\":1},"),
        ("no last chunk", "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\n[1,2,\r\n"),
        ("short chunk", "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nff\r\n[1,2,"),
        ("bad chunk size", "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n[1]\r\n0\r\n\r\n"),
        (
            "huge chunk size",
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nfffffffffffffffff\r\n[1]\r\n0\r\n\r\n",
        ),
        ("two lengths", "HTTP/1.1 200 OK\r\ncontent-length: 3\r\ncontent-length: 5\r\n\r\n[1]  "),
        ("negative length", "HTTP/1.1 200 OK\r\ncontent-length: -3\r\n\r\n[1]"),
        ("no answer", ""),
        ("half a head", "HTTP/1.1 200 OK\r\ncontent-"),
        ("not HTTP", "SSH-2.0-OpenSSH_9.6\r\n"),
    ] {
        let text = in_doubt(bytes.into()).await;
        assert!(!text.is_empty(), "{what}");
    }
    let both = "HTTP/1.1 200 OK\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\n3\r\n[1]\r\n0\r\n\r\n";
    let error = outcome(both.into()).await.unwrap_err();
    assert!(error.may_have_been_sent(), "length and chunks at once: {error}");
}

#[tokio::test]
async fn hs_08_endless_interim_answers_run_into_the_deadline() {
    let server = RawServer::start(|mut connection| async move {
        loop {
            connection.write_all(b"HTTP/1.1 103 Early Hints\r\nlink: <x>\r\n\r\n").await?;
        }
    })
    .await;
    let outcome = Account::at(&server.origin()).timeouts(hasty()).exchange().send(get("/")).await;
    assert!(matches!(outcome, Err(SendError::InDoubt(_))), "{outcome:?}");
}

#[tokio::test]
async fn hs_11_what_does_not_speak_tls_is_not_sent_anything() {
    let server = RawServer::answering(ok("plain")).await;
    let origin = format!("https://{}", server.address);
    let exchange = Account::at(&origin).timeouts(hasty()).exchange();
    let outcome = exchange.send(post("/", "{}")).await;
    assert!(matches!(outcome, Err(SendError::NotSent(_))), "{outcome:?}");
    assert!(!exchange.usage().wrote);
}

#[tokio::test]
async fn hs_12_a_server_that_never_answers_leaves_the_outcome_in_doubt() {
    let server = RawServer::start(|connection| async move {
        let _kept_open = connection;
        std::future::pending().await
    })
    .await;
    let exchange = Account::at(&server.origin()).timeouts(hasty()).exchange();
    let error = exchange.send(post("/orders", "{}")).await.unwrap_err();
    assert_eq!(error, SendError::InDoubt("no answer came in time".to_owned()));
    assert!(error.may_have_been_sent() && exchange.usage().wrote);
}

#[tokio::test]
async fn hs_13_cookies_are_neither_shown_nor_sent_back() {
    let server = RawServer::answering(answer("200 OK", &["set-cookie: session=tracker; Path=/"], b"ok")).await;
    let exchange = Account::at(&server.origin()).exchange();
    for _ in 0..2 {
        let response = exchange.send(get("/")).await.unwrap();
        assert!(response.headers.iter().all(|(name, value)| name != "set-cookie" && !value.contains("tracker")));
    }
    assert!(server.requests().iter().all(|request| !request.to_ascii_lowercase().contains("cookie")));
}

#[tokio::test]
async fn nf_01_a_refused_connection_sends_nothing() {
    let (_held, address) = refusing_port();
    let exchange = Account::at(&format!("http://{address}")).exchange();
    let outcome = exchange.send(post("/orders", "{}")).await;
    assert!(matches!(outcome, Err(SendError::NotSent(ref text)) if text.contains("no connection")), "{outcome:?}");
    assert!(!exchange.usage().wrote);
}

#[tokio::test]
async fn nf_11_a_reset_after_the_request_leaves_the_outcome_in_doubt() {
    let server = RawServer::start(|connection| async move {
        // Closed with a reset instead of an end.
        connection.set_zero_linger()
    })
    .await;
    let exchange = Account::at(&server.origin()).exchange();
    let outcome = exchange.send(post("/orders", "{}")).await;
    assert!(matches!(outcome, Err(SendError::InDoubt(_))), "{outcome:?}");
    assert!(exchange.usage().wrote);
    assert_eq!(server.requests().len(), 1, "and it is not sent again");
}

#[tokio::test]
async fn a_request_that_is_dropped_under_way_counts_as_written() {
    let server = RawServer::start(|connection| async move {
        let _kept_open = connection;
        std::future::pending().await
    })
    .await;
    let exchange = Account::at(&server.origin()).exchange();
    {
        let call = exchange.send(post("/orders", "{}"));
        tokio::pin!(call);
        while server.requests().is_empty() {
            tokio::select! {
                biased;
                outcome = &mut call => panic!("the server does not answer: {outcome:?}"),
                () = tokio::task::yield_now() => {}
            }
        }
    }
    assert!(exchange.usage().wrote);
}

/// A server that closes kept connections leaves a `once` request in doubt only if it travels on one.
#[tokio::test]
async fn once_requests_travel_on_new_connections() {
    let server = RawServer::start(|mut connection| async move {
        connection.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").await?;
        while read_request(&mut connection).await.is_some() {
            connection.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nagain").await?;
        }
        Ok(())
    })
    .await;
    let exchange = Account::at(&server.origin()).exchange();
    assert_eq!(exchange.send(get("/")).await.unwrap().body, "ok");
    assert_eq!(exchange.send(post("/", "{}")).await.unwrap().body, "ok");
    assert_eq!(exchange.send(post("/", "{}")).await.unwrap().body, "ok");
    assert_eq!(server.connections(), 3);
}

#[tokio::test]
async fn any_status_is_an_answer() {
    for status in
        ["204 No Content", "304 Not Modified", "401 Unauthorized", "404 Not Found", "429 Slow", "500 Oops", "503 Later"]
    {
        let bodiless = status.starts_with("204") || status.starts_with("304");
        let response = outcome(answer(status, &["retry-after: 5"], if bodiless { b"" } else { b"why" })).await.unwrap();
        assert_eq!(response.status.to_string(), status[..3]);
        assert!(response.headers.contains(&("retry-after".to_owned(), "5".to_owned())));
    }
}
