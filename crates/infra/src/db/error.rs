//! What a database error means to the domain.

use domain::store::StoreError;
use sea_orm::{DbErr, RuntimeErr, SqlErr, sqlx};

/// PostgreSQL: serialization failure, deadlock, lock not available.
const POSTGRES_CONTENTION: [&str; 3] = ["40001", "40P01", "55P03"];
/// MySQL and MariaDB: lock wait timeout, deadlock, record changed since read.
const MYSQL_CONTENTION: [u16; 3] = [1205, 1213, 1020];
/// PostgreSQL: an operator's or a crash's shutdown, not accepting connections yet, an idle session ended.
const POSTGRES_GONE: [&str; 4] = ["57P01", "57P02", "57P03", "57P05"];
/// PostgreSQL's classes of connection exceptions and of resources that ran out: disk, memory, connections.
const POSTGRES_CLASSES_GONE: [&str; 2] = ["08", "53"];
/// MySQL and MariaDB: too many connections, shutdown, the connection was killed.
const MYSQL_GONE: [u16; 5] = [1040, 1053, 1077, 1152, 1927];
/// MySQL and MariaDB: the disk, the memory or a table's space is full.
const MYSQL_FULL: [u16; 5] = [1021, 1037, 1038, 1041, 1114];
/// SQLite primary codes: busy, locked. Extended codes keep them in the low byte.
const SQLITE_CONTENTION: [u32; 2] = [5, 6];
/// SQLite primary codes: out of memory, reading or writing failed, the disk is full, a file cannot be opened.
const SQLITE_GONE: [u32; 4] = [7, 10, 13, 14];

/// Translates a database error; `map_err(store_error)`.
pub fn store_error(error: DbErr) -> StoreError {
    if let Some(SqlErr::UniqueConstraintViolation(_)) = error.sql_err() {
        return StoreError::Duplicate;
    }
    if is_contention(&error) {
        return StoreError::Contended;
    }
    match error {
        DbErr::ConnectionAcquire(_) | DbErr::Conn(_) => StoreError::Unavailable(Box::new(error)),
        error if is_lost_connection(&error) => StoreError::Unavailable(Box::new(error)),
        error => StoreError::Other(Box::new(error)),
    }
}

fn sqlx_error(error: &DbErr) -> Option<&sqlx::Error> {
    match error {
        DbErr::Exec(RuntimeErr::SqlxError(error))
        | DbErr::Query(RuntimeErr::SqlxError(error))
        | DbErr::Conn(RuntimeErr::SqlxError(error)) => Some(error),
        _ => None,
    }
}

fn is_contention(error: &DbErr) -> bool {
    let Some(sqlx::Error::Database(error)) = sqlx_error(error) else { return false };
    if let Some(error) = error.try_downcast_ref::<sqlx::mysql::MySqlDatabaseError>() {
        return MYSQL_CONTENTION.contains(&error.number());
    }
    let code = error.code().unwrap_or_default();
    if error.try_downcast_ref::<sqlx::postgres::PgDatabaseError>().is_some() {
        return POSTGRES_CONTENTION.contains(&&*code);
    }
    is_sqlite(&code, &SQLITE_CONTENTION)
}

/// Whether a code of SQLite's is one of these primary codes.
fn is_sqlite(code: &str, primary: &[u32]) -> bool {
    code.parse::<u32>().is_ok_and(|code| primary.contains(&(code & 0xff)))
}

fn is_lost_connection(error: &DbErr) -> bool {
    match sqlx_error(error) {
        Some(sqlx::Error::Io(_) | sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed | sqlx::Error::WorkerCrashed) => {
            true
        }
        Some(sqlx::Error::Database(error)) => cannot_go_on(&**error),
        _ => false,
    }
}

/// Whether the database says that it ended the connection, takes none, or lacks room to work.
fn cannot_go_on(error: &dyn sqlx::error::DatabaseError) -> bool {
    if let Some(error) = error.try_downcast_ref::<sqlx::mysql::MySqlDatabaseError>() {
        return MYSQL_GONE.contains(&error.number()) || MYSQL_FULL.contains(&error.number());
    }
    let code = error.code().unwrap_or_default();
    if error.try_downcast_ref::<sqlx::postgres::PgDatabaseError>().is_some() {
        return POSTGRES_GONE.contains(&&*code) || POSTGRES_CLASSES_GONE.iter().any(|class| code.starts_with(class));
    }
    is_sqlite(&code, &SQLITE_GONE)
}
