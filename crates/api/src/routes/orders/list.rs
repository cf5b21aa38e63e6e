//! `GET /orders` and `GET /orders/{id}`.

use super::views::{OrderBody, OrderDetailBody};
use crate::caller::Caller;
use crate::http::answers::ReadErrors;
use crate::http::paging::{Listed, page_request};
use crate::http::params::{Params, path_id};
use crate::http::problem::ApiResult;
use crate::services::Services;
use actix_web::{HttpResponse, get, web};
use domain::accounts::AccountRef;
use domain::id::OrderId;
use serde::Deserialize;
use std::sync::Arc;
use utoipa::IntoParams;

/// Whose orders.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct OrderListParams {
    /// The caller's own when left out.
    account: Option<String>,
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
    cursor: Option<String>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct OrderParams {
    /// Ask the provider first, when that was not done a moment ago; for a customer who waits.
    #[serde(default)]
    refresh: bool,
}

/// List orders, newest first.
#[utoipa::path(
    tag = "orders",
    params(OrderListParams),
    responses((status = 200, description = "A page.", body = Listed<OrderBody>), ReadErrors)
)]
#[get("/orders")]
pub async fn list_orders(
    caller: Caller,
    params: Params<OrderListParams>,
    services: web::Data<Arc<Services>>,
) -> ApiResult<web::Json<Listed<OrderBody>>> {
    let page = page_request(params.0.limit, params.0.cursor.as_deref())?;
    let which = params.0.account.as_deref().map(AccountRef::parse).unwrap_or_default();
    let actor = caller.actor().clone();
    let found = services.run(|all| async move { all.orders.list(&actor, &which, page).await }).await?;
    Ok(web::Json(Listed::of(found, |order| OrderBody::from(&order))))
}

/// Show an order with its payments and refunds.
#[utoipa::path(
    tag = "orders",
    params(("id" = String, Path), OrderParams),
    responses((status = 200, description = "As it is now.", body = OrderDetailBody), ReadErrors)
)]
#[get("/orders/{id}")]
pub async fn get_order(
    caller: Caller,
    id: web::Path<String>,
    params: Params<OrderParams>,
    services: web::Data<Arc<Services>>,
) -> ApiResult {
    let id: OrderId = path_id(&id, "order")?;
    let actor = caller.actor().clone();
    let fresh = params.0.refresh;
    let view = services.run(move |all| async move { all.orders.view(&actor, id, fresh).await }).await?;
    Ok(HttpResponse::Ok().json(OrderDetailBody::from(&view)))
}
