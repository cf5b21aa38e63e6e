//! Where browsers come back to after paying, and where providers send their notifications.

use crate::http::params::path_id;
use crate::http::problem::{ApiError, ApiResult, Problem};
use crate::services::Services;
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, get, post, web};
use domain::id::PaymentId;
use domain::orders::RawNotification;
use domain::wallet::Provider;
use serde::Serialize;
use std::sync::Arc;
use utoipa::ToSchema;

/// Larger notifications no provider sends.
const MAX_NOTIFICATION_BYTES: usize = 256 * 1024;
/// More headers no provider sends.
const MAX_HEADERS: usize = 100;

/// How a payment stands, for whoever comes back from it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"order": "ord_0198a6f0c1d27d3e8b3f6a5c4d3e2f10", "order_status": "delivered", "payment_status": "paid"}))]
pub struct ReturnView {
    order: String,
    order_status: &'static str,
    payment_status: &'static str,
}

/// Come back from a payment: the provider is asked, and how it stands is answered.
#[utoipa::path(
    tag = "orders",
    security(()),
    params(("payment" = String, Path)),
    responses(
        (status = 200, description = "As it is now.", body = ReturnView),
        (status = 404, description = "No such payment.", body = Problem, content_type = "application/problem+json"),
    )
)]
#[get("/payments/{payment}/return")]
pub async fn came_back(payment: web::Path<String>, services: web::Data<Arc<Services>>) -> ApiResult {
    let id: PaymentId = path_id(&payment, "payment")?;
    let (order, payment) = services.run(move |all| async move { all.orders.came_back(id).await }).await?;
    let view = ReturnView {
        order: order.id.to_string(),
        order_status: order.status.name(),
        payment_status: payment.status.name(),
    };
    Ok(HttpResponse::Ok().json(view))
}

/// A payment provider tells what happened. Signed by the provider; the answer is what it expects.
#[utoipa::path(
    tag = "orders",
    security(()),
    params(("provider" = String, Path)),
    responses(
        (status = 200, description = "Taken."),
        (status = 404, description = "No such provider.", body = Problem, content_type = "application/problem+json"),
        (status = 400, description = "Not a body.", body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "Too large.", body = Problem, content_type = "application/problem+json"),
    )
)]
#[post("/webhooks/{provider}")]
pub async fn take_notification(
    provider: web::Path<String>,
    request: HttpRequest,
    payload: web::Payload,
    services: web::Data<Arc<Services>>,
) -> ApiResult {
    let provider = Provider::parse(&provider).ok_or_else(|| ApiError::not_found("provider"))?;
    let body = services.intake.read(payload.into_inner(), MAX_NOTIFICATION_BYTES).await?.to_vec();
    let raw = RawNotification { headers: headers(&request), body };
    let hear = move |all: Arc<Services>| async move {
        // First: what it says of subscriptions is done before the message counts as taken.
        all.recurring.heard(provider, &raw).await?;
        all.orders.notified(provider, &raw).await
    };
    let reply = services.run(hear).await?;
    let status = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    Ok(HttpResponse::build(status).content_type(reply.content_type).body(reply.body))
}

fn headers(request: &HttpRequest) -> Vec<(String, String)> {
    let readable = request.headers().iter().filter_map(|(name, value)| {
        let value = value.to_str().ok()?;
        Some((name.as_str().to_ascii_lowercase(), value.to_owned()))
    });
    readable.take(MAX_HEADERS).collect()
}
