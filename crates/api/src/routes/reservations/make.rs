//! `POST /reservations`.

use super::views::ReservationView;
use crate::caller::Caller;
use crate::http::amount::DecimalText;
use crate::http::answers::WriteErrors;
use crate::http::body::Body;
use crate::http::idempotency;
use crate::http::problem::{ApiResult, Problem};
use crate::routes::usage::key_missing;
use crate::services::Services;
use actix_web::{HttpRequest, HttpResponse, post, web};
use domain::accounts::AccountRef;
use domain::id::UserId;
use domain::metering::{HoldWish, UsageReport};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::sync::Arc;
use utoipa::ToSchema;

/// A quantity to hold.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"meter": "words", "quantity": 2000, "key": "chat-7", "ttl_seconds": 300}))]
pub struct ReservationBody {
    /// A counter; a gauge cannot be reserved.
    meter: String,
    /// The most that you expect to use, in the meter's unit.
    quantity: DecimalText,
    /// Your name for this reservation, unique for the account; may come as the `Idempotency-Key` header instead.
    #[schema(max_length = 255)]
    key: Option<String>,
    /// How long it is held; 900 when left out.
    #[schema(minimum = 1, maximum = 86400)]
    ttl_seconds: Option<u64>,
    /// Labels of the use; `model` appears in the statistics.
    #[serde(default)]
    dimensions: BTreeMap<String, String>,
    /// An account id, or for service keys also your own id of the account.
    account: Option<String>,
    /// Who uses it; for service keys.
    #[schema(value_type = Option<String>)]
    user: Option<UserId>,
}

impl ReservationBody {
    fn into_wish(self, key: Option<String>) -> ApiResult<HoldWish> {
        let report = UsageReport {
            meter: self.meter,
            quantity: self.quantity.0,
            key: self.key.or(key).ok_or_else(key_missing)?,
            occurred_at: None,
            dimensions: self.dimensions,
            account: self.account.as_deref().map(AccountRef::parse).unwrap_or_default(),
            user: self.user,
        };
        Ok(HoldWish { report, ttl_seconds: self.ttl_seconds })
    }
}

/// Hold a quantity for a use that is about to happen.
///
/// Checks the same limits as a use and keeps the quantity from everybody else until it is captured, released or
/// expires. Repeating a key answers the same reservation as it now stands.
#[utoipa::path(
    tag = "reservations",
    params(("Idempotency-Key" = Option<String>, Header, description = "Instead of `key`.")),
    request_body = ReservationBody,
    responses(
        (status = 201, description = "Held.", body = ReservationView),
        (status = 200, description = "Made before under the same key.", body = ReservationView),
        (status = 402, description = "Refused by a limit, which is named.", body = Problem, content_type = "application/problem+json"),
        WriteErrors,
    )
)]
#[post("/reservations")]
pub async fn make_reservation(
    caller: Caller,
    request: HttpRequest,
    body: Body<ReservationBody>,
    services: web::Data<Arc<Services>>,
) -> ApiResult {
    let wish = body.0.into_wish(idempotency::header(&request)?)?;
    let actor = caller.actor().clone();
    let made = services.run(|services| async move { services.reserve(&actor, &wish).await }).await?;
    let mut response = if made.duplicate { HttpResponse::Ok() } else { HttpResponse::Created() };
    Ok(response.json(ReservationView::of_settlement(&made, &services.catalogue)))
}
