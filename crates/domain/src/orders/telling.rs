//! What is written down and told of orders and payments: outbox events and audit rows, in the commit that made them
//! true.

use super::order::Order;
use super::payment::Payment;
use super::refund::Refund;
use super::suspense::SuspenseItem;
use crate::audit::AuditEvent;
use crate::error::Result;
use crate::money::Money;
use crate::outbox::Event;
use crate::store::Repositories;
use chrono::{DateTime, Utc};
use serde_json::{Value, json};

fn money(amount: Money, mut about: Value) -> Value {
    about["amount"] = json!(amount.to_decimal());
    about["currency"] = json!(amount.currency().code());
    about
}

/// Tells the account of its order; one event of each kind, in this order.
pub(super) async fn order(
    work: &dyn Repositories,
    order: &Order,
    kinds: &[&'static str],
    now: DateTime<Utc>,
) -> Result<()> {
    let about = json!({"order": order.id, "purpose": order.purpose.name(), "description": order.description});
    let payload = money(order.amount, about);
    let events: Vec<Event> = kinds.iter().map(|kind| Event::new(order.account, kind, payload.clone(), now)).collect();
    Ok(work.outbox().push(&events).await?)
}

/// Writes down that a payment settled its order.
pub(super) async fn captured(
    work: &dyn Repositories,
    payment: &Payment,
    order: &Order,
    now: DateTime<Utc>,
) -> Result<()> {
    let about = json!({"order": order.id, "provider": payment.provider.name(), "transaction": payment.transaction});
    let event = AuditEvent::by_machine("payment.settle", payment.id, now)
        .on_account(payment.account)
        .with(money(payment.amount, about));
    Ok(work.audit().append(&event).await?)
}

/// Tells and writes down that money was suspended.
pub(super) async fn suspended(work: &dyn Repositories, item: &SuspenseItem, now: DateTime<Utc>) -> Result<()> {
    let about =
        json!({"suspense": item.id, "order": item.order, "payment": item.payment, "reason": item.reason.name()});
    let payload = money(item.amount, about);
    let event = AuditEvent::by_machine("payment.suspend", item.id, now).on_account(item.account).with(payload.clone());
    work.audit().append(&event).await?;
    Ok(work.outbox().push(&[Event::new(item.account, "payment.suspended", payload, now)]).await?)
}

/// Tells of a refund.
pub(super) async fn refund(
    work: &dyn Repositories,
    refund: &Refund,
    kind: &'static str,
    now: DateTime<Utc>,
) -> Result<()> {
    let about = json!({"refund": refund.id, "order": refund.order, "payment": refund.payment, "reason": refund.reason});
    let event = Event::new(refund.account, kind, money(refund.amount, about), now);
    Ok(work.outbox().push(&[event]).await?)
}
