//! Invoices of subscriptions: made with each term, shown, and found by their payment.

use super::desk::{Invoice, Subscription};
use super::door::{answer, enter, form, missing, page};
use crate::keys::token;
use crate::shared::Shared;
use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use serde_json::{Value, json};

/// Makes the invoice of a subscription's term; `intent` is of the payment that went through.
pub fn issue(shared: &Shared, subscription: &Subscription, intent: Option<String>) -> Value {
    let now = shared.now();
    let paid_at = intent.as_ref().map(|_| now);
    let invoice = Invoice {
        id: format!("in_{}", token(24)),
        subscription: subscription.id.clone(),
        customer: subscription.customer.clone(),
        intent: intent.unwrap_or_else(new_intent),
        amount: subscription.unit_amount * subscription.quantity,
        currency: subscription.currency.clone(),
        start: subscription.start,
        end: subscription.end,
        paid_at,
    };
    let said = json_of(&invoice);
    shared.desk().invoices.insert(invoice.id.clone(), invoice);
    said
}

pub fn new_intent() -> String {
    format!("pi_{}", token(24))
}

fn json_of(invoice: &Invoice) -> Value {
    let paid = invoice.paid_at.is_some();
    json!({
        "id": invoice.id, "object": "invoice", "customer": invoice.customer, "currency": invoice.currency,
        "amount_due": invoice.amount, "amount_paid": if paid { invoice.amount } else { 0 },
        "status": if paid { "paid" } else { "open" }, "livemode": false,
        "status_transitions": { "paid_at": invoice.paid_at.map(|at| at.timestamp()) },
        "parent": {
            "type": "subscription_details", "subscription_details": { "subscription": invoice.subscription },
        },
        "lines": { "object": "list", "data": [{
            "amount": invoice.amount,
            "period": { "start": invoice.start.timestamp(), "end": invoice.end.timestamp() },
        }] },
    })
}

pub async fn retrieve(shared: Data<Shared>, request: HttpRequest, id: Path<String>) -> HttpResponse {
    if let Err(refused) = enter(&shared, &request) {
        return *refused;
    }
    let found = shared.desk().invoices.get(id.as_str()).map(json_of);
    answer(found.map_or_else(|| missing("invoice"), |invoice| (200, invoice)))
}

/// Which invoice a payment was of.
pub async fn payments(shared: Data<Shared>, request: HttpRequest) -> HttpResponse {
    if let Err(refused) = enter(&shared, &request) {
        return *refused;
    }
    let asked = form(request.query_string().as_bytes());
    let intent = asked.get("payment[payment_intent]");
    if intent.is_some() && asked.get("payment[type]").map(String::as_str) != Some("payment_intent") {
        return answer(super::door::error(400, "invalid_request_error", "parameter_missing", "payment[type]"));
    }
    let desk = shared.desk();
    let paid = desk.invoices.values().filter(|invoice| invoice.paid_at.is_some());
    let found = paid.filter(|invoice| intent.is_none_or(|intent| *intent == invoice.intent));
    let rows = found.map(|invoice| {
        let id = invoice.id.replace("in_", "inpay_");
        let row = json!({
            "id": id, "object": "invoice_payment", "invoice": invoice.id, "status": "paid",
            "amount_paid": invoice.amount, "currency": invoice.currency,
            "payment": { "type": "payment_intent", "payment_intent": invoice.intent },
        });
        (id, row)
    });
    answer(page(rows.collect(), &asked))
}
