//! What quota keeps: counters, grants and fired warnings, always of one account.

use super::{Counter, FiredWarning, Grant};
use crate::id::{AccountId, GrantId};
use crate::page::{Page, PageRequest};
use crate::plans::MeterCode;
use crate::store::StoreResult;
use async_trait::async_trait;
use chrono::{DateTime, Utc};

/// Counter rows. Whoever writes one holds the lock on its account's row.
#[cfg_attr(any(test, feature = "testing"), mockall::automock)]
#[async_trait]
pub trait CounterRepository: Send + Sync {
    /// All counters of these accounts in the periods that start at these instants.
    async fn load(&self, slots: &[(AccountId, DateTime<Utc>)]) -> StoreResult<Vec<Counter>>;

    /// The account's counters of the period that ends at `end`.
    async fn load_ending_at(&self, account: AccountId, end: DateTime<Utc>) -> StoreResult<Vec<Counter>>;

    /// Stores counters, new and changed ones alike.
    async fn put(&self, counters: &[Counter], now: DateTime<Utc>) -> StoreResult<()>;
}

/// Grant rows. Whoever changes one holds the lock on its account's row.
#[cfg_attr(any(test, feature = "testing"), mockall::automock)]
#[async_trait]
pub trait GrantRepository: Send + Sync {
    /// Grants of these accounts with something left at `now`, in drawing order.
    async fn load_live(&self, accounts: &[AccountId], now: DateTime<Utc>) -> StoreResult<Vec<Grant>>;

    /// These grants, expired or used up as they may be.
    async fn find_many(&self, ids: &[(AccountId, GrantId)]) -> StoreResult<Vec<Grant>>;

    async fn find(&self, account: AccountId, id: GrantId) -> StoreResult<Option<Grant>>;

    /// A second grant of the same origin and reference is `StoreError::Duplicate`.
    async fn insert(&self, grant: &Grant) -> StoreResult<()>;

    /// Stores what remains, is held and was revoked of grants that exist.
    async fn save(&self, grants: &[Grant], now: DateTime<Utc>) -> StoreResult<()>;

    /// All grants of the account, newest first.
    async fn list(&self, account: AccountId, page: PageRequest) -> StoreResult<Page<Grant>>;
}

/// Warnings that fired.
#[cfg_attr(any(test, feature = "testing"), mockall::automock)]
#[async_trait]
pub trait WarningRepository: Send + Sync {
    async fn insert(&self, warnings: &[FiredWarning]) -> StoreResult<()>;

    /// Newest first; of one meter when given.
    async fn list(
        &self,
        account: AccountId,
        meter: Option<MeterCode>,
        page: PageRequest,
    ) -> StoreResult<Page<FiredWarning>>;
}
