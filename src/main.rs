//! Arguments → [`tollgate::cli`]. Nothing else.

use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    tollgate::cli::run().await
}
