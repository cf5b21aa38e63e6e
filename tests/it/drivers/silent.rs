//! A server that says nothing any more and does not hang up either (reliability I-31).

use super::relay::{Relay, through};
use super::{bare, execute, ours};
use harness::databases::server;
use sea_orm::{DatabaseConnection, TransactionTrait};
use std::time::Duration;

/// How long a bare pool is waited for; ours waits two seconds for the server, and ten for a connection.
const PATIENCE: Duration = Duration::from_secs(4);

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
    let relay = Relay::to(target.clone(), Duration::ZERO).await;
    let pool = bare(&via(relay.port()), PATIENCE).await;
    assert!(!recovers(&pool, &relay).await, "sqlx was mended: the guard in `connect` may go");
    let relay = Relay::to(target, Duration::ZERO).await;
    let pool = ours(&via(relay.port())).await;
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
