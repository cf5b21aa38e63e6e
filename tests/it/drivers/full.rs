//! A database without room to work: whoever is in the middle hears that it is unavailable, not that we are wrong.

use super::ours;
use domain::store::StoreError;
use harness::databases::{server, sqlite};
use infra::db::store_error;
use sea_orm::ConnectionTrait;

/// What the database says to the last of the statements.
async fn heard(url: &str, statements: &[&str]) -> StoreError {
    let connection = ours(url).await;
    let (last, before) = statements.split_last().unwrap();
    for statement in before {
        connection.execute_unprepared(statement).await.unwrap();
    }
    store_error(connection.execute_unprepared(last).await.unwrap_err())
}

#[tokio::test]
async fn a_full_file_is_unavailable() {
    let fresh = sqlite().await;
    // Fewer pages than there are: none is added.
    let full = ["PRAGMA max_page_count = 1", "CREATE TABLE more AS SELECT randomblob(10000000) AS bytes"];
    let error = heard(&fresh.url, &full).await;
    assert!(matches!(error, StoreError::Unavailable(_)), "{error:?}");
}

/// A full disk cannot be made on a server that others use; what it says then can.
#[tokio::test]
#[ignore = "needs TEST_POSTGRES_URL"]
async fn a_full_disk_is_unavailable_postgres() {
    let fresh = server("TEST_POSTGRES_URL").await;
    for code in ["53100", "53200", "53300"] {
        let raise = format!("DO $$ BEGIN RAISE EXCEPTION 'no room' USING ERRCODE = '{code}'; END $$");
        let error = heard(&fresh.url, &[&raise]).await;
        assert!(matches!(error, StoreError::Unavailable(_)), "{code}: {error:?}");
    }
    fresh.discard().await;
}

#[tokio::test]
#[ignore = "needs TEST_MARIADB_URL"]
async fn a_full_disk_is_unavailable_mariadb() {
    let fresh = server("TEST_MARIADB_URL").await;
    for number in [1021, 1037, 1038, 1041, 1114] {
        let raise = format!("SIGNAL SQLSTATE 'HY000' SET MYSQL_ERRNO = {number}");
        let error = heard(&fresh.url, &[&raise]).await;
        assert!(matches!(error, StoreError::Unavailable(_)), "{number}: {error:?}");
    }
    fresh.discard().await;
}
