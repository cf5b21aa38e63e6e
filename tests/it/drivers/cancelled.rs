//! A caller who goes away while `BEGIN` is on its way (reliability I-30).

use super::relay::{Relay, through};
use super::{bare, execute, ours};
use harness::databases::{Fresh, server};
use sea_orm::{ConnectionTrait, DatabaseConnection, Statement, TransactionTrait};
use std::time::Duration;

/// How long each answer of the server is on its way.
const DELAY: Duration = Duration::from_millis(3);
/// After how many milliseconds `BEGIN` is cancelled, and how often after each: the pool's ping takes the first round
/// trip, `BEGIN` the second.
const POINTS: usize = 12;
const REPEATS: usize = 10;
/// How long a connection is waited for.
const PATIENCE: Duration = Duration::from_secs(10);

/// Begins and goes away after so many milliseconds.
async fn cancel(pool: &DatabaseConnection, milliseconds: usize) {
    let patience = Duration::from_millis(u64::try_from(milliseconds).unwrap());
    drop(tokio::time::timeout(patience, pool.begin()).await);
}

/// Writes that were answered with success and that nobody else sees.
async fn lost(pool: &DatabaseConnection, url: &str) -> usize {
    let other = sea_orm::Database::connect(url).await.unwrap();
    assert!(execute(&other, "CREATE TABLE probe (n BIGINT NOT NULL)").await);
    let (mut written, mut lost) = (0, 0);
    for number in 0..POINTS * REPEATS {
        cancel(pool, number % POINTS).await;
        if !execute(pool, &format!("INSERT INTO probe VALUES ({number})")).await {
            continue;
        }
        written += 1;
        let query = format!("SELECT n FROM probe WHERE n = {number}");
        let found = other.query_one_raw(Statement::from_string(other.get_database_backend(), query)).await.unwrap();
        lost += usize::from(found.is_none());
    }
    assert!(written > POINTS, "only {written} writes were answered with success");
    lost
}

async fn ours_loses_nothing_and_a_bare_pool_does(fresh: &Fresh, another: &Fresh, default_port: u16) {
    let (target, via) = through(&fresh.url, default_port);
    let relay = Relay::to(target, DELAY).await;
    let pool = bare(&via(relay.port()), PATIENCE).await;
    assert!(lost(&pool, &fresh.url).await > 0, "sqlx was mended: the guard in `connect` may go");
    drop(pool);
    let (target, via) = through(&another.url, default_port);
    let relay = Relay::to(target, DELAY).await;
    let pool = ours(&via(relay.port())).await;
    assert_eq!(lost(&pool, &another.url).await, 0);
}

#[tokio::test]
#[ignore = "needs TEST_POSTGRES_URL"]
async fn postgres() {
    let (fresh, another) = (server("TEST_POSTGRES_URL").await, server("TEST_POSTGRES_URL").await);
    ours_loses_nothing_and_a_bare_pool_does(&fresh, &another, 5432).await;
    fresh.discard().await;
    another.discard().await;
}

#[tokio::test]
#[ignore = "needs TEST_MARIADB_URL"]
async fn mariadb() {
    let (fresh, another) = (server("TEST_MARIADB_URL").await, server("TEST_MARIADB_URL").await);
    ours_loses_nothing_and_a_bare_pool_does(&fresh, &another, 3306).await;
    fresh.discard().await;
    another.discard().await;
}
