//! What metering keeps: usage rows, their keys and their sums, always of one account; and the months of rows as wholes.

use super::summary::{Rollup, SummaryFilter, SummaryRow};
use super::{GroupBy, Month, UsageRecord};
use crate::id::{AccountId, ApiKeyId, UsageId};
use crate::page::{Page, PageRequest};
use crate::plans::MeterCode;
use crate::quota::Counter;
use crate::store::StoreResult;
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use std::sync::Arc;

/// A usage row with the fingerprint of the command that made it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SavedUsage {
    /// Shared with the receipt that answers the caller.
    pub record: Arc<UsageRecord>,
    pub fingerprint: String,
}

/// A key that was used; keys are kept for good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsedKey {
    pub account: AccountId,
    pub key: String,
    pub usage: UsageId,
    pub fingerprint: String,
    /// `None` when the row was deleted after its retention.
    pub record: Option<Arc<UsageRecord>>,
}

impl From<SavedUsage> for UsedKey {
    fn from(saved: SavedUsage) -> Self {
        Self {
            account: saved.record.account,
            key: saved.record.key.clone(),
            usage: saved.record.id,
            fingerprint: saved.fingerprint,
            record: Some(saved.record),
        }
    }
}

/// What one unit of work books: rows, their sums, and the counters as they are afterwards.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Booked {
    pub usage: Vec<SavedUsage>,
    pub rollup: Rollup,
    pub counters: Vec<Counter>,
}

/// Which usage rows are listed: `[from, to)` by the time they occurred.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UsageFilter {
    pub meter: Option<MeterCode>,
    pub api_key: Option<ApiKeyId>,
    pub from: Option<DateTime<Utc>>,
    pub to: Option<DateTime<Utc>>,
}

/// Usage rows. Whoever writes them holds the lock on the account's row.
#[cfg_attr(any(test, feature = "testing"), mockall::automock)]
#[async_trait]
pub trait UsageRepository: Send + Sync {
    /// Those of the keys that were used.
    async fn find_by_keys(&self, keys: &[(AccountId, String)]) -> StoreResult<Vec<UsedKey>>;

    /// Stores rows, their keys and counters, and adds to the rollups, with as few statements as the database allows.
    ///
    /// A key that exists is `StoreError::Duplicate`.
    async fn book(&self, booked: &Booked, now: DateTime<Utc>) -> StoreResult<()>;

    /// Newest first.
    async fn list(&self, account: AccountId, filter: &UsageFilter, page: PageRequest)
    -> StoreResult<Page<UsageRecord>>;

    /// Sums of the rollups, ordered by group and meter; hours and days by their bucket.
    async fn summarise(&self, filter: &SummaryFilter, most: u64) -> StoreResult<Vec<SummaryRow>>;
}

/// Usage rows by the month in which they were recorded: a partition each, where the database has partitions.
///
/// Changes of partitions wait for a short time only, and are `StoreError::Contended` when that was not enough.
#[cfg_attr(any(test, feature = "testing"), mockall::automock)]
#[async_trait]
pub trait UsageMonthRepository: Send + Sync {
    /// The months that have a partition, oldest first; `None` on a database without partitions.
    async fn partitions(&self) -> StoreResult<Option<Vec<Month>>>;

    /// The month of the oldest row that lies in the catch-all, where rows go whose month has no partition.
    async fn oldest_in_catch_all(&self) -> StoreResult<Option<Month>>;

    /// Makes the month's partition and moves its rows there from the catch-all; does nothing when it exists.
    async fn create(&self, month: Month) -> StoreResult<()>;

    /// Drops the month's partition with its rows; does nothing when it does not exist.
    async fn drop_partition(&self, month: Month) -> StoreResult<()>;

    /// The next account, in order of ids, with rows that were recorded before the month.
    async fn account_before(&self, month: Month, after: Option<AccountId>) -> StoreResult<Option<AccountId>>;

    /// Deletes at most `most` of an account's rows that were recorded before the month, and counts them.
    async fn delete_before(&self, month: Month, account: AccountId, most: u64) -> StoreResult<u64>;
}

impl GroupBy {
    /// The name in the query string.
    pub fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "hour" => Self::Hour,
            "day" => Self::Day,
            "meter" => Self::Meter,
            "model" => Self::Model,
            "api_key" => Self::ApiKey,
            "user" => Self::User,
            _ => return None,
        })
    }
}
