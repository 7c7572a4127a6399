//! Listening to everything that the process says about itself, at the most talkative level: what a secret must not be in.

use std::io;
use std::sync::{LazyLock, Mutex, MutexGuard, Once, PoisonError};

use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::fmt::format::FmtSpan;

use crate::canary::clean;

/// What was heard is looked through when so much has come together, and not kept.
const LOOKED_THROUGH_AT: usize = 4 << 20;
/// What is kept for the next look, so that a secret across the border is found: longer than any form of one.
const OVERLAP: usize = 1 << 10;

/// What the process logged.
#[derive(Default)]
struct Heard {
    pending: Vec<u8>,
    bytes: usize,
    leaks: Vec<String>,
}

impl Heard {
    fn add(&mut self, bytes: &[u8]) {
        self.bytes += bytes.len();
        self.pending.extend_from_slice(bytes);
        if self.pending.len() > LOOKED_THROUGH_AT {
            self.look_through();
        }
    }

    fn look_through(&mut self) {
        match clean("the log", &self.pending) {
            Ok(()) => drop(self.pending.drain(..self.pending.len().saturating_sub(OVERLAP))),
            // What was found once is not to be found again in the overlap, and be another case's.
            Err(leak) => {
                self.leaks.push(leak.to_string());
                self.pending.clear();
            }
        }
    }
}

static HEARD: LazyLock<Mutex<Heard>> = LazyLock::new(Mutex::default);

fn heard() -> MutexGuard<'static, Heard> {
    HEARD.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What compiles components: it says everything it does, megabytes of it, and has never seen an account.
const COMPILERS: [&str; 4] = ["cranelift", "regalloc", "wasmtime_internal_cranelift", "wasmtime_environ"];

/// A place in what is heard.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mark {
    bytes: usize,
    leaks: usize,
}

/// Listens from now on; gives the place where what follows begins.
///
/// # Panics
/// If somebody else listens already: then nothing would be heard.
pub(crate) fn listen() -> Mark {
    static LISTENING: Once = Once::new();
    LISTENING.call_once(|| {
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(tracing::level_filters::LevelFilter::TRACE)
            .with_span_events(FmtSpan::FULL)
            .with_ansi(false)
            .with_writer(Ear)
            .finish();
        tracing::subscriber::set_global_default(subscriber).expect("nobody listens yet");
        log::set_logger(&Eavesdropper).expect("nobody listens yet");
        log::set_max_level(log::LevelFilter::Trace);
    });
    let mut heard = heard();
    heard.look_through();
    Mark { bytes: heard.bytes, leaks: heard.leaks.len() }
}

/// How many bytes were heard since then, and the secrets that were in them.
pub(crate) fn heard_since(mark: Mark) -> (usize, Vec<String>) {
    let mut heard = heard();
    heard.look_through();
    (heard.bytes - mark.bytes, heard.leaks[mark.leaks..].to_vec())
}

/// Writes what spans and events say.
struct Ear;

impl io::Write for Ear {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        heard().add(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Ear {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        Self
    }
}

/// Libraries below the host write to `log`.
struct Eavesdropper;

impl log::Log for Eavesdropper {
    fn enabled(&self, metadata: &log::Metadata<'_>) -> bool {
        !COMPILERS.iter().any(|compiler| metadata.target().starts_with(compiler))
    }

    fn log(&self, record: &log::Record<'_>) {
        if self.enabled(record.metadata()) {
            heard().add(format!("{} {} {}\n", record.level(), record.target(), record.args()).as_bytes());
        }
    }

    fn flush(&self) {}
}
