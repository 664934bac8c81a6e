//! Why a sandbox doesn't start.

use std::net::SocketAddr;

/// Why a sandbox could not be started. Shown to the person who starts the server.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("the sandbox's address could not be used: {0}")]
    Listener(#[from] std::io::Error),
    #[error(
        "{0} can be reached from other machines: a sandbox takes every test key, so that has to be allowed expressly"
    )]
    OnNetwork(SocketAddr),
    #[error("the folder of the sandbox's database could not be made: {0}")]
    Folder(std::io::Error),
    #[error("the sandbox's database could not be opened: {0}")]
    Database(#[from] sqlx::Error),
    #[error("the sandbox's database holds something that this version can't read: {0}")]
    Format(String),
    #[error("the sandbox's database could not be written")]
    Write,
    #[error("the sandbox's webhook client could not be built: {0}")]
    Client(#[from] reqwest::Error),
}
