//! `POST /reservations/{id}/capture` and `/release`.

use super::views::ReservationView;
use crate::caller::Caller;
use crate::http::amount::DecimalText;
use crate::http::answers::{ReadErrors, WriteErrors};
use crate::http::body::Body;
use crate::http::idempotency;
use crate::http::params::path_id;
use crate::http::problem::{ApiResult, Problem};
use crate::services::Services;
use actix_web::{HttpRequest, HttpResponse, post, web};
use domain::metering::EndWish;
use serde::Deserialize;
use std::sync::Arc;
use utoipa::ToSchema;

/// What was used.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"quantity": 1234}))]
pub struct CaptureBody {
    /// Above zero, in the meter's unit; it may be more than was held.
    quantity: DecimalText,
}

/// Record what was used, and give back the rest.
///
/// What was held is always recorded. More than that is decided anew; when that is refused, it becomes a debt of
/// the account. The same capture may be repeated under the same `Idempotency-Key`; any other second end is 409.
#[utoipa::path(
    tag = "reservations",
    params(("id" = String, Path), ("Idempotency-Key" = Option<String>, Header)),
    request_body = CaptureBody,
    responses((status = 200, description = "Captured.", body = ReservationView), WriteErrors)
)]
#[post("/reservations/{id}/capture")]
pub async fn capture_reservation(
    caller: Caller,
    id: web::Path<String>,
    request: HttpRequest,
    body: Body<CaptureBody>,
    services: web::Data<Arc<Services>>,
) -> ApiResult {
    end(caller, &id, &request, EndWish::Capture(body.0.quantity.0), services).await
}

/// Give back all that is held.
///
/// The same release may be repeated under the same `Idempotency-Key`; any other second end is 409.
#[utoipa::path(
    tag = "reservations",
    params(("id" = String, Path), ("Idempotency-Key" = Option<String>, Header)),
    responses(
        (status = 200, description = "Released.", body = ReservationView),
        (status = 400, description = "The Idempotency-Key cannot be read.", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "It ended before, in another way.", body = Problem, content_type = "application/problem+json"),
        ReadErrors,
    )
)]
#[post("/reservations/{id}/release")]
pub async fn release_reservation(
    caller: Caller,
    id: web::Path<String>,
    request: HttpRequest,
    services: web::Data<Arc<Services>>,
) -> ApiResult {
    end(caller, &id, &request, EndWish::Release, services).await
}

async fn end(
    caller: Caller,
    id: &str,
    request: &HttpRequest,
    wish: EndWish,
    services: web::Data<Arc<Services>>,
) -> ApiResult {
    let id = path_id(id, "reservation")?;
    let key = idempotency::header(request)?;
    let actor = caller.actor().clone();
    let ended =
        services.run(move |services| async move { services.end(&actor, id, &wish, key.as_deref()).await }).await?;
    Ok(HttpResponse::Ok().json(ReservationView::of_settlement(&ended, &services.catalogue)))
}
