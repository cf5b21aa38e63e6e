//! The audit trail: one row for every act of an operator and every change of rights.
//!
//! The rows are a chain ([`crate::audit_chain`]): a row that is changed, taken out or moved afterwards is found.

use crate::actor::Actor;
use crate::audit_chain::{ChainHead, ChainRow};
use crate::id::{AccountId, ApiKeyId, AuditId, UserId};
use crate::page::{Page, PageRequest};
use crate::store::StoreResult;
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde_json::Value;

/// Who did what to whom, when. Never holds a secret.
#[derive(Clone, Debug, PartialEq)]
pub struct AuditEvent {
    pub id: AuditId,
    pub account: Option<AccountId>,
    /// `None` for whoever owns the machine: the command line.
    pub actor_user: Option<UserId>,
    pub actor_key: Option<ApiKeyId>,
    /// `context.verb`, such as `account.freeze`.
    pub action: String,
    /// The id of what was changed.
    pub target: String,
    pub detail: Value,
    pub created_at: DateTime<Utc>,
}

impl AuditEvent {
    /// An act of `actor` at `now`; `target` is the id of what it changed.
    pub fn by(actor: &Actor, action: &str, target: impl std::fmt::Display + Copy, now: DateTime<Utc>) -> Self {
        Self {
            actor_user: Some(actor.user),
            actor_key: actor.key.as_ref().map(|key| key.id),
            ..Self::by_machine(action, target, now)
        }
    }

    /// An act of whoever owns the machine, on its command line.
    pub fn by_machine(action: &str, target: impl std::fmt::Display + Copy, now: DateTime<Utc>) -> Self {
        Self {
            id: AuditId::new(now),
            account: None,
            actor_user: None,
            actor_key: None,
            action: action.to_owned(),
            target: target.to_string(),
            detail: Value::Null,
            created_at: now,
        }
    }

    #[must_use]
    pub fn on_account(self, account: AccountId) -> Self {
        Self { account: Some(account), ..self }
    }

    #[must_use]
    pub fn with(self, detail: Value) -> Self {
        Self { detail, ..self }
    }
}

/// Which events are asked for; whatever is `None` does not matter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditFilter {
    pub actor: Option<UserId>,
    pub account: Option<AccountId>,
    /// The id of what was changed.
    pub target: Option<String>,
    pub action: Option<String>,
    /// Not before this time.
    pub from: Option<DateTime<Utc>>,
    /// Before this time.
    pub until: Option<DateTime<Utc>>,
}

/// An event and its place in the chain; events from before there was a chain have none.
#[derive(Clone, Debug, PartialEq)]
pub struct Recorded {
    pub event: AuditEvent,
    pub position: Option<i64>,
    pub hash: Option<String>,
}

/// Appends to the audit trail; nothing there is ever changed.
#[cfg_attr(any(test, feature = "testing"), mockall::automock)]
#[async_trait]
pub trait AuditLog: Send + Sync {
    /// Adds an event to the unit of work. It is chained and written when the unit commits, so that the head of the
    /// chain is always the last row that a unit locks. Fails outside of a unit of work.
    async fn append(&self, event: &AuditEvent) -> StoreResult<()>;

    /// The events that pass the filter, newest first.
    async fn list(&self, filter: &AuditFilter, page: PageRequest) -> StoreResult<Page<Recorded>>;

    /// Up to `limit` rows of the chain after a position, in the order of the chain, exactly as they are stored.
    async fn chain(&self, after: i64, limit: u32) -> StoreResult<Vec<ChainRow>>;

    /// Where the chain ends.
    async fn head(&self) -> StoreResult<ChainHead>;

    /// How many events have no place in the chain.
    async fn count_unchained(&self) -> StoreResult<i64>;
}
