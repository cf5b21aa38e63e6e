//! A proxy between the server and its database that cuts connections at COMMIT, is slow, or falls silent.

use crate::seed::Chance;
use crate::wire::Messages;
use std::cell::Cell;
use std::net::{Ipv4Addr, SocketAddr};
use std::rc::Rc;
use std::time::Duration;
use suanpan_bench::database::Engine;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

const BUFFER_BYTES: usize = 16 * 1024;
/// How often a silent connection looks whether it may speak again.
const SILENT_POLL: Duration = Duration::from_millis(20);
/// How long the answer to a COMMIT is waited for before the cut.
const ANSWER: Duration = Duration::from_secs(5);

/// What the proxy does, changed while it runs.
pub struct Faults {
    /// In how many of a hundred COMMITs the connection is cut before the database hears of it.
    pub cut_before: Cell<u64>,
    /// In how many it is cut after the database answered, before the server hears that.
    pub cut_after: Cell<u64>,
    /// How much later everything arrives at the database.
    pub latency: Cell<Duration>,
    /// Nothing passes in either direction, and nobody is told.
    pub silent: Cell<bool>,
    pub cuts_before: Cell<u64>,
    pub cuts_after: Cell<u64>,
    chance: Chance,
}

impl Faults {
    pub fn cuts(&self) -> u64 {
        self.cuts_before.get() + self.cuts_after.get()
    }

    pub fn heal(&self) {
        self.cut_before.set(0);
        self.cut_after.set(0);
        self.latency.set(Duration::ZERO);
        self.silent.set(false);
    }
}

/// What becomes of one COMMIT.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    Pass,
    CutBefore,
    CutAfter,
}

pub struct Proxy {
    pub address: SocketAddr,
    pub faults: Rc<Faults>,
}

impl Proxy {
    /// Forwards to the database from a port of its own, without faults at first.
    pub async fn start(engine: Engine, database: SocketAddr, seed: u64) -> anyhow::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let faults = Rc::new(Faults {
            cut_before: Cell::new(0),
            cut_after: Cell::new(0),
            latency: Cell::new(Duration::ZERO),
            silent: Cell::new(false),
            cuts_before: Cell::new(0),
            cuts_after: Cell::new(0),
            chance: Chance::new(seed),
        });
        let shared = faults.clone();
        tokio::task::spawn_local(async move {
            while let Ok((server, _)) = listener.accept().await {
                let faults = shared.clone();
                tokio::task::spawn_local(async move { forward(server, database, engine, &faults).await });
            }
        });
        Ok(Self { address, faults })
    }
}

/// One connection until either side or a fault ends it. Errors are the other side's business: it sees the end.
async fn forward(mut server: TcpStream, database: SocketAddr, engine: Engine, faults: &Faults) {
    let Ok(mut database) = TcpStream::connect(database).await else { return };
    let _unsupported = (server.set_nodelay(true), database.set_nodelay(true));
    let mut messages = Messages::new(engine);
    let (mut asked, mut answered) = (vec![0; BUFFER_BYTES], vec![0; BUFFER_BYTES]);
    loop {
        let open = tokio::select! {
            read = server.read(&mut asked) => match read {
                Ok(length) if length > 0 => pass_on(&asked[..length], &mut database, &mut messages, faults).await,
                _ => false,
            },
            read = database.read(&mut answered) => match read {
                Ok(length) if length > 0 => {
                    wait_while_silent(faults).await;
                    server.write_all(&answered[..length]).await.is_ok()
                }
                _ => false,
            },
        };
        if !open {
            return;
        }
    }
}

/// Whether the connection goes on.
async fn pass_on(bytes: &[u8], database: &mut TcpStream, messages: &mut Messages, faults: &Faults) -> bool {
    wait_while_silent(faults).await;
    if !faults.latency.get().is_zero() {
        tokio::time::sleep(faults.latency.get()).await;
    }
    let fate = if messages.has_commit(bytes) { faults.fate() } else { Fate::Pass };
    if fate == Fate::CutBefore {
        faults.cuts_before.set(faults.cuts_before.get() + 1);
        return false;
    }
    if database.write_all(bytes).await.is_err() {
        return false;
    }
    if fate == Fate::CutAfter {
        let mut answer = [0; 1];
        let _answered = tokio::time::timeout(ANSWER, database.read(&mut answer)).await;
        faults.cuts_after.set(faults.cuts_after.get() + 1);
        return false;
    }
    true
}

impl Faults {
    fn fate(&self) -> Fate {
        let drawn = self.chance.below(100);
        if drawn < self.cut_before.get() {
            Fate::CutBefore
        } else if drawn < self.cut_before.get() + self.cut_after.get() {
            Fate::CutAfter
        } else {
            Fate::Pass
        }
    }
}

async fn wait_while_silent(faults: &Faults) {
    while faults.silent.get() {
        tokio::time::sleep(SILENT_POLL).await;
    }
}
