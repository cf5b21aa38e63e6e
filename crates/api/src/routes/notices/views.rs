//! Notices, endpoints and deliveries as the API shows them. A secret has a field only where it was just made.

use crate::http::time;
use chrono::{DateTime, Utc};
use domain::notices::{
    Delivery, DeliveryStatus, EndpointState, FailureReason, IssuedEndpoint, Notice, WebhookEndpoint,
};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

/// Something that happened to an account.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "id": "ntc_0198a6f0c1d27d3e8b3f6a5c4d3e2f10", "account": "acc_0198a6f0c1d27d3e8b3f6a5c4d3e2f11", "type": "quota.warning",
    "data": {"meter": "words", "threshold": 80, "limit": "30000", "used": "24000"},
    "created_at": "2026-11-21T08:00:00Z", "read_at": null
}))]
pub struct NoticeView {
    id: String,
    account: String,
    #[serde(rename = "type")]
    kind: String,
    #[schema(value_type = Object)]
    data: Value,
    created_at: String,
    read_at: Option<String>,
}

impl From<Notice> for NoticeView {
    fn from(notice: Notice) -> Self {
        Self {
            id: notice.id.to_string(),
            account: notice.account.to_string(),
            kind: notice.kind,
            data: notice.payload,
            created_at: time::text(notice.created_at),
            read_at: notice.read_at.map(time::text),
        }
    }
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"read": 3}))]
pub struct ReadAllView {
    /// Notices that were not read before.
    pub read: u64,
}

/// Where an account's events are posted.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "id": "whe_0198a6f0c1d27d3e8b3f6a5c4d3e2f12", "account": "acc_0198a6f0c1d27d3e8b3f6a5c4d3e2f11",
    "url": "https://hooks.example.com/suanpan", "events": ["quota.*"], "description": null, "enabled": true,
    "disabled_reason": null, "old_secret_until": null, "created_at": "2026-11-21T08:00:00Z", "updated_at": "2026-11-21T08:00:00Z"
}))]
pub struct WebhookEndpointView {
    id: String,
    account: String,
    url: String,
    /// null is every kind.
    events: Option<Vec<String>>,
    description: Option<String>,
    enabled: bool,
    /// `customer`, or `failures` after a day of them.
    disabled_reason: Option<&'static str>,
    /// Until when the replaced secret signs beside the new one.
    old_secret_until: Option<String>,
    created_at: String,
    updated_at: String,
}

impl From<WebhookEndpoint> for WebhookEndpointView {
    fn from(endpoint: WebhookEndpoint) -> Self {
        let disabled_reason = match endpoint.state {
            EndpointState::Enabled => None,
            EndpointState::Disabled => Some("customer"),
            EndpointState::Failed => Some("failures"),
        };
        Self {
            id: endpoint.id.to_string(),
            account: endpoint.account.to_string(),
            enabled: endpoint.is_enabled(),
            events: endpoint.topics.patterns().map(<[String]>::to_vec),
            url: endpoint.url,
            description: endpoint.description,
            disabled_reason,
            old_secret_until: endpoint.old_secret.map(|old| time::text(old.until)),
            created_at: time::text(endpoint.created_at),
            updated_at: time::text(endpoint.updated_at),
        }
    }
}

/// An endpoint with the secret that was just made.
#[derive(Serialize, ToSchema)]
pub struct IssuedEndpointView {
    #[serde(flatten)]
    endpoint: WebhookEndpointView,
    /// Shown once; what arrives is verified with it.
    #[schema(example = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")]
    secret: String,
}

impl From<IssuedEndpoint> for IssuedEndpointView {
    fn from(issued: IssuedEndpoint) -> Self {
        Self { secret: issued.secret.expose().to_owned(), endpoint: issued.endpoint.into() }
    }
}

/// One event on its way to one destination.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "id": "dlv_0198a6f0c1d27d3e8b3f6a5c4d3e2f13", "account": "acc_0198a6f0c1d27d3e8b3f6a5c4d3e2f11",
    "destination": "whe_0198a6f0c1d27d3e8b3f6a5c4d3e2f12", "event": "evt_0198a6f0c1d27d3e8b3f6a5c4d3e2f14",
    "type": "quota.warning", "status": "waiting", "attempts": 2, "response_code": 503, "failure": "bad_status",
    "created_at": "2026-11-21T08:00:00Z", "last_attempt_at": "2026-11-21T08:00:03Z", "next_attempt_at": "2026-11-21T08:00:11Z"
}))]
pub struct DeliveryView {
    id: String,
    account: String,
    /// The webhook endpoint, or `mail`.
    destination: String,
    /// The event: the `webhook-id` of every attempt.
    event: String,
    #[serde(rename = "type")]
    kind: String,
    /// waiting, delivered, dead (given up; can be replayed) or cancelled.
    status: &'static str,
    attempts: u32,
    /// The status of the last answer, if there was one.
    response_code: Option<u16>,
    /// Why the last attempt did not succeed.
    failure: Option<&'static str>,
    created_at: String,
    last_attempt_at: Option<String>,
    /// Of the first that waits; the others follow it.
    next_attempt_at: Option<String>,
}

impl DeliveryView {
    pub fn of(delivery: Delivery, next_attempt_at: Option<DateTime<Utc>>) -> Self {
        let waits = delivery.status == DeliveryStatus::Waiting;
        Self {
            id: delivery.id.to_string(),
            account: delivery.account.to_string(),
            destination: destination(&delivery),
            event: delivery.event.to_string(),
            kind: delivery.kind,
            status: delivery.status.as_str(),
            attempts: delivery.attempts,
            response_code: delivery.response_code,
            failure: delivery.failure.map(FailureReason::as_str),
            created_at: time::text(delivery.created_at),
            last_attempt_at: delivery.attempted_at.map(time::text),
            next_attempt_at: next_attempt_at.filter(|_| waits).map(time::text),
        }
    }
}

fn destination(delivery: &Delivery) -> String {
    delivery.endpoint().map_or_else(|| "mail".to_owned(), |endpoint| endpoint.to_string())
}
