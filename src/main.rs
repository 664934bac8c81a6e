//! Arguments → [`tollgate::cli`]. Nothing else.
#![allow(clippy::print_stderr, reason = "it answers the operator's terminal")]

use std::process::ExitCode;

use mimalloc::MiMalloc;
use tokio::runtime::Runtime;

/// A request makes some hundred small allocations, a tenth of its time with the system's allocator.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    let runtime = match Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("tollgate: {error}");
            return ExitCode::FAILURE;
        }
    };
    let code = runtime.block_on(tollgate::cli::run());
    // Dropped, it would wait for as long as a name server may take.
    runtime.shutdown_background();
    code
}
