//! Checkout sessions.

use super::desk::Session;
use super::door::{Form, Said, answer, enter, error, form, in_range, missing, once, page};
use super::events::tell_expired;
use crate::book::{Kind, Refusal, Standing, Trade};
use crate::keys::token;
use crate::shared::Shared;
use actix_web::web::{Bytes, Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

/// Sessions live for a day unless they are told otherwise.
const LIFE: TimeDelta = TimeDelta::hours(24);
const LEAST_LIFE: TimeDelta = TimeDelta::minutes(30);

pub async fn create(shared: Data<Shared>, request: HttpRequest, body: Bytes) -> HttpResponse {
    once(&shared, &request, &body, |form| make(&shared, form))
}

fn invalid(parameter: &str) -> Said {
    error(400, "invalid_request_error", "parameter_invalid", &format!("Invalid {parameter}"))
}

fn make(shared: &Shared, form: &Form) -> Said {
    let get = |name: &str| form.get(name).map(String::as_str).unwrap_or_default();
    let price = |name: &str| get(&format!("line_items[0][price_data]{name}"));
    let (mode, now) = (get("mode"), shared.now());
    if !["payment", "subscription"].contains(&mode) {
        return invalid("mode");
    }
    let unit: Option<i64> = price("[unit_amount]").parse().ok().filter(|unit| *unit > 0);
    let quantity: Option<i64> = get("line_items[0][quantity]").parse().ok().filter(|quantity| *quantity > 0);
    let (Some(unit_amount), Some(quantity)) = (unit, quantity) else { return invalid("line_items") };
    let currency = price("[currency]");
    let named = !price("[product_data][name]").is_empty() && !get("success_url").is_empty();
    if currency.len() != 3 || currency.to_ascii_lowercase() != currency || !named {
        return invalid("line_items");
    }
    let interval = price("[recurring][interval]");
    if (mode == "subscription") != ["month", "year"].contains(&interval) {
        return invalid("line_items[0][price_data][recurring]");
    }
    let wished = get("expires_at").parse::<i64>().ok().and_then(|at| DateTime::from_timestamp(at, 0));
    let expires = wished.unwrap_or(now + LIFE);
    if expires - now < LEAST_LIFE || expires - now > LIFE {
        return invalid("expires_at");
    }
    let id = format!("cs_test_{}", token(40));
    // Without a number of the merchant's the session is its own.
    let number = Some(get("client_reference_id")).filter(|number| !number.is_empty()).unwrap_or(&id).to_owned();
    let trade = Trade {
        kind: Kind::Stripe,
        number: number.clone(),
        amount: unit_amount * quantity,
        currency: currency.to_owned(),
        subject: price("[product_data][name]").to_owned(),
        notify_url: None,
        return_url: Some(get("success_url").to_owned()),
        fingerprint: id.clone(),
        standing: Standing::Waiting,
        transaction: format!("pi_{}", token(24)),
        seen: true,
        created: now,
        expires,
        paid_at: None,
    };
    // Another session for the same number would be another payment at Stripe; the fake keeps one that is open per number.
    shelve(shared, &number);
    if shared.book().place(trade).is_err() {
        return error(400, "invalid_request_error", "number_taken", "The fake takes each client_reference_id once");
    }
    let given = |name: &str| form.get(name).cloned();
    let session = Session {
        id: id.clone(),
        number: number.clone(),
        mode: mode.to_owned(),
        interval: interval.to_owned(),
        unit_amount,
        quantity,
        customer: given("customer"),
        subscription: None,
        metadata: given("payment_intent_data[metadata][number]")
            .or_else(|| given("subscription_data[metadata][number]")),
    };
    shared.desk().sessions.insert(id, session);
    (200, json_of(shared, &number, false).unwrap_or_default())
}

/// A subscription's session that is over makes room for another one of the same number.
fn shelve(shared: &Shared, number: &str) {
    let Some(status) = json_of(shared, number, false) else { return };
    let id = status["id"].as_str().unwrap_or_default().to_owned();
    let shelved = status["mode"] == "subscription" && shared.book().shelve(Kind::Stripe, number, &id);
    if !shelved {
        return;
    }
    if let Some(session) = shared.desk().sessions.get_mut(&id) {
        session.number = id;
    }
}

/// A session as Stripe shows it; `expand` with its payment and charge in whole.
pub fn json_of(shared: &Shared, number: &str, expand: bool) -> Option<Value> {
    let trade = {
        let now = shared.now();
        let mut book = shared.book();
        let trade = book.trade_mut(Kind::Stripe, number).ok()?;
        if trade.standing == Standing::Waiting && trade.expires <= now {
            trade.standing = Standing::Closed;
        }
        trade.clone()
    };
    let session = shared.desk().session_of(number)?.clone();
    let (status, payment_status) = match trade.standing {
        Standing::Waiting => ("open", "unpaid"),
        Standing::Paid => ("complete", "paid"),
        Standing::Closed => ("expired", "unpaid"),
        Standing::Failed => ("complete", "unpaid"),
    };
    let touched = matches!(trade.standing, Standing::Paid | Standing::Failed) && session.mode == "payment";
    let url = (trade.standing == Standing::Waiting).then(|| shared.pay_page(Kind::Stripe, number));
    Some(json!({
        "id": session.id, "object": "checkout.session", "mode": session.mode, "livemode": false,
        "client_reference_id": number, "metadata": { "number": number }, "status": status,
        "payment_status": payment_status, "amount_total": trade.amount, "currency": trade.currency,
        "url": url, "created": trade.created.timestamp(), "expires_at": trade.expires.timestamp(),
        "success_url": trade.return_url, "customer": session.customer, "subscription": session.subscription,
        "payment_intent": touched.then(|| if expand { intent(&trade) } else { json!(trade.transaction) }),
    }))
}

fn intent(trade: &Trade) -> Value {
    let failed = trade.standing == Standing::Failed;
    json!({
        "id": trade.transaction, "object": "payment_intent", "amount": trade.amount, "currency": trade.currency,
        "status": if failed { "requires_payment_method" } else { "succeeded" },
        "latest_charge": trade.paid_at.map(|at| json!({
            "id": trade.transaction.replace("pi_", "ch_"), "object": "charge", "created": at.timestamp(),
        })),
    })
}

fn number_of(shared: &Shared, id: &str) -> Option<String> {
    shared.desk().sessions.get(id).map(|session| session.number.clone())
}

pub async fn retrieve(shared: Data<Shared>, request: HttpRequest, id: Path<String>) -> HttpResponse {
    if let Err(refused) = enter(&shared, &request) {
        return *refused;
    }
    let expand = form(request.query_string().as_bytes()).values().any(|value| value.starts_with("payment_intent"));
    let found = number_of(&shared, &id).and_then(|number| json_of(&shared, &number, expand));
    answer(found.map_or_else(|| missing("checkout.session"), |session| (200, session)))
}

pub async fn list(shared: Data<Shared>, request: HttpRequest) -> HttpResponse {
    if let Err(refused) = enter(&shared, &request) {
        return *refused;
    }
    let asked = form(request.query_string().as_bytes());
    let numbers: Vec<(DateTime<Utc>, String)> =
        shared.book().trades(Kind::Stripe).map(|trade| (trade.created, trade.number.clone())).collect();
    let mut rows: Vec<_> = numbers.into_iter().filter(|(at, _)| in_range(at.timestamp(), &asked)).collect();
    rows.sort();
    let rows = rows.iter().rev().filter_map(|(_, number)| json_of(&shared, number, false));
    let rows = rows.map(|row| (row["id"].as_str().unwrap_or_default().to_owned(), row)).collect();
    answer(page(rows, &asked))
}

pub async fn expire(shared: Data<Shared>, request: HttpRequest, body: Bytes, id: Path<String>) -> HttpResponse {
    once(&shared, &request, &body, |_| {
        let Some(number) = number_of(&shared, &id) else { return missing("checkout.session") };
        let closed = shared.book().close(Kind::Stripe, &number);
        match closed {
            Ok(()) => {
                tell_expired(&shared.clone().into_inner(), &number);
                (200, json_of(&shared, &number, false).unwrap_or_default())
            }
            Err(Refusal::NotFound) => missing("checkout.session"),
            Err(_) => error(400, "invalid_request_error", "session_not_open", "Only open sessions can be expired"),
        }
    })
}
