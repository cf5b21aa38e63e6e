//! What plans keep: versions that never change, one subscription per account, and its quota periods.

use super::{Choice, OpenedPeriod, PlanCode, PlanVersion, Subscription};
use crate::error::Result;
use crate::id::{AccountId, PlanVersionId};
use crate::store::{Repositories, StoreResult};
use crate::time::Period;
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use std::sync::Arc;

/// Plan versions. They are immutable, so adapters may keep them in memory.
#[cfg_attr(any(test, feature = "testing"), mockall::automock)]
#[async_trait]
pub trait PlanRepository: Send + Sync {
    /// Those of the versions that exist, in no particular order.
    async fn find_versions(&self, ids: &[PlanVersionId]) -> StoreResult<Vec<Arc<PlanVersion>>>;

    /// The version with the highest number.
    async fn latest(&self, plan: &PlanCode) -> StoreResult<Option<Arc<PlanVersion>>>;

    /// The version with this content, if it was ever published.
    async fn find_by_content(&self, plan: &PlanCode, content_hash: &str) -> StoreResult<Option<Arc<PlanVersion>>>;

    /// A second version with the same content or number is `StoreError::Duplicate`.
    async fn insert(&self, version: &PlanVersion) -> StoreResult<()>;

    /// All versions of all plans, by plan and number.
    async fn list(&self) -> StoreResult<Vec<Arc<PlanVersion>>>;
}

/// Subscriptions and their periods. Whoever writes one holds the lock on its account's row.
#[cfg_attr(any(test, feature = "testing"), mockall::automock)]
#[async_trait]
pub trait SubscriptionRepository: Send + Sync {
    async fn find(&self, account: AccountId) -> StoreResult<Option<Subscription>>;

    /// A second subscription of one account is `StoreError::Duplicate`.
    async fn insert(&self, subscription: &Subscription) -> StoreResult<()>;

    async fn save(&self, subscription: &Subscription) -> StoreResult<()>;

    /// Stores periods that began; one that exists gets the plan, seats and interval given here.
    async fn put_periods(&self, account: AccountId, periods: &[OpenedPeriod]) -> StoreResult<()>;

    /// The stored period that contains `time`.
    async fn find_period_at(&self, account: AccountId, time: DateTime<Utc>) -> StoreResult<Option<OpenedPeriod>>;

    /// The periods of these accounts that end after `time`.
    async fn periods_since(
        &self,
        accounts: &[AccountId],
        time: DateTime<Utc>,
    ) -> StoreResult<Vec<(AccountId, OpenedPeriod)>>;

    /// The start of the oldest period of any account that is not closed.
    async fn oldest_open_period(&self) -> StoreResult<Option<DateTime<Utc>>>;

    /// Accounts whose open period ended by `now`, longest ago first: at most `most`, after leaving out `skip`.
    async fn due(&self, now: DateTime<Utc>, skip: u64, most: u64) -> StoreResult<Vec<AccountId>>;
}

/// What later contexts do when quota periods open, terms begin and subscriptions change, in the same unit of work, which
/// holds the lock on the row of the account.
#[async_trait]
pub trait PeriodHook: Send + Sync {
    /// `opened` are in order and not empty.
    async fn opened(
        &self,
        work: &dyn Repositories,
        account: AccountId,
        opened: &[OpenedPeriod],
        now: DateTime<Utc>,
    ) -> Result<()>;

    /// Terms began by renewal, in order and not empty; answers the subscription with what was paid for its term.
    async fn renewed(
        &self,
        _work: &dyn Repositories,
        subscription: Subscription,
        _terms: &[(Choice, Period)],
        _now: DateTime<Utc>,
    ) -> Result<Subscription> {
        Ok(subscription)
    }

    /// A subscription is about to be changed otherwise than by time. An error refuses the change.
    async fn changed(
        &self,
        _work: &dyn Repositories,
        _before: &Subscription,
        _after: &Subscription,
        _now: DateTime<Utc>,
    ) -> Result<()> {
        Ok(())
    }
}
