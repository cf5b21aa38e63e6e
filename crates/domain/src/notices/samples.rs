//! Ready-made endpoints, deliveries and events for tests.

use super::delivery::{Delivery, DeliveryStatus};
use super::endpoint::{EndpointState, SealedSecret, WebhookEndpoint};
use super::topic::Topics;
use crate::id::{AccountId, DeliveryId, LaneId, OutboxId, WebhookEndpointId};
use crate::outbox::StoredEvent;
use chrono::{DateTime, Utc};
use serde_json::json;
use uuid::Uuid;

/// An enabled endpoint that hears everything.
pub fn endpoint(now: DateTime<Utc>) -> WebhookEndpoint {
    WebhookEndpoint {
        account: AccountId::new(now),
        id: WebhookEndpointId::new(now),
        url: "https://hooks.example.com/suanpan".to_owned(),
        description: None,
        topics: Topics::all(),
        state: EndpointState::Enabled,
        secret: SealedSecret("first".to_owned()),
        old_secret: None,
        created_at: now,
        updated_at: now,
    }
}

/// A delivery that was never tried.
pub fn delivery(now: DateTime<Utc>) -> Delivery {
    Delivery {
        id: DeliveryId::new(now),
        lane: LaneId::from_uuid(Uuid::nil()),
        account: AccountId::new(now),
        position: 1,
        event: OutboxId::new(now),
        kind: "quota.warning".to_owned(),
        status: DeliveryStatus::Waiting,
        attempts: 0,
        response_code: None,
        failure: None,
        created_at: now,
        attempted_at: None,
    }
}

/// A warning at 80 percent.
pub fn event(account: AccountId, position: i64, now: DateTime<Utc>) -> StoredEvent {
    let payload = json!({"meter": "words", "threshold": 80, "limit": "30000", "used": "24000"});
    StoredEvent {
        id: OutboxId::new(now),
        account,
        kind: "quota.warning".to_owned(),
        payload,
        created_at: now,
        position,
    }
}
