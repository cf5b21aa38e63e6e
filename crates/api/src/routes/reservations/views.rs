//! How a reservation looks on the wire.

use crate::http::time;
use crate::routes::usage::{PartView, UsageView, part_view, scale_of};
use domain::metering::{Reservation, Settlement};
use domain::plans::Catalogue;
use domain::quantity::Quantity;
use serde::Serialize;
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// A quantity held for a use.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "id": "rsv_0198a6f0c1d27d3e8b3f6a5c4d3e2f14", "account": "acc_0198a6f0c1d27d3e8b3f6a5c4d3e2f11", "status": "captured",
    "meter": "words", "quantity": "2000", "key": "chat-7", "parts": [{"source": "allowance", "quantity": "2000"}],
    "created_at": "2026-11-21T08:00:00Z", "expires_at": "2026-11-21T08:15:00Z", "ended_at": "2026-11-21T08:00:09Z",
    "captured": "1234", "released": "766", "shortfall": "0", "usage_id": "use_0198a6f0c1d27d3e8b3f6a5c4d3e2f10",
    "duplicate": false
}))]
pub struct ReservationView {
    id: String,
    account: String,
    /// `open`, `captured`, `released` or `expired`.
    status: &'static str,
    meter: String,
    quantity: String,
    key: String,
    /// The funds it was decided from. Grants are held by name; allowance and overage are priced when captured.
    parts: Vec<PartView>,
    created_at: String,
    expires_at: String,
    ended_at: Option<String>,
    /// What was recorded as used.
    captured: String,
    /// What was given back.
    released: String,
    /// What was used beyond what any limit allowed: a debt.
    shortfall: String,
    /// The use that the capture recorded.
    usage_id: Option<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    dimensions: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    api_key: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<String>,
    /// It was asked for before, and nothing changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    duplicate: Option<bool>,
    /// The use in full, in the answer to a capture.
    #[serde(skip_serializing_if = "Option::is_none")]
    usage: Option<UsageView>,
}

impl ReservationView {
    pub fn of_settlement(settlement: &Settlement, catalogue: &Catalogue) -> Self {
        Self {
            duplicate: Some(settlement.duplicate),
            usage: settlement.usage.as_ref().map(|record| UsageView::of_record(record, catalogue)),
            ..Self::of(&settlement.reservation, catalogue)
        }
    }

    pub fn of(reservation: &Reservation, catalogue: &Catalogue) -> Self {
        let scale = scale_of(catalogue, &reservation.meter);
        let ended = reservation.ended.as_ref();
        let shown = |quantity: Option<Quantity>| quantity.unwrap_or(Quantity::ZERO).to_decimal(scale);
        Self {
            id: reservation.id.to_string(),
            account: reservation.account.to_string(),
            status: reservation.status().name(),
            meter: reservation.meter.to_string(),
            quantity: reservation.quantity.to_decimal(scale),
            key: reservation.key.clone(),
            parts: reservation.parts.iter().map(|part| part_view(part, scale)).collect(),
            created_at: time::text(reservation.created_at),
            expires_at: time::text(reservation.expires_at),
            ended_at: ended.map(|ended| time::text(ended.at)),
            captured: shown(ended.map(|ended| ended.captured)),
            released: reservation.given_back().to_decimal(scale),
            shortfall: shown(ended.map(|ended| ended.shortfall)),
            usage_id: ended.and_then(|ended| ended.usage).map(|usage| usage.to_string()),
            dimensions: reservation.dimensions.labels().clone(),
            api_key: reservation.api_key.map(|key| key.to_string()),
            user: reservation.user.map(|user| user.to_string()),
            duplicate: None,
            usage: None,
        }
    }
}
