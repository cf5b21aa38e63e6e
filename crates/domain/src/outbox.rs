//! The outbox: what others must hear of, written in the commit that made it true.

use crate::id::{AccountId, OutboxId};
use crate::store::StoreResult;
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde_json::Value;

/// Something that happened to an account and that a notice, mail or webhook will tell.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    pub id: OutboxId,
    pub account: AccountId,
    /// `noun.verb`, such as `quota.warning`.
    pub kind: &'static str,
    pub payload: Value,
    pub created_at: DateTime<Utc>,
}

impl Event {
    pub fn new(account: AccountId, kind: &'static str, payload: Value, now: DateTime<Utc>) -> Self {
        Self { id: OutboxId::new(now), account, kind, payload, created_at: now }
    }
}

/// Queues events for delivery after the commit, at least once and in order per account.
#[cfg_attr(any(test, feature = "testing"), mockall::automock)]
#[async_trait]
pub trait Outbox: Send + Sync {
    async fn push(&self, events: &[Event]) -> StoreResult<()>;
}
