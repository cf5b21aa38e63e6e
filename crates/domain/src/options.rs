//! Settings that change at run time, and the leases by which replicas share background work.

use crate::store::StoreResult;
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use uuid::Uuid;

/// Named texts that every replica sees (veloera's `options`).
#[cfg_attr(any(test, feature = "testing"), mockall::automock)]
#[async_trait]
pub trait OptionRepository: Send + Sync {
    async fn find(&self, name: &str) -> StoreResult<Option<String>>;

    /// Finds and locks the value until the unit of work ends; an option that does not exist begins with `initial`.
    async fn lock(&self, name: &str, initial: &str, now: DateTime<Utc>) -> StoreResult<String>;

    /// Sets the value, whether or not the option exists.
    async fn set(&self, name: &str, value: &str, now: DateTime<Utc>) -> StoreResult<()>;
}

/// The right to run a background loop until a time; at most one replica holds it.
#[cfg_attr(any(test, feature = "testing"), mockall::automock)]
#[async_trait]
pub trait LeaseRepository: Send + Sync {
    /// Takes or renews a lease by one conditional UPDATE; false when another holds it past `now`.
    async fn claim(&self, name: &str, holder: Uuid, now: DateTime<Utc>, until: DateTime<Utc>) -> StoreResult<bool>;
}
