//! WASI with nothing behind it: enough for a language runtime to start, and no more.
//!
//! No environment, arguments, files or sockets. The clock stands still at the start of the call, so that a call run again
//! sees the same time. What a guest prints to standard error is kept, up to a bound, because panic messages arrive there.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamResult};
use wasmtime_wasi::{HostMonotonicClock, HostWallClock, WasiCtx};

/// Most bytes of a guest's standard error that are kept.
const KEPT_BYTES: usize = 1 << 10;
/// What a guest may write at a time.
const WRITE_PERMIT: usize = 64 << 10;
/// Most random bytes a guest gets at a time: the host makes them in memory of its own, which no meter counts. Interpreters
/// ask for about 2,500 to seed their generators.
const RANDOM_BYTES: u64 = 4 << 10;
/// Steps of the monotonic clock: too coarse to time other tenants by.
const CLOCK_STEP: Duration = Duration::from_millis(1);

/// A context for one call that is made at `now`, and the place where its panic message appears.
pub(crate) fn context(now: SystemTime) -> (WasiCtx, LastWords) {
    let last_words = LastWords::default();
    let context = WasiCtx::builder()
        .stderr(last_words.clone())
        .wall_clock(FrozenClock(now.duration_since(UNIX_EPOCH).unwrap_or_default()))
        .monotonic_clock(CoarseClock(Instant::now()))
        .max_random_size(RANDOM_BYTES)
        .allow_tcp(false)
        .allow_udp(false)
        .allow_ip_name_lookup(false)
        .build();
    (context, last_words)
}

struct FrozenClock(Duration);

impl HostWallClock for FrozenClock {
    fn resolution(&self) -> Duration {
        CLOCK_STEP
    }

    fn now(&self) -> Duration {
        self.0
    }
}

struct CoarseClock(Instant);

impl HostMonotonicClock for CoarseClock {
    fn resolution(&self) -> u64 {
        nanoseconds(CLOCK_STEP)
    }

    fn now(&self) -> u64 {
        let step = nanoseconds(CLOCK_STEP);
        nanoseconds(self.0.elapsed()) / step * step
    }
}

fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// The first bytes that a guest wrote to standard error.
#[derive(Clone, Default)]
pub(crate) struct LastWords(Arc<Mutex<Vec<u8>>>);

impl LastWords {
    /// As text on one line, escaped; none when nothing was said.
    pub(crate) fn text(&self) -> Option<String> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let text = String::from_utf8_lossy(&kept);
        let text = text.trim();
        (!text.is_empty()).then(|| escape_control(text))
    }

    fn keep(&self, bytes: &[u8]) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let room = KEPT_BYTES.saturating_sub(kept.len());
        kept.extend_from_slice(&bytes[..bytes.len().min(room)]);
    }
}

/// Guest text made safe for terminals and logs: control characters, line ends and direction marks become `\u{..}`.
pub(crate) fn escape_control(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        let reorders = matches!(character, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        if character.is_control() || reorders {
            safe.extend(character.escape_default());
        } else {
            safe.push(character);
        }
    }
    safe
}

impl IsTerminal for LastWords {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for LastWords {
    fn async_stream(&self) -> Box<dyn tokio::io::AsyncWrite + Send + Sync> {
        // Only the streams of WASI 0.2 are linked, and those come from `p2_stream`.
        Box::new(tokio::io::sink())
    }

    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }
}

#[async_trait::async_trait]
impl Pollable for LastWords {
    async fn ready(&mut self) {}
}

impl OutputStream for LastWords {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.keep(&bytes);
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(WRITE_PERMIT)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn guest_text_cannot_steer_a_terminal_or_forge_a_line() {
        assert_eq!(escape_control("a\x1b[31mb\r\nc\u{202e}d é"), "a\\u{1b}[31mb\\r\\nc\\u{202e}d é");
    }

    #[test]
    fn only_the_first_kibibyte_of_standard_error_is_kept() {
        let words = LastWords::default();
        assert_eq!(words.text(), None);
        words.keep(&[b'a'; 800]);
        words.keep(&[b'b'; 800]);
        let text = words.text().unwrap();
        assert_eq!((text.len(), text.matches('b').count()), (1024, 224));
    }
}
