//! `/admin/orders`, `/admin/payments`, `/admin/refunds`: what was bought and paid, and what operators do about it.

use crate::caller::Caller;
use crate::http::amount::DecimalText;
use crate::http::answers::{ReadErrors, WriteErrors};
use crate::http::body::Body;
use crate::http::idempotency;
use crate::http::paging::{Listed, PageParams};
use crate::http::params::{Params, path_id};
use crate::http::problem::ApiResult;
use crate::routes::orders::views::{AttemptBody, OrderBody, OrderDetailBody, PaymentBody, RefundView};
use crate::services::Services;
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, get, post, web};
use domain::id::{OrderId, PaymentId};
use domain::orders::{ConfirmWish, OrderFilter, PaymentFilter, RefundWish};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;

/// Money to give back.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"amount": "5.00", "reason": "half of it was not used"}))]
pub struct RefundRequestBody {
    /// All that is left when left out.
    amount: Option<DecimalText>,
    /// For the customer and the provider; one line of up to 80 characters.
    reason: String,
    /// Refund although what was paid for is used up; only what remains is taken back.
    #[serde(default)]
    even_if_used: bool,
}

/// A transfer outside that arrived.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"transaction": "ICBC-2026-11-21-0007"}))]
pub struct ConfirmBody {
    /// The bank's number: confirming the same transfer again changes nothing.
    transaction: String,
    /// What arrived; what was asked for when left out.
    amount: Option<DecimalText>,
    currency: Option<String>,
}

/// List orders of all accounts, newest first.
#[utoipa::path(
    tag = "operators",
    params(PageParams),
    responses((status = 200, description = "A page.", body = Listed<OrderBody>), ReadErrors)
)]
#[get("/admin/orders")]
pub async fn list_all_orders(
    caller: Caller,
    page: Params<PageParams>,
    services: web::Data<Arc<Services>>,
) -> ApiResult {
    let actor = caller.actor().clone();
    actor.require_admin()?;
    let (page, filter) = (page.0.request()?, OrderFilter::default());
    let found = services.run(move |all| async move { all.orders.list_orders(&actor, &filter, page).await }).await?;
    Ok(HttpResponse::Ok().json(Listed::of(found, |order| OrderBody::from(&order))))
}

/// Show any order with its payments and refunds.
#[utoipa::path(
    tag = "operators",
    params(("id" = String, Path)),
    responses((status = 200, description = "As it is now.", body = OrderDetailBody), ReadErrors)
)]
#[get("/admin/orders/{id}")]
pub async fn show_order(caller: Caller, id: web::Path<String>, services: web::Data<Arc<Services>>) -> ApiResult {
    let actor = caller.actor().clone();
    actor.require_admin()?;
    let id: OrderId = path_id(&id, "order")?;
    let view = services.run(move |all| async move { all.orders.show_order(&actor, id).await }).await?;
    Ok(HttpResponse::Ok().json(OrderDetailBody::from(&view)))
}

/// List payments of all accounts, newest first.
#[utoipa::path(
    tag = "operators",
    params(PageParams),
    responses((status = 200, description = "A page.", body = Listed<PaymentBody>), ReadErrors)
)]
#[get("/admin/payments")]
pub async fn list_payments(caller: Caller, page: Params<PageParams>, services: web::Data<Arc<Services>>) -> ApiResult {
    let actor = caller.actor().clone();
    actor.require_admin()?;
    let (page, filter) = (page.0.request()?, PaymentFilter::default());
    let found = services.run(move |all| async move { all.orders.list_payments(&actor, &filter, page).await }).await?;
    Ok(HttpResponse::Ok().json(Listed::of(found, |payment| PaymentBody::from(&payment))))
}

/// List refunds of all accounts, newest first.
#[utoipa::path(
    tag = "operators",
    params(PageParams),
    responses((status = 200, description = "A page.", body = Listed<RefundView>), ReadErrors)
)]
#[get("/admin/refunds")]
pub async fn list_refunds(caller: Caller, page: Params<PageParams>, services: web::Data<Arc<Services>>) -> ApiResult {
    let actor = caller.actor().clone();
    actor.require_admin()?;
    let page = page.0.request()?;
    let found = services.run(move |all| async move { all.orders.list_refunds(&actor, None, page).await }).await?;
    Ok(HttpResponse::Ok().json(Listed::of(found, |refund| RefundView::from(&refund))))
}

/// Refund a payment in part or whole. What was bought is taken back first.
#[utoipa::path(
    tag = "operators",
    params(("id" = String, Path), ("Idempotency-Key" = String, Header)),
    request_body = RefundRequestBody,
    responses(
        (status = 201, description = "On its way.", body = RefundView),
        (status = 402, description = "The money was spent.", body = crate::http::problem::Problem, content_type = "application/problem+json"),
        WriteErrors,
    )
)]
#[post("/admin/payments/{id}/refunds")]
pub async fn refund_payment(
    caller: Caller,
    id: web::Path<String>,
    request: HttpRequest,
    body: Body<RefundRequestBody>,
    services: web::Data<Arc<Services>>,
) -> ApiResult {
    let actor = caller.actor().clone();
    actor.require_admin()?;
    let id: PaymentId = path_id(&id, "payment")?;
    let once = idempotency::required(&request, actor.user, "POST /admin/payments/refunds", &body.0)?;
    let body = body.0;
    let wish =
        RefundWish { amount: body.amount.map(|amount| amount.0), reason: body.reason, even_if_used: body.even_if_used };
    let made = services.run(move |all| async move { all.orders.refund(&actor, id, &wish, &once).await }).await?;
    Ok(idempotency::answer(StatusCode::CREATED, made, |refund| RefundView::from(&refund)))
}

/// Say that a transfer outside arrived: it is settled like any payment.
#[utoipa::path(
    tag = "operators",
    params(("id" = String, Path), ("Idempotency-Key" = String, Header)),
    request_body = ConfirmBody,
    responses((status = 200, description = "As it is now.", body = AttemptBody), WriteErrors)
)]
#[post("/admin/payments/{id}/confirm")]
pub async fn confirm_payment(
    caller: Caller,
    id: web::Path<String>,
    request: HttpRequest,
    body: Body<ConfirmBody>,
    services: web::Data<Arc<Services>>,
) -> ApiResult {
    let actor = caller.actor().clone();
    actor.require_admin()?;
    let id: PaymentId = path_id(&id, "payment")?;
    let once = idempotency::required(&request, actor.user, "POST /admin/payments/confirm", &body.0)?;
    let body = body.0;
    let wish = ConfirmWish {
        amount: body.amount.map(|amount| amount.0),
        currency: body.currency,
        transaction: body.transaction,
    };
    let seen = services.run(move |all| async move { all.orders.confirm(&actor, id, &wish, &once).await }).await?;
    Ok(idempotency::answer(StatusCode::OK, seen, |seen| AttemptBody::from(&seen)))
}
