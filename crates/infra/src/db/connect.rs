//! Connecting: one pool, or on SQLite one writer beside a pool of readers.

use super::bulk::Dialect;
use super::checkpoints::{self, Checkpoints};
use super::error::store_error;
use super::migrate::is_current;
use super::repos::Repos;
use async_trait::async_trait;
use domain::id::PlanVersionId;
use domain::plans::PlanVersion;
use domain::store::{Store, StoreError, StoreResult, UnitOfWork};
use sea_orm::sqlx::mysql::MySqlSslMode;
use sea_orm::sqlx::postgres::PgSslMode;
use sea_orm::sqlx::sqlite::{SqliteJournalMode, SqliteSynchronous};
use sea_orm::sqlx::{self, Executor};
use sea_orm::{
    ConnectOptions, ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, SqliteTransactionMode,
    Statement, TransactionOptions, TransactionTrait,
};
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, RwLock};
use std::time::Duration;

/// How long a statement waits for SQLite's one writer.
const SQLITE_BUSY: Duration = Duration::from_secs(10);
/// How long a caller waits for a connection before the service answers that it is busy.
const ACQUIRE: Duration = Duration::from_secs(10);
/// How long a returned connection may take to prove that no transaction is open on it.
const RELEASE: Duration = Duration::from_secs(2);

/// Prepared statements kept per connection: every kind of statement in every size of batch.
const STATEMENTS: usize = 500;

/// Without a transaction a bare ROLLBACK would write a warning into the server's log at every release.
const POSTGRES_RESET: &str = "BEGIN; ROLLBACK";

/// Where the database is and how many connections may be open.
#[derive(Clone)]
pub struct DatabaseSettings {
    pub url: String,
    pub max_connections: u32,
}

/// What all repositories of one database share.
pub struct Shared {
    pub(super) writer: DatabaseConnection,
    pub(super) dialect: Dialect,
    /// Plan versions never change, so they are read once.
    pub(super) versions: RwLock<HashMap<PlanVersionId, Arc<PlanVersion>>>,
    /// Statements of units of work so far.
    statements: Arc<AtomicU64>,
    _checkpoints: Option<Checkpoints>,
}

/// The store: reads committed data, begins units of work.
pub type Database = Repos<DatabaseConnection>;

/// Connects to the database of the URL. On SQLite the file and its folder are made when missing.
pub async fn connect(settings: &DatabaseSettings) -> StoreResult<Database> {
    let sqlite = settings.url.starts_with("sqlite:");
    let mut writer = open(settings, if sqlite { 1 } else { settings.max_connections }).await?;
    let statements = Arc::new(AtomicU64::new(0));
    let counter = statements.clone();
    let (conn, checkpoints) = if sqlite {
        let readers = open(settings, settings.max_connections.max(2)).await?;
        let checkpoints = Checkpoints::start(readers.clone(), &mut writer, counter);
        (readers, Some(checkpoints))
    } else {
        writer.set_metric_callback(move |_| {
            counter.fetch_add(1, Ordering::Relaxed);
        });
        (writer.clone(), None)
    };
    let dialect = dialect_of(&writer).await?;
    let shared = Shared { writer, dialect, versions: RwLock::default(), statements, _checkpoints: checkpoints };
    Ok(Repos { conn, shared: Arc::new(shared), pending: None })
}

async fn dialect_of(conn: &DatabaseConnection) -> StoreResult<Dialect> {
    match conn.get_database_backend() {
        DbBackend::Postgres => Ok(Dialect::Arrays),
        DbBackend::MySql => {
            let version = Statement::from_string(DbBackend::MySql, "SELECT VERSION() AS version");
            let row = conn.query_one_raw(version).await.map_err(store_error)?;
            let version = row.map(|row| row.try_get::<String>("", "version")).transpose().map_err(store_error)?;
            Ok(Dialect::of_mysql(&version.unwrap_or_default()))
        }
        _ => Ok(Dialect::Bound),
    }
}

impl Database {
    /// How many statements this process has sent, without BEGIN and COMMIT; on SQLite only those of units of work.
    pub fn statements(&self) -> u64 {
        self.shared.statements.load(Ordering::Relaxed)
    }
}

/// A pool of connections that no transaction and no silent server outlives.
pub async fn open(settings: &DatabaseSettings, connections: u32) -> StoreResult<DatabaseConnection> {
    if settings.url.starts_with("sqlite:") {
        make_folder(&settings.url)?;
    }
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
            // Planning a large multi-row statement anew costs more than running it. A plan made while a table
            // was still empty would scan it for ever, and every query of ours has an index.
            postgres
                .options([("plan_cache_mode", "force_generic_plan"), ("enable_seqscan", "off"), ("jit", "off")])
                .statement_cache_capacity(STATEMENTS)
        })
        .map_sqlx_mysql_opts(move |mysql| {
            let mysql = if plain { mysql.ssl_mode(MySqlSslMode::Disabled) } else { mysql };
            mysql.statement_cache_capacity(STATEMENTS)
        })
        .map_sqlx_postgres_pool_opts(|pool| {
            pool.after_release(|connection, _| {
                Box::pin(async { Ok(is_clean(connection.execute(POSTGRES_RESET)).await) })
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
    sea_orm::Database::connect(options).await.map_err(store_error)
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

pub(super) async fn begin(writer: &DatabaseConnection) -> StoreResult<DatabaseTransaction> {
    let sqlite_transaction_mode =
        (writer.get_database_backend() == DbBackend::Sqlite).then_some(SqliteTransactionMode::Immediate);
    let options = TransactionOptions { sqlite_transaction_mode, ..TransactionOptions::default() };
    writer.begin_with_options(options).await.map_err(store_error)
}

#[async_trait]
impl Store for Database {
    async fn begin(&self) -> StoreResult<Box<dyn UnitOfWork>> {
        let conn = begin(&self.shared.writer).await?;
        Ok(Box::new(Repos { conn, shared: self.shared.clone(), pending: Some(Arc::default()) }))
    }

    async fn back_off(&self, attempt: u32) {
        let mut byte = [0_u8; 1];
        let jitter = getrandom::fill(&mut byte).map_or(7, |()| u64::from(byte[0] % 16));
        tokio::time::sleep(Duration::from_millis((1_u64 << attempt.min(6)) + jitter)).await;
    }

    async fn ready(&self) -> StoreResult<()> {
        is_current(&self.conn).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
}
