//! A mail server of a test's own, in this process: it speaks as much SMTP as a client needs to hand a message over.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// What the server does with a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Behaviour {
    Accept,
    /// Answers the recipient with this code.
    Refuse(u16),
    /// Takes the message in, and answers only once it is [released](SmtpServer::release).
    Stall,
    /// Closes the connection in the middle of the message.
    CutOff,
}

/// A message as it arrived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Received {
    pub recipient: String,
    /// Headers and body.
    pub text: String,
}

/// A server that runs until it is dropped.
pub struct SmtpServer {
    pub addr: SocketAddr,
    state: Arc<State>,
    task: JoinHandle<()>,
}

struct State {
    behaviour: Mutex<Behaviour>,
    received: Mutex<Vec<Received>>,
    /// Taken in, and not answered while the client waited.
    stalled: Mutex<Vec<Received>>,
    released: watch::Sender<bool>,
    /// Messages begun, whatever became of them.
    attempts: watch::Sender<usize>,
}

impl SmtpServer {
    pub async fn start(behaviour: Behaviour) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let addr = listener.local_addr().expect("an address");
        let state = Arc::new(State {
            behaviour: Mutex::new(behaviour),
            received: Mutex::default(),
            stalled: Mutex::default(),
            released: watch::Sender::new(false),
            attempts: watch::Sender::new(0),
        });
        let shared = Arc::clone(&state);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let state = Arc::clone(&shared);
                // A client that goes away ends its own connection only.
                tokio::spawn(async move { drop(state.serve(stream).await) });
            }
        });
        Self { addr, state, task }
    }

    /// `smtp://…`.
    pub fn url(&self) -> String {
        format!("smtp://{}", self.addr)
    }

    /// What it does from now on.
    pub fn behave(&self, behaviour: Behaviour) {
        *self.state.behaviour.lock().expect("no panic") = behaviour;
    }

    /// What it accepted so far.
    pub fn received(&self) -> Vec<Received> {
        self.state.received.lock().expect("no panic").clone()
    }

    /// What it took in and left without an answer, whether it answered later or not.
    pub fn stalled(&self) -> Vec<Received> {
        self.state.stalled.lock().expect("no panic").clone()
    }

    /// Has it accept what it stalled, where the client still waits, and what it would stall from now on.
    pub fn release(&self) {
        self.state.released.send_replace(true);
    }

    /// Waits until so many messages were begun, and finished as the server finishes them.
    pub async fn attempted(&self, count: usize) {
        let mut attempts = self.state.attempts.subscribe();
        attempts.wait_for(|begun| *begun >= count).await.expect("the server runs");
    }
}

impl Drop for SmtpServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl State {
    async fn serve(&self, stream: TcpStream) -> std::io::Result<()> {
        let mut stream = BufReader::new(stream);
        stream.write_all(b"220 test ESMTP\r\n").await?;
        let mut recipient = String::new();
        let mut line = String::new();
        loop {
            line.clear();
            if stream.read_line(&mut line).await? == 0 {
                return Ok(());
            }
            let behaviour = *self.behaviour.lock().expect("no panic");
            let verb = line.get(..4).unwrap_or_default().to_ascii_uppercase();
            match (verb.as_str(), behaviour) {
                ("RCPT", Behaviour::Refuse(code)) => {
                    stream.write_all(format!("{code} refused\r\n").as_bytes()).await?;
                    self.attempts.send_modify(|attempts| *attempts += 1);
                }
                ("RCPT", _) => {
                    let address = line.split_once('<').and_then(|(_, rest)| rest.split_once('>'));
                    recipient = address.map_or_else(String::new, |(address, _)| address.to_owned());
                    stream.write_all(b"250 OK\r\n").await?;
                }
                ("DATA", Behaviour::CutOff) => {
                    stream.write_all(b"354 go on\r\n").await?;
                    stream.read_line(&mut line).await?;
                    self.attempts.send_modify(|attempts| *attempts += 1);
                    return Ok(());
                }
                ("DATA", behaviour) => {
                    stream.write_all(b"354 go on\r\n").await?;
                    let text = read_message(&mut stream).await?;
                    let received = Received { recipient: recipient.clone(), text };
                    if behaviour == Behaviour::Stall {
                        self.stalled.lock().expect("no panic").push(received.clone());
                        self.attempts.send_modify(|attempts| *attempts += 1);
                        self.released.subscribe().wait_for(|released| *released).await.expect("it runs");
                    }
                    self.received.lock().expect("no panic").push(received);
                    stream.write_all(b"250 OK\r\n").await?;
                    if behaviour != Behaviour::Stall {
                        self.attempts.send_modify(|attempts| *attempts += 1);
                    }
                }
                ("QUIT", _) => {
                    stream.write_all(b"221 bye\r\n").await?;
                    return Ok(());
                }
                _ => stream.write_all(b"250 OK\r\n").await?,
            }
        }
    }
}

/// Everything up to the line with a single dot.
async fn read_message(stream: &mut BufReader<TcpStream>) -> std::io::Result<String> {
    let mut text = String::new();
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        if line == ".\r\n" {
            return Ok(text);
        }
        text.push_str(line.strip_prefix('.').unwrap_or(&line));
    }
}
