//! Retention: months of usage rows are made ahead and deleted when nobody needs them any more.
//!
//! Keys and sums are never deleted: a key works once for ever, and reports stay.

use super::month::{Month, first_kept};
use crate::error::{Error, Result};
use crate::id::AccountId;
use crate::store::{Store, retrying};
use crate::time::Clock;
use chrono::TimeDelta;
use std::sync::Arc;

/// Most partitions that one call makes.
const MAX_CREATED: usize = 1_200;
/// Rows deleted in one unit of work where there are no partitions.
const CHUNK: u64 = 1_000;

/// What one step of deleting came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Removed {
    /// The partition of a month.
    Month(Month),
    /// So many rows of an account; others may follow.
    Rows(AccountId, u64),
}

/// Use cases of retention; nobody asks for them but the loop and the command line.
pub struct RetentionService {
    pub store: Arc<dyn Store>,
    pub clock: Arc<dyn Clock>,
    /// Months after the present one that have a partition in advance.
    pub months_ahead: u32,
    /// How long rows are kept at least; `None` for good.
    pub kept: Option<TimeDelta>,
}

impl RetentionService {
    /// Makes the partitions of this month and those ahead, and of rows that lie in the catch-all.
    ///
    /// Answers the months that were made, oldest first. Does nothing on a database without partitions. Several
    /// processes may do so at once.
    pub async fn create_ahead(&self) -> Result<Vec<Month>> {
        let mut created = Vec::new();
        if self.store.usage_months().partitions().await?.is_none() {
            return Ok(created);
        }
        while let Some(month) = self.store.usage_months().oldest_in_catch_all().await?
            && created.len() < MAX_CREATED
        {
            retrying!(self.store, self.create(month))?;
            created.push(month);
        }
        let present = self.store.usage_months().partitions().await?.unwrap_or_default();
        let this = Month::of(self.clock.now());
        for month in (0..=self.months_ahead).map(|ahead| this.later(ahead)).filter(|month| !present.contains(month)) {
            retrying!(self.store, self.create(month))?;
            created.push(month);
        }
        Ok(created)
    }

    async fn create(&self, month: Month) -> Result<()> {
        let work = self.store.begin().await?;
        work.usage_months().create(month).await?;
        Ok(work.commit().await?)
    }

    /// The first month whose rows must stay now; `None` when all rows stay for good.
    pub async fn first_kept(&self) -> Result<Option<Month>> {
        let Some(kept) = self.kept else { return Ok(None) };
        let oldest_open = self.store.subscriptions().oldest_open_period().await?;
        Ok(Some(first_kept(self.clock.now(), kept, oldest_open)))
    }

    /// Deletes the oldest month before `first_kept`, or where there are no partitions a bounded number of its rows.
    ///
    /// `None` when nothing is left to delete. A step that fails or is cut off changes nothing; the next goes on.
    pub async fn remove_next(&self, first_kept: Month, last: Option<Removed>) -> Result<Option<Removed>> {
        match self.store.usage_months().partitions().await? {
            Some(months) => {
                let Some(month) = months.into_iter().find(|month| *month < first_kept) else { return Ok(None) };
                retrying!(self.store, self.drop_partition(month))?;
                Ok(Some(Removed::Month(month)))
            }
            None => self.remove_rows(first_kept, last).await,
        }
    }

    async fn drop_partition(&self, month: Month) -> Result<()> {
        let work = self.store.begin().await?;
        work.usage_months().drop_partition(month).await?;
        Ok(work.commit().await?)
    }

    /// Goes on with the account of the step before, then with the next that has old rows.
    async fn remove_rows(&self, first_kept: Month, last: Option<Removed>) -> Result<Option<Removed>> {
        let account = match last {
            Some(Removed::Rows(account, rows)) if rows >= CHUNK => Some(account),
            Some(Removed::Rows(account, _)) => {
                self.store.usage_months().account_before(first_kept, Some(account)).await?
            }
            _ => self.store.usage_months().account_before(first_kept, None).await?,
        };
        let Some(account) = account else { return Ok(None) };
        let rows = retrying!(self.store, self.delete_before(first_kept, account))?;
        Ok(Some(Removed::Rows(account, rows)))
    }

    async fn delete_before(&self, first_kept: Month, account: AccountId) -> Result<u64> {
        let work = self.store.begin().await?;
        let rows = work.usage_months().delete_before(first_kept, account, CHUNK).await?;
        work.commit().await.map_err(Error::from)?;
        Ok(rows)
    }
}

#[cfg(test)]
#[path = "retention_tests.rs"]
mod tests;
