//! Bills that are paid at a provider: an order for a bill, what is delivered for it, and refunds to where it came from.
//!
//! A bill has one order at a time that takes money. Whatever else pays or voids the bill calls it off; money that comes
//! nevertheless is suspended like that of any order.

use super::paying::{Desk, Funds};
use super::refunding::{Refunded, bill_of};
use super::service::{BillingService, lock};
use super::{Bill, BillStatus, IssuedBill};
use crate::accounts::{Account, Act};
use crate::actor::Actor;
use crate::audit::AuditEvent;
use crate::error::{Error, Result};
use crate::id::{BillId, OrderId, PaymentId};
use crate::idempotency::{self, Answered, IdempotentRequest};
use crate::orders::{
    Attempt, CloseReason, Delivery, Draft, Order, OrderService, OrderStatus, PayMethod, Payment, PaymentStatus,
    Purpose, Refund, RefundWish, call_off,
};
use crate::plans::{Catalogue, PeriodHook};
use crate::quantity::Quantity;
use crate::store::{Repositories, StoreError, retrying};
use crate::wallet::Provider;
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde_json::json;
use std::sync::Arc;

/// Use cases of bills at providers.
pub struct ChargingService {
    pub billing: Arc<BillingService>,
    pub orders: OrderService,
}

impl ChargingService {
    /// Asks a provider for what an unpaid bill comes to. Asked again, it is another attempt at the same order.
    pub async fn charge(
        &self,
        actor: &Actor,
        bill: BillId,
        how: (Provider, PayMethod),
        once: &IdempotentRequest,
    ) -> Result<Answered<Attempt>> {
        actor.require_session()?;
        let made = retrying!(self.billing.store, self.try_charge(actor, bill, how, once))?;
        let value = self.orders.place(made.value.1).await?;
        Ok(Answered { value, replayed: made.replayed })
    }

    async fn try_charge(
        &self,
        actor: &Actor,
        id: BillId,
        how: (Provider, PayMethod),
        once: &IdempotentRequest,
    ) -> Result<Answered<(OrderId, PaymentId)>> {
        let now = self.billing.clock.now();
        let work = self.billing.store.begin().await?;
        if let Some(answered) = idempotency::replay(&*work, once).await? {
            return Ok(answered);
        }
        self.billing.enter(&*work, actor, id, Act::PayBills).await?;
        let (issued, account) = lock(&*work, id).await?;
        let bill = payable(&issued.bill, now)?;
        let open = orders_of(&*work, bill).await?.into_iter().find(|order| order.status == OrderStatus::Created);
        let ids = match open {
            Some(order) if order.expires_at > now => {
                let payment = self.orders.attempt(&*work, &order, how, now).await?;
                (order.id, payment.id)
            }
            _ => {
                let made = self.orders.begin(&*work, draft(actor, bill, how), now).await?;
                (made.order.id, made.payment.id)
            }
        };
        let event = AuditEvent::by(actor, "bill.charge", id, now).on_account(account.id);
        work.audit().append(&event.with(json!({ "order": ids.0, "provider": how.0.name() }))).await?;
        idempotency::keep(&*work, once, &ids, now).await?;
        work.commit().await?;
        Ok(Answered::fresh(ids))
    }

    /// For operators: gives back a part of what a provider took for a bill, or all of it, by the way it came. Answers
    /// the refund bill, which is unpaid until the provider has paid.
    pub async fn refund(
        &self,
        actor: &Actor,
        id: BillId,
        (amount, reason): (Option<&str>, &str),
        once: &IdempotentRequest,
    ) -> Result<Answered<Refunded>> {
        actor.require_admin()?;
        let store = &*self.billing.store;
        let issued = store.bills().find(id).await?.ok_or(Error::NotFound("bill"))?;
        let delivered = orders_of(store, &issued.bill).await?;
        let payment = delivered.iter().find(|order| order.status == OrderStatus::Delivered).and_then(|of| of.paid_by);
        let nothing = || Error::conflict("not_paid_online", "No provider took money for this bill.");
        let left = issued.bill.refundable()?;
        // Nothing is left when the same call was answered before.
        let all = left.is_positive().then(|| left.to_decimal());
        let wish =
            RefundWish { amount: amount.map(str::to_owned).or(all), reason: reason.to_owned(), even_if_used: false };
        let made = self.orders.refund(actor, payment.ok_or_else(nothing)?, &wish, once).await?;
        let missing = StoreError::Corrupt { table: "billing_records", column: "refund_of" };
        let issued = store.bills().find(bill_of(&made.value)).await?.ok_or(missing)?;
        Ok(Answered { value: Refunded { issued, outdated: None }, replayed: made.replayed })
    }
}

/// An unpaid bill that asks for something; whoever pays another hears why not.
fn payable(bill: &Bill, now: DateTime<Utc>) -> Result<&Bill> {
    bill.paid_for(now).map(|_| bill)
}

fn draft(actor: &Actor, bill: &Bill, (provider, method): (Provider, PayMethod)) -> Draft {
    Draft {
        account: bill.account,
        user: actor.user,
        purpose: Purpose::Bill { bill: bill.id.as_uuid() },
        amount: bill.totals.total,
        description: format!("Bill {} {}", bill.month, bill.plan),
        provider,
        method,
    }
}

async fn orders_of(repositories: &dyn Repositories, bill: &Bill) -> Result<Vec<Order>> {
    Ok(repositories.orders().of_bill(bill.account, bill.id.as_uuid()).await?)
}

/// The orders of a bill take no money any more: it is paid, or void.
pub(super) async fn call_off_orders(work: &dyn Repositories, bill: &Bill, now: DateTime<Utc>) -> Result<()> {
    for order in orders_of(work, bill).await? {
        if order.status == OrderStatus::Created {
            call_off(work, &order, CloseReason::Cancelled, now).await?;
        }
    }
    Ok(())
}

impl Desk<'_> {
    /// Whether a provider was asked for the bill and what became of that is not known: nothing else is charged then.
    pub(super) async fn is_being_charged(&self, bill: &Bill) -> Result<bool> {
        let orders = orders_of(self.work, bill).await?;
        let open = orders.iter().filter(|order| order.status.takes_money()).map(|order| order.id);
        let attempts = self.work.payments().of_orders(&open.collect::<Vec<_>>()).await?;
        Ok(attempts.iter().any(|attempt| attempt.status == PaymentStatus::Unknown))
    }
}

/// Delivers orders of bills: the bill is paid, and what waited for it begins.
pub struct BillDelivery {
    pub catalogue: Arc<Catalogue>,
    pub hook: Arc<dyn PeriodHook>,
}

impl BillDelivery {
    fn desk<'a>(&'a self, work: &'a dyn Repositories, now: DateTime<Utc>) -> Desk<'a> {
        Desk { work, catalogue: &self.catalogue, hook: &*self.hook, now }
    }
}

/// The order's bill and account, which is locked.
async fn ordered(work: &dyn Repositories, order: &Order) -> Result<(IssuedBill, Account)> {
    let Purpose::Bill { bill } = &order.purpose else { return Err(Error::NotFound("bill")) };
    let found = work.bills().find(BillId::from_uuid(*bill)).await?;
    let issued = found.filter(|issued| issued.bill.account == order.account).ok_or(Error::NotFound("bill"))?;
    let account = work.accounts().find(order.account).await?.ok_or(Error::NotFound("account"))?;
    Ok((issued, account))
}

#[async_trait]
impl Delivery for BillDelivery {
    fn handles(&self, purpose: &Purpose) -> bool {
        matches!(purpose, Purpose::Bill { .. })
    }

    async fn deliver(&self, work: &dyn Repositories, order: &Order, now: DateTime<Utc>) -> Result<()> {
        let (issued, account) = ordered(work, order).await?;
        if issued.bill.status == BillStatus::Unpaid && issued.bill.totals.total != order.amount {
            return Err(Error::conflict("conflict", "The bill asks for another amount than its order."));
        }
        let Payment { provider, transaction, .. } = paid_by(work, order).await?;
        let funds = Funds::Provider(provider, transaction.unwrap_or_default());
        self.desk(work, now).pay(&account, &issued, &funds).await.map(drop)
    }

    async fn take_back(
        &self,
        work: &dyn Repositories,
        order: &Order,
        refund: &Refund,
        now: DateTime<Utc>,
    ) -> Result<Quantity> {
        let (issued, account) = ordered(work, order).await?;
        self.desk(work, now).send_back(&account, &issued, refund).await?;
        Ok(Quantity::ZERO)
    }

    async fn went_back(
        &self,
        work: &dyn Repositories,
        order: &Order,
        refund: &Refund,
        now: DateTime<Utc>,
    ) -> Result<()> {
        let (issued, _) = ordered(work, order).await?;
        self.desk(work, now).went_back(&issued.bill, refund).await
    }

    async fn give_back(
        &self,
        work: &dyn Repositories,
        order: &Order,
        refund: &Refund,
        now: DateTime<Utc>,
    ) -> Result<()> {
        let (issued, account) = ordered(work, order).await?;
        self.desk(work, now).stays(&account, &issued.bill, refund).await
    }
}

async fn paid_by(work: &dyn Repositories, order: &Order) -> Result<Payment> {
    let missing = StoreError::Corrupt { table: "orders", column: "paid_by" };
    let Some(id) = order.paid_by else { return Err(missing.into()) };
    Ok(work.payments().find(id).await?.ok_or(missing)?)
}
