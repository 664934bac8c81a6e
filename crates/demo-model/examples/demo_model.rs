//! The demo model alone, on the address that is given (127.0.0.1:11435 without one).
#![allow(clippy::print_stdout, reason = "a command line")]

use std::error::Error;

use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:11435".to_owned());
    let listener = TcpListener::bind(address).await?;
    println!("http://{}/v1", listener.local_addr()?);
    Ok(demo_model::serve(listener, CancellationToken::new()).await?)
}
