//! The audit trail: one row for every act of an operator and every change of rights.

use crate::actor::Actor;
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
            id: AuditId::new(now),
            account: None,
            actor_user: Some(actor.user),
            actor_key: actor.key.as_ref().map(|key| key.id),
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

/// Appends to the audit trail; nothing there is ever changed.
#[cfg_attr(any(test, feature = "testing"), mockall::automock)]
#[async_trait]
pub trait AuditLog: Send + Sync {
    async fn append(&self, event: &AuditEvent) -> StoreResult<()>;

    /// All events, newest first.
    async fn list(&self, page: PageRequest) -> StoreResult<Page<AuditEvent>>;
}
