//! API keys of the caller.

use super::identity_views::ApiKeyView;
use crate::caller::{Caller, Doorkeeper};
use crate::http::amount::DecimalText;
use crate::http::answers::{ReadErrors, WriteErrors};
use crate::http::body::Body;
use crate::http::object::Object;
use crate::http::paging::{Listed, PageParams};
use crate::http::params::{Params, path_id};
use crate::http::problem::ApiResult;
use crate::http::time::Time;
use crate::services::Services;
use actix_web::{HttpResponse, delete, get, patch, post, web};
use domain::accounts::{AccountRef, IssuedKey, KeyChange, KeyWish};
use domain::change::Change;
use domain::error::{Error, Result};
use domain::identity::KeyStatus;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AllowanceRequest {
    #[schema(example = "words")]
    pub meter: String,
    /// In the meter's unit; a string or an integer.
    #[schema(example = "100000")]
    pub quantity: DecimalText,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateKeyRequest {
    #[schema(example = "build server", max_length = 64)]
    pub name: String,
    /// An account's id or external id; the personal one when left out.
    pub account: Option<String>,
    /// Reading and writing usage when left out.
    #[schema(example = json!(["usage:write"]))]
    pub scopes: Option<Vec<String>>,
    pub expires_at: Option<Time>,
    /// Unlimited when left out.
    #[schema(value_type = Option<AllowanceRequest>)]
    pub allowance: Option<Object<AllowanceRequest>>,
    #[schema(example = json!(["gpt-4o"]))]
    pub models: Option<Vec<String>>,
    #[schema(example = json!(["203.0.113.0/24", "2001:db8::/32"]))]
    pub allowed_ips: Option<Vec<String>>,
    #[schema(example = 600)]
    pub requests_per_minute: Option<u32>,
}

/// Fields left out stay as they are; null lifts a limit.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UpdateKeyRequest {
    pub name: Option<String>,
    #[schema(example = "disabled")]
    pub status: Option<String>,
    pub scopes: Option<Vec<String>>,
    #[serde(default)]
    #[schema(value_type = Option<Time>)]
    pub expires_at: Change<Time>,
    #[serde(default)]
    #[schema(value_type = Option<AllowanceRequest>)]
    pub allowance: Change<Object<AllowanceRequest>>,
    #[serde(default)]
    #[schema(value_type = Option<Vec<String>>)]
    pub models: Change<Vec<String>>,
    #[serde(default)]
    #[schema(value_type = Option<Vec<String>>)]
    pub allowed_ips: Change<Vec<String>>,
    #[serde(default)]
    #[schema(value_type = Option<u32>)]
    pub requests_per_minute: Change<u32>,
}

#[derive(Serialize, ToSchema)]
pub struct IssuedKeyView {
    #[serde(flatten)]
    pub api_key: ApiKeyView,
    /// The secret, shown once.
    #[schema(example = "sk-…")]
    pub key: String,
}

impl IssuedKeyView {
    fn new(issued: IssuedKey, services: &Services) -> Self {
        Self { key: issued.token.expose().to_owned(), api_key: ApiKeyView::new(issued.key, &*services.keys.meters) }
    }
}

/// Make an API key.
#[utoipa::path(
    tag = "api keys",
    request_body = CreateKeyRequest,
    responses((status = 201, body = IssuedKeyView), WriteErrors),
)]
#[post("/api-keys")]
pub async fn create_key(
    caller: Caller,
    body: Body<CreateKeyRequest>,
    services: web::Data<Arc<Services>>,
) -> ApiResult<HttpResponse> {
    let body = body.0;
    let wish = KeyWish {
        name: body.name,
        account: body.account.as_deref().map(AccountRef::parse).unwrap_or_default(),
        scopes: body.scopes,
        expires_at: body.expires_at.map(|time| time.0),
        allowance: body.allowance.map(|Object(allowance)| (allowance.meter, allowance.quantity.0)),
        models: body.models,
        allowed_ips: body.allowed_ips,
        requests_per_minute: body.requests_per_minute,
    };
    let issued = services.run(move |all| async move { all.keys.create(caller.actor(), wish).await }).await?;
    Ok(HttpResponse::Created().json(IssuedKeyView::new(issued, &services)))
}

/// The caller's API keys, newest first.
#[utoipa::path(tag = "api keys", params(PageParams), responses((status = 200, body = Listed<ApiKeyView>), ReadErrors))]
#[get("/api-keys")]
pub async fn list_keys(
    caller: Caller,
    query: Params<PageParams>,
    services: web::Data<Arc<Services>>,
) -> ApiResult<web::Json<Listed<ApiKeyView>>> {
    let page = services.keys.list(caller.actor(), query.0.request()?).await?;
    Ok(web::Json(Listed::of(page, |key| ApiKeyView::new(key, &*services.keys.meters))))
}

#[utoipa::path(tag = "api keys", responses((status = 200, body = ApiKeyView), ReadErrors))]
#[get("/api-keys/{id}")]
pub async fn get_key(
    caller: Caller,
    id: web::Path<String>,
    services: web::Data<Arc<Services>>,
) -> ApiResult<web::Json<ApiKeyView>> {
    let key = services.keys.get(caller.actor(), path_id(&id, "API key")?).await?;
    Ok(web::Json(ApiKeyView::new(key, &*services.keys.meters)))
}

/// Change an API key; its secret and its account stay.
#[utoipa::path(
    tag = "api keys",
    request_body = UpdateKeyRequest,
    responses((status = 200, body = ApiKeyView), WriteErrors),
)]
#[patch("/api-keys/{id}")]
pub async fn update_key(
    caller: Caller,
    id: web::Path<String>,
    body: Body<UpdateKeyRequest>,
    services: web::Data<Arc<Services>>,
    door: web::Data<Doorkeeper>,
) -> ApiResult<web::Json<ApiKeyView>> {
    let (id, change) = (path_id(&id, "API key")?, change(body.0)?);
    let key = services.run(move |all| async move { all.keys.update(caller.actor(), id, change).await }).await?;
    door.known.forget_all();
    Ok(web::Json(ApiKeyView::new(key, &*services.keys.meters)))
}

/// Revoke an API key for good.
#[utoipa::path(tag = "api keys", responses((status = 204), ReadErrors))]
#[delete("/api-keys/{id}")]
pub async fn delete_key(
    caller: Caller,
    id: web::Path<String>,
    services: web::Data<Arc<Services>>,
    door: web::Data<Doorkeeper>,
) -> ApiResult<HttpResponse> {
    let id = path_id(&id, "API key")?;
    services.run(move |all| async move { all.keys.delete(caller.actor(), id).await }).await?;
    door.known.forget_all();
    Ok(HttpResponse::NoContent().finish())
}

/// Give an API key a new secret; the old one is dead at once.
#[utoipa::path(tag = "api keys", responses((status = 200, body = IssuedKeyView), ReadErrors))]
#[post("/api-keys/{id}/rotate")]
pub async fn rotate_key(
    caller: Caller,
    id: web::Path<String>,
    services: web::Data<Arc<Services>>,
    door: web::Data<Doorkeeper>,
) -> ApiResult<web::Json<IssuedKeyView>> {
    let id = path_id(&id, "API key")?;
    let issued = services.run(move |all| async move { all.keys.rotate(caller.actor(), id).await }).await?;
    door.known.forget_all();
    Ok(web::Json(IssuedKeyView::new(issued, &services)))
}

fn change(body: UpdateKeyRequest) -> Result<KeyChange> {
    let status = body
        .status
        .map(|status| KeyStatus::parse(&status).ok_or_else(|| Error::invalid("status", "must be active or disabled")));
    let allowance =
        body.allowance.try_map(|Object(allowance)| Ok::<_, Error>((allowance.meter, allowance.quantity.0)))?;
    Ok(KeyChange {
        name: body.name,
        status: status.transpose()?,
        scopes: body.scopes,
        expires_at: body.expires_at.try_map(|time| Ok::<_, Error>(time.0))?,
        allowance,
        models: body.models,
        allowed_ips: body.allowed_ips,
        requests_per_minute: body.requests_per_minute,
    })
}
