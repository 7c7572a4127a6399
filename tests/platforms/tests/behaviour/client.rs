//! A small HTTP client that hides nothing: it shows a reset as a reset and an answer that breaks off as what arrived of it.

use std::fmt::Write;
use std::io::{self, ErrorKind};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tradepost_platforms::{Credentials, Platform};

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("the body is text")
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error} in {}", self.text()))
    }

    /// Whether fewer bytes came than the header promised.
    pub(crate) fn is_truncated(&self) -> bool {
        let promised: usize = self.header("content-length").expect("a length").parse().expect("a number");
        self.body.len() < promised
    }

    /// The values of a field of each item of a list.
    pub(crate) fn each(&self, field: &str) -> Vec<Value> {
        self.json().as_array().expect("a list").iter().map(|item| item[field].clone()).collect()
    }
}

/// A client of one marketplace with the headers that it sends each time.
#[derive(Clone)]
pub(crate) struct Client {
    root_url: String,
    headers: Vec<(String, String)>,
}

impl Client {
    /// A client that says nothing about itself.
    pub(crate) fn anonymous(platform: &dyn Platform) -> Self {
        Self { root_url: platform.root_url().to_owned(), headers: Vec::new() }
    }

    /// A client with HTTP Basic.
    pub(crate) fn basic(platform: &dyn Platform, user: Credentials) -> Self {
        Self::anonymous(platform).with_basic(user.username, user.password)
    }

    pub(crate) fn with_basic(self, username: &str, password: &str) -> Self {
        self.with("authorization", &format!("Basic {}", BASE64_STANDARD.encode(format!("{username}:{password}"))))
    }

    /// A client that has logged in to hardtofind.
    pub(crate) async fn logged_in(platform: &dyn Platform) -> Self {
        let client = Self::anonymous(platform);
        let Credentials { username, password } = platform.credentials();
        let body = serde_json::json!({"username": username, "password": password});
        let answer = client.post("/authenticate", &body).await;
        let token = answer.json()["token"].as_str().expect("a token").to_owned();
        client.with("x-auth-token", &token)
    }

    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send("GET", path, None, "").await.expect(path)
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Answer {
        self.json("POST", path, body).await
    }

    pub(crate) async fn put(&self, path: &str, body: &Value) -> Answer {
        self.json("PUT", path, body).await
    }

    pub(crate) async fn json(&self, method: &str, path: &str, body: &Value) -> Answer {
        self.send(method, path, Some("application/json"), &body.to_string()).await.expect(path)
    }

    /// Sends a request on a connection of its own and reads until the other side ends it. A connection that ends without a status
    /// line is an error.
    pub(crate) async fn send(
        &self,
        method: &str,
        path: &str,
        media_type: Option<&str>,
        body: &str,
    ) -> io::Result<Answer> {
        let address = self.root_url.strip_prefix("http://").expect("a url");
        let (host, prefix) = address.split_at(address.find('/').unwrap_or(address.len()));
        let mut request = format!("{method} {prefix}{path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n");
        // Writing to a string cannot fail.
        for (name, value) in &self.headers {
            let _ = write!(request, "{name}: {value}\r\n");
        }
        if let Some(media_type) = media_type {
            let _ = write!(request, "content-type: {media_type}\r\n");
        }
        if !body.is_empty() {
            let _ = write!(request, "content-length: {}\r\n", body.len());
        }
        request += "\r\n";
        request += body;
        let mut stream = TcpStream::connect(host).await?;
        stream.write_all(request.as_bytes()).await?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await?;
        parse(&answer)
    }
}

fn parse(answer: &[u8]) -> io::Result<Answer> {
    let end = answer
        .windows(4)
        .position(|window| window == b"\r\n\r\n")
        .ok_or_else(|| io::Error::new(ErrorKind::UnexpectedEof, "no answer"))?;
    let head = std::str::from_utf8(&answer[..end]).expect("the head is text");
    let mut lines = head.split("\r\n");
    let status =
        lines.next().and_then(|line| line.split(' ').nth(1)).and_then(|code| code.parse().ok()).expect("a status");
    let headers = lines
        .filter_map(|line| line.split_once(": ").map(|(name, value)| (name.to_owned(), value.to_owned())))
        .collect();
    Ok(Answer { status, headers, body: answer[end + 4..].to_vec() })
}
