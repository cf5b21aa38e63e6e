//! `/webhook-endpoints`: where an account's events are posted.

use super::views::{IssuedEndpointView, WebhookEndpointView};
use crate::caller::Caller;
use crate::http::answers::{ReadErrors, WriteErrors};
use crate::http::body::Body;
use crate::http::paging::{Listed, page_request};
use crate::http::params::{Params, path_id};
use crate::http::problem::ApiResult;
use crate::services::Services;
use actix_web::{HttpResponse, delete, get, patch, post, web};
use domain::accounts::AccountRef;
use domain::change::Change;
use domain::id::WebhookEndpointId;
use domain::notices::{WebhookChange, WebhookWish};
use serde::Deserialize;
use std::sync::Arc;
use utoipa::{IntoParams, ToSchema};

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateWebhookRequest {
    /// https, and not a private address.
    #[schema(example = "https://hooks.example.com/suanpan", max_length = 2048)]
    url: String,
    /// Kinds such as `quota.warning`, or `quota.*`; every kind when left out.
    #[schema(example = json!(["quota.*", "subscription.changed"]))]
    events: Option<Vec<String>>,
    /// An account's id or external id; the caller's own when left out.
    account: Option<String>,
    #[schema(max_length = 255)]
    description: Option<String>,
}

/// Fields left out stay as they are.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UpdateWebhookRequest {
    url: Option<String>,
    /// null is every kind.
    #[serde(default)]
    #[schema(value_type = Option<Vec<String>>)]
    events: Change<Vec<String>>,
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    description: Change<String>,
    /// false: what waits ends, and can be replayed; true: deliveries begin afresh.
    #[schema(example = true)]
    enabled: Option<bool>,
}

/// Whose endpoints.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct EndpointsParams {
    /// An account's id or external id; the caller's own when left out.
    account: Option<String>,
    /// Rows on the page, 1 to 200; 50 when left out.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// Have events posted to a URL. The secret is shown once.
#[utoipa::path(
    tag = "webhook endpoints",
    request_body = CreateWebhookRequest,
    responses((status = 201, description = "Made.", body = IssuedEndpointView), WriteErrors)
)]
#[post("/webhook-endpoints")]
pub async fn create_webhook_endpoint(
    caller: Caller,
    body: Body<CreateWebhookRequest>,
    services: web::Data<Arc<Services>>,
) -> ApiResult {
    let body = body.0;
    let wish = WebhookWish {
        url: body.url,
        events: body.events,
        account: body.account.as_deref().map(AccountRef::parse).unwrap_or_default(),
        description: body.description,
    };
    let issued = services.run(move |all| async move { all.webhooks.create(caller.actor(), wish).await }).await?;
    Ok(HttpResponse::Created().json(IssuedEndpointView::from(issued)))
}

/// List an account's endpoints, newest first.
#[utoipa::path(
    tag = "webhook endpoints",
    params(EndpointsParams),
    responses((status = 200, description = "A page.", body = Listed<WebhookEndpointView>), ReadErrors)
)]
#[get("/webhook-endpoints")]
pub async fn list_webhook_endpoints(
    caller: Caller,
    query: Params<EndpointsParams>,
    services: web::Data<Arc<Services>>,
) -> ApiResult<web::Json<Listed<WebhookEndpointView>>> {
    let page = page_request(query.0.limit, query.0.cursor.as_deref())?;
    let which = query.0.account.as_deref().map(AccountRef::parse).unwrap_or_default();
    let found = services.webhooks.list(caller.actor(), &which, page).await?;
    Ok(web::Json(Listed::of(found, WebhookEndpointView::from)))
}

#[utoipa::path(
    tag = "webhook endpoints",
    params(("id" = String, Path)),
    responses((status = 200, description = "As it is.", body = WebhookEndpointView), ReadErrors)
)]
#[get("/webhook-endpoints/{id}")]
pub async fn get_webhook_endpoint(
    caller: Caller,
    id: web::Path<String>,
    services: web::Data<Arc<Services>>,
) -> ApiResult<web::Json<WebhookEndpointView>> {
    let endpoint = services.webhooks.get(caller.actor(), endpoint_id(&id)?).await?;
    Ok(web::Json(endpoint.into()))
}

/// Change an endpoint; its secret and its account stay.
#[utoipa::path(
    tag = "webhook endpoints",
    params(("id" = String, Path)),
    request_body = UpdateWebhookRequest,
    responses((status = 200, description = "As it is now.", body = WebhookEndpointView), WriteErrors)
)]
#[patch("/webhook-endpoints/{id}")]
pub async fn update_webhook_endpoint(
    caller: Caller,
    id: web::Path<String>,
    body: Body<UpdateWebhookRequest>,
    services: web::Data<Arc<Services>>,
) -> ApiResult<web::Json<WebhookEndpointView>> {
    let (id, body) = (endpoint_id(&id)?, body.0);
    let change =
        WebhookChange { url: body.url, events: body.events, description: body.description, enabled: body.enabled };
    let saved = services.run(move |all| async move { all.webhooks.update(caller.actor(), id, change).await }).await?;
    Ok(web::Json(saved.into()))
}

/// Delete an endpoint; what waits for it is cancelled.
#[utoipa::path(
    tag = "webhook endpoints",
    params(("id" = String, Path)),
    responses((status = 204, description = "Deleted."), ReadErrors)
)]
#[delete("/webhook-endpoints/{id}")]
pub async fn delete_webhook_endpoint(
    caller: Caller,
    id: web::Path<String>,
    services: web::Data<Arc<Services>>,
) -> ApiResult {
    let id = endpoint_id(&id)?;
    services.run(move |all| async move { all.webhooks.delete(caller.actor(), id).await }).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Give an endpoint a new secret. The old one signs beside it for 24 hours.
#[utoipa::path(
    tag = "webhook endpoints",
    params(("id" = String, Path)),
    responses((status = 200, description = "With the new secret.", body = IssuedEndpointView), ReadErrors)
)]
#[post("/webhook-endpoints/{id}/rotate-secret")]
pub async fn rotate_webhook_secret(
    caller: Caller,
    id: web::Path<String>,
    services: web::Data<Arc<Services>>,
) -> ApiResult<web::Json<IssuedEndpointView>> {
    let id = endpoint_id(&id)?;
    let issued = services.run(move |all| async move { all.webhooks.rotate(caller.actor(), id).await }).await?;
    Ok(web::Json(issued.into()))
}

pub(super) fn endpoint_id(text: &str) -> ApiResult<WebhookEndpointId> {
    path_id(text, "webhook endpoint")
}
