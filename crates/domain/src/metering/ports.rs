//! What metering keeps: usage rows, their keys and their sums, always of one account.

use super::summary::{Rollup, SummaryFilter, SummaryRow};
use super::{GroupBy, UsageRecord};
use crate::id::{AccountId, ApiKeyId, UserId};
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
    /// The rows already written under these keys.
    async fn find_by_keys(&self, keys: &[(AccountId, String)]) -> StoreResult<Vec<SavedUsage>>;

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
