//! Who may call, idempotency keys, and errors.

use super::desk::Stored;
use crate::shared::Shared;
use actix_web::http::StatusCode;
use actix_web::http::header::AUTHORIZATION;
use actix_web::{HttpRequest, HttpResponse};
use chrono::TimeDelta;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// How long an answer is kept under its key.
const KEY_LIFE: TimeDelta = TimeDelta::hours(24);
const MAX_KEY: usize = 255;

pub type Form = BTreeMap<String, String>;

/// An answer: its status and what it says.
pub type Said = (u16, Value);

pub fn form(text: &[u8]) -> Form {
    url::form_urlencoded::parse(text).into_owned().collect()
}

pub fn error(status: u16, kind: &str, code: &str, message: &str) -> Said {
    (status, json!({ "error": { "type": kind, "code": code, "message": message } }))
}

pub fn missing(what: &str) -> Said {
    error(404, "invalid_request_error", "resource_missing", &format!("No such {what}"))
}

pub fn answer((status, body): Said) -> HttpResponse {
    HttpResponse::build(StatusCode::from_u16(status).unwrap_or(StatusCode::OK)).json(body)
}

/// Checks the key and that the version is one whose shapes are played.
pub fn enter(shared: &Shared, request: &HttpRequest) -> Result<(), Box<HttpResponse>> {
    let wanted = format!("Bearer {}", shared.keys().merchant.stripe_secret_key);
    let given = request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if given == wanted {
        return Ok(());
    }
    Err(Box::new(answer(error(401, "invalid_request_error", "api_key_invalid", "Invalid API Key provided"))))
}

/// Does a POST once for each key: the answer is kept, whatever it was, and the parameters must be the same.
pub fn once(shared: &Shared, request: &HttpRequest, body: &[u8], work: impl FnOnce(&Form) -> Said) -> HttpResponse {
    if let Err(refused) = enter(shared, request) {
        return *refused;
    }
    let key = request.headers().get("idempotency-key").and_then(|value| value.to_str().ok()).unwrap_or_default();
    if key.is_empty() {
        return answer(work(&form(body)));
    }
    if key.len() > MAX_KEY {
        return answer(error(400, "idempotency_error", "idempotency_key_too_long", "The key is too long"));
    }
    let fingerprint = format!("{} {}", request.path(), String::from_utf8_lossy(body));
    let now = shared.now();
    let stored = shared
        .desk()
        .answers
        .get(key)
        .filter(|stored| now - stored.at < KEY_LIFE)
        .map(|stored| (stored.fingerprint == fingerprint, stored.status, stored.body.clone()));
    match stored {
        Some((true, status, body)) => HttpResponse::build(StatusCode::from_u16(status).unwrap_or(StatusCode::OK))
            .insert_header(("Idempotent-Replayed", "true"))
            .content_type("application/json")
            .body(body),
        Some((false, ..)) => {
            let message = "Keys for idempotent requests can only be used with the same parameters";
            answer(error(400, "idempotency_error", "idempotency_error", message))
        }
        None => {
            let (status, said) = work(&form(body));
            let stored = Stored { fingerprint, status, body: said.to_string(), at: now };
            shared.desk().answers.insert(key.to_owned(), stored);
            answer((status, said))
        }
    }
}

/// A page of a list, newest first.
pub fn page(mut rows: Vec<(String, Value)>, asked: &Form) -> Said {
    let limit = asked.get("limit").and_then(|limit| limit.parse().ok()).unwrap_or(10_usize).clamp(1, 100);
    if let Some(after) = asked.get("starting_after") {
        let place = rows.iter().position(|(id, _)| id == after);
        rows.drain(..place.map_or(0, |place| place + 1));
    }
    let more = rows.len() > limit;
    let data: Vec<Value> = rows.into_iter().take(limit).map(|(_, row)| row).collect();
    (200, json!({ "object": "list", "data": data, "has_more": more, "url": "/v1" }))
}

/// `created[gte]` and `created[lt]`.
pub fn in_range(created: i64, asked: &Form) -> bool {
    let bound = |name: &str| asked.get(name).and_then(|bound| bound.parse::<i64>().ok());
    bound("created[gte]").is_none_or(|least| created >= least) && bound("created[lt]").is_none_or(|most| created < most)
}
