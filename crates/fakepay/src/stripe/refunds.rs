//! Refunds. The merchant's number is in the metadata; Stripe knows refunds by ids of its own.

use super::door::{Form, Said, answer, enter, error, form, missing, once, page};
use super::events::tell_refunded;
use crate::book::{Kind, Refund, RefundStanding, Refusal};
use crate::keys::token;
use crate::shared::{RefundManner, Shared};
use actix_web::web::{Bytes, Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use serde_json::{Value, json};

pub async fn create(shared: Data<Shared>, request: HttpRequest, body: Bytes) -> HttpResponse {
    once(&shared, &request, &body, |form| make(&shared, form))
}

fn make(shared: &Data<Shared>, form: &Form) -> Said {
    let get = |name: &str| form.get(name).map(String::as_str).unwrap_or_default();
    let (now, manner) = (shared.now(), shared.manners().refunds);
    let mut book = shared.book();
    let found = book.trades(Kind::Stripe).find(|trade| trade.transaction == get("payment_intent")).cloned();
    let Some(trade) = found else { return missing("payment_intent") };
    let left = trade.amount - book.refunded(Kind::Stripe, &trade.number);
    let made = book.refund(Refund {
        kind: Kind::Stripe,
        // Stripe does not look at the metadata: without a key the same number is refunded again.
        number: format!("re_{}", token(24)),
        trade: trade.number.clone(),
        amount: form.get("amount").map_or(Some(left), |amount| amount.parse().ok()).unwrap_or_default(),
        standing: match manner {
            RefundManner::Succeed => RefundStanding::Succeeded,
            RefundManner::Stuck => RefundStanding::Processing,
            RefundManner::Abnormal => RefundStanding::Abnormal,
        },
        transaction: trade.transaction,
        reason: get("metadata[number]").to_owned(),
        notify_url: None,
        at: now,
    });
    drop(book);
    match made {
        Ok((refund, _)) => {
            tell_refunded(&shared.clone().into_inner(), "refund.created", &refund);
            (200, json_of(&refund))
        }
        Err(Refusal::TooMuch) => {
            error(400, "invalid_request_error", "charge_already_refunded", "More than what is left of the charge")
        }
        Err(_) => error(400, "invalid_request_error", "charge_not_captured", "The payment was not captured"),
    }
}

pub fn json_of(refund: &Refund) -> Value {
    let status = match refund.standing {
        RefundStanding::Processing => "pending",
        RefundStanding::Succeeded => "succeeded",
        RefundStanding::Abnormal => "requires_action",
        RefundStanding::Closed => "failed",
    };
    json!({
        "id": refund.number, "object": "refund", "amount": refund.amount, "currency": Value::Null, "status": status,
        "payment_intent": refund.transaction, "created": refund.at.timestamp(),
        "metadata": { "number": refund.reason },
        "failure_reason": (status == "failed").then_some("expired_or_canceled_card"),
    })
}

pub async fn list(shared: Data<Shared>, request: HttpRequest) -> HttpResponse {
    if let Err(refused) = enter(&shared, &request) {
        return *refused;
    }
    let asked = form(request.query_string().as_bytes());
    let intent = asked.get("payment_intent");
    let mut found: Vec<Refund> = shared.book().refunds(Kind::Stripe).cloned().collect();
    found.retain(|refund| intent.is_none_or(|intent| *intent == refund.transaction));
    found.sort_by(|one, other| (other.at, &other.number).cmp(&(one.at, &one.number)));
    answer(page(found.iter().map(|refund| (refund.number.clone(), json_of(refund))).collect(), &asked))
}

pub async fn retrieve(shared: Data<Shared>, request: HttpRequest, id: Path<String>) -> HttpResponse {
    if let Err(refused) = enter(&shared, &request) {
        return *refused;
    }
    let found = shared.book().refund_of(Kind::Stripe, &id).map(json_of);
    answer(found.map_or_else(|| missing("refund"), |refund| (200, refund)))
}
