//! The one step by which money arrives: called by notification, poll, return page, reconciliation and operators, as
//! often as they like, in any order.
//!
//! Money that came in is booked from the provider's cash to suspense, once per payment. If it is what an open order
//! waits for, the order is delivered from there in the same unit of work; if not, it stays and an operator decides.
//! Nothing is delivered twice, and nothing that came in is lost.

use super::hooks::{Delivery, PaidHook};
use super::order::{CloseReason, Order};
use super::order_status::OrderStatus;
use super::payment::Payment;
use super::payment_status::PaymentStatus;
use super::provider::{Capture, PaymentState};
use super::suspense::{SuspenseItem, SuspenseReason, SuspenseStatus};
use super::telling;
use crate::error::{Error, Result};
use crate::id::{PaymentId, SuspenseId};
use crate::money::Money;
use crate::store::{Repositories, StoreError};
use crate::wallet::{self, LedgerAccount, Provider, Transfer, TransferKind};
use chrono::{DateTime, Utc};
use std::sync::Arc;

/// What is known of a payment.
#[derive(Clone, Debug)]
pub struct Fact {
    pub payment: PaymentId,
    /// Who says so: a payment at another provider is not meant.
    pub provider: Provider,
    pub state: PaymentState,
}

/// What became of a fact.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settled {
    /// No payment of that provider has the number.
    UnknownNumber,
    /// Known before, or nothing to do.
    Unchanged,
    Delivered,
    Suspended(SuspenseReason),
    /// The attempt ended without money.
    Ended,
}

/// Whether what was paid for is delivered, or kept back because an attempt at that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    Deliver,
    KeepBack,
}

/// How purposes are delivered, and who else hears that somebody paid.
#[derive(Clone, Default)]
pub struct Settlement {
    pub deliveries: Arc<[Arc<dyn Delivery>]>,
    pub hooks: Arc<[Arc<dyn PaidHook>]>,
}

/// A payment and its order under the lock of their account.
pub(super) struct Counter {
    pub payment: Payment,
    pub order: Order,
    pub now: DateTime<Utc>,
}

/// Finds a payment and locks its account; what is answered was read under the lock.
pub(super) async fn lock(work: &dyn Repositories, id: PaymentId, now: DateTime<Utc>) -> Result<Option<Counter>> {
    let Some(found) = work.payments().find(id).await? else { return Ok(None) };
    work.accounts().lock(found.account).await?.ok_or(Error::NotFound("account"))?;
    let payment = work.payments().find(id).await?.ok_or(Error::NotFound("payment"))?;
    let order = work.orders().find(payment.order).await?;
    let order = order.ok_or(StoreError::Corrupt { table: "payments", column: "order_id" })?;
    Ok(Some(Counter { payment, order, now }))
}

impl Settlement {
    /// Takes up a fact, in the caller's unit of work.
    pub async fn settle(
        &self,
        work: &dyn Repositories,
        fact: &Fact,
        mode: Mode,
        now: DateTime<Utc>,
    ) -> Result<Settled> {
        let Some(counter) = lock(work, fact.payment, now).await? else { return Ok(Settled::UnknownNumber) };
        if counter.payment.provider != fact.provider {
            return Ok(Settled::UnknownNumber);
        }
        match &fact.state {
            PaymentState::Captured(capture) => self.take(work, &counter, capture, mode).await,
            PaymentState::Closed => end(work, &counter, PaymentStatus::Cancelled).await,
            PaymentState::Failed => end(work, &counter, PaymentStatus::Failed).await,
            PaymentState::Open | PaymentState::NotFound => Ok(Settled::Unchanged),
        }
    }

    async fn take(&self, work: &dyn Repositories, counter: &Counter, capture: &Capture, mode: Mode) -> Result<Settled> {
        let Counter { payment, order, now } = counter;
        let known = payment.transaction.as_deref() == Some(&capture.transaction);
        if known || work.suspense().find_capture(payment.id, &capture.transaction).await?.is_some() {
            return Ok(Settled::Unchanged);
        }
        if !capture.payee_is_ours {
            return suspend(work, counter, capture, SuspenseReason::Payee).await;
        }
        if payment.status.has_money() {
            return take_again(work, counter, capture).await;
        }
        let paid = payment.captured(capture, *now)?;
        work.payments().save(&paid).await?;
        let booked = (TransferKind::Payment, payment.id.to_string());
        book_in(work, counter, booked, capture.amount).await?;
        let keep_back = (mode == Mode::KeepBack).then_some(SuspenseReason::Undeliverable);
        if let Some(reason) = mismatch(order, capture.amount).or(keep_back) {
            if reason == SuspenseReason::Undeliverable {
                work.orders().save(&order.paid(payment.id, *now)?).await?;
            }
            return suspend(work, counter, capture, reason).await;
        }
        self.deliver(work, &order.paid(payment.id, *now)?, *now).await?;
        telling::captured(work, &paid, order, *now).await?;
        Ok(Settled::Delivered)
    }

    /// Delivers a paid order from the money on suspense.
    pub(super) async fn deliver(&self, work: &dyn Repositories, paid: &Order, now: DateTime<Utc>) -> Result<()> {
        work.orders().save(paid).await?;
        self.delivery(paid)?.deliver(work, paid, now).await?;
        let delivered = paid.delivered(now)?;
        work.orders().save(&delivered).await?;
        call_off_others(work, &delivered, now).await?;
        for hook in &*self.hooks {
            hook.paid(work, paid.account, paid.amount, now).await?;
        }
        telling::order(work, &delivered, &["order.paid", "order.delivered"], now).await
    }

    /// How the order's purpose is delivered.
    pub(super) fn delivery(&self, order: &Order) -> Result<&dyn Delivery> {
        let found = self.deliveries.iter().find(|delivery| delivery.handles(&order.purpose));
        let nobody = || Error::conflict("conflict", "This server does not deliver orders of this kind.");
        found.map(AsRef::as_ref).ok_or_else(nobody)
    }
}

/// Why money is not what the order waits for.
fn mismatch(order: &Order, amount: Money) -> Option<SuspenseReason> {
    if amount.currency() != order.amount.currency() {
        return Some(SuspenseReason::Currency);
    }
    match amount.nanos().cmp(&order.amount.nanos()) {
        std::cmp::Ordering::Less => return Some(SuspenseReason::Short),
        std::cmp::Ordering::Greater => return Some(SuspenseReason::Over),
        std::cmp::Ordering::Equal => {}
    }
    match order.status {
        OrderStatus::Created | OrderStatus::Closing => None,
        OrderStatus::AwaitingDelivery | OrderStatus::Delivered => Some(SuspenseReason::Double),
        OrderStatus::Closed => Some(SuspenseReason::Late),
    }
}

/// A second capture under one number, which providers should not let happen.
async fn take_again(work: &dyn Repositories, counter: &Counter, capture: &Capture) -> Result<Settled> {
    let item = item_of(counter, capture, SuspenseReason::Double);
    book_in(work, counter, (TransferKind::Suspended, item.id.to_string()), capture.amount).await?;
    keep(work, &item, counter.now).await
}

/// Money from the provider's cash to suspense.
async fn book_in(
    work: &dyn Repositories,
    counter: &Counter,
    booked: (TransferKind, String),
    amount: Money,
) -> Result<()> {
    let sides = (LedgerAccount::Cash(counter.payment.provider), LedgerAccount::Suspense);
    let transfer = Transfer::new(booked, sides, amount, counter.now)?.about(counter.payment.account);
    wallet::post(work, &[transfer]).await
}

async fn suspend(
    work: &dyn Repositories,
    counter: &Counter,
    capture: &Capture,
    reason: SuspenseReason,
) -> Result<Settled> {
    keep(work, &item_of(counter, capture, reason), counter.now).await
}

fn item_of(counter: &Counter, capture: &Capture, reason: SuspenseReason) -> SuspenseItem {
    SuspenseItem {
        id: SuspenseId::new(counter.now),
        account: counter.payment.account,
        order: counter.order.id,
        payment: counter.payment.id,
        reason,
        status: SuspenseStatus::Open,
        amount: capture.amount,
        transaction: capture.transaction.clone(),
        refund: None,
        resolved_by: None,
        note: None,
        created_at: counter.now,
        resolved_at: None,
    }
}

async fn keep(work: &dyn Repositories, item: &SuspenseItem, now: DateTime<Utc>) -> Result<Settled> {
    work.suspense().insert(item).await?;
    telling::suspended(work, item, now).await?;
    Ok(Settled::Suspended(item.reason))
}

/// An attempt ends without money; an order that was closing is closed with its last one.
async fn end(work: &dyn Repositories, counter: &Counter, status: PaymentStatus) -> Result<Settled> {
    let Counter { payment, order, now } = counter;
    if !payment.status.is_open() {
        return Ok(Settled::Unchanged);
    }
    work.payments().save(&payment.without_money(status, *now)?).await?;
    if order.status == OrderStatus::Closing {
        let others = work.payments().of_orders(&[order.id]).await?;
        let open = others.iter().any(|other| other.id != payment.id && other.status.is_open());
        if !open {
            let closed = order.closed(CloseReason::Cancelled, *now)?;
            work.orders().save(&closed).await?;
            telling::order(work, &closed, &["order.closed"], *now).await?;
        }
    }
    Ok(Settled::Ended)
}

/// The attempts that were not needed are closed at their providers as soon as possible.
pub(super) async fn call_off_others(work: &dyn Repositories, order: &Order, now: DateTime<Utc>) -> Result<()> {
    for other in work.payments().of_orders(&[order.id]).await? {
        if other.status.is_open() {
            work.payments().save(&Payment { next_poll_at: Some(now), ..other }).await?;
        }
    }
    Ok(())
}

/// Whether an error says no, rather than that something went wrong on the way.
pub(super) const fn is_refusal(error: &Error) -> bool {
    match error {
        Error::NotFound(_)
        | Error::Invalid(_)
        | Error::Refused(_)
        | Error::Barred(_)
        | Error::Ended { .. }
        | Error::Conflict { .. }
        | Error::Forbidden(_) => true,
        Error::Unauthenticated
        | Error::RateLimited { .. }
        | Error::KeyReused
        | Error::Unavailable
        | Error::NotAvailable(_)
        | Error::KeyMissing
        | Error::Store(_) => false,
    }
}
