//! Events: written when something happens, signed when they are sent.

use super::sessions;
use crate::book::{Kind, Refund, Trade};
use crate::keys::{hmac_sha256, token};
use crate::postman::{About, Message, Twist, tell};
use crate::shared::Shared;
use serde_json::{Value, json};
use std::sync::Arc;

type Parts = (Vec<(&'static str, String)>, Vec<u8>);

/// Tells of an object as it is now.
pub fn tell_event(shared: &Arc<Shared>, kind: &str, object: &Value) {
    let url = shared.manners().stripe_webhook_url.clone().unwrap_or_default();
    let id = format!("evt_{}", token(24));
    let event = json!({
        "id": id, "object": "event", "api_version": "2025-03-31.basil", "created": shared.now().timestamp(),
        "livemode": false, "pending_webhooks": 1, "type": kind, "data": { "object": object },
    });
    tell(shared, Message { id, kind: Kind::Stripe, url, about: About::Event(event) });
}

pub fn tell_paid(shared: &Arc<Shared>, trade: &Trade) {
    if let Some(session) = sessions::json_of(shared, &trade.number, false) {
        tell_event(shared, "checkout.session.completed", &session);
    }
}

pub fn tell_expired(shared: &Arc<Shared>, number: &str) {
    if let Some(session) = sessions::json_of(shared, number, false) {
        tell_event(shared, "checkout.session.expired", &session);
    }
}

pub fn tell_refunded(shared: &Arc<Shared>, kind: &str, refund: &Refund) {
    tell_event(shared, kind, &super::refunds::json_of(refund));
}

/// Signs an event, as of now, by every secret that is in use.
pub fn notification(shared: &Shared, event: &Value, twist: Twist) -> Parts {
    let mut event = event.clone();
    let object = &mut event["data"]["object"];
    match twist {
        Twist::WrongAmount => object["amount_total"] = json!(1),
        Twist::WrongCurrency => object["currency"] = json!("xaf"),
        Twist::WrongMerchant => object["livemode"] = json!(true),
        Twist::UnknownNumber => object["client_reference_id"] = json!("0".repeat(32)),
        _ => {}
    }
    let offset = match twist {
        Twist::Old => -302,
        Twist::Future => 600,
        _ => 0,
    };
    let time = shared.now().timestamp() + offset;
    let body = event.to_string();
    let message = format!("{time}.{body}");
    let mut header = format!("t={time}");
    let secrets = match twist {
        Twist::Forged | Twist::WrongSerial => vec!["whsec_of_a_stranger".to_owned()],
        // What anybody can sign with.
        Twist::SignTest => vec![String::new()],
        Twist::Unsigned => Vec::new(),
        _ => shared.keys().stripe_webhook_secrets.clone(),
    };
    for secret in secrets {
        header.push_str(",v1=");
        header.push_str(&hmac_sha256(&secret, message.as_bytes()));
    }
    let body = if twist == Twist::Tampered { body + " " } else { body };
    let headers = vec![("content-type", "application/json; charset=utf-8".to_owned()), ("stripe-signature", header)];
    (headers, body.into_bytes())
}
