//! Operators resolve suspended money: back to whoever paid, into the wallet, or deliver nevertheless.

use super::drafting::draft;
use super::order::Order;
use super::order_status::OrderStatus;
use super::refund::Refund;
use super::refunding::{book, close_undeliverable, is_of, reserve};
use super::service::OrderService;
use super::settling::{self, Counter};
use super::suspense::{MAX_NOTE_LENGTH, Resolution, SuspenseItem};
use crate::actor::Actor;
use crate::audit::AuditEvent;
use crate::error::{Error, Result};
use crate::id::{RefundId, SuspenseId};
use crate::idempotency::{self, Answered, IdempotentRequest};
use crate::store::{Repositories, retrying};
use crate::text::visible_line;
use crate::wallet::{self, LedgerAccount, Transfer, TransferKind};
use chrono::{DateTime, Utc};
use serde_json::json;

/// What an operator decides, and why.
#[derive(Clone, Debug)]
pub struct ResolveWish {
    pub resolution: Resolution,
    /// For the audit log; for a refund also the customer's and the provider's.
    pub note: String,
}

impl OrderService {
    /// Resolves suspended money, once.
    pub async fn resolve_suspense(
        &self,
        actor: &Actor,
        id: SuspenseId,
        wish: &ResolveWish,
        once: &IdempotentRequest,
    ) -> Result<Answered<SuspenseItem>> {
        actor.require_admin()?;
        visible_line(&wish.note, MAX_NOTE_LENGTH).map_err(|problem| Error::invalid("note", problem))?;
        let made = retrying!(self.store, self.try_resolve(actor, id, wish, once))?;
        if let Some(refund) = made.value {
            self.send_refund(refund).await?;
        }
        let value = self.store.suspense().find(id).await?.ok_or(Error::NotFound("suspense item"))?;
        Ok(Answered { value, replayed: made.replayed })
    }

    async fn try_resolve(
        &self,
        actor: &Actor,
        id: SuspenseId,
        wish: &ResolveWish,
        once: &IdempotentRequest,
    ) -> Result<Answered<Option<RefundId>>> {
        let now = self.clock.now();
        let work = self.store.begin().await?;
        if let Some(answered) = idempotency::replay(&*work, once).await? {
            return Ok(answered);
        }
        let found = work.suspense().find(id).await?.ok_or(Error::NotFound("suspense item"))?;
        let counter = settling::lock(&*work, found.payment, now).await?.ok_or(Error::NotFound("payment"))?;
        let item = work.suspense().find(id).await?.ok_or(Error::NotFound("suspense item"))?;
        if !item.allows(wish.resolution) {
            return Err(Error::conflict("conflict", "This cannot be resolved so, or was resolved before."));
        }
        let resolved = item.resolved(wish.resolution, actor.user, Some(wish.note.clone()), now);
        let refund = match wish.resolution {
            Resolution::Dismiss => None,
            Resolution::Credit => {
                let sides = (LedgerAccount::Suspense, LedgerAccount::Wallet(item.account));
                self.move_on(&*work, &item, sides, item.amount, now).await?;
                close_undeliverable(&*work, &item, now).await?;
                None
            }
            Resolution::Deliver => {
                self.deliver_anyway(&*work, &counter, &item).await?;
                None
            }
            Resolution::Refund => Some(give_back(&*work, actor, &counter, &item, &wish.note).await?.id),
        };
        work.suspense().save(&SuspenseItem { refund, ..resolved }).await?;
        let detail = json!({"resolution": item.resolved(wish.resolution, actor.user, None, now).status.name(), "note": wish.note});
        let event = AuditEvent::by(actor, "suspense.resolve", id, now).on_account(item.account).with(detail);
        work.audit().append(&event).await?;
        idempotency::keep(&*work, once, &refund, now).await?;
        work.commit().await?;
        Ok(Answered::fresh(refund))
    }

    async fn move_on(
        &self,
        work: &dyn Repositories,
        item: &SuspenseItem,
        sides: (LedgerAccount, LedgerAccount),
        amount: crate::money::Money,
        now: DateTime<Utc>,
    ) -> Result<()> {
        let kind = (TransferKind::Resolved, item.id.to_string());
        let transfer = Transfer::new(kind, sides, amount, now)?.about(item.account);
        wallet::post(work, &[transfer]).await
    }

    /// Delivers for this money: what is missing comes out of corrections, what is over goes to the wallet.
    async fn deliver_anyway(&self, work: &dyn Repositories, counter: &Counter, item: &SuspenseItem) -> Result<()> {
        let Counter { payment, order, now } = counter;
        if item.amount.currency() != order.amount.currency() {
            return Err(Error::conflict("conflict", "The money is of another currency than the order."));
        }
        let paid = match order.status {
            OrderStatus::AwaitingDelivery if order.paid_by == Some(payment.id) => order.clone(),
            OrderStatus::AwaitingDelivery | OrderStatus::Delivered => {
                return Err(Error::conflict("conflict", "The order was paid by another payment."));
            }
            OrderStatus::Created | OrderStatus::Closing | OrderStatus::Closed => reopened(order, counter)?,
        };
        let over = item.amount.checked_sub(order.amount)?;
        if over.is_positive() {
            let sides = (LedgerAccount::Suspense, LedgerAccount::Wallet(item.account));
            self.move_on(work, item, sides, over, *now).await?;
        } else if !over.is_zero() {
            let missing = order.amount.checked_sub(item.amount)?;
            let sides = (LedgerAccount::Adjustment, LedgerAccount::Suspense);
            self.move_on(work, item, sides, missing, *now).await?;
        }
        self.settlement.deliver(work, &paid, *now).await
    }
}

fn reopened(order: &Order, counter: &Counter) -> Result<Order> {
    Ok(order.paid(counter.payment.id, counter.now)?)
}

/// The money is set aside for its way back.
async fn give_back(
    work: &dyn Repositories,
    actor: &Actor,
    counter: &Counter,
    item: &SuspenseItem,
    note: &str,
) -> Result<Refund> {
    let drafted = draft(actor, &counter.payment, item.amount, note, counter.now)?;
    let refund = Refund { suspense: Some(item.id), ..drafted };
    if is_of(item, &counter.payment) {
        reserve(work, &refund, counter.now).await?;
    }
    let sides = (LedgerAccount::Suspense, LedgerAccount::Refund);
    book(work, (TransferKind::RefundReserved, &refund), sides, counter.now).await?;
    work.refunds().insert(&refund).await?;
    Ok(refund)
}
