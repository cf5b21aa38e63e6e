//! Months of `usage_records`: partitions on PostgreSQL and MySQL, ranges of ids on SQLite.
//!
//! PostgreSQL: `usage_records_2026_11` holds the month, `usage_records_catch_all` what has none. MySQL: the partition
//! `p2026_11` ends with the month and begins where the one before it ends; `catch_all` is what follows the last.

use super::error::store_error;
use super::repos::Repos;
use super::usage::first_id_at;
use async_trait::async_trait;
use chrono::DateTime;
use domain::id::AccountId;
use domain::metering::{Month, UsageMonthRepository};
use domain::store::{StoreError, StoreResult};
use sea_orm::{ConnectionTrait, DbBackend, Statement, Value};
use uuid::Uuid;

const POSTGRES_LIST: &str = "SELECT c.relname AS name FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid \
    WHERE i.inhparent = 'usage_records'::regclass";
const MYSQL_LIST: &str = "SELECT CAST(partition_name AS CHAR) AS name FROM information_schema.partitions \
    WHERE table_schema = DATABASE() AND table_name = 'usage_records' AND partition_name IS NOT NULL";
const POSTGRES_OLDEST: &str = "SELECT id FROM usage_records_catch_all ORDER BY id LIMIT 1";
const MYSQL_OLDEST: &str = "SELECT MIN(id) AS id FROM usage_records PARTITION (catch_all)";
/// What waits behind a change of partitions waits no longer than this.
const POSTGRES_WAIT: &str = "SET LOCAL lock_timeout = '500ms'";
/// MySQL counts whole seconds.
const MYSQL_WAIT: &str = "SET SESSION lock_wait_timeout = 1";
const MYSQL_WAIT_NO_MORE: &str = "SET SESSION lock_wait_timeout = DEFAULT";
/// Lets one process at a time change partitions, and everybody else read and write.
const POSTGRES_LOCK: &str = "LOCK TABLE usage_records IN SHARE UPDATE EXCLUSIVE MODE";
const CATCH_ALL: &str = "catch_all";
/// One look for each account, whatever it has used.
const ACCOUNT_BEFORE: &str = "SELECT id FROM accounts WHERE id > ? AND EXISTS (SELECT 1 FROM usage_records \
    WHERE usage_records.account_id = accounts.id AND usage_records.id < ?) ORDER BY id LIMIT 1";
const DELETE_BEFORE: &str = "DELETE FROM usage_records WHERE rowid IN \
    (SELECT rowid FROM usage_records WHERE account_id = ? AND id < ? LIMIT ?)";

#[async_trait]
impl<C: ConnectionTrait + Send + Sync> UsageMonthRepository for Repos<C> {
    async fn partitions(&self) -> StoreResult<Option<Vec<Month>>> {
        let (list, prefix) = match self.conn.get_database_backend() {
            DbBackend::Postgres => (POSTGRES_LIST, "usage_records_"),
            DbBackend::MySql => (MYSQL_LIST, "p"),
            _ => return Ok(None),
        };
        let statement = Statement::from_string(self.conn.get_database_backend(), list);
        let mut months = Vec::new();
        for row in self.conn.query_all_raw(statement).await.map_err(store_error)? {
            let name: String = row.try_get("", "name").map_err(store_error)?;
            months.extend(name.strip_prefix(prefix).and_then(|name| name.replace('_', "-").parse::<Month>().ok()));
        }
        months.sort_unstable();
        Ok(Some(months))
    }

    async fn oldest_in_catch_all(&self) -> StoreResult<Option<Month>> {
        let backend = self.conn.get_database_backend();
        let oldest = match backend {
            DbBackend::Postgres => POSTGRES_OLDEST,
            DbBackend::MySql => MYSQL_OLDEST,
            _ => return Ok(None),
        };
        let row = self.conn.query_one_raw(Statement::from_string(backend, oldest)).await.map_err(store_error)?;
        let id: Option<Uuid> = row.map(|row| row.try_get("", "id")).transpose().map_err(store_error)?.flatten();
        Ok(id.map(month_of))
    }

    async fn create(&self, month: Month) -> StoreResult<()> {
        match self.conn.get_database_backend() {
            DbBackend::Postgres => create_on_postgres(self, month).await,
            DbBackend::MySql => create_on_mysql(self, month).await,
            _ => Ok(()),
        }
    }

    async fn drop_partition(&self, month: Month) -> StoreResult<()> {
        match self.conn.get_database_backend() {
            DbBackend::Postgres => {
                run(self, POSTGRES_WAIT).await?;
                run(self, &format!("DROP TABLE IF EXISTS {}", postgres_name(month))).await
            }
            DbBackend::MySql => {
                let drop = format!("ALTER TABLE usage_records DROP PARTITION {}", mysql_name(month));
                match alter_mysql(self, &drop).await {
                    // Another process was first.
                    Err(StoreError::Other(_)) if !exists(self, month).await? => Ok(()),
                    dropped => dropped,
                }
            }
            _ => Ok(()),
        }
    }

    async fn account_before(&self, month: Month, after: Option<AccountId>) -> StoreResult<Option<AccountId>> {
        let backend = self.conn.get_database_backend();
        if backend != DbBackend::Sqlite {
            return Ok(None);
        }
        let values: [Value; 2] = [after.map_or(Uuid::nil(), AccountId::as_uuid).into(), first_id(month).into()];
        let statement = Statement::from_sql_and_values(backend, ACCOUNT_BEFORE, values);
        let row = self.conn.query_one_raw(statement).await.map_err(store_error)?;
        row.map(|row| row.try_get("", "id").map(AccountId::from_uuid)).transpose().map_err(store_error)
    }

    async fn delete_before(&self, month: Month, account: AccountId, most: u64) -> StoreResult<u64> {
        let backend = self.conn.get_database_backend();
        if backend != DbBackend::Sqlite {
            return Ok(0);
        }
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        let values: [Value; 3] = [account.as_uuid().into(), first_id(month).into(), most.into()];
        let deleted = self.conn.execute_raw(Statement::from_sql_and_values(backend, DELETE_BEFORE, values)).await;
        Ok(deleted.map_err(store_error)?.rows_affected())
    }
}

/// Everything happens in the caller's transaction: the table is attached with its rows, or nothing changed.
///
/// Attaching locks the catch-all, which nobody writes to as long as months are made ahead, and neither the table nor
/// its other partitions.
async fn create_on_postgres<C: ConnectionTrait + Send + Sync>(repos: &Repos<C>, month: Month) -> StoreResult<()> {
    run(repos, POSTGRES_WAIT).await?;
    run(repos, POSTGRES_LOCK).await?;
    if exists(repos, month).await? {
        return Ok(());
    }
    let (name, from, to) = (postgres_name(month), first_id(month), first_id(month.next()));
    run(repos, &format!("CREATE TABLE {name} (LIKE usage_records INCLUDING ALL)")).await?;
    run(repos, "LOCK TABLE usage_records_catch_all IN ACCESS EXCLUSIVE MODE").await?;
    run(
        repos,
        &format!(
            "WITH moved AS (DELETE FROM usage_records_catch_all WHERE id >= '{from}' AND id < '{to}' RETURNING *) \
             INSERT INTO {name} SELECT * FROM moved"
        ),
    )
    .await?;
    let attach = format!("ALTER TABLE usage_records ATTACH PARTITION {name} FOR VALUES FROM ('{from}') TO ('{to}')");
    run(repos, &attach).await
}

/// Splits the partition in which the month lies, which is empty or the catch-all as a rule.
async fn create_on_mysql<C: ConnectionTrait + Send + Sync>(repos: &Repos<C>, month: Month) -> StoreResult<()> {
    let months = repos.partitions().await?.unwrap_or_default();
    if months.contains(&month) {
        return Ok(());
    }
    let (split, bound) = match months.iter().find(|other| **other > month) {
        Some(later) => (mysql_name(*later), mysql_bound(*later)),
        None => (CATCH_ALL.to_owned(), "MAXVALUE".to_owned()),
    };
    let reorganise = format!(
        "ALTER TABLE usage_records REORGANIZE PARTITION {split} INTO (PARTITION {} VALUES LESS THAN ({}), \
         PARTITION {split} VALUES LESS THAN ({bound}))",
        mysql_name(month),
        mysql_bound(month),
    );
    match alter_mysql(repos, &reorganise).await {
        // Another process was first, with this month or with one beside it.
        Err(StoreError::Other(error)) => match repos.partitions().await?.unwrap_or_default() {
            present if present.contains(&month) => Ok(()),
            present if present != months => Err(StoreError::Contended),
            _ => Err(StoreError::Other(error)),
        },
        created => created,
    }
}

/// MySQL commits at once, and neither waits for long nor lets others wait.
async fn alter_mysql<C: ConnectionTrait + Send + Sync>(repos: &Repos<C>, alter: &str) -> StoreResult<()> {
    run(repos, MYSQL_WAIT).await?;
    let altered = run(repos, alter).await;
    run(repos, MYSQL_WAIT_NO_MORE).await?;
    altered
}

async fn exists<C: ConnectionTrait + Send + Sync>(repos: &Repos<C>, month: Month) -> StoreResult<bool> {
    Ok(repos.partitions().await?.is_some_and(|months| months.contains(&month)))
}

async fn run<C: ConnectionTrait>(repos: &Repos<C>, sql: &str) -> StoreResult<()> {
    repos.conn.execute_unprepared(sql).await.map(drop).map_err(store_error)
}

/// The smallest id of the month.
fn first_id(month: Month) -> Uuid {
    first_id_at(month.start())
}

fn month_of(id: Uuid) -> Month {
    let millis = i64::try_from(id.as_u128() >> 80).unwrap_or(0);
    Month::of(DateTime::from_timestamp_millis(millis).unwrap_or(DateTime::UNIX_EPOCH))
}

fn postgres_name(month: Month) -> String {
    format!("usage_records_{}", underscored(month))
}

fn mysql_name(month: Month) -> String {
    format!("p{}", underscored(month))
}

fn underscored(month: Month) -> String {
    month.to_string().replace('-', "_")
}

fn mysql_bound(month: Month) -> String {
    format!("x'{}'", first_id(month.next()).simple())
}
