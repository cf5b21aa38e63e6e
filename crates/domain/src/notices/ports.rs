//! What notices need: where notices, endpoints, lanes and deliveries are kept, and the way outside.

use super::delivery::{Delivery, DeliveryStatus, FailureReason, Outcome};
use super::endpoint::{NewSecret, SealedSecret, WebhookEndpoint};
use super::lane::Lane;
use super::letter::Letter;
use super::notice::Notice;
use crate::error::Result;
use crate::id::{AccountId, DeliveryId, LaneId, NoticeId, WebhookEndpointId};
use crate::page::{Page, PageRequest};
use crate::store::StoreResult;
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use uuid::Uuid;

#[cfg_attr(any(test, feature = "testing"), mockall::automock)]
#[async_trait]
pub trait NoticeRepository: Send + Sync {
    async fn insert(&self, notices: &[Notice]) -> StoreResult<()>;

    async fn find(&self, account: AccountId, id: NoticeId) -> StoreResult<Option<Notice>>;

    /// Latest events first; only those not read when `unread`.
    async fn list(&self, account: AccountId, unread: bool, page: PageRequest) -> StoreResult<Page<Notice>>;

    /// Marks a notice unless it was read before.
    async fn mark_read(&self, account: AccountId, id: NoticeId, now: DateTime<Utc>) -> StoreResult<()>;

    /// Marks every notice that was not read; how many.
    async fn mark_all_read(&self, account: AccountId, now: DateTime<Utc>) -> StoreResult<u64>;

    /// Deletes at most `limit` notices made before `time`; how many.
    async fn delete_older(&self, time: DateTime<Utc>, limit: u32) -> StoreResult<u64>;
}

/// Endpoint rows. Whoever writes one holds the lock on its account's row.
#[cfg_attr(any(test, feature = "testing"), mockall::automock)]
#[async_trait]
pub trait WebhookRepository: Send + Sync {
    /// By its own id: the caller asks then whether its account may be used.
    async fn find(&self, id: WebhookEndpointId) -> StoreResult<Option<WebhookEndpoint>>;

    async fn insert(&self, endpoint: &WebhookEndpoint) -> StoreResult<()>;

    /// Writes every field of an endpoint that exists.
    async fn save(&self, endpoint: &WebhookEndpoint) -> StoreResult<()>;

    async fn delete(&self, account: AccountId, id: WebhookEndpointId) -> StoreResult<()>;

    /// Newest first.
    async fn list(&self, account: AccountId, page: PageRequest) -> StoreResult<Page<WebhookEndpoint>>;

    async fn count(&self, account: AccountId) -> StoreResult<usize>;

    /// All endpoints of these accounts.
    async fn of_accounts(&self, accounts: &[AccountId]) -> StoreResult<Vec<WebhookEndpoint>>;
}

/// Lane rows. A lane is worked on by whoever holds its lease; who wakes it needs none.
#[cfg_attr(any(test, feature = "testing"), mockall::automock)]
#[async_trait]
pub trait LaneRepository: Send + Sync {
    /// Opens lanes at rest. One that exists is `StoreError::Duplicate`.
    async fn open(&self, lanes: &[Lane]) -> StoreResult<()>;

    /// Deletes a lane; who works on it can no longer release it.
    async fn close(&self, id: LaneId) -> StoreResult<()>;

    /// Which of these lanes there are.
    async fn existing(&self, ids: &[LaneId]) -> StoreResult<Vec<LaneId>>;

    /// Makes resting lanes due now; others keep their time. Locks each row, whether or not it changes: whoever
    /// releases the lane afterwards sees the deliveries that were added before.
    async fn wake(&self, ids: &[LaneId], now: DateTime<Utc>) -> StoreResult<()>;

    /// Forgets a lane's failures and makes it due now.
    async fn restart(&self, id: LaneId, now: DateTime<Utc>) -> StoreResult<()>;

    /// When the lane's first delivery is tried next; `None` at rest.
    async fn due_at(&self, id: LaneId) -> StoreResult<Option<DateTime<Utc>>>;

    /// At most `limit` lanes that are due and not leased, longest due first: failing ones, or the others.
    async fn due(&self, now: DateTime<Utc>, failing: bool, limit: u32) -> StoreResult<Vec<LaneId>>;

    /// Leases those of the lanes that are still due and free, by one conditional UPDATE. `token` is new each time.
    async fn claim(
        &self,
        ids: &[LaneId],
        token: Uuid,
        now: DateTime<Utc>,
        until: DateTime<Utc>,
    ) -> StoreResult<Vec<Lane>>;

    /// Ends the lease, notes failures and when the lane is due next; false when the lease is another's by now.
    async fn release(&self, lane: &Lane, token: Uuid, due_at: DateTime<Utc>) -> StoreResult<bool>;

    /// Puts a lane without waiting deliveries to rest. Lock it before by `release` or `wake`.
    async fn rest(&self, id: LaneId) -> StoreResult<()>;
}

#[cfg_attr(any(test, feature = "testing"), mockall::automock)]
#[async_trait]
pub trait DeliveryRepository: Send + Sync {
    async fn insert(&self, deliveries: &[Delivery]) -> StoreResult<()>;

    /// The first deliveries that wait in a lane, by position.
    async fn waiting(&self, lane: LaneId, limit: u32) -> StoreResult<Vec<Delivery>>;

    async fn has_waiting(&self, lane: LaneId) -> StoreResult<bool>;

    /// Writes what became of deliveries that exist.
    async fn save(&self, deliveries: &[Delivery]) -> StoreResult<()>;

    /// Ends all that wait in a lane; how many.
    async fn end_waiting(&self, lane: LaneId, status: DeliveryStatus, why: FailureReason) -> StoreResult<u64>;

    /// A lane's deliveries, latest events first.
    async fn list(&self, lane: LaneId, page: PageRequest) -> StoreResult<Page<Delivery>>;

    async fn find(&self, id: DeliveryId) -> StoreResult<Option<Delivery>>;

    /// For operators: dead letters, newest first.
    async fn list_dead(&self, page: PageRequest) -> StoreResult<Page<Delivery>>;

    /// Deletes at most `limit` deliveries that were made before `time`; how many.
    async fn delete_older(&self, time: DateTime<Utc>, limit: u32) -> StoreResult<u64>;
}

/// What is posted to an endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebhookMessage {
    pub endpoint: WebhookEndpointId,
    pub url: String,
    /// The same on every attempt, so that the receiver can tell a repetition.
    pub id: String,
    pub body: String,
    pub secrets: Vec<SealedSecret>,
}

/// Posts a webhook: signed, to public addresses only, without following redirects.
#[cfg_attr(any(test, feature = "testing"), mockall::automock)]
#[async_trait]
pub trait WebhookSender: Send + Sync {
    async fn send(&self, message: &WebhookMessage) -> Outcome;
}

/// A mail on its way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mail {
    /// The same on every attempt, so that a mail program can tell a repetition.
    pub id: String,
    pub to: String,
    pub letter: Letter,
}

/// Sends one mail.
#[cfg_attr(any(test, feature = "testing"), mockall::automock)]
#[async_trait]
pub trait Mailer: Send + Sync {
    async fn send(&self, mail: &Mail) -> Outcome;
}

/// Makes signing secrets and seals them so that only this server can sign with them, for this endpoint only.
#[cfg_attr(any(test, feature = "testing"), mockall::automock)]
pub trait SecretVault: Send + Sync {
    fn issue(&self, endpoint: WebhookEndpointId) -> Result<NewSecret>;
}

/// Reads a URL that a customer wants webhooks posted to, before any name is resolved.
#[cfg_attr(any(test, feature = "testing"), mockall::automock)]
pub trait TargetCheck: Send + Sync {
    /// The URL in its normal form.
    fn check(&self, url: &str) -> std::result::Result<String, &'static str>;
}
