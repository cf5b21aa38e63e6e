//! What metering keeps: usage rows, their keys and their sums, always of one account; and the months of rows as wholes.

use super::summary::{Rollup, SummaryFilter, SummaryRow};
use super::{Debt, GroupBy, Month, Reservation, ReservationFilter, UsageRecord};
use crate::id::{AccountId, ApiKeyId, ReservationId, UsageId, UserId};
use crate::page::{Page, PageRequest};
use crate::plans::{MeterCode, Subscription};
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
    /// Whose use; `None` is everybody's.
    pub user: Option<UserId>,
    pub from: Option<DateTime<Utc>>,
    pub to: Option<DateTime<Utc>>,
}

/// What the books of a locked account are opened from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    pub subscription: Subscription,
    /// The pool's counters of the subscription's current period.
    pub counters: Vec<Counter>,
    /// Whether any grant has something left, expired or not.
    pub has_grants: bool,
}

/// What opening the books reads of many accounts at once; their rows are locked.
#[cfg_attr(any(test, feature = "testing"), mockall::automock)]
#[async_trait]
pub trait StandingRepository: Send + Sync {
    /// One for each account that has a subscription.
    async fn load(&self, accounts: &[AccountId]) -> StoreResult<Vec<Standing>>;
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

/// Reservations. Whoever writes them holds the lock on the account's row.
#[cfg_attr(any(test, feature = "testing"), mockall::automock)]
#[async_trait]
pub trait ReservationRepository: Send + Sync {
    /// By its own id, of any account: the caller checks who may know of it.
    async fn find(&self, id: ReservationId) -> StoreResult<Option<Reservation>>;

    /// Those among these that exist.
    async fn find_many(&self, ids: &[(AccountId, ReservationId)]) -> StoreResult<Vec<Reservation>>;

    /// Those made under these keys.
    async fn find_by_keys(&self, keys: &[(AccountId, String)]) -> StoreResult<Vec<Reservation>>;

    /// Stores new ones, also such as have ended already; a key that exists is `StoreError::Duplicate`.
    async fn insert(&self, reservations: &[Reservation]) -> StoreResult<()>;

    /// Stores the ends of open ones; `StoreError::Contended` when one of them is not open any more.
    async fn end(&self, reservations: &[Reservation]) -> StoreResult<()>;

    /// Open ones past their time at `now`, the longest due first, without the first `skip`.
    async fn due(&self, now: DateTime<Utc>, skip: u64, limit: u64) -> StoreResult<Vec<(AccountId, ReservationId)>>;

    /// Newest first.
    async fn list(
        &self,
        account: AccountId,
        filter: &ReservationFilter,
        page: PageRequest,
    ) -> StoreResult<Page<Reservation>>;
}

/// Debts that captures left.
#[cfg_attr(any(test, feature = "testing"), mockall::automock)]
#[async_trait]
pub trait DebtRepository: Send + Sync {
    /// A second debt of one reservation is `StoreError::Duplicate`.
    async fn insert(&self, debts: &[Debt]) -> StoreResult<()>;

    /// One account's, newest first.
    async fn list(&self, account: AccountId, page: PageRequest) -> StoreResult<Page<Debt>>;

    /// Those of all accounts, newest first: for operators.
    async fn list_all(&self, page: PageRequest) -> StoreResult<Page<Debt>>;
}

/// Periods whose overage is to be billed before they end. Whoever writes one holds the lock on its account's row.
#[cfg_attr(any(test, feature = "testing"), mockall::automock)]
#[async_trait]
pub trait OverageDueRepository: Send + Sync {
    /// Notes periods by their start; one that is noted already stays so.
    async fn note(&self, periods: &[(AccountId, DateTime<Utc>)], now: DateTime<Utc>) -> StoreResult<()>;

    /// At most `most`, by account and start, after leaving out `skip`.
    async fn list(&self, skip: u64, most: u64) -> StoreResult<Vec<(AccountId, DateTime<Utc>)>>;

    /// The period was looked after.
    async fn settle(&self, account: AccountId, start: DateTime<Utc>) -> StoreResult<()>;
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
