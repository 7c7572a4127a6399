//! Listening to everything that the process says about itself, at the most talkative level: what a secret must not be in.

use std::io;
use std::sync::{LazyLock, Mutex, Once, PoisonError};

use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::fmt::format::FmtSpan;

/// Everything that the process logged.
static HEARD: LazyLock<Mutex<Vec<u8>>> = LazyLock::new(Mutex::default);

/// What compiles components: it says everything it does, megabytes of it, and has never seen an account.
const COMPILERS: [&str; 4] = ["cranelift", "regalloc", "wasmtime_internal_cranelift", "wasmtime_environ"];

fn add(bytes: &[u8]) {
    HEARD.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
}

/// A place in what was heard.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mark(usize);

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
    Mark(HEARD.lock().unwrap_or_else(PoisonError::into_inner).len())
}

/// Forgets everything: where one case runs at a time.
pub(crate) fn forget() {
    *HEARD.lock().unwrap_or_else(PoisonError::into_inner) = Vec::new();
}

/// Everything heard since then.
pub(crate) fn heard_since(mark: Mark) -> Vec<u8> {
    HEARD.lock().unwrap_or_else(PoisonError::into_inner)[mark.0..].to_vec()
}

/// Writes what spans and events say.
struct Ear;

impl io::Write for Ear {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        add(bytes);
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
            add(format!("{} {} {}\n", record.level(), record.target(), record.args()).as_bytes());
        }
    }

    fn flush(&self) {}
}
