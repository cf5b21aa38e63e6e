//! Redeeming a code: once per user, at most as often as the code allows, credited in the same unit of work.
//!
//! Wrong codes are counted per user and per address as log-ins are, in the unit of work that looks the code up.

use super::code::CodeText;
use super::ports::CodeVault;
use super::redemption::{RedemptionBatch, RedemptionCode, RedemptionUse};
use super::steps::{Credit, credit};
use crate::accounts::{Account, AccountRef, Act, resolve};
use crate::actor::Actor;
use crate::audit::AuditEvent;
use crate::error::{Error, Result};
use crate::id::RedemptionUseId;
use crate::identity::{SecretSource, ThrottleKey, record_failure, refuse_if_locked};
use crate::outbox::Event;
use crate::page::{Page, PageRequest};
use crate::plans::Catalogue;
use crate::quota::GrantOrigin;
use crate::store::{Repositories, Store, StoreError, retrying};
use crate::time::Clock;
use chrono::{DateTime, Utc};
use serde_json::json;
use std::sync::Arc;

/// Use cases of redemption codes.
pub struct RedemptionService {
    pub store: Arc<dyn Store>,
    pub clock: Arc<dyn Clock>,
    pub catalogue: Arc<Catalogue>,
    pub secrets: Arc<dyn SecretSource>,
    pub vault: Arc<dyn CodeVault>,
}

/// A use of a code, and what it was worth.
#[derive(Clone, Debug)]
pub struct Redeemed {
    pub used: RedemptionUse,
    pub batch: RedemptionBatch,
    /// Whether the user had redeemed it before, and nothing changed.
    pub duplicate: bool,
}

impl RedemptionService {
    /// Credits the account with what a code is worth. A wrong code is 404, and too many of them are 429; the same code
    /// again is answered as the first time.
    pub async fn redeem(&self, actor: &Actor, which: &AccountRef, code: &str) -> Result<Redeemed> {
        actor.require_session()?;
        retrying!(self.store, self.write_redeem(actor, which, CodeText::parse(code)))
    }

    async fn write_redeem(&self, actor: &Actor, which: &AccountRef, code: Option<CodeText>) -> Result<Redeemed> {
        let now = self.clock.now();
        let work = self.store.begin().await?;
        let account = resolve(&*work, actor, which, Act::TakeRewards).await?;
        let throttles = throttles(actor);
        for key in &throttles {
            // Locked, so that guesses sent side by side are heard one after the other.
            work.throttles().lock(key).await?;
        }
        refuse_if_locked(&*work, &throttles, now).await?;
        let found = match code {
            Some(code) => work.redemption_codes().find_by_digest(&code.digest()).await?,
            None => None,
        };
        let Some(code) = found else {
            for key in &throttles {
                record_failure(&*work, key, now).await?;
            }
            work.commit().await?;
            return Err(Error::NotFound("code"));
        };
        let account = work.accounts().lock(account.id).await?.ok_or(Error::NotFound("account"))?;
        let redeemed = self.take(&*work, actor, (&account, code), now).await?;
        if !redeemed.duplicate {
            work.commit().await?;
        }
        Ok(redeemed)
    }

    /// Takes one use of the code. The UPDATE that counts it is the guard; all that was read before only explains.
    async fn take(
        &self,
        work: &dyn Repositories,
        actor: &Actor,
        (account, code): (&Account, RedemptionCode),
        now: DateTime<Utc>,
    ) -> Result<Redeemed> {
        let missing = StoreError::Corrupt { table: "redemption_codes", column: "batch_id" };
        let batch = work.redemption_batches().find(code.batch).await?.ok_or(missing)?;
        if let Some(used) = work.redemption_uses().find(actor.user, code.id).await? {
            return Ok(Redeemed { used, batch, duplicate: true });
        }
        account.require_active()?;
        batch.require_open(now)?;
        if !work.redemption_codes().take(code.id, now).await? {
            let current = work.redemption_codes().find(code.id).await?;
            return Err(current.unwrap_or(code).refusal());
        }
        let used = RedemptionUse {
            user: actor.user,
            id: RedemptionUseId::new(now),
            code: code.id,
            batch: batch.id,
            account: account.id,
            redeemed_at: now,
        };
        work.redemption_uses().insert(&used).await?;
        let origin = if batch.is_gift { GrantOrigin::Gift } else { GrantOrigin::Redemption };
        let given = Credit { account: account.id, reward: &batch.reward, origin, reference: used.reference() };
        credit(work, given, now).await?;
        self.tell(work, actor, &used, &batch).await?;
        Ok(Redeemed { used, batch, duplicate: false })
    }

    async fn tell(
        &self,
        work: &dyn Repositories,
        actor: &Actor,
        used: &RedemptionUse,
        batch: &RedemptionBatch,
    ) -> Result<()> {
        let (value, now) = (batch.reward.told(&self.catalogue), used.redeemed_at);
        let payload = json!({ "redemption": used.id, "user": used.user, "gift": batch.is_gift, "value": value });
        work.outbox().push(&[Event::new(used.account, "redemption.redeemed", payload, now)]).await?;
        let detail = json!({ "code": used.code, "batch": used.batch, "value": value });
        let event = AuditEvent::by(actor, "redemption.redeem", used.id, now).on_account(used.account);
        Ok(work.audit().append(&event.with(detail)).await?)
    }

    /// What the caller redeemed, newest first.
    pub async fn history(&self, actor: &Actor, page: PageRequest) -> Result<Page<Redeemed>> {
        actor.require_session()?;
        let uses = self.store.redemption_uses().list_of_user(actor.user, page).await?;
        let mut ids: Vec<_> = uses.rows.iter().map(|used| used.batch).collect();
        ids.sort_unstable();
        ids.dedup();
        let batches = self.store.redemption_batches().find_many(&ids).await?;
        let missing = || StoreError::Corrupt { table: "redemption_uses", column: "batch_id" };
        let with_batch = |used: RedemptionUse| {
            let batch = batches.iter().find(|batch| batch.id == used.batch).ok_or_else(missing)?;
            Ok(Redeemed { batch: batch.clone(), used, duplicate: false })
        };
        let rows = uses.rows.into_iter().map(with_batch).collect::<Result<Vec<_>>>()?;
        Ok(Page { rows, next: uses.next })
    }
}

/// The user first, then the address: also the order in which they are locked.
fn throttles(actor: &Actor) -> Vec<ThrottleKey> {
    let user = ThrottleKey::redeeming(actor.user);
    std::iter::once(user).chain(actor.ip.map(ThrottleKey::redeeming_from)).collect()
}
