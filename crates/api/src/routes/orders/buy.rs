//! `POST /orders` and what is done with an order.

use super::views::{AttemptBody, OrderDetailBody};
use crate::caller::Caller;
use crate::http::amount::DecimalText;
use crate::http::answers::{ChangeErrors, ConflictErrors, ReadErrors, WriteErrors};
use crate::http::body::Body;
use crate::http::idempotency;
use crate::http::params::path_id;
use crate::http::problem::{ApiError, ApiResult};
use crate::services::Services;
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, post, web};
use domain::accounts::AccountRef;
use domain::id::OrderId;
use domain::orders::{OrderWish, PayMethod, Wanted};
use domain::wallet::Provider;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;

/// What to buy, and how to pay: either `product` or `topup`.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"topup": {"amount": "10.00", "currency": "CNY"}, "provider": "wechat"}))]
pub struct OrderRequest {
    /// The id or code of a product.
    product: Option<String>,
    topup: Option<TopUpRequest>,
    /// `wechat`, `alipay`, `stripe` or `manual`.
    provider: String,
    /// `page` for Alipay's page instead of a QR code.
    #[schema(pattern = "^(default|page)$")]
    method: Option<String>,
    /// An account id, or for service keys also your own id of the account; the caller's own when left out.
    account: Option<String>,
}

/// Money for the wallet.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"amount": "10.00", "currency": "CNY"}))]
pub struct TopUpRequest {
    amount: DecimalText,
    currency: String,
}

/// Another way to pay an order.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"provider": "alipay"}))]
pub struct PaymentRequest {
    provider: String,
    #[schema(pattern = "^(default|page)$")]
    method: Option<String>,
}

pub fn provider_named(text: &str) -> ApiResult<Provider> {
    Provider::parse(text).ok_or_else(|| ApiError::invalid("provider", "must be wechat, alipay, stripe or manual"))
}

pub fn method_named(text: Option<&str>) -> ApiResult<PayMethod> {
    match text {
        None | Some("default") => Ok(PayMethod::Default),
        Some("page") => Ok(PayMethod::Page),
        Some(_) => Err(ApiError::invalid("method", "must be default or page")),
    }
}

fn wish_of(body: OrderRequest) -> ApiResult<OrderWish> {
    let wanted = match (body.product, body.topup) {
        (Some(product), None) => Wanted::Product(product),
        (None, Some(topup)) => Wanted::TopUp { amount: topup.amount.0, currency: topup.currency },
        _ => return Err(ApiError::invalid("product", "give either a product or a topup")),
    };
    let method = method_named(body.method.as_deref())?;
    Ok(OrderWish { wanted, provider: provider_named(&body.provider)?, method })
}

/// Order a product or a top-up, and ask a provider for the payment.
#[utoipa::path(
    tag = "orders",
    params(("Idempotency-Key" = String, Header)),
    request_body = OrderRequest,
    responses((status = 201, description = "Ordered.", body = AttemptBody), WriteErrors, ChangeErrors)
)]
#[post("/orders")]
pub async fn make_order(
    caller: Caller,
    request: HttpRequest,
    body: Body<OrderRequest>,
    services: web::Data<Arc<Services>>,
) -> ApiResult {
    let actor = caller.actor().clone();
    let once = idempotency::required(&request, actor.user, "POST /orders", &body.0)?;
    let which = body.0.account.as_deref().map(AccountRef::parse).unwrap_or_default();
    let wish = wish_of(body.0)?;
    let made = services.run(|all| async move { all.orders.order(&actor, &which, &wish, &once).await }).await?;
    Ok(idempotency::answer(StatusCode::CREATED, made, |attempt| AttemptBody::from(&attempt)))
}

/// Try to pay an order once more, at the same provider or another.
#[utoipa::path(
    tag = "orders",
    params(("id" = String, Path), ("Idempotency-Key" = String, Header)),
    request_body = PaymentRequest,
    responses((status = 201, description = "Asked for.", body = AttemptBody), WriteErrors, ChangeErrors)
)]
#[post("/orders/{id}/payments")]
pub async fn pay_order(
    caller: Caller,
    id: web::Path<String>,
    request: HttpRequest,
    body: Body<PaymentRequest>,
    services: web::Data<Arc<Services>>,
) -> ApiResult {
    let actor = caller.actor().clone();
    let id: OrderId = path_id(&id, "order")?;
    let once = idempotency::required(&request, actor.user, "POST /orders/payments", &body.0)?;
    let how = (provider_named(&body.0.provider)?, method_named(body.0.method.as_deref())?);
    let made = services.run(move |all| async move { all.orders.try_again(&actor, id, how, &once).await }).await?;
    Ok(idempotency::answer(StatusCode::CREATED, made, |attempt| AttemptBody::from(&attempt)))
}

/// Close an unpaid order; `closing` until every provider that was asked says that it takes no money any more.
#[utoipa::path(
    tag = "orders",
    params(("id" = String, Path)),
    responses((status = 200, description = "As it is now.", body = OrderDetailBody), ReadErrors, ConflictErrors)
)]
#[post("/orders/{id}/close")]
pub async fn close_order(caller: Caller, id: web::Path<String>, services: web::Data<Arc<Services>>) -> ApiResult {
    let actor = caller.actor().clone();
    let id: OrderId = path_id(&id, "order")?;
    let view = services.run(move |all| async move { all.orders.close(&actor, id).await }).await?;
    Ok(HttpResponse::Ok().json(OrderDetailBody::from(&view)))
}
