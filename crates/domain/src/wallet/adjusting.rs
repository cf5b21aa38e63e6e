//! Operators' corrections: adjustments with a second pair of eyes, and reversals.

use super::adjustment::{Adjustment, AdjustmentStatus};
use super::{LedgerService, Transfer, TransferKind, post};
use crate::actor::Actor;
use crate::audit::AuditEvent;
use crate::error::{Error, Result};
use crate::id::{AccountId, AdjustmentId, TransferId, UserId};
use crate::idempotency::{self, Answered, IdempotentRequest};
use crate::money::{Currency, Money};
use crate::page::{Page, PageRequest};
use crate::store::{Repositories, StoreError, retrying};
use crate::text::visible_line;
use chrono::{DateTime, Utc};
use serde_json::json;

/// Longest reason, in characters.
pub const MAX_REASON_CHARS: usize = 255;

/// An adjustment as an operator asks for it.
#[derive(Clone, Debug)]
pub struct AdjustmentWish {
    /// A decimal in whole minor units, above zero to give and below to take.
    pub amount: String,
    /// The billing currency when left out.
    pub currency: Option<String>,
    pub reason: String,
}

/// What a second operator says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Approve,
    Reject,
}

impl LedgerService {
    /// Books an adjustment once per idempotency key, or lets it wait for a second operator.
    pub async fn adjust(
        &self,
        actor: &Actor,
        account: AccountId,
        wish: &AdjustmentWish,
        request: &IdempotentRequest,
    ) -> Result<Answered<Adjustment>> {
        actor.require_admin()?;
        retrying!(self.store, self.try_adjust(actor, account, wish, request))
    }

    async fn try_adjust(
        &self,
        actor: &Actor,
        account: AccountId,
        wish: &AdjustmentWish,
        request: &IdempotentRequest,
    ) -> Result<Answered<Adjustment>> {
        let now = self.clock.now();
        let work = self.store.begin().await?;
        if let Some(answered) = idempotency::replay(&*work, request).await? {
            return Ok(answered);
        }
        let (amount, reason) = self.read(wish)?;
        work.accounts().lock(account).await?.ok_or(Error::NotFound("account"))?;
        let mut adjustment = requested(actor.user, account, (amount, reason), now);
        if !self.approval.asks_for(amount) {
            adjustment = booked(&*work, adjustment, None, now).await?;
        }
        work.adjustments().insert(&adjustment).await?;
        work.audit().append(&told(actor, "wallet.adjust", &adjustment, now)).await?;
        idempotency::keep(&*work, request, &adjustment, now).await?;
        work.commit().await?;
        Ok(Answered::fresh(adjustment))
    }

    /// Decides about an adjustment that waits; who asked for it never does.
    ///
    /// One that a wallet cannot pay is `Error::Barred` and goes on waiting.
    pub async fn decide_adjustment(
        &self,
        actor: &Actor,
        id: AdjustmentId,
        verdict: Verdict,
        request: &IdempotentRequest,
    ) -> Result<Answered<Adjustment>> {
        actor.require_admin()?;
        retrying!(self.store, self.try_decide(actor, id, verdict, request))
    }

    async fn try_decide(
        &self,
        actor: &Actor,
        id: AdjustmentId,
        verdict: Verdict,
        request: &IdempotentRequest,
    ) -> Result<Answered<Adjustment>> {
        let now = self.clock.now();
        let missing = || Error::NotFound("adjustment");
        let account = self.store.adjustments().find(id).await?.ok_or_else(missing)?.account;
        let work = self.store.begin().await?;
        if let Some(answered) = idempotency::replay(&*work, request).await? {
            return Ok(answered);
        }
        work.accounts().lock(account).await?.ok_or_else(missing)?;
        let waiting = work.adjustments().find(id).await?.ok_or_else(missing)?;
        if waiting.status != AdjustmentStatus::Pending {
            let detail = format!("The adjustment was {} before.", waiting.status.name());
            return Err(Error::conflict("adjustment_decided", detail));
        }
        if waiting.requested_by == actor.user {
            return Err(Error::Forbidden("Another operator must decide about this adjustment."));
        }
        let (action, decided) = match verdict {
            Verdict::Approve => ("wallet.approve", booked(&*work, waiting, Some(actor.user), now).await?),
            Verdict::Reject => ("wallet.reject", waiting.rejected(actor.user, now)),
        };
        work.adjustments().decide(&decided).await?;
        work.audit().append(&told(actor, action, &decided, now)).await?;
        idempotency::keep(&*work, request, &decided, now).await?;
        work.commit().await?;
        Ok(Answered::fresh(decided))
    }

    /// For operators, newest first.
    pub async fn list_adjustments(
        &self,
        actor: &Actor,
        status: Option<AdjustmentStatus>,
        page: PageRequest,
    ) -> Result<Page<Adjustment>> {
        actor.require_admin()?;
        Ok(self.store.adjustments().list(status, page).await?)
    }

    /// Books the opposite of a transfer, once; a wallet that has spent the money already is `Error::Barred`.
    pub async fn reverse(
        &self,
        actor: &Actor,
        id: TransferId,
        reason: &str,
        request: &IdempotentRequest,
    ) -> Result<Answered<Transfer>> {
        actor.require_admin()?;
        let reason = read_reason(reason)?;
        let done = match retrying!(self.store, self.try_reverse(actor, id, &reason, request)) {
            Err(Error::Store(StoreError::Duplicate)) => Err(reversed_before()),
            answer => answer,
        }?;
        let reversal = self.store.ledger().find_by_id(done.value).await?;
        let value = reversal.ok_or(StoreError::Corrupt { table: "idempotency_keys", column: "answer" })?;
        Ok(Answered { value, replayed: done.replayed })
    }

    async fn try_reverse(
        &self,
        actor: &Actor,
        id: TransferId,
        reason: &str,
        request: &IdempotentRequest,
    ) -> Result<Answered<TransferId>> {
        let now = self.clock.now();
        let original = self.store.ledger().find_by_id(id).await?.ok_or(Error::NotFound("transfer"))?;
        if !original.kind.is_reversible() {
            let detail =
                "Only usage, gifts and adjustments are reversed; orders, refunds and bills have ways of their own.";
            return Err(Error::conflict("transfer_not_reversible", detail));
        }
        let work = self.store.begin().await?;
        if let Some(answered) = idempotency::replay(&*work, request).await? {
            return Ok(answered);
        }
        let mut sides: Vec<AccountId> = [original.from, original.to].iter().filter_map(|side| side.wallet()).collect();
        sides.sort_unstable();
        work.accounts().lock_many(&sides).await?;
        if work.ledger().find(TransferKind::Reversal, &id.to_string()).await?.is_some() {
            return Err(reversed_before());
        }
        let reversal = original.reversed(reason, now)?;
        post(&*work, std::slice::from_ref(&reversal)).await?;
        let detail = json!({"amount": reversal.amount.to_decimal(), "currency": reversal.amount.currency(),
            "reversal": reversal.id, "reason": reason});
        let event = AuditEvent::by(actor, "transfer.reverse", id, now).with(detail);
        let event = reversal.about.map_or(event.clone(), |account| event.on_account(account));
        work.audit().append(&event).await?;
        idempotency::keep(&*work, request, &reversal.id, now).await?;
        work.commit().await?;
        Ok(Answered::fresh(reversal.id))
    }

    fn read(&self, wish: &AdjustmentWish) -> Result<(Money, String)> {
        let unknown = || Error::invalid("currency", "is not a currency code such as CNY");
        let currency = wish.currency.as_deref().map(|code| Currency::parse(code).ok_or_else(unknown)).transpose()?;
        let amount = Money::parse_minor(&wish.amount, currency.unwrap_or(self.currency));
        let amount = amount.map_err(|error| Error::invalid("amount", error.to_string()))?;
        if amount.is_zero() {
            return Err(Error::invalid("amount", "must not be zero"));
        }
        Ok((amount, read_reason(&wish.reason)?))
    }
}

fn read_reason(reason: &str) -> Result<String> {
    visible_line(reason, MAX_REASON_CHARS).map_err(|problem| Error::invalid("reason", problem))
}

fn reversed_before() -> Error {
    Error::conflict("transfer_reversed", "The transfer was reversed before.")
}

fn requested(by: UserId, account: AccountId, (amount, reason): (Money, String), now: DateTime<Utc>) -> Adjustment {
    Adjustment {
        id: AdjustmentId::new(now),
        account,
        amount,
        reason,
        status: AdjustmentStatus::Pending,
        requested_by: by,
        requested_at: now,
        decided_by: None,
        decided_at: None,
        transfer: None,
    }
}

async fn booked(
    work: &dyn Repositories,
    adjustment: Adjustment,
    by: Option<UserId>,
    now: DateTime<Utc>,
) -> Result<Adjustment> {
    let transfer = adjustment.booking(now)?;
    post(work, std::slice::from_ref(&transfer)).await?;
    Ok(adjustment.approved(by, transfer.id, now))
}

fn told(actor: &Actor, action: &str, adjustment: &Adjustment, now: DateTime<Utc>) -> AuditEvent {
    let detail = json!({
        "amount": adjustment.amount.to_decimal(),
        "currency": adjustment.currency(),
        "reason": adjustment.reason,
        "status": adjustment.status.name(),
        "requested_by": adjustment.requested_by,
    });
    AuditEvent::by(actor, action, adjustment.id, now).on_account(adjustment.account).with(detail)
}
