//! Clients that go on whatever happens: each sends an event, notes what it was told, and connects again when it must.

use crate::journal::Journal;
use crate::seed::Chance;
use std::cell::Cell;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::{Duration, Instant};
use suanpan_bench::database::rows::ID_PREFIX;
use suanpan_bench::load::answer::head;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;

/// Accounts among which events are spread.
pub const ACCOUNTS: usize = 64;
const ANSWER_BYTES: usize = 4 * 1024;
/// Longer than the server takes for anything, faults included.
const PATIENCE: Duration = Duration::from_secs(40);
/// Before connecting again to a server that is down or busy.
const PAUSE: Duration = Duration::from_millis(5);
/// Clients that share what is to be repeated.
const REPEATING: usize = 32;
/// The longest that somebody who hangs up waits before that.
const LONGEST_WAIT: Duration = Duration::from_millis(60);

/// What clients share.
pub struct Crowd {
    pub address: Cell<SocketAddr>,
    pub journal: Journal,
    /// In how many of a hundred requests the client hangs up before the answer.
    pub hang_ups: Cell<u64>,
    pub hung_up: Cell<u64>,
    /// A service key.
    pub token: String,
    stopped: Cell<bool>,
    chance: Chance,
}

/// What came of a request.
enum Reply {
    Answered(u16, Vec<u8>),
    /// Nothing came back.
    Nothing,
    /// An answer began and did not end.
    Truncated,
}

impl Crowd {
    pub fn new(address: SocketAddr, token: String, seed: u64) -> Rc<Self> {
        Rc::new(Self {
            address: Cell::new(address),
            journal: Journal::default(),
            hang_ups: Cell::new(0),
            hung_up: Cell::new(0),
            token,
            stopped: Cell::new(false),
            chance: Chance::new(seed),
        })
    }

    /// Sends clients to work until [`Self::stop`].
    pub fn start(self: &Rc<Self>, clients: usize) -> Vec<JoinHandle<()>> {
        self.stopped.set(false);
        (0..clients).map(|_| tokio::task::spawn_local(work(self.clone()))).collect()
    }

    /// Lets every client finish its request.
    pub async fn stop(&self, clients: Vec<JoinHandle<()>>) -> anyhow::Result<()> {
        self.stopped.set(true);
        for client in clients {
            client.await?;
        }
        Ok(())
    }

    /// Repeats, with the same keys, every request whose outcome is not known, until it is.
    pub async fn settle(self: &Rc<Self>, within: Duration) -> anyhow::Result<u64> {
        let (began, mut repeated) = (Instant::now(), 0);
        loop {
            let unknown = self.journal.unknown();
            if unknown.is_empty() {
                return Ok(repeated);
            }
            anyhow::ensure!(began.elapsed() < within, "{} events are still without an answer", unknown.len());
            repeated += unknown.len() as u64;
            let shares = unknown.chunks(unknown.len().div_ceil(REPEATING));
            let clients = shares.map(|share| tokio::task::spawn_local(repeat(self.clone(), share.to_vec())));
            for client in clients.collect::<Vec<_>>() {
                client.await?;
            }
        }
    }

    /// As [`Self::settle`], but under new keys: what a careless client does.
    pub async fn settle_carelessly(&self) {
        let mut stream = None;
        for event in self.journal.unknown() {
            self.attempt(&mut stream, event, event + 1_000_000_000).await;
        }
    }

    /// One request about an event, under the key of number `key`.
    async fn attempt(&self, stream: &mut Option<TcpStream>, event: usize, key: usize) {
        let hang_up = self.chance.percent(self.hang_ups.get());
        let reply = tokio::time::timeout(PATIENCE, self.converse(stream, event, key, hang_up)).await;
        match reply {
            Ok(Reply::Answered(status, body)) => {
                self.journal.note(event, status, &body);
                if status == 503 {
                    tokio::time::sleep(PAUSE).await;
                }
                return;
            }
            Ok(Reply::Truncated) => self.journal.truncated(event),
            Ok(Reply::Nothing) | Err(_) => {}
        }
        *stream = None;
        if !hang_up {
            tokio::time::sleep(PAUSE).await;
        }
    }

    async fn converse(&self, stream: &mut Option<TcpStream>, event: usize, key: usize, hang_up: bool) -> Reply {
        let Some(open) = self.connected(stream).await else { return Reply::Nothing };
        if open.write_all(&self.request(event, key)).await.is_err() {
            return Reply::Nothing;
        }
        if hang_up {
            tokio::time::sleep(self.chance.between(Duration::ZERO, LONGEST_WAIT)).await;
            self.hung_up.set(self.hung_up.get() + 1);
            return Reply::Nothing;
        }
        read(open).await
    }

    /// The connection there is, else a new one where somebody listens.
    async fn connected<'s>(&self, stream: &'s mut Option<TcpStream>) -> Option<&'s mut TcpStream> {
        if stream.is_none() {
            *stream = TcpStream::connect(self.address.get()).await.ok();
        }
        stream.as_mut()
    }

    fn request(&self, event: usize, key: usize) -> Vec<u8> {
        let body = format!(
            r#"{{"meter":"words","quantity":1,"key":"chaos-{key}","account":"acc_{ID_PREFIX}{:012x}"}}"#,
            event % ACCOUNTS
        );
        format!(
            "POST /api/v1/usage HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {}\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            self.token,
            body.len()
        )
        .into_bytes()
    }
}

async fn work(crowd: Rc<Crowd>) {
    let mut stream = None;
    while !crowd.stopped.get() {
        if crowd.connected(&mut stream).await.is_none() {
            tokio::time::sleep(PAUSE).await;
            continue;
        }
        let event = crowd.journal.begin();
        crowd.attempt(&mut stream, event, event).await;
    }
}

/// One of those who repeat events of which nobody knows.
async fn repeat(crowd: Rc<Crowd>, events: Vec<usize>) {
    let mut stream = None;
    for event in events {
        crowd.attempt(&mut stream, event, event).await;
    }
}

async fn read(stream: &mut TcpStream) -> Reply {
    let mut bytes = Vec::with_capacity(ANSWER_BYTES);
    loop {
        if !matches!(stream.read_buf(&mut bytes).await, Ok(length) if length > 0) {
            return if bytes.is_empty() { Reply::Nothing } else { Reply::Truncated };
        }
        match head(&bytes) {
            Ok(Some(head)) if bytes.len() >= head.length + head.body => {
                return Reply::Answered(head.status, bytes.split_off(head.length));
            }
            Ok(_) => {}
            Err(_) => return Reply::Truncated,
        }
    }
}
