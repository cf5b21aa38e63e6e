//! Subscriptions: begun by a checkout, renewed on command, ended by the merchant.

use super::desk::Subscription;
use super::door::{Said, answer, enter, error, missing, once};
use super::events::tell_event;
use super::{invoices, sessions};
use crate::keys::token;
use crate::shared::Shared;
use actix_web::web::{Bytes, Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use chrono::{DateTime, Months, Utc};
use serde_json::{Value, json};
use std::sync::Arc;

fn json_of(subscription: &Subscription) -> Value {
    json!({
        "id": subscription.id, "object": "subscription", "customer": subscription.customer,
        "status": subscription.status, "metadata": { "number": subscription.number },
        "cancel_at_period_end": subscription.cancel_at_period_end, "livemode": false,
        "ended_at": subscription.ended_at.map(|at| at.timestamp()),
        "items": { "object": "list", "data": [{
            "id": subscription.id.replace("sub_", "si_"), "quantity": subscription.quantity,
            "price": {
                "unit_amount": subscription.unit_amount, "currency": subscription.currency,
                "recurring": { "interval": subscription.interval },
            },
            "current_period_start": subscription.start.timestamp(),
            "current_period_end": subscription.end.timestamp(),
        }] },
    })
}

fn after(start: DateTime<Utc>, interval: &str) -> DateTime<Utc> {
    let months = if interval == "year" { 12 } else { 1 };
    start.checked_add_months(Months::new(months)).unwrap_or(start)
}

/// The customer went through the checkout of a subscription: four events for one fact.
pub fn start(shared: &Arc<Shared>, number: &str) {
    let now = shared.now();
    let (subscription, intent) = {
        let trade = shared.book().trade(crate::book::Kind::Stripe, number).cloned();
        let mut desk = shared.desk();
        let session = desk.sessions.values_mut().find(|session| session.number == number);
        let (Some(session), Some(trade)) = (session, trade) else { return };
        let customer = session.customer.get_or_insert_with(|| format!("cus_{}", token(14))).clone();
        let id = session.subscription.get_or_insert_with(|| format!("sub_{}", token(24))).clone();
        let subscription = Subscription {
            id: id.clone(),
            customer,
            number: session.metadata.clone().unwrap_or_default(),
            status: "active",
            unit_amount: session.unit_amount,
            currency: trade.currency.clone(),
            quantity: session.quantity,
            interval: session.interval.clone(),
            start: now,
            end: after(now, &session.interval),
            cancel_at_period_end: false,
            ended_at: None,
        };
        desk.subscriptions.insert(id, subscription.clone());
        (subscription, trade.transaction)
    };
    let incomplete = Subscription { status: "incomplete", ..subscription.clone() };
    tell_event(shared, "customer.subscription.created", &json_of(&incomplete));
    tell_event(shared, "invoice.paid", &invoices::issue(shared, &subscription, Some(intent)));
    tell_event(shared, "customer.subscription.updated", &json_of(&subscription));
    if let Some(session) = sessions::json_of(shared, number, false) {
        tell_event(shared, "checkout.session.completed", &session);
    }
}

/// The next term begins and is paid. False when there is none.
pub fn renew(shared: &Arc<Shared>, id: &str) -> bool {
    let Some(renewed) = change(shared, id, |subscription| {
        subscription.start = subscription.end;
        subscription.end = after(subscription.start, &subscription.interval);
        subscription.status = "active";
    }) else {
        return false;
    };
    tell_event(shared, "customer.subscription.updated", &json_of(&renewed));
    tell_event(shared, "invoice.paid", &invoices::issue(shared, &renewed, Some(invoices::new_intent())));
    true
}

/// The next term begins and the card is refused. False when there is none.
pub fn fail_renewal(shared: &Arc<Shared>, id: &str) -> bool {
    let Some(failed) = change(shared, id, |subscription| {
        subscription.start = subscription.end;
        subscription.end = after(subscription.start, &subscription.interval);
        subscription.status = "past_due";
    }) else {
        return false;
    };
    tell_event(shared, "customer.subscription.updated", &json_of(&failed));
    tell_event(shared, "invoice.payment_failed", &invoices::issue(shared, &failed, None));
    true
}

/// Changes one that has not ended.
fn change(shared: &Shared, id: &str, change: impl FnOnce(&mut Subscription)) -> Option<Subscription> {
    let mut desk = shared.desk();
    let subscription = desk.subscriptions.get_mut(id).filter(|subscription| subscription.ended_at.is_none())?;
    change(subscription);
    Some(subscription.clone())
}

fn found(shared: &Shared, id: &str) -> Said {
    let found = shared.desk().subscriptions.get(id).map(json_of);
    found.map_or_else(|| missing("subscription"), |subscription| (200, subscription))
}

pub async fn retrieve(shared: Data<Shared>, request: HttpRequest, id: Path<String>) -> HttpResponse {
    match enter(&shared, &request) {
        Ok(()) => answer(found(&shared, &id)),
        Err(refused) => *refused,
    }
}

pub async fn update(shared: Data<Shared>, request: HttpRequest, body: Bytes, id: Path<String>) -> HttpResponse {
    once(&shared, &request, &body, |form| {
        let at_end = form.get("cancel_at_period_end").is_some_and(|value| value == "true");
        let Some(changed) = change(&shared, &id, |subscription| subscription.cancel_at_period_end = at_end) else {
            return missing("subscription");
        };
        tell_event(&shared.clone().into_inner(), "customer.subscription.updated", &json_of(&changed));
        (200, json_of(&changed))
    })
}

pub async fn cancel(shared: Data<Shared>, request: HttpRequest, id: Path<String>) -> HttpResponse {
    if let Err(refused) = enter(&shared, &request) {
        return *refused;
    }
    let now = shared.now();
    let ended = change(&shared, &id, |subscription| {
        (subscription.status, subscription.ended_at) = ("canceled", Some(now));
    });
    let Some(ended) = ended else { return answer(missing("subscription")) };
    tell_event(&shared.clone().into_inner(), "customer.subscription.deleted", &json_of(&ended));
    answer((200, json_of(&ended)))
}

pub async fn portal(shared: Data<Shared>, request: HttpRequest, body: Bytes) -> HttpResponse {
    once(&shared, &request, &body, |form| {
        let customer = form.get("customer").map(String::as_str).unwrap_or_default();
        let known = shared.desk().subscriptions.values().any(|subscription| subscription.customer == customer);
        if !known {
            return error(400, "invalid_request_error", "resource_missing", "No such customer");
        }
        let url = format!("{}/portal/{}", shared.base, token(24));
        (200, json!({ "id": format!("bps_{}", token(24)), "object": "billing_portal.session", "url": url }))
    })
}
