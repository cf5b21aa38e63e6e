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

/// An event as the outbox keeps it.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredEvent {
    pub id: OutboxId,
    pub account: AccountId,
    pub kind: String,
    pub payload: Value,
    pub created_at: DateTime<Utc>,
    /// Grows with every event; within an account it is the order of the commits, because who pushes holds its lock.
    pub position: i64,
}

/// Queues events in the commit that made them true, and hands them on afterwards.
#[cfg_attr(any(test, feature = "testing"), mockall::automock)]
#[async_trait]
pub trait Outbox: Send + Sync {
    /// Adds events. Whoever pushes holds the lock on the row of each event's account: that gives them their order.
    async fn push(&self, events: &[Event]) -> StoreResult<()>;

    /// The first events that were not fanned out yet, by position.
    async fn waiting(&self, limit: u32) -> StoreResult<Vec<StoredEvent>>;

    /// The events of these ids that are still kept, in no order.
    async fn find(&self, ids: &[OutboxId]) -> StoreResult<Vec<StoredEvent>>;

    /// Marks events that were not fanned out before; how many.
    async fn mark_fanned_out(&self, ids: &[OutboxId], now: DateTime<Utc>) -> StoreResult<u64>;

    /// Deletes at most `limit` events that were fanned out before `time`; how many.
    async fn delete_fanned_out(&self, time: DateTime<Utc>, limit: u32) -> StoreResult<u64>;
}
