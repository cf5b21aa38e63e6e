//! A caller who goes away while `BEGIN` is on its way (reliability I-30).

use super::{bare, execute, ours};
use futures_util::future::poll_immediate;
use harness::databases::{Fresh, server};
use sea_orm::{ConnectionTrait, DatabaseConnection, Statement, TransactionTrait};
use std::pin::pin;
use std::time::Duration;

/// At how many points of its way `BEGIN` is cancelled, and how often at each.
const POINTS: usize = 12;
const REPEATS: usize = 10;

/// Begins and goes away after so many steps.
async fn cancel(pool: &DatabaseConnection, steps: usize) {
    let mut beginning = pin!(pool.begin());
    for _ in 0..steps {
        if poll_immediate(beginning.as_mut()).await.is_some() {
            break;
        }
        tokio::time::sleep(Duration::from_micros(200)).await;
    }
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

async fn ours_loses_nothing_and_a_bare_pool_does(fresh: &Fresh, another: &Fresh) {
    let pool = bare(&fresh.url, Duration::from_secs(10)).await;
    assert!(lost(&pool, &fresh.url).await > 0, "sqlx was mended: the guard in `connect` may go");
    drop(pool);
    let pool = ours(&another.url).await;
    assert_eq!(lost(&pool, &another.url).await, 0);
}

#[tokio::test]
#[ignore = "needs TEST_POSTGRES_URL"]
async fn postgres() {
    let (fresh, another) = (server("TEST_POSTGRES_URL").await, server("TEST_POSTGRES_URL").await);
    ours_loses_nothing_and_a_bare_pool_does(&fresh, &another).await;
    fresh.discard().await;
    another.discard().await;
}

#[tokio::test]
#[ignore = "needs TEST_MARIADB_URL"]
async fn mariadb() {
    let (fresh, another) = (server("TEST_MARIADB_URL").await, server("TEST_MARIADB_URL").await);
    ours_loses_nothing_and_a_bare_pool_does(&fresh, &another).await;
    fresh.discard().await;
    another.discard().await;
}
