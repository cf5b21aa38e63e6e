//! Operators' use cases of redemption codes: making batches, looking at them, exporting and disabling codes.

use super::code::CodeText;
use super::redeeming::RedemptionService;
use super::redemption::{RedemptionBatch, RedemptionCode, RedemptionUse};
use super::reward::{Reward, RewardWish};
use crate::actor::Actor;
use crate::audit::AuditEvent;
use crate::error::{Error, Result};
use crate::id::{RedemptionBatchId, RedemptionCodeId};
use crate::idempotency::{self, Answered, IdempotentRequest};
use crate::page::{Page, PageRequest};
use crate::store::retrying;
use chrono::{DateTime, Utc};
use serde_json::json;

/// What an operator wants made.
#[derive(Clone, Debug)]
pub struct BatchWish {
    pub name: String,
    pub count: u32,
    pub reward: RewardWish,
    pub max_uses: i64,
    pub is_gift: bool,
    pub valid_from: Option<DateTime<Utc>>,
    pub valid_until: Option<DateTime<Utc>>,
}

/// A code as it is exported.
#[derive(Debug)]
pub struct ExportedCode {
    pub text: CodeText,
    pub code: RedemptionCode,
}

impl RedemptionService {
    /// Makes a batch once per idempotency key. The answer holds no code; [`RedemptionService::export`] does.
    pub async fn make(
        &self,
        actor: &Actor,
        wish: &BatchWish,
        request: &IdempotentRequest,
    ) -> Result<Answered<RedemptionBatch>> {
        actor.require_admin()?;
        retrying!(self.store, self.write_batch(actor, wish, request))
    }

    async fn write_batch(
        &self,
        actor: &Actor,
        wish: &BatchWish,
        request: &IdempotentRequest,
    ) -> Result<Answered<RedemptionBatch>> {
        let now = self.clock.now();
        let work = self.store.begin().await?;
        if let Some(answered) = idempotency::replay(&*work, request).await? {
            return Ok(answered);
        }
        let batch = self.read(actor, wish, now)?;
        let codes = (0..batch.count).map(|_| self.code(&batch)).collect::<Result<Vec<_>>>()?;
        work.redemption_batches().insert(&batch).await?;
        work.redemption_codes().insert(&codes).await?;
        let detail = json!({
            "name": batch.name, "count": batch.count, "max_uses": batch.max_uses, "gift": batch.is_gift,
            "value": batch.reward.told(&self.catalogue),
        });
        let event = AuditEvent::by(actor, "redemption_batch.create", batch.id, now).with(detail);
        work.audit().append(&event).await?;
        idempotency::keep(&*work, request, &batch, now).await?;
        work.commit().await?;
        Ok(Answered::fresh(batch))
    }

    fn read(&self, actor: &Actor, wish: &BatchWish, now: DateTime<Utc>) -> Result<RedemptionBatch> {
        let batch = RedemptionBatch {
            id: RedemptionBatchId::new(now),
            name: RedemptionBatch::read_name(&wish.name)?,
            reward: Reward::read(&wish.reward, &self.catalogue, "value")?,
            is_gift: wish.is_gift,
            count: wish.count,
            max_uses: wish.max_uses,
            valid_from: wish.valid_from,
            valid_until: wish.valid_until,
            created_by: actor.user,
            created_at: now,
        };
        batch.check()?;
        Ok(batch)
    }

    fn code(&self, batch: &RedemptionBatch) -> Result<RedemptionCode> {
        let id = RedemptionCodeId::new(batch.created_at);
        let text = CodeText::from_random(self.secrets.random()?);
        Ok(RedemptionCode {
            id,
            batch: batch.id,
            digest: text.digest(),
            sealed: self.vault.seal(id, &text)?,
            hint: text.hint(),
            used: 0,
            max_uses: batch.max_uses,
            enabled: true,
            created_at: batch.created_at,
            updated_at: batch.created_at,
        })
    }

    /// The clear codes of a batch. It is written down before anybody sees them.
    pub async fn export(&self, actor: &Actor, id: RedemptionBatchId) -> Result<Vec<ExportedCode>> {
        actor.require_admin()?;
        retrying!(self.store, self.write_export(actor, id))
    }

    async fn write_export(&self, actor: &Actor, id: RedemptionBatchId) -> Result<Vec<ExportedCode>> {
        let now = self.clock.now();
        let work = self.store.begin().await?;
        let batch = work.redemption_batches().find(id).await?.ok_or(Error::NotFound("batch"))?;
        let codes = work.redemption_codes().all(batch.id).await?;
        let open = |code: RedemptionCode| Ok(ExportedCode { text: self.vault.open(code.id, &code.sealed)?, code });
        let exported = codes.into_iter().map(open).collect::<Result<Vec<_>>>()?;
        let event = AuditEvent::by(actor, "redemption_batch.export", batch.id, now);
        work.audit().append(&event.with(json!({ "codes": exported.len() }))).await?;
        work.commit().await?;
        Ok(exported)
    }

    /// Disables or enables a code, or all codes of a batch; how many changed.
    pub async fn set_enabled(
        &self,
        actor: &Actor,
        (batch, only): (RedemptionBatchId, Option<RedemptionCodeId>),
        enabled: bool,
    ) -> Result<u64> {
        actor.require_admin()?;
        retrying!(self.store, self.write_enabled(actor, (batch, only), enabled))
    }

    async fn write_enabled(
        &self,
        actor: &Actor,
        (batch, only): (RedemptionBatchId, Option<RedemptionCodeId>),
        enabled: bool,
    ) -> Result<u64> {
        let now = self.clock.now();
        let work = self.store.begin().await?;
        work.redemption_batches().find(batch).await?.ok_or(Error::NotFound("batch"))?;
        if let Some(code) = only {
            let code = work.redemption_codes().find(code).await?;
            code.filter(|code| code.batch == batch).ok_or(Error::NotFound("code"))?;
        }
        let changed = work.redemption_codes().set_enabled(batch, only, enabled, now).await?;
        let action = if enabled { "redemption_code.enable" } else { "redemption_code.disable" };
        let event = match only {
            Some(code) => AuditEvent::by(actor, action, code, now),
            None => AuditEvent::by(actor, action, batch, now),
        };
        work.audit().append(&event.with(json!({ "batch": batch, "changed": changed }))).await?;
        work.commit().await?;
        Ok(changed)
    }

    pub async fn batch(&self, actor: &Actor, id: RedemptionBatchId) -> Result<RedemptionBatch> {
        actor.require_admin()?;
        self.store.redemption_batches().find(id).await?.ok_or(Error::NotFound("batch"))
    }

    /// Newest first.
    pub async fn batches(&self, actor: &Actor, page: PageRequest) -> Result<Page<RedemptionBatch>> {
        actor.require_admin()?;
        Ok(self.store.redemption_batches().list(page).await?)
    }

    /// The codes of a batch without their texts, newest first.
    pub async fn codes(&self, actor: &Actor, id: RedemptionBatchId, page: PageRequest) -> Result<Page<RedemptionCode>> {
        let batch = self.batch(actor, id).await?;
        Ok(self.store.redemption_codes().list(batch.id, page).await?)
    }

    /// Who used the codes of a batch, newest first.
    pub async fn uses(&self, actor: &Actor, id: RedemptionBatchId, page: PageRequest) -> Result<Page<RedemptionUse>> {
        let batch = self.batch(actor, id).await?;
        Ok(self.store.redemption_uses().list_of_batch(batch.id, page).await?)
    }
}
