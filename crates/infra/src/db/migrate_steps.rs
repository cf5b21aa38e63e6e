//! Migrating MySQL and MariaDB step by step, from wherever a process died that migrated before.
//!
//! They commit at each statement that changes the schema, and each of our steps is one such statement: who dies may have
//! done a step without noting it. So a step's name is written down before it, and who finds that name takes "is there
//! already" for done. Without the name it stays the error that it is: somebody else's table is in the way.

use migration::{Migrator, MigratorTrait};
use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, DbErr, RuntimeErr, Statement, sqlx};

const BEGUN: &str =
    "CREATE TABLE IF NOT EXISTS migration_begun (one TINYINT NOT NULL PRIMARY KEY, name VARCHAR(64) NOT NULL)";
const FORGET: &str = "DROP TABLE migration_begun";
const READ: &str = "SELECT name FROM migration_begun";
const WRITE: &str = "REPLACE INTO migration_begun (one, name) VALUES (1, ?)";
const NOTE: &str = "INSERT INTO seaql_migrations (version, applied_at) VALUES (?, UNIX_TIMESTAMP())";
/// A table, a column, an index, a row or a foreign key that is there already.
const THERE_ALREADY: [u16; 5] = [1050, 1060, 1061, 1062, 1826];

/// Applies what is missing. Whoever calls holds the lock.
pub(super) async fn up(conn: &DatabaseConnection) -> Result<(), DbErr> {
    conn.execute_unprepared(BEGUN).await?;
    let row = conn.query_one_raw(Statement::from_string(DbBackend::MySql, READ)).await?;
    let begun: Option<String> = row.map(|row| row.try_get("", "name")).transpose()?;
    for step in Migrator::get_pending_migrations(conn).await? {
        let resumed = begun.as_deref() == Some(step.name());
        named(conn, WRITE, step.name()).await?;
        match Migrator::up(conn, Some(1)).await {
            Ok(()) => {}
            Err(error) if !is_there_already(&error) => return Err(error),
            Err(_) if resumed => named(conn, NOTE, step.name()).await?,
            Err(error) => {
                // Nobody died here: what is in the way is somebody else's, next time too.
                conn.execute_unprepared(FORGET).await?;
                return Err(error);
            }
        }
    }
    conn.execute_unprepared(FORGET).await.map(drop)
}

async fn named(conn: &DatabaseConnection, sql: &str, name: &str) -> Result<(), DbErr> {
    conn.execute_raw(Statement::from_sql_and_values(DbBackend::MySql, sql, [name.into()])).await.map(drop)
}

fn is_there_already(error: &DbErr) -> bool {
    let (DbErr::Exec(RuntimeErr::SqlxError(error)) | DbErr::Query(RuntimeErr::SqlxError(error))) = error else {
        return false;
    };
    let Some(error) = error.as_database_error() else { return false };
    let number =
        error.try_downcast_ref::<sqlx::mysql::MySqlDatabaseError>().map(sqlx::mysql::MySqlDatabaseError::number);
    number.is_some_and(|number| THERE_ALREADY.contains(&number))
}
