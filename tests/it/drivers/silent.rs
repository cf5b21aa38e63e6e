//! A server that says nothing any more and does not hang up either (reliability I-31).

use super::{bare, execute, ours};
use harness::databases::server;
use sea_orm::{DatabaseConnection, TransactionTrait};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};

/// How long a bare pool is waited for; ours waits two seconds for the server, and ten for a connection.
const PATIENCE: Duration = Duration::from_secs(4);

/// Passes bytes on between clients and a server; a connection that it is told to silence passes nothing any more.
struct Relay {
    port: u16,
    /// Connections up to this number are silent.
    silent: Arc<AtomicUsize>,
    opened: Arc<AtomicUsize>,
}

impl Relay {
    async fn to(target: String) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (silent, opened) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let (quiet, count) = (silent.clone(), opened.clone());
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let number = count.fetch_add(1, Ordering::SeqCst) + 1;
                let server = TcpStream::connect(&target).await.unwrap();
                let ((client_in, client_out), (server_in, server_out)) = (client.into_split(), server.into_split());
                tokio::spawn(pass(client_in, server_out, (number, quiet.clone())));
                tokio::spawn(pass(server_in, client_out, (number, quiet.clone())));
            }
        });
        Self { port, silent, opened }
    }

    /// Silences every connection that there is; new ones are not.
    fn silence(&self) {
        self.silent.store(self.opened.load(Ordering::SeqCst), Ordering::SeqCst);
    }
}

async fn pass(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, (number, silent): (usize, Arc<AtomicUsize>)) {
    let mut bytes = vec![0; 16 * 1024];
    loop {
        let read = from.read(&mut bytes).await.unwrap_or(0);
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
fn through(url: &str, default_port: u16) -> (String, impl Fn(u16) -> String) {
    let (scheme, rest) = url.split_once("://").unwrap();
    let (user, rest) = rest.split_once('@').unwrap_or(("", rest));
    let (host, name) = rest.split_once('/').unwrap();
    let target = if host.contains(':') { host.to_owned() } else { format!("{host}:{default_port}") };
    let (scheme, user, name) = (scheme.to_owned(), user.to_owned(), name.to_owned());
    (target, move |port| format!("{scheme}://{user}@127.0.0.1:{port}/{name}"))
}

/// Whether the pool gives out a connection again after the one that it had went silent.
async fn recovers(pool: &DatabaseConnection, relay: &Relay) -> bool {
    let work = pool.begin().await.unwrap();
    relay.silence();
    drop(work);
    tokio::time::sleep(PATIENCE).await;
    execute(pool, "SELECT 1").await
}

async fn ours_recovers_and_a_bare_pool_does_not(url: &str, default_port: u16) {
    let (target, via) = through(url, default_port);
    let relay = Relay::to(target.clone()).await;
    let pool = bare(&via(relay.port), PATIENCE).await;
    assert!(!recovers(&pool, &relay).await, "sqlx was mended: the guard in `connect` may go");
    let relay = Relay::to(target).await;
    let pool = ours(&via(relay.port)).await;
    assert!(recovers(&pool, &relay).await);
}

#[tokio::test]
#[ignore = "needs TEST_POSTGRES_URL"]
async fn postgres() {
    let fresh = server("TEST_POSTGRES_URL").await;
    ours_recovers_and_a_bare_pool_does_not(&fresh.url, 5432).await;
    fresh.discard().await;
}

#[tokio::test]
#[ignore = "needs TEST_MARIADB_URL"]
async fn mariadb() {
    let fresh = server("TEST_MARIADB_URL").await;
    ours_recovers_and_a_bare_pool_does_not(&fresh.url, 3306).await;
    fresh.discard().await;
}
