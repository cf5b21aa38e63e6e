//! The store of one database: one pool, or on SQLite one writer beside a pool of readers.

use super::bulk::Dialect;
use super::checkpoints::Checkpoints;
use super::error::store_error;
use super::migrate::is_current;
use super::pool::{DatabaseSettings, open};
use super::repos::Repos;
use async_trait::async_trait;
use domain::id::PlanVersionId;
use domain::plans::PlanVersion;
use domain::store::{Store, StoreResult, UnitOfWork};
use sea_orm::{
    ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, SqliteTransactionMode, Statement,
    TransactionOptions, TransactionTrait,
};
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock, RwLock};
use std::time::Duration;

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

/// Who is told of every statement.
static WATCHER: OnceLock<fn(&Statement)> = OnceLock::new();

/// Has every statement that a store of this process has sent to its database told to a function, such as one that asks for plans.
/// Only the first call counts.
pub fn watch_statements(watcher: fn(&Statement)) {
    let _ = WATCHER.set(watcher);
}

pub(super) fn tell(statement: &Statement) {
    if let Some(watch) = WATCHER.get() {
        watch(statement);
    }
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
        let mut readers = open(settings, settings.max_connections.max(2)).await?;
        readers.set_metric_callback(|info| tell(info.statement));
        let checkpoints = Checkpoints::start(readers.clone(), &mut writer, counter);
        (readers, Some(checkpoints))
    } else {
        writer.set_metric_callback(move |info| {
            counter.fetch_add(1, Ordering::Relaxed);
            tell(info.statement);
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
        _ => Ok(Dialect::Padded),
    }
}

impl Database {
    /// How many statements this process has sent, without BEGIN and COMMIT; on SQLite only those of units of work.
    pub fn statements(&self) -> u64 {
        self.shared.statements.load(Ordering::Relaxed)
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
