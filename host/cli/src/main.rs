//! The program `tradepost`.

use std::process::ExitCode;

/// Connectors' pages are many small allocations on several threads; the system's allocator is slower at those.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    tradepost_cli::compiler_child().unwrap_or_else(|| tradepost_cli::main(std::env::args_os()))
}
