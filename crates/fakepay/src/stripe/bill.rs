//! Balance transactions: a row for each charge and each refund.

use super::desk::Invoice;
use super::door::{answer, enter, form, in_range, page};
use crate::book::{Kind, RefundStanding};
use crate::shared::Shared;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use serde_json::{Value, json};

/// 2.9 % and 30 of the smallest unit.
fn fee(amount: i64) -> i64 {
    amount * 29 / 1000 + 30
}

/// The row of an invoice that was paid: nothing in it names the invoice.
fn charge_of(invoice: &Invoice) -> Option<(i64, String, Value)> {
    let (at, id) = (invoice.paid_at?.timestamp(), invoice.intent.replace("pi_", "txn_"));
    let source = json!({
        "id": invoice.intent.replace("pi_", "ch_"), "object": "charge", "amount": invoice.amount,
        "currency": invoice.currency, "payment_intent": invoice.intent, "metadata": {},
    });
    let row = json!({
        "id": id, "object": "balance_transaction", "type": "charge", "created": at, "amount": invoice.amount,
        "currency": invoice.currency, "fee": fee(invoice.amount), "source": source,
    });
    Some((at, id, row))
}

pub async fn list(shared: Data<Shared>, request: HttpRequest) -> HttpResponse {
    if let Err(refused) = enter(&shared, &request) {
        return *refused;
    }
    let asked = form(request.query_string().as_bytes());
    let mut rows: Vec<(i64, String, Value)> = Vec::new();
    let book = shared.book();
    for trade in book.trades(Kind::Stripe) {
        let Some(at) = trade.paid_at.map(|at| at.timestamp()) else { continue };
        let id = trade.transaction.replace("pi_", "txn_");
        let session = shared.desk().session_of(&trade.number).cloned();
        // Stripe keeps the number of a subscription to itself: its charges are those of invoices.
        if session.as_ref().is_some_and(|session| session.mode == "subscription") {
            continue;
        }
        let metadata = session.and_then(|session| session.metadata);
        let source = json!({
            "id": trade.transaction.replace("pi_", "ch_"), "object": "charge", "amount": trade.amount,
            "currency": trade.currency, "payment_intent": trade.transaction, "metadata": { "number": metadata },
        });
        rows.push((
            at,
            id.clone(),
            json!({
                "id": id, "object": "balance_transaction", "type": "charge", "created": at, "amount": trade.amount,
                "currency": trade.currency, "fee": fee(trade.amount), "source": source,
            }),
        ));
    }
    for refund in book.refunds(Kind::Stripe).filter(|refund| refund.standing == RefundStanding::Succeeded) {
        let currency = book.trade(Kind::Stripe, &refund.trade).map(|trade| trade.currency.clone()).unwrap_or_default();
        let (at, id) = (refund.at.timestamp(), refund.number.replace("re_", "txn_"));
        let source = json!({
            "id": refund.number, "object": "refund", "amount": refund.amount, "currency": currency,
            "payment_intent": refund.transaction, "metadata": { "number": refund.reason },
        });
        rows.push((
            at,
            id.clone(),
            json!({
                "id": id, "object": "balance_transaction", "type": "refund", "created": at, "amount": -refund.amount,
                "currency": currency, "fee": 0, "source": source,
            }),
        ));
    }
    drop(book);
    rows.extend(shared.desk().invoices.values().filter_map(charge_of));
    rows.retain(|(at, ..)| in_range(*at, &asked));
    rows.sort_by(|one, other| (other.0, &other.1).cmp(&(one.0, &one.1)));
    answer(page(rows.into_iter().map(|(_, id, row)| (id, row)).collect(), &asked))
}
