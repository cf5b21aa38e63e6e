//! Migrating, safely from several processes at once.
//!
//! SQLite and PostgreSQL change their schema inside a transaction, so one transaction with a lock around
//! all steps is enough. MySQL commits at every DDL statement; there a named lock of the connection serves,
//! which the server releases when the process dies, and the next one goes on from where that was (`migrate_steps`).

use super::connect::{Database, begin};
use super::error::store_error;
use super::migrate_steps;
use super::pool::{DatabaseSettings, open};
use domain::store::{StoreError, StoreResult};
use migration::{MigrationStatus, Migrator, MigratorTrait};
use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend};

/// A number that no other program is likely to lock.
const POSTGRES_LOCK: &str = "SELECT pg_advisory_xact_lock(7093845218)";
const MYSQL_LOCK: &str = "SELECT GET_LOCK('suanpan_migration', 600)";
const MYSQL_UNLOCK: &str = "SELECT RELEASE_LOCK('suanpan_migration')";

/// One migration and whether it was applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MigrationState {
    pub name: String,
    pub applied: bool,
}

#[derive(Clone, Copy)]
enum Direction {
    Up,
    Down(u32),
}

/// Applies what is missing. A second process waits and then finds nothing to do.
pub async fn migrate_up(settings: &DatabaseSettings) -> StoreResult<()> {
    run(settings, Direction::Up).await
}

/// Takes the last `steps` migrations back.
pub async fn migrate_down(settings: &DatabaseSettings, steps: u32) -> StoreResult<()> {
    run(settings, Direction::Down(steps)).await
}

pub async fn migration_status(database: &Database) -> StoreResult<Vec<MigrationState>> {
    let migrations = Migrator::get_migration_with_status(&database.conn).await.map_err(store_error)?;
    Ok(migrations
        .iter()
        .map(|migration| MigrationState {
            name: migration.name().to_owned(),
            applied: migration.status() == MigrationStatus::Applied,
        })
        .collect())
}

/// Fails unless every migration was applied.
pub(super) async fn is_current(conn: &DatabaseConnection) -> StoreResult<()> {
    let pending = Migrator::get_pending_migrations_read_only(conn).await.map_err(store_error)?;
    if pending.is_empty() {
        Ok(())
    } else {
        Err(StoreError::Unavailable("the database is not migrated; run `suanpan migrate up`".into()))
    }
}

async fn run(settings: &DatabaseSettings, direction: Direction) -> StoreResult<()> {
    let conn = open(settings, 1).await?;
    let done = match conn.get_database_backend() {
        DbBackend::MySql => {
            conn.execute_unprepared(MYSQL_LOCK).await.map_err(store_error)?;
            let done = match direction {
                Direction::Up => migrate_steps::up(&conn).await.map_err(store_error),
                Direction::Down(_) => apply(&conn, direction).await,
            };
            conn.execute_unprepared(MYSQL_UNLOCK).await.map_err(store_error)?;
            done
        }
        backend => {
            let work = begin(&conn).await?;
            if backend == DbBackend::Postgres {
                work.execute_unprepared(POSTGRES_LOCK).await.map_err(store_error)?;
            }
            apply(&work, direction).await?;
            work.commit().await.map_err(store_error)
        }
    };
    conn.close().await.map_err(store_error)?;
    done
}

async fn apply<'c, C>(conn: &'c C, direction: Direction) -> StoreResult<()>
where
    &'c C: migration::IntoSchemaManagerConnection<'c>,
    C: ConnectionTrait,
{
    match direction {
        Direction::Up => Migrator::up(conn, None).await,
        Direction::Down(steps) => Migrator::down(conn, Some(steps)).await,
    }
    .map_err(store_error)
}
