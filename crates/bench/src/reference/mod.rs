//! What a careful team would write by hand, on the same server, in a database of its own.
//!
//! One row of quota per account; a consume is a conditional UPDATE of it, the INSERT of a usage row and the INSERT
//! of a unique key, in one transaction; or the bare UPDATE alone.

pub mod mariadb;
pub mod pgbench;

use crate::database::rows::{CHUNK, series};
use crate::database::{Engine, Fresh};
use crate::loads::Whom;
use anyhow::bail;
use sea_orm::ConnectionTrait;
use std::time::Duration;

/// Clients at once.
pub const CLIENTS: usize = 64;

/// What one transaction of the reference does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Work {
    HandWritten,
    Bare,
}

/// What a reference did.
#[derive(Clone, Copy, Debug)]
pub struct Done {
    pub per_second: f64,
    /// Everything that was committed, warm-up included.
    pub transactions: u64,
}

/// The reference's database.
pub struct Reference {
    database: Fresh,
    accounts: u64,
    hand_written: u64,
    bare: u64,
}

impl Reference {
    pub async fn set_up(database: Fresh, accounts: u64) -> anyhow::Result<Self> {
        let (serial, time) = match database.engine {
            Engine::MariaDb => ("BIGINT NOT NULL AUTO_INCREMENT", "DATETIME(6)"),
            Engine::Postgres | Engine::Sqlite => ("BIGINT GENERATED ALWAYS AS IDENTITY", "TIMESTAMPTZ"),
        };
        let tables = [
            "CREATE TABLE quota (account_id BIGINT PRIMARY KEY, used BIGINT NOT NULL, quota_limit BIGINT NOT NULL)"
                .to_owned(),
            format!(
                "CREATE TABLE usage_event (id {serial}, account_id BIGINT NOT NULL, meter VARCHAR(32) NOT NULL, \
                 quantity BIGINT NOT NULL, usage_key VARCHAR(64) NOT NULL, occurred_at {time} NOT NULL, \
                 PRIMARY KEY (id))"
            ),
            "CREATE TABLE idempotency (account_id BIGINT NOT NULL, usage_key VARCHAR(64) NOT NULL, \
             PRIMARY KEY (account_id, usage_key))"
                .to_owned(),
        ];
        for table in &tables {
            database.connection.execute_unprepared(table).await?;
        }
        let mut first = 0;
        while first < accounts {
            let rows = CHUNK.min(accounts - first);
            let fill = format!("INSERT INTO quota SELECT n, 0, 1000000000000 FROM ({}) s", series(first, rows));
            database.connection.execute_unprepared(&fill).await?;
            first += rows;
        }
        database.settle().await?;
        Ok(Self { database, accounts, hand_written: 0, bare: 0 })
    }

    /// Transactions a second.
    pub async fn run(&mut self, work: Work, whom: Whom, duration: Duration) -> anyhow::Result<f64> {
        let accounts = if whom == Whom::Hot { 1 } else { self.accounts };
        let done = match self.database.engine {
            Engine::Postgres => pgbench::run(&self.database.url, work, accounts, duration).await?,
            Engine::MariaDb => mariadb::run(&self.database.url, work, accounts, duration).await?,
            Engine::Sqlite => bail!("on SQLite the reference is the server itself, one transaction a request"),
        };
        match work {
            Work::HandWritten => self.hand_written += done.transactions,
            Work::Bare => self.bare += done.transactions,
        }
        eprintln!("{}: {} {}: {:.0}/s", self.database.engine, work.name(), whom.name(), done.per_second);
        Ok(done.per_second)
    }

    /// The database, to be dropped.
    pub fn into_database(self) -> Fresh {
        self.database
    }

    /// The reference must have done its work, too.
    pub async fn verify(&self) -> anyhow::Result<()> {
        let used = self.database.number("SUM(used)", "quota").await?;
        let events = self.database.number("COUNT(*)", "usage_event").await?;
        let keys = self.database.number("COUNT(*)", "idempotency").await?;
        let (hand_written, bare) = (i64::try_from(self.hand_written)?, i64::try_from(self.bare)?);
        if (used, events, keys) != (hand_written + bare, hand_written, hand_written) {
            bail!(
                "the reference did not do its work: {used} used, {events} events and {keys} keys after \
                 {hand_written} and {bare} transactions"
            );
        }
        Ok(())
    }
}

impl Work {
    pub const fn name(self) -> &'static str {
        match self {
            Self::HandWritten => "hand-written",
            Self::Bare => "bare UPDATE",
        }
    }
}
