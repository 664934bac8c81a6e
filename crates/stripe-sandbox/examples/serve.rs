//! The sandbox alone, in memory, on the address that is given (127.0.0.1:12111 without one).
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command line")]

use std::error::Error;

use stripe_sandbox::{Clock, Options, PUBLISHABLE_KEY, SECRET_KEY, start};
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:12111".to_owned());
    let options = Options {
        listener: TcpListener::bind(address).await?,
        allow_network: false,
        database: None,
        webhook: None,
        clock: Clock::system(),
    };
    let sandbox = start(options).await?;
    println!("http://{}, {PUBLISHABLE_KEY}, {SECRET_KEY}", sandbox.addr);
    // Until the process is ended.
    std::future::pending().await
}
