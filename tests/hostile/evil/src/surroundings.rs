//! Looking around: environment, arguments, files, sockets, names, processes. A sandbox has none of them.

use std::net::{TcpStream, ToSocketAddrs, UdpSocket};
use std::{env, fs, process, thread};

use crate::{Findings, found};

#[allow(clippy::needless_pass_by_value, reason = "results are made for this")]
fn outcome<T, E: std::fmt::Display>(result: Result<T, E>) -> String {
    match result {
        Ok(_) => "open".to_owned(),
        Err(_) => "closed".to_owned(),
    }
}

/// Tries each door and says whether it opened.
pub(crate) fn explore() -> Findings {
    Ok(vec![
        found("environment", env::vars_os().count()),
        found("arguments", env::args_os().count()),
        found("root directory", outcome(fs::read_dir("/"))),
        found("working directory", outcome(fs::read_dir("."))),
        found("a file", outcome(fs::read("/etc/passwd"))),
        found("a new file", outcome(fs::write("/tmp/evil", b"x"))),
        found("tcp", outcome(TcpStream::connect("127.0.0.1:80"))),
        found("udp", outcome(UdpSocket::bind("127.0.0.1:0"))),
        found("names", outcome("localhost:80".to_socket_addrs())),
        found("processes", outcome(process::Command::new("/bin/sh").spawn())),
        found("threads", outcome(thread::Builder::new().spawn(|| ()))),
    ])
}
