//! SQLite's log: what was committed is moved into the database's file beside the writer, not within its commits.
//!
//! By itself SQLite does it in every commit that finds a thousand pages in the log, and waits twice for the disk there.

use super::connect::tell;
use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, DbErr, Statement};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::Notify;
use tokio::task::JoinHandle;

/// Statements of the writer between two checkpoints: some ten commits of many uses.
const EVERY: u64 = 64;
/// Pages in the log from which on the writer waits until all are moved, so that the log begins anew: 32 MiB.
const LONG: i64 = 8_192;
/// Pages from which on a commit moves them itself, if nobody else did: 128 MiB.
pub const AUTOMATIC: &str = "32768";

/// Counts the writer's statements, and moves pages whenever there were some; ends when it is dropped.
pub struct Checkpoints(JoinHandle<()>);

impl Checkpoints {
    /// `statements` counts from now on.
    pub fn start(readers: DatabaseConnection, writer: &mut DatabaseConnection, statements: Arc<AtomicU64>) -> Self {
        let (due, uncounted) = (Arc::new(Notify::new()), writer.clone());
        let told = due.clone();
        writer.set_metric_callback(move |info| {
            tell(info.statement);
            if statements.fetch_add(1, Ordering::Relaxed) % EVERY == EVERY - 1 {
                told.notify_one();
            }
        });
        Self(tokio::spawn(async move {
            loop {
                due.notified().await;
                if let Err(error) = shorten(&readers, &uncounted).await {
                    tracing::warn!(error = ?error, "the log of SQLite could not be shortened; it is tried again");
                }
            }
        }))
    }
}

impl Drop for Checkpoints {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn shorten(readers: &DatabaseConnection, writer: &DatabaseConnection) -> Result<(), DbErr> {
    if move_pages(readers).await? < LONG {
        return Ok(());
    }
    // First what came meanwhile, so that little is left to do while the writer waits.
    move_pages(readers).await?;
    move_pages(writer).await.map(drop)
}

/// Moves as many pages as no reader needs in the log, waits for nobody, and says how many the log has.
async fn move_pages(connection: &DatabaseConnection) -> Result<i64, DbErr> {
    let checkpoint = Statement::from_string(DbBackend::Sqlite, "PRAGMA wal_checkpoint(PASSIVE)");
    let row = connection.query_one_raw(checkpoint).await?;
    row.map_or(Ok(0), |row| row.try_get_by_index::<i64>(1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::pool::{DatabaseSettings, open};

    /// Of three pages each: more than the log holds before a commit moves pages itself.
    const ROWS: u64 = 15_000;

    #[tokio::test]
    async fn the_log_stays_short_however_much_is_written() {
        let file = std::env::temp_dir().join(format!("checkpoints-{}.db", uuid::Uuid::now_v7()));
        let settings = DatabaseSettings { url: format!("sqlite:{}", file.display()), max_connections: 2 };
        let (readers, mut writer) = (open(&settings, 2).await.unwrap(), open(&settings, 1).await.unwrap());
        let statements = Arc::new(AtomicU64::new(0));
        let checkpoints = Checkpoints::start(readers, &mut writer, statements.clone());
        let statement = |text| Statement::from_string(DbBackend::Sqlite, text);
        writer.execute_raw(statement("CREATE TABLE t (a BLOB)")).await.unwrap();
        for _ in 0..ROWS {
            writer.execute_raw(statement("INSERT INTO t VALUES (randomblob(8000))")).await.unwrap();
        }
        let log = std::fs::metadata(file.with_extension("db-wal")).unwrap().len();
        let database = std::fs::metadata(&file).unwrap().len();
        assert_eq!(statements.load(Ordering::Relaxed), ROWS + 1);
        assert!(log < 64 << 20 && database > 64 << 20, "{log}, {database}");
        drop(checkpoints);
        writer.close().await.unwrap();
        for name in ["db", "db-wal", "db-shm"] {
            let _gone = std::fs::remove_file(file.with_extension(name));
        }
    }
}
