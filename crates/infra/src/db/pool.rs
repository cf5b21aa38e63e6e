//! Opening a pool of connections to a database, each as this product needs it.

use super::checkpoints;
use super::error::store_error;
use super::planning::{POSTGRES_PLANNING, Resets};
use domain::store::{StoreError, StoreResult};
use sea_orm::sqlx::mysql::MySqlSslMode;
use sea_orm::sqlx::postgres::PgSslMode;
use sea_orm::sqlx::sqlite::{SqliteJournalMode, SqliteSynchronous};
use sea_orm::sqlx::{self, Executor};
use sea_orm::{ConnectOptions, DatabaseConnection};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long a statement waits for SQLite's one writer.
const SQLITE_BUSY: Duration = Duration::from_secs(10);
/// How long to wait before a new file is asked again to keep a log.
const AGAIN: Duration = Duration::from_millis(10);
/// How long a caller waits for a connection before the service answers that it is busy.
const ACQUIRE: Duration = Duration::from_secs(10);
/// How long a returned connection may take to prove that no transaction is open on it.
const RELEASE: Duration = Duration::from_secs(2);

/// Prepared statements kept per connection: more than there are kinds of statements in their few sizes.
const STATEMENTS: usize = 500;

/// Where the database is and how many connections may be open.
#[derive(Clone)]
pub struct DatabaseSettings {
    pub url: String,
    pub max_connections: u32,
}

/// A pool of connections that no transaction and no silent server outlives.
pub async fn open(settings: &DatabaseSettings, connections: u32) -> StoreResult<DatabaseConnection> {
    if settings.url.starts_with("sqlite:") {
        make_folder(&settings.url)?;
    }
    let (options, began) = (options(settings, connections), Instant::now());
    loop {
        match sea_orm::Database::connect(options.clone()).await.map_err(store_error) {
            // While another process makes a new SQLite file keep a log, asking for the same fails at once: SQLite has
            // nobody wait who has begun to read.
            Err(StoreError::Contended) if began.elapsed() < SQLITE_BUSY => tokio::time::sleep(AGAIN).await,
            opened => return opened,
        }
    }
}

fn options(settings: &DatabaseSettings, connections: u32) -> ConnectOptions {
    let plain = stays_here(&settings.url);
    let mut options = ConnectOptions::new(settings.url.clone());
    options
        .max_connections(connections)
        .acquire_timeout(ACQUIRE)
        .sqlx_logging(false)
        .test_before_acquire_if_idle_for(Duration::from_secs(30))
        .map_sqlx_sqlite_opts(|sqlite| {
            sqlite
                .create_if_missing(true)
                .journal_mode(SqliteJournalMode::Wal)
                .synchronous(SqliteSynchronous::Full)
                .foreign_keys(true)
                .busy_timeout(SQLITE_BUSY)
                .statement_cache_capacity(STATEMENTS)
                .pragma("wal_autocheckpoint", checkpoints::AUTOMATIC)
        })
        .map_sqlx_postgres_opts(move |postgres| {
            let postgres = if plain { postgres.ssl_mode(PgSslMode::Disable) } else { postgres };
            postgres.options(POSTGRES_PLANNING).statement_cache_capacity(STATEMENTS)
        })
        .map_sqlx_mysql_opts(move |mysql| {
            let mysql = if plain { mysql.ssl_mode(MySqlSslMode::Disabled) } else { mysql };
            mysql.statement_cache_capacity(STATEMENTS)
        })
        .map_sqlx_postgres_pool_opts(|pool| {
            let resets = Arc::new(Resets::new());
            pool.after_release(move |connection, _| {
                let reset = resets.next();
                Box::pin(async move { Ok(is_clean(connection.execute(reset)).await) })
            })
        })
        .map_sqlx_mysql_pool_opts(|pool| {
            pool.after_connect(|connection, _| {
                Box::pin(async {
                    connection.execute("SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED").await?;
                    Ok(())
                })
            })
            .after_release(|connection, _| Box::pin(async { Ok(is_clean(connection.execute("ROLLBACK")).await) }))
        });
    options
}

/// sqlx 0.9.0 can return a connection to the pool inside an open transaction when a `BEGIN` was
/// cancelled; rolling back on release keeps the next borrower's writes from vanishing with it.
async fn is_clean<T>(rollback: impl Future<Output = Result<T, sqlx::Error>>) -> bool {
    matches!(tokio::time::timeout(RELEASE, rollback).await, Ok(Ok(_)))
}

/// Whether the server is on this machine and the URL does not ask for TLS. There it protects nothing, and it cuts a
/// statement into pieces that wait for each other: sqlx 0.9.0 leaves Nagle's algorithm on.
fn stays_here(url: &str) -> bool {
    let host = url.split_once("://").map_or("", |(_, rest)| rest.split(['/', '?']).next().unwrap_or_default());
    let host = host.rsplit('@').next().unwrap_or_default();
    let here = ["127.0.0.1", "localhost", "[::1]"].iter().any(|name| host.strip_prefix(name).is_some_and(is_port));
    here && !url.contains("sslmode=") && !url.contains("ssl-mode=")
}

fn is_port(rest: &str) -> bool {
    rest.is_empty() || rest.starts_with(':')
}

fn make_folder(url: &str) -> StoreResult<()> {
    let path = url.trim_start_matches("sqlite:").trim_start_matches("//");
    let path = path.split('?').next().unwrap_or_default();
    match std::path::Path::new(path).parent() {
        Some(folder) if !folder.as_os_str().is_empty() && !path.starts_with(":memory:") => {
            std::fs::create_dir_all(folder).map_err(|error| StoreError::Unavailable(Box::new(error)))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sea_orm::sqlx::{ConnectOptions as _, Connection};

    #[test]
    fn only_a_server_of_this_machine_is_spoken_to_in_plain_and_only_unless_the_url_says_otherwise() {
        for url in ["postgres://a:b@127.0.0.1:5432/x", "postgres://localhost/x", "postgres://a@[::1]:5432/x"] {
            assert!(stays_here(url), "{url}");
        }
        for url in [
            "postgres://a@db.example/x",
            "postgres://a@localhost.example/x",
            "postgres://localhost@db.example/x",
            "postgres://127.0.0.1/x?sslmode=require",
            "postgres:///x",
        ] {
            assert!(!stays_here(url), "{url}");
        }
    }

    #[tokio::test]
    async fn a_new_sqlite_file_that_somebody_writes_to_is_waited_for() {
        let file = std::env::temp_dir().join(format!("pool-{}.db", uuid::Uuid::now_v7()));
        let settings = DatabaseSettings { url: format!("sqlite:{}", file.display()), max_connections: 1 };
        // Without a log, as a file is before the first that opens it has made it keep one.
        let new = sqlx::sqlite::SqliteConnectOptions::new().filename(&file).create_if_missing(true);
        let mut other = new.connect().await.unwrap();
        other.execute("BEGIN IMMEDIATE").await.unwrap();
        let opening = tokio::spawn(async move { open(&settings, 1).await });
        tokio::time::sleep(AGAIN * 5).await;
        assert!(!opening.is_finished(), "it waits");
        other.execute("COMMIT").await.unwrap();
        opening.await.unwrap().unwrap().close().await.unwrap();
        other.close().await.unwrap();
        for name in ["db", "db-wal", "db-shm"] {
            let _gone = std::fs::remove_file(file.with_extension(name));
        }
    }
}
