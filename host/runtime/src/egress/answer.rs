//! Reads an answer: streamed, against the call's budget and the clock, decoded by at most one layer.
//!
//! A complete answer or an error, never a part of one: a truncated list read as the whole is how orders get lost.

use std::io::{self, Write};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use flate2::write::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH, HeaderMap, TRANSFER_ENCODING};
use tokio::time::{Instant, timeout_at};

use super::budget::Budget;
use super::error::SendError;

/// An answer's headers: at most so many, and so many bytes of names and values.
const MAX_HEADERS: usize = 100;
const MAX_HEADER_BYTES: usize = 64 * 1024;

/// How slowly a body may come.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    /// Longest wait between two pieces.
    pub(super) between_bytes: Duration,
    /// From then on a least rate is asked for.
    pub(super) slow_after: Duration,
    /// The least rate, bytes per second over the whole body.
    pub(super) least_rate: u64,
}

/// Refuses header floods and framings that two readers would read differently.
pub(super) fn check_headers(headers: &HeaderMap) -> Result<(), SendError> {
    let bytes: usize = headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
    if headers.len() > MAX_HEADERS || bytes > MAX_HEADER_BYTES {
        return Err(SendError::Protocol(format!(
            "the answer has {} headers of {bytes} bytes; at most {MAX_HEADERS} of {MAX_HEADER_BYTES} bytes are read",
            headers.len()
        )));
    }
    if headers.contains_key(TRANSFER_ENCODING) && headers.contains_key(CONTENT_LENGTH) {
        return Err(SendError::Protocol("the answer has both a length and a transfer encoding".to_owned()));
    }
    Ok(())
}

/// Reads and decodes a body whose headers have come.
pub(super) async fn read_body(
    response: &mut reqwest::Response,
    budget: &Arc<Budget>,
    pace: Pace,
    deadline: Instant,
) -> Result<Bytes, SendError> {
    let mut decoder = Decoder::new(response.headers(), budget)?;
    let started = Instant::now();
    let mut wire: u64 = 0;
    loop {
        let wait_until = deadline.min(Instant::now() + pace.between_bytes);
        let piece = match timeout_at(wait_until, response.chunk()).await {
            Err(_) => {
                return Err(SendError::InDoubt(format!(
                    "the answer stopped after {wire} bytes and no more came in time"
                )));
            }
            Ok(Err(error)) => {
                return Err(SendError::InDoubt(format!(
                    "the answer broke off after {wire} bytes: {}",
                    describe(error)
                )));
            }
            Ok(Ok(None)) => break,
            Ok(Ok(Some(piece))) => piece,
        };
        wire += piece.len() as u64;
        let elapsed = started.elapsed();
        if elapsed > pace.slow_after && u128::from(wire) * 1000 < u128::from(pace.least_rate) * elapsed.as_millis() {
            return Err(SendError::InDoubt(format!(
                "the answer came slower than {} bytes a second ({wire} bytes in {elapsed:.1?})",
                pace.least_rate
            )));
        }
        decoder.push(&piece)?;
    }
    decoder.finish()
}

/// An error of the client library with its causes, without the URL: its query may carry a credential.
pub(super) fn describe(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(&error);
    while let Some(inner) = cause {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        cause = inner.source();
    }
    text
}

enum Coding {
    Identity(Sink),
    Gzip(Box<MultiGzDecoder<Sink>>),
    Zlib(Box<ZlibDecoder<Sink>>),
    RawDeflate(Box<DeflateDecoder<Sink>>),
    /// `deflate` means zlib (RFC 9110 section 8.4.1.2), but some servers send it bare; the first two bytes tell.
    UnknownDeflate(Vec<u8>, Sink),
}

struct Decoder {
    coding: Option<Coding>,
    wire: u64,
}

impl Decoder {
    fn new(headers: &HeaderMap, budget: &Arc<Budget>) -> Result<Self, SendError> {
        let mut codings = Vec::new();
        for value in headers.get_all(CONTENT_ENCODING) {
            let value = value
                .to_str()
                .map_err(|_| SendError::Protocol("the answer's content-encoding is not text".to_owned()))?;
            codings.extend(value.split(',').map(|coding| coding.trim().to_ascii_lowercase()));
        }
        codings.retain(|coding| !coding.is_empty() && coding != "identity");
        let expected =
            headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()).and_then(|value| value.parse().ok());
        let sink = Sink { out: Vec::new(), wire: 0, budget: Arc::clone(budget), refused: None };
        let coding = match codings.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
            [] => Coding::Identity(sink.expecting(expected)),
            ["gzip" | "x-gzip"] => Coding::Gzip(Box::new(MultiGzDecoder::new(sink))),
            ["deflate"] => Coding::UnknownDeflate(Vec::new(), sink),
            [one] => {
                return Err(SendError::Protocol(format!(
                    "the answer is encoded as {:?}; only gzip and deflate were offered",
                    shorten(one)
                )));
            }
            _ => return Err(SendError::Protocol("the answer is encoded more than once".to_owned())),
        };
        Ok(Self { coding: Some(coding), wire: 0 })
    }

    fn push(&mut self, piece: &[u8]) -> Result<(), SendError> {
        self.wire += piece.len() as u64;
        let coding = self.coding.take().map(|coding| match coding {
            Coding::UnknownDeflate(mut first, sink) => {
                first.extend_from_slice(piece);
                match first.as_slice() {
                    [method, flags, ..] => {
                        let zlib =
                            method & 0x0f == 8 && (u16::from(*method) << 8 | u16::from(*flags)).is_multiple_of(31);
                        let coding = if zlib {
                            Coding::Zlib(Box::new(ZlibDecoder::new(sink)))
                        } else {
                            Coding::RawDeflate(Box::new(DeflateDecoder::new(sink)))
                        };
                        (coding, first)
                    }
                    _ => (Coding::UnknownDeflate(first, sink), Vec::new()),
                }
            }
            other => (other, Vec::new()),
        });
        let Some((mut coding, buffered)) = coding else { return Ok(()) };
        let piece = if buffered.is_empty() { piece } else { &buffered };
        let written = match &mut coding {
            Coding::Identity(sink) => sink.receive(self.wire).and_then(|()| sink.write_all(piece)),
            Coding::Gzip(decoder) => decoder.get_mut().receive(self.wire).and_then(|()| decoder.write_all(piece)),
            Coding::Zlib(decoder) => decoder.get_mut().receive(self.wire).and_then(|()| decoder.write_all(piece)),
            Coding::RawDeflate(decoder) => decoder.get_mut().receive(self.wire).and_then(|()| decoder.write_all(piece)),
            Coding::UnknownDeflate(..) => Ok(()),
        };
        let refused = coding.sink().refused.take();
        self.coding = Some(coding);
        written.map_err(|error| refused.unwrap_or_else(|| corrupt(&error)))
    }

    fn finish(mut self) -> Result<Bytes, SendError> {
        let Some(mut coding) = self.coding.take() else { return Ok(Bytes::new()) };
        // HEAD, 204 and 304 announce an encoding and send nothing.
        if self.wire > 0 {
            let ended = match &mut coding {
                Coding::Identity(_) => Ok(()),
                Coding::Gzip(decoder) => decoder.try_finish(),
                Coding::Zlib(decoder) => decoder.try_finish(),
                Coding::RawDeflate(decoder) => decoder.try_finish(),
                Coding::UnknownDeflate(..) => Err(io::ErrorKind::UnexpectedEof.into()),
            };
            if let Err(error) = ended {
                return Err(coding.sink().refused.take().unwrap_or_else(|| corrupt(&error)));
            }
        }
        Ok(Bytes::from(std::mem::take(&mut coding.sink().out)))
    }
}

impl Coding {
    fn sink(&mut self) -> &mut Sink {
        match self {
            Self::Identity(sink) | Self::UnknownDeflate(_, sink) => sink,
            Self::Gzip(decoder) => decoder.get_mut(),
            Self::Zlib(decoder) => decoder.get_mut(),
            Self::RawDeflate(decoder) => decoder.get_mut(),
        }
    }
}

fn corrupt(error: &io::Error) -> SendError {
    SendError::Protocol(format!("the answer's compressed body is damaged: {error}"))
}

fn shorten(text: &str) -> String {
    text.chars().take(40).collect()
}

/// Where decoded bytes arrive. Decoders write here in steps of 32 KiB, so a bomb is stopped that close to its limit.
struct Sink {
    out: Vec<u8>,
    wire: u64,
    budget: Arc<Budget>,
    refused: Option<SendError>,
}

impl Sink {
    /// Reserves what the answer announces, up to a megabyte: an announcement costs the sender nothing.
    fn expecting(mut self, length: Option<usize>) -> Self {
        self.out.reserve(length.unwrap_or(0).min(1024 * 1024));
        self
    }

    fn refuse(&mut self, error: SendError) -> io::Error {
        self.refused = Some(error);
        io::Error::other("refused")
    }

    /// Notes how many bytes came off the wire. They have a limit of their own: compressed blocks may hold nothing.
    fn receive(&mut self, wire: u64) -> io::Result<()> {
        self.wire = wire;
        let most = self.budget.limits.bytes_in;
        if wire <= most {
            return Ok(());
        }
        let exceeded = super::error::BudgetExceeded { limit: super::error::Limit::BytesIn, allowed: most, sent: true };
        Err(self.refuse(SendError::Budget(exceeded)))
    }
}

impl Write for Sink {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        if let Err(exceeded) = self.budget.receive(piece.len()) {
            return Err(self.refuse(SendError::Budget(exceeded)));
        }
        let out = (self.out.len() + piece.len()) as u64;
        let limits = self.budget.limits;
        if out > limits.ratio_floor && out > self.wire.saturating_mul(limits.ratio) {
            let text = format!(
                "the answer unpacks to more than {} times its size; it looks like a compression bomb",
                limits.ratio
            );
            return Err(self.refuse(SendError::Protocol(text)));
        }
        self.out.extend_from_slice(piece);
        Ok(piece.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
