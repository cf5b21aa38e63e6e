//! Giving and taking quota: an operator's grants.

use super::{Grant, GrantOrigin};
use crate::actor::Actor;
use crate::audit::AuditEvent;
use crate::error::{Error, Result};
use crate::id::{AccountId, GrantId};
use crate::idempotency::{self, Answered, IdempotentRequest};
use crate::identity::KeyDraft;
use crate::page::{Page, PageRequest};
use crate::plans::{Catalogue, MeterCode};
use crate::quantity::Quantity;
use crate::store::{Retry, Store};
use crate::text::visible_line;
use crate::time::Clock;
use chrono::{DateTime, Utc};
use serde_json::json;
use std::sync::Arc;

/// The priority of a grant when none is said; lower is drawn first.
pub const DEFAULT_PRIORITY: i32 = 50;
const MAX_PRIORITY: i32 = 100;
const MAX_REASON_LENGTH: usize = 255;

/// What an operator gives.
#[derive(Clone, Debug)]
pub struct GrantWish {
    pub meter: String,
    /// A decimal in the meter's unit, above zero.
    pub quantity: String,
    pub priority: Option<i32>,
    pub models: Option<Vec<String>>,
    pub expires_at: Option<DateTime<Utc>>,
    pub reason: Option<String>,
}

/// Use cases of grants.
pub struct GrantService {
    pub store: Arc<dyn Store>,
    pub clock: Arc<dyn Clock>,
    pub catalogue: Arc<Catalogue>,
}

impl GrantService {
    /// Gives quota once per idempotency key.
    pub async fn give(
        &self,
        actor: &Actor,
        account: AccountId,
        wish: &GrantWish,
        request: &IdempotentRequest,
    ) -> Result<Answered<Grant>> {
        actor.require_admin()?;
        let mut retry = Retry::new(&*self.store);
        loop {
            match self.try_give(actor, account, wish, request).await {
                Err(error) if retry.again(&error).await => {}
                answer => return answer,
            }
        }
    }

    async fn try_give(
        &self,
        actor: &Actor,
        account: AccountId,
        wish: &GrantWish,
        request: &IdempotentRequest,
    ) -> Result<Answered<Grant>> {
        let now = self.clock.now();
        let work = self.store.begin().await?;
        if let Some(answered) = idempotency::replay(&*work, request).await? {
            return Ok(answered);
        }
        let grant = self.read(account, wish, now)?;
        work.accounts().lock(account).await?.ok_or(Error::NotFound("account"))?;
        work.grants().insert(&grant).await?;
        let detail = json!({"meter": wish.meter, "quantity": wish.quantity, "reason": wish.reason});
        let event = AuditEvent::by(actor, "grant.give", grant.id, now).on_account(account).with(detail);
        work.audit().append(&event).await?;
        idempotency::keep(&*work, request, &grant, now).await?;
        work.commit().await?;
        Ok(Answered::fresh(grant))
    }

    /// Takes back what remains of a grant and returns it.
    pub async fn revoke(&self, actor: &Actor, account: AccountId, id: GrantId) -> Result<Grant> {
        actor.require_admin()?;
        let now = self.clock.now();
        let work = self.store.begin().await?;
        work.accounts().lock(account).await?.ok_or(Error::NotFound("account"))?;
        let mut grant = work.grants().find(account, id).await?.ok_or(Error::NotFound("grant"))?;
        grant.revoke(now);
        work.grants().save(std::slice::from_ref(&grant), now).await?;
        let event = AuditEvent::by(actor, "grant.revoke", grant.id, now).on_account(account);
        work.audit().append(&event).await?;
        work.commit().await?;
        Ok(grant)
    }

    /// For operators: an account's grants, newest first.
    pub async fn list(&self, actor: &Actor, account: AccountId, page: PageRequest) -> Result<Page<Grant>> {
        actor.require_admin()?;
        let account = self.store.accounts().find(account).await?.ok_or(Error::NotFound("account"))?;
        Ok(self.store.grants().list(account.id, page).await?)
    }

    fn read(&self, account: AccountId, wish: &GrantWish, now: DateTime<Utc>) -> Result<Grant> {
        let meter = MeterCode::parse(&wish.meter).and_then(|code| self.catalogue.meters.get(&code));
        let meter = meter.ok_or_else(|| Error::invalid("meter", "is not a meter of this server"))?;
        let quantity = Quantity::parse(&wish.quantity, meter.scale)
            .map_err(|error| Error::invalid("quantity", error.to_string()))?;
        if !quantity.is_positive() {
            return Err(Error::invalid("quantity", "must be above zero"));
        }
        let priority = wish.priority.unwrap_or(DEFAULT_PRIORITY);
        if !(0..=MAX_PRIORITY).contains(&priority) {
            return Err(Error::invalid("priority", "must be 0 to 100"));
        }
        if wish.expires_at.is_some_and(|end| end <= now) {
            return Err(Error::invalid("expires_at", "must be in the future"));
        }
        let models = wish.models.clone().map(KeyDraft::read_models).transpose()?;
        if let Some(reason) = &wish.reason {
            visible_line(reason, MAX_REASON_LENGTH).map_err(|problem| Error::invalid("reason", problem))?;
        }
        let id = GrantId::new(now);
        Ok(Grant {
            id,
            account,
            meter: meter.code.clone(),
            origin: GrantOrigin::Manual,
            reference: id.to_string(),
            priority,
            quantity,
            remaining: quantity,
            held: Quantity::ZERO,
            revoked: Quantity::ZERO,
            revoked_at: None,
            models,
            expires_at: wish.expires_at,
            created_at: now,
        })
    }
}

#[cfg(test)]
#[path = "service_tests.rs"]
mod tests;
