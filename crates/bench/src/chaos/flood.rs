//! Clients that mean no good: they connect and say nothing, or a head or a body byte by byte, or a whole body but its end,
//! and come again when they are turned away.

use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::runtime::Builder;
use tokio::sync::oneshot;
use tokio::task::LocalSet;

/// From byte to byte.
const DRIP: Duration = Duration::from_millis(500);
/// Before coming again.
const PAUSE: Duration = Duration::from_millis(200);
/// As large as the server takes.
const BODY_BYTES: usize = 1 << 20;
static BODY: [u8; BODY_BYTES] = [b' '; BODY_BYTES];

/// A flood that goes on until it is ended, on a thread of its own: it must not slow down who measures.
pub struct Flood {
    tally: Arc<Tally>,
    stop: oneshot::Sender<()>,
    thread: JoinHandle<()>,
}

#[derive(Default)]
struct Tally {
    opened: AtomicU64,
    closed: AtomicU64,
}

impl Flood {
    pub fn start(address: SocketAddr, token: &str, clients: usize) -> anyhow::Result<Self> {
        let head = format!(
            "POST /api/v1/usage HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n\
             Content-Type: application/json\r\nContent-Length: {BODY_BYTES}\r\n\r\n"
        );
        let tally = Arc::new(Tally::default());
        let (stop, stopped) = oneshot::channel();
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let counted = tally.clone();
        let thread = std::thread::spawn(move || {
            let local = LocalSet::new();
            let head: Rc<str> = head.into();
            for number in 0..clients {
                local.spawn_local(come_again(address, head.clone(), number, counted.clone()));
            }
            // Ended, or given up by who started it.
            let _ended = local.block_on(&runtime, stopped);
        });
        Ok(Self { tally, stop, thread })
    }

    /// How many connections there were, and how many of them the server closed.
    pub fn end(self) -> (u64, u64) {
        drop(self.stop);
        // A thread that panicked has ended too.
        let _ended = self.thread.join();
        (self.tally.opened.load(Ordering::Relaxed), self.tally.closed.load(Ordering::Relaxed))
    }
}

async fn come_again(address: SocketAddr, head: Rc<str>, number: usize, tally: Arc<Tally>) {
    loop {
        if let Ok(mut stream) = TcpStream::connect(address).await {
            tally.opened.fetch_add(1, Ordering::Relaxed);
            misbehave(&mut stream, &head, number).await;
            tally.closed.fetch_add(1, Ordering::Relaxed);
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// Returns when the server has had enough.
async fn misbehave(stream: &mut TcpStream, head: &str, number: usize) {
    let _gone = match number % 4 {
        0 => silent(stream).await,
        1 => drip(stream, head.as_bytes()).await,
        2 => slow_body(stream, head).await,
        _ => endless_body(stream, head).await,
    };
}

/// Waits for the server to close.
async fn silent(stream: &mut TcpStream) -> std::io::Result<()> {
    let mut answer = [0; 1024];
    while stream.read(&mut answer).await? > 0 {}
    Ok(())
}

async fn drip(stream: &mut TcpStream, bytes: &[u8]) -> std::io::Result<()> {
    for byte in bytes {
        stream.write_all(&[*byte]).await?;
        tokio::time::sleep(DRIP).await;
    }
    silent(stream).await
}

async fn slow_body(stream: &mut TcpStream, head: &str) -> std::io::Result<()> {
    stream.write_all(head.as_bytes()).await?;
    drip(stream, &BODY).await
}

async fn endless_body(stream: &mut TcpStream, head: &str) -> std::io::Result<()> {
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(&BODY[1..]).await?;
    silent(stream).await
}
