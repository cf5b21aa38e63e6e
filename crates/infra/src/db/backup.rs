//! A copy of a live SQLite database: one moment of it, whole, while the server goes on writing.

use super::error::store_error;
use super::pool::{DatabaseSettings, open};
use domain::store::{StoreError, StoreResult};
use sea_orm::{ConnectionTrait, DbBackend, Statement};
use std::path::Path;

/// Writes a copy to a file that does not exist yet, and answers once it is on the disk.
///
/// `VACUUM INTO` reads one snapshot, so units of work are in the copy whole or not at all. It asks for nobody's lock.
pub async fn copy_sqlite(settings: &DatabaseSettings, to: &Path) -> StoreResult<()> {
    let text = to.to_str().ok_or_else(|| unwritable(std::io::Error::other("the path is no text")))?;
    let connection = open(settings, 1).await?;
    let copy = Statement::from_sql_and_values(DbBackend::Sqlite, "VACUUM INTO ?", [text.into()]);
    let done = connection.execute_raw(copy).await.map_err(store_error);
    connection.close().await.map_err(store_error)?;
    done?;
    std::fs::File::open(to).and_then(|file| file.sync_all()).map_err(unwritable)
}

fn unwritable(error: std::io::Error) -> StoreError {
    StoreError::Unavailable(Box::new(error))
}
