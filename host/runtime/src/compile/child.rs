//! The compiling child as its parent sees it: started, given the component, waited for within limits, and judged by how it ended.
//!
//! One task goes in, one verdict comes out. The task is a line of JSON with the limits, which the child sets upon itself before it reads
//! on, and the component after it. The verdict is a letter and what belongs to it. A child that ends otherwise was ended by a limit or
//! by a fault of the compiler, and its exit status and last words tell which.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, Command};

use super::{CompileLimit, CompileLimits};
use crate::error::LoadError;
use crate::machine_code::{Compatibility, MachineCode};
use crate::wasi::escape_control;

/// Most bytes of the child's last words that are read, and shown.
const LAST_WORDS_BYTES: u64 = 8 << 10;
const SHOWN_BYTES: usize = 512;

/// Letters that verdicts begin with.
pub(super) const CODE: u8 = b'c';
pub(super) const REFUSED: u8 = b'r';
pub(super) const FAILED: u8 = b'f';
pub(super) const OUT_OF_MEMORY: u8 = b'm';
pub(super) const OTHER_BUILD: u8 = b'o';

/// What the child is told before the component.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Task {
    /// The engine that the code is for.
    pub(super) engine: String,
    /// Seconds of processor time.
    pub(super) cpu_seconds: u64,
    /// Bytes of addresses.
    pub(super) memory_bytes: u64,
}

/// A program that compiles in a process of its own: started with these arguments, its `main` must call [`serve`](super::serve).
///
/// The child gets no environment and no files beyond its three pipes, works at a lower priority than this process, and ends with this
/// value's limits. That bounds what a component can cost. It is no sandbox: the child runs as the same user, and a component that found
/// a way to take over the compiler could hand back code of its own.
///
/// ```no_run
/// use std::process::ExitCode;
/// use tradepost_runtime::Runtime;
/// use tradepost_runtime::compile::{self, ChildCompiler, Compiler};
///
/// fn main() -> ExitCode {
///     if std::env::args_os().nth(1).is_some_and(|argument| argument == "compile-component") {
///         return compile::serve();
///     }
///     let child = ChildCompiler::this_program(["compile-component"]).expect("this program's file is known");
///     let runtime = Runtime::builder().compile_with(Compiler::child(child)).build();
///     // ...
/// #   drop(runtime);
///     ExitCode::SUCCESS
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChildCompiler {
    /// The program. It must be built with the same version of this library; another one is found out and refused.
    pub program: PathBuf,
    /// Its arguments.
    pub arguments: Vec<OsString>,
    /// What it may use.
    pub limits: CompileLimits,
}

impl ChildCompiler {
    /// This very program, started with other arguments, with the default limits. On Linux that holds even after the program's file was
    /// replaced by an update. Fails where the system does not tell the program's file.
    pub fn this_program<A: Into<OsString>>(arguments: impl IntoIterator<Item = A>) -> std::io::Result<Self> {
        let itself = PathBuf::from("/proc/self/exe");
        let program = if itself.exists() { itself } else { std::env::current_exe()? };
        let arguments = arguments.into_iter().map(Into::into).collect();
        Ok(Self { program, arguments, limits: CompileLimits::default() })
    }

    /// Compiles a component in a child process. When this future is dropped, the child is killed.
    pub(crate) async fn compile(&self, engine: Compatibility, component: &[u8]) -> Result<Verdict, LoadError> {
        let limits = &self.limits;
        let task = Task {
            engine: engine.to_string(),
            cpu_seconds: whole_seconds(limits.cpu),
            memory_bytes: limits.memory_bytes,
        };
        let mut child = self.start()?;
        tracing::debug!(bytes = component.len(), child = child.id(), "a component is compiled in a process of its own");
        let ended =
            tokio::time::timeout(limits.wall, converse(&mut child, &task, component, limits.output_bytes)).await;
        match ended {
            Ok(Ok(Some(said))) => self.judge(said),
            Ok(Ok(None)) => {
                end(&mut child).await;
                Err(LoadError::CompileLimit(CompileLimit::Output(limits.output_bytes)))
            }
            Ok(Err(error)) => {
                end(&mut child).await;
                Err(LoadError::CompilerUnavailable(format!("its pipes broke: {error}")))
            }
            Err(_elapsed) => {
                end(&mut child).await;
                Err(LoadError::CompileLimit(CompileLimit::Wall(limits.wall)))
            }
        }
    }

    fn start(&self) -> Result<Child, LoadError> {
        let mut command = Command::new(&self.program);
        command
            .args(&self.arguments)
            .env_clear()
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        // Ctrl-C at the terminal is for this process, which then decides what becomes of the child.
        #[cfg(unix)]
        command.process_group(0);
        command.spawn().map_err(|error| {
            LoadError::CompilerUnavailable(format!("{} cannot be started: {error}", self.program.display()))
        })
    }

    fn judge(&self, said: Said) -> Result<Verdict, LoadError> {
        let Said { status, mut answer, last_words } = said;
        if !status.success() {
            return Err(self.broken_off(status, &last_words));
        }
        let text = |answer: &[u8]| String::from_utf8_lossy(answer.get(1..).unwrap_or_default()).into_owned();
        match answer.first() {
            Some(&CODE) => Ok(Verdict::Code(MachineCode::compiled(answer.split_off(1)))),
            Some(&REFUSED) => Ok(Verdict::Refused(text(&answer))),
            Some(&FAILED) => Err(LoadError::Compile(text(&answer))),
            Some(&OUT_OF_MEMORY) => Err(self.out_of_memory()),
            Some(&OTHER_BUILD) => Err(LoadError::CompilerUnavailable(format!(
                "{} compiles for another version of the engine; start this program anew after an update",
                self.program.display()
            ))),
            _ => Err(LoadError::CompilerUnavailable(format!(
                "{} does not answer as a compiler; its `main` must call `compile::serve`",
                self.program.display()
            ))),
        }
    }

    /// What it means that the child ended without a verdict.
    fn broken_off(&self, status: ExitStatus, last_words: &str) -> LoadError {
        #[cfg(unix)]
        if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
            if signal == rustix::process::Signal::XCPU.as_raw() {
                return LoadError::CompileLimit(CompileLimit::Cpu(self.limits.cpu));
            }
            // How the standard library ends a process that gets no memory.
            if signal == rustix::process::Signal::ABORT.as_raw() && last_words.contains("memory allocation of") {
                return self.out_of_memory();
            }
        }
        let words = last_words.lines().find(|line| !line.trim().is_empty()).unwrap_or("it said nothing");
        let words = escape_control(words);
        LoadError::CompilerCrashed(format!("{status}; {}", &words[..words.floor_char_boundary(SHOWN_BYTES)]))
    }

    fn out_of_memory(&self) -> LoadError {
        LoadError::CompileLimit(CompileLimit::Memory(self.limits.memory_bytes))
    }
}

/// What became of a component in the child.
pub(crate) enum Verdict {
    /// It was read and compiled.
    Code(MachineCode),
    /// It does not fit the contract, for this reason. The child survived reading it.
    Refused(String),
}

struct Said {
    status: ExitStatus,
    answer: Vec<u8>,
    last_words: String,
}

/// Gives the child its task and takes what it has to say until it ends. None where it says more than it may.
async fn converse(child: &mut Child, task: &Task, component: &[u8], most: usize) -> std::io::Result<Option<Said>> {
    let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let (Some(mut stdin), Some(stdout), Some(stderr)) = (stdin, stdout, stderr) else {
        return Err(std::io::Error::other("a pipe is missing"));
    };
    let mut head = serde_json::to_vec(task)?;
    head.push(b'\n');
    let give = async {
        // A child that ends early closes its pipe; how it ended says more than that.
        if stdin.write_all(&head).await.is_ok() {
            let _ = stdin.write_all(component).await;
        }
        drop(stdin);
    };
    // A letter, the code, and one byte more to see that there is more.
    let most = u64::try_from(most).unwrap_or(u64::MAX - 2) + 1;
    let ((), answer, last_words) =
        tokio::join!(give, up_to(stdout, most.saturating_add(1)), up_to(stderr, LAST_WORDS_BYTES));
    let answer = answer?;
    if answer.len() as u64 > most {
        return Ok(None);
    }
    let last_words = String::from_utf8_lossy(&last_words?).into_owned();
    Ok(Some(Said { status: child.wait().await?, answer, last_words }))
}

/// Reads to the end or to the limit, and closes the pipe.
async fn up_to(pipe: impl AsyncRead + Unpin, most: u64) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    pipe.take(most).read_to_end(&mut bytes).await?;
    Ok(bytes)
}

/// Kills the child and waits until it is gone.
async fn end(child: &mut Child) {
    if let Err(error) = child.kill().await {
        tracing::warn!(%error, "a compiling process could not be ended");
    }
}

fn whole_seconds(time: Duration) -> u64 {
    time.as_secs() + u64::from(time.subsec_nanos() > 0)
}

#[cfg(all(test, unix))]
mod tests {
    use wasmtime::Engine;

    use super::*;

    /// A shell in the child's place.
    fn shell(script: &str) -> ChildCompiler {
        let limits = CompileLimits { wall: Duration::from_mins(1), ..CompileLimits::default() };
        ChildCompiler { program: "/bin/sh".into(), arguments: vec!["-c".into(), script.into()], limits }
    }

    async fn ends(child: &ChildCompiler) -> String {
        let engine = Compatibility::of(&Engine::default());
        // More than a pipe holds: a child that does not read must not block its parent for ever.
        match child.compile(engine, &vec![0; 1 << 20]).await {
            Ok(Verdict::Code(code)) => format!("code: {}", String::from_utf8_lossy(code.bytes())),
            Ok(Verdict::Refused(reason)) => format!("refused: {reason}"),
            Err(error) => error.to_string(),
        }
    }

    #[tokio::test]
    async fn each_way_to_end_has_its_meaning() {
        for (script, expected) in [
            ("cat >/dev/null; printf cCODE", "code: CODE"),
            ("printf cCODE", "code: CODE"),
            ("printf 'rno such interface'", "refused: no such interface"),
            ("printf 'fbad function'", "component does not compile: bad function"),
            ("printf m", "more than 2147483648 bytes of memory"),
            ("printf o", "another version of the engine"),
            ("echo hello", "does not answer as a compiler"),
            ("true", "does not answer as a compiler"),
            ("kill -XCPU $$", "more than 60s of processor time"),
            ("echo 'memory allocation of 9 bytes failed' >&2; kill -ABRT $$", "more than 2147483648 bytes of memory"),
            ("echo 'stack overflow' >&2; kill -ABRT $$", "stack overflow"),
            ("kill -SEGV $$", "signal: 11"),
            ("echo thread panicked >&2; printf cCODE; exit 101", "exit status: 101; thread panicked"),
            ("printf '\\033[2J' >&2; exit 3", "exit status: 3; \\u{1b}[2J"),
            // More words than are read.
            ("yes trouble | head -c 1000000 >&2; printf cCODE", "code: CODE"),
        ] {
            let end = ends(&shell(script)).await;
            assert!(end.contains(expected), "{script}: {end}");
        }
    }

    #[tokio::test]
    async fn a_program_that_is_not_there_is_told_as_the_host_s_trouble() {
        let child = ChildCompiler { program: "/nowhere/compiler".into(), ..shell("") };
        let end = ends(&child).await;
        assert!(end.contains("/nowhere/compiler cannot be started"), "{end}");
    }

    #[tokio::test]
    async fn a_child_that_never_ends_is_killed_and_gone() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("pid");
        let mut child = shell(&format!("echo $$ >{}; exec sleep 1000", file.display()));
        child.limits.wall = Duration::from_secs(2);
        let end = ends(&child).await;
        assert!(end.contains("more than 2s from start to end"), "{end}");
        let pid: i32 = std::fs::read_to_string(file).unwrap().trim().parse().unwrap();
        let pid = rustix::process::Pid::from_raw(pid).unwrap();
        let gone = rustix::process::test_kill_process(pid).unwrap_err();
        assert_eq!(gone, rustix::io::Errno::SRCH, "the process was killed and waited for");
    }

    #[tokio::test]
    async fn a_child_that_says_too_much_is_stopped() {
        let mut child = shell("printf c; yes");
        child.limits.output_bytes = 1 << 20;
        let end = ends(&child).await;
        assert!(end.contains("more than 1048576 bytes for the machine code"), "{end}");
        child = shell("printf c1234567");
        child.limits.output_bytes = 7;
        assert_eq!(ends(&child).await, "code: 1234567", "the letter does not count");
        child.limits.output_bytes = 6;
        assert!(ends(&child).await.contains("more than 6 bytes"));
    }

    #[tokio::test]
    async fn the_child_gets_no_environment() {
        // `sh` sets a few variables by itself; what this process has is not among them.
        let end = ends(&shell("printf c; printf %s \"${CARGO_MANIFEST_DIR-nothing}\"")).await;
        assert!(std::env::var_os("CARGO_MANIFEST_DIR").is_some());
        assert_eq!(end, "code: nothing");
    }
}
