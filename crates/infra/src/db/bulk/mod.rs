//! Writing many rows of a table with one statement, from few statement texts.

mod arrays;
mod bound;
pub(super) mod documents;
mod filled;
#[cfg(test)]
mod tests;
mod together;
mod update;

pub use together::{Dialect, Together};
pub use update::Update;

use super::error::store_error;
use domain::store::StoreResult;
use sea_orm::{ConnectionTrait, DbBackend, Statement, Value};

/// What happens to a row whose key exists.
#[derive(Clone, Copy)]
pub enum Existing {
    /// The statement fails with `StoreError::Duplicate`.
    Fail,
    /// These columns of the key's row take the new values.
    Replace(&'static [&'static str], &'static [&'static str]),
    /// The new values are added to these columns of the key's row.
    Add(&'static [&'static str], &'static [&'static str]),
}

/// How many rows a statement wrote.
async fn execute(
    conn: &impl ConnectionTrait,
    backend: DbBackend,
    text: String,
    values: Vec<Value>,
) -> StoreResult<u64> {
    let statement = Statement::from_sql_and_values(backend, text, values);
    conn.execute_raw(statement).await.map(|done| done.rows_affected()).map_err(store_error)
}

fn conflict(existing: Existing, table: &str, backend: DbBackend) -> String {
    let (key, columns, adds) = match existing {
        Existing::Fail => return String::new(),
        Existing::Replace(key, columns) => (key, columns, false),
        Existing::Add(key, columns) => (key, columns, true),
    };
    let set = |column: &&str| match (backend, adds) {
        (DbBackend::MySql, false) => format!("{column}=VALUES({column})"),
        (DbBackend::MySql, true) => format!("{column}={column}+VALUES({column})"),
        (_, false) => format!("{column}=excluded.{column}"),
        (_, true) => format!("{column}={table}.{column}+excluded.{column}"),
    };
    let sets = columns.iter().map(set).collect::<Vec<_>>().join(",");
    match backend {
        DbBackend::MySql => format!(" ON DUPLICATE KEY UPDATE {sets}"),
        _ => format!(" ON CONFLICT ({}) DO UPDATE SET {sets}", key.join(",")),
    }
}
