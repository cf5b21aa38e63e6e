//! Refunds: taken back and committed first, then asked for at the provider (`asking_refunds`), then settled or given back.

use super::drafting::{draft, read_amount};
use super::message::MessageOutcome;
use super::order::{CloseReason, Order};
use super::order_status::OrderStatus;
use super::payment::Payment;
use super::provider::RefundState;
use super::refund::{Refund, RefundStatus};
use super::service::OrderService;
use super::settling;
use super::suspense::{SuspenseItem, SuspenseReason};
use super::telling;
use crate::actor::Actor;
use crate::audit::AuditEvent;
use crate::error::{Error, Result};
use crate::id::{PaymentId, PaymentMessageId, RefundId};
use crate::idempotency::{self, Answered, IdempotentRequest};
use crate::money::Money;
use crate::store::{Repositories, StoreError, retrying};
use crate::wallet::{self, LedgerAccount, Provider, Transfer, TransferKind};
use chrono::{DateTime, Utc};
use serde_json::json;

/// A refund as an operator asks for it.
#[derive(Clone, Debug)]
pub struct RefundWish {
    /// A decimal of the payment's currency; all that is left when `None`.
    pub amount: Option<String>,
    pub reason: String,
    /// Refund although what was paid for is used up.
    pub even_if_used: bool,
}

impl OrderService {
    /// Refunds a payment that an order was delivered for, in part or whole.
    pub async fn refund(
        &self,
        actor: &Actor,
        id: PaymentId,
        wish: &RefundWish,
        once: &IdempotentRequest,
    ) -> Result<Answered<Refund>> {
        actor.require_admin()?;
        let made = retrying!(self.store, self.try_refund(actor, id, wish, once))?;
        let value = self.send_refund(made.value).await?;
        Ok(Answered { value, replayed: made.replayed })
    }

    async fn try_refund(
        &self,
        actor: &Actor,
        id: PaymentId,
        wish: &RefundWish,
        once: &IdempotentRequest,
    ) -> Result<Answered<RefundId>> {
        let now = self.clock.now();
        let work = self.store.begin().await?;
        if let Some(answered) = idempotency::replay(&*work, once).await? {
            return Ok(answered);
        }
        let counter = settling::lock(&*work, id, now).await?.ok_or(Error::NotFound("payment"))?;
        let (payment, order) = (&counter.payment, &counter.order);
        if order.status != OrderStatus::Delivered || order.paid_by != Some(payment.id) {
            let detail = "Nothing was delivered for this payment; resolve its suspended money instead.";
            return Err(Error::conflict("not_delivered", detail));
        }
        let amount = read_amount(payment, wish.amount.as_deref())?;
        let drafted = draft(actor, payment, amount, &wish.reason, now)?;
        let refund = Refund { even_if_used: wish.even_if_used, ..drafted };
        reserve(&*work, &refund, now).await?;
        let taken_back = self.settlement.delivery(order)?.take_back(&*work, order, &refund, now).await?;
        let refund = Refund { taken_back, ..refund };
        work.refunds().insert(&refund).await?;
        let detail = json!({"payment": id, "amount": amount.to_decimal(), "reason": refund.reason});
        let event = AuditEvent::by(actor, "payment.refund", refund.id, now).on_account(refund.account).with(detail);
        work.audit().append(&event).await?;
        telling::refund(&*work, &refund, "refund.created", now).await?;
        idempotency::keep(&*work, once, &refund.id, now).await?;
        work.commit().await?;
        Ok(Answered::fresh(refund.id))
    }

    /// Takes up what a provider says about a refund; false when the number is not ours.
    pub(super) async fn apply_refund(
        &self,
        id: RefundId,
        provider: Option<Provider>,
        state: &RefundState,
        message: Option<PaymentMessageId>,
    ) -> Result<bool> {
        retrying!(self.store, self.try_apply_refund(id, provider, state, message))
    }

    async fn try_apply_refund(
        &self,
        id: RefundId,
        provider: Option<Provider>,
        state: &RefundState,
        message: Option<PaymentMessageId>,
    ) -> Result<bool> {
        let now = self.clock.now();
        let work = self.store.begin().await?;
        let found = lock_refund(&*work, id).await?;
        let found = found.filter(|(_, payment)| provider.is_none_or(|provider| provider == payment.provider));
        let outcome = match &found {
            None => MessageOutcome::UnknownNumber,
            Some((refund, payment)) => match next(refund, state, now) {
                None => MessageOutcome::Unchanged,
                Some(heard) => {
                    self.settle_refund(&*work, &heard, payment, now).await?;
                    MessageOutcome::Settled
                }
            },
        };
        if let Some(message) = message {
            work.payment_messages().conclude(message, outcome, now).await?;
        }
        work.commit().await?;
        Ok(found.is_some())
    }

    async fn settle_refund(
        &self,
        work: &dyn Repositories,
        refund: &Refund,
        payment: &Payment,
        now: DateTime<Utc>,
    ) -> Result<()> {
        work.refunds().save(refund).await?;
        match refund.status {
            RefundStatus::Succeeded => self.paid_back(work, refund, payment, now).await,
            RefundStatus::Failed => self.give_back(work, refund, payment, now).await,
            RefundStatus::Abnormal => {
                tracing::error!(refund = %refund.id, problem = refund.problem, "a refund is stuck at the provider");
                telling::refund(work, refund, "refund.abnormal", now).await
            }
            RefundStatus::Unknown | RefundStatus::Processing => Ok(()),
        }
    }

    async fn paid_back(
        &self,
        work: &dyn Repositories,
        refund: &Refund,
        payment: &Payment,
        now: DateTime<Utc>,
    ) -> Result<()> {
        let sides = (LedgerAccount::Refund, LedgerAccount::Cash(payment.provider));
        book(work, (TransferKind::Refunded, refund), sides, now).await?;
        let item = suspended(work, refund).await?;
        if item.as_ref().is_none_or(|item| is_of(item, payment)) {
            work.payments().save(&payment.paid_back(refund.amount, now)?).await?;
        }
        if let Some(item) = item {
            work.suspense().save(&item.refund_ended(true, now)).await?;
            close_undeliverable(work, &item, now).await?;
        } else {
            let order = work.orders().find(refund.order).await?.ok_or(Error::NotFound("order"))?;
            self.settlement.delivery(&order)?.went_back(work, &order, refund, now).await?;
        }
        let event = AuditEvent::by_machine("refund.settle", refund.id, now).on_account(refund.account);
        work.audit().append(&event).await?;
        telling::refund(work, refund, "refund.succeeded", now).await
    }

    async fn give_back(
        &self,
        work: &dyn Repositories,
        refund: &Refund,
        payment: &Payment,
        now: DateTime<Utc>,
    ) -> Result<()> {
        if let Some(item) = suspended(work, refund).await? {
            let sides = (LedgerAccount::Refund, LedgerAccount::Suspense);
            book(work, (TransferKind::RefundFailed, refund), sides, now).await?;
            work.suspense().save(&item.refund_ended(false, now)).await?;
            if is_of(&item, payment) {
                release(work, refund, now).await?;
            }
        } else {
            let order = work.orders().find(refund.order).await?.ok_or(Error::NotFound("order"))?;
            self.settlement.delivery(&order)?.give_back(work, &order, refund, now).await?;
            release(work, refund, now).await?;
        }
        telling::refund(work, refund, "refund.failed", now).await
    }
}

/// The refund as the provider's word makes it; nothing when that is no step.
fn next(refund: &Refund, state: &RefundState, now: DateTime<Utc>) -> Option<Refund> {
    let status = RefundStatus::of(state)?;
    let problem = match state {
        RefundState::Failed { reason } | RefundState::Abnormal { reason } => Some(short(reason)),
        RefundState::NotFound | RefundState::Processing | RefundState::Succeeded { .. } => None,
    };
    if status == refund.status {
        return None;
    }
    match refund.heard(status, problem, refund.time_of(state, now)) {
        Ok(heard) => Some(heard),
        Err(no) => {
            tracing::error!(refund = %refund.id, %no, "the provider says otherwise than before; reconcile the day");
            None
        }
    }
}

fn short(text: &str) -> String {
    text.chars().filter(|letter| !letter.is_control()).take(255).collect()
}

/// Whether the suspended money is what the payment counts as captured.
pub(super) fn is_of(item: &SuspenseItem, payment: &Payment) -> bool {
    payment.transaction.as_deref() == Some(&item.transaction)
}

async fn suspended(work: &dyn Repositories, refund: &Refund) -> Result<Option<SuspenseItem>> {
    match refund.suspense {
        None => Ok(None),
        Some(id) => {
            let item = work.suspense().find(id).await?;
            Ok(Some(item.ok_or(StoreError::Corrupt { table: "refunds", column: "suspense_id" })?))
        }
    }
}

/// An order that was paid and never delivered is closed once its money is the customer's again.
pub(super) async fn close_undeliverable(
    work: &dyn Repositories,
    item: &SuspenseItem,
    now: DateTime<Utc>,
) -> Result<()> {
    let order: Order = work.orders().find(item.order).await?.ok_or(Error::NotFound("order"))?;
    if item.reason != SuspenseReason::Undeliverable || order.status != OrderStatus::AwaitingDelivery {
        return Ok(());
    }
    let closed = order.closed(CloseReason::Undeliverable, now)?;
    work.orders().save(&closed).await?;
    telling::order(work, &closed, &["order.closed"], now).await
}

pub(super) async fn lock_refund(work: &dyn Repositories, id: RefundId) -> Result<Option<(Refund, Payment)>> {
    let Some(found) = work.refunds().find(id).await? else { return Ok(None) };
    work.accounts().lock(found.account).await?.ok_or(Error::NotFound("account"))?;
    let refund = work.refunds().find(id).await?.ok_or(Error::NotFound("refund"))?;
    let payment = work.payments().find(refund.payment).await?.ok_or(Error::NotFound("payment"))?;
    Ok(Some((refund, payment)))
}

pub(super) async fn book(
    work: &dyn Repositories,
    (kind, refund): (TransferKind, &Refund),
    sides: (LedgerAccount, LedgerAccount),
    now: DateTime<Utc>,
) -> Result<()> {
    let transfer = Transfer::new((kind, refund.id.to_string()), sides, refund.amount, now)?.about(refund.account);
    wallet::post(work, &[transfer.because(refund.reason.clone())]).await
}

/// Keeps the refund's part of the payment from other refunds.
pub(super) async fn reserve(work: &dyn Repositories, refund: &Refund, now: DateTime<Utc>) -> Result<()> {
    if work.payments().reserve(refund.payment, refund.amount, now).await? {
        return Ok(());
    }
    Err(Error::conflict("refund_too_large", "Refunds cannot be more than what was paid."))
}

async fn release(work: &dyn Repositories, refund: &Refund, now: DateTime<Utc>) -> Result<()> {
    let back = Money::from_nanos(-refund.amount.nanos(), refund.amount.currency());
    if work.payments().reserve(refund.payment, back, now).await? {
        return Ok(());
    }
    Err(StoreError::Corrupt { table: "payments", column: "refunding" }.into())
}
