//! A relay between a pool and its server: it delays the server's bytes, and goes silent when it is told to.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};

/// Passes bytes on between clients and a server; a connection that it is told to silence passes nothing any more.
pub struct Relay {
    port: u16,
    /// Connections up to this number are silent.
    silent: Arc<AtomicUsize>,
    opened: Arc<AtomicUsize>,
}

impl Relay {
    /// To an address, whose answers arrive so much later.
    pub async fn to(target: String, delay: Duration) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (silent, opened) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let (quiet, count) = (silent.clone(), opened.clone());
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let number = count.fetch_add(1, Ordering::SeqCst) + 1;
                let server = TcpStream::connect(&target).await.unwrap();
                let ((client_in, client_out), (server_in, server_out)) = (client.into_split(), server.into_split());
                tokio::spawn(pass(client_in, server_out, Duration::ZERO, (number, quiet.clone())));
                tokio::spawn(pass(server_in, client_out, delay, (number, quiet.clone())));
            }
        });
        Self { port, silent, opened }
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// Silences every connection that there is; new ones are not.
    pub fn silence(&self) {
        self.silent.store(self.opened.load(Ordering::SeqCst), Ordering::SeqCst);
    }
}

async fn pass(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    delay: Duration,
    (number, silent): (usize, Arc<AtomicUsize>),
) {
    let mut bytes = vec![0; 16 * 1024];
    loop {
        let read = from.read(&mut bytes).await.unwrap_or(0);
        tokio::time::sleep(delay).await;
        if silent.load(Ordering::SeqCst) >= number {
            // Neither an answer nor an end.
            std::future::pending::<()>().await;
        }
        if read == 0 || to.write_all(&bytes[..read]).await.is_err() {
            return;
        }
    }
}

/// The server's address, and the URL through a relay.
pub fn through(url: &str, default_port: u16) -> (String, impl Fn(u16) -> String) {
    let (scheme, rest) = url.split_once("://").unwrap();
    let (user, rest) = rest.split_once('@').unwrap_or(("", rest));
    let (host, name) = rest.split_once('/').unwrap();
    let target = if host.contains(':') { host.to_owned() } else { format!("{host}:{default_port}") };
    let (scheme, user, name) = (scheme.to_owned(), user.to_owned(), name.to_owned());
    (target, move |port| format!("{scheme}://{user}@127.0.0.1:{port}/{name}"))
}
