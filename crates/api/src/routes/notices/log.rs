//! What an endpoint was sent: the log, sending again, and a test.

use super::views::DeliveryView;
use super::webhook_endpoints::endpoint_id;
use crate::caller::Caller;
use crate::http::answers::{ConflictErrors, ReadErrors};
use crate::http::paging::{Listed, PageParams};
use crate::http::params::{Params, path_id};
use crate::http::problem::ApiResult;
use crate::services::Services;
use actix_web::{HttpResponse, get, post, web};
use domain::id::DeliveryId;
use serde::Serialize;
use std::sync::Arc;
use utoipa::ToSchema;

/// The event that was queued.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"event": "evt_0198a6f0c1d27d3e8b3f6a5c4d3e2f14"}))]
pub struct TestView {
    event: String,
}

/// Send an endpoint an event of the type `webhook_endpoint.test`.
#[utoipa::path(
    tag = "webhook endpoints",
    params(("id" = String, Path)),
    responses((status = 202, description = "Queued.", body = TestView), ReadErrors, ConflictErrors)
)]
#[post("/webhook-endpoints/{id}/test")]
pub async fn test_webhook_endpoint(
    caller: Caller,
    id: web::Path<String>,
    services: web::Data<Arc<Services>>,
) -> ApiResult {
    let id = endpoint_id(&id)?;
    let event = services.run(move |all| async move { all.webhooks.test(caller.actor(), id).await }).await?;
    Ok(HttpResponse::Accepted().json(TestView { event: event.to_string() }))
}

/// List what an endpoint was sent, latest events first.
#[utoipa::path(
    tag = "webhook endpoints",
    params(("id" = String, Path), PageParams),
    responses((status = 200, description = "A page.", body = Listed<DeliveryView>), ReadErrors)
)]
#[get("/webhook-endpoints/{id}/deliveries")]
pub async fn list_deliveries(
    caller: Caller,
    id: web::Path<String>,
    page: Params<PageParams>,
    services: web::Data<Arc<Services>>,
) -> ApiResult<web::Json<Listed<DeliveryView>>> {
    let log = services.webhooks.deliveries(caller.actor(), endpoint_id(&id)?, page.0.request()?).await?;
    Ok(web::Json(Listed::of(log.page, |delivery| DeliveryView::of(delivery, log.next_attempt_at))))
}

/// Send a delivery again, with the same `webhook-id`.
#[utoipa::path(
    tag = "webhook endpoints",
    params(("id" = String, Path), ("delivery" = String, Path)),
    responses((status = 202, description = "Waiting again.", body = DeliveryView), ReadErrors, ConflictErrors)
)]
#[post("/webhook-endpoints/{id}/deliveries/{delivery}/replay")]
pub async fn replay_delivery(
    caller: Caller,
    path: web::Path<(String, String)>,
    services: web::Data<Arc<Services>>,
) -> ApiResult {
    let id = endpoint_id(&path.0)?;
    let delivery: DeliveryId = path_id(&path.1, "delivery")?;
    let replayed =
        services.run(move |all| async move { all.webhooks.replay(caller.actor(), id, delivery).await }).await?;
    Ok(HttpResponse::Accepted().json(DeliveryView::of(replayed, None)))
}
