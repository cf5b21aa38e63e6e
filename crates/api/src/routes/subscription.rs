//! The account's subscription: look, preview, subscribe, cancel, resume; and the operator's order.

use super::bills::BillDetail;
use super::subscription_views::{QuoteView, SubscribedView, SubscriptionView, read_interval};
use crate::caller::Caller;
use crate::http::answers::{ChangeErrors, ReadErrors, WriteErrors};
use crate::http::body::Body;
use crate::http::idempotency;
use crate::http::params::{Params, path_id};
use crate::http::problem::ApiResult;
use crate::routes::listing::Listing;
use crate::services::Services;
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, get, patch, post, web};
use domain::accounts::AccountRef;
use domain::billing::Bought;
use domain::change::Change;
use domain::error::{Error, Result};
use domain::id::AccountId;
use domain::plans::{PlanCode, PlanWish};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::sync::Arc;
use utoipa::{IntoParams, ToSchema};

pub fn configure(config: &mut impl Listing) {
    config
        .service(get_subscription)
        .service(update_subscription)
        .service(preview)
        .service(subscribe)
        .service(cancel)
        .service(resume)
        .service(order_subscription);
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct AccountParams {
    /// An account's id or external id; the key's account, or the personal one, when left out.
    pub account: Option<String>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SubscribeRequest {
    #[schema(example = "professional")]
    pub plan: String,
    /// `month` or `year`; the shortest that the plan is sold by when left out.
    pub interval: Option<String>,
    /// The plan's included seats when left out.
    pub seats: Option<u32>,
    pub account: Option<String>,
}

#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PurchaseRequest {
    #[schema(example = "professional")]
    pub plan: String,
    /// `month` or `year`; the shortest that the plan is sold by when left out.
    pub interval: Option<String>,
    /// The plan's included seats when left out.
    pub seats: Option<u32>,
    /// Takes something off the bill.
    pub coupon: Option<String>,
    pub account: Option<String>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SubscriptionPatch {
    /// Null forgets it.
    #[schema(example = "gpt-4o", value_type = Option<String>)]
    #[serde(default)]
    pub selected_ai_model: Change<String>,
    /// Whether bills are paid from the account's balance as they are issued.
    pub auto_pay: Option<bool>,
    pub account: Option<String>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PlanOrder {
    #[schema(example = "professional")]
    pub plan: String,
    pub interval: Option<String>,
    pub seats: Option<u32>,
}

/// The subscription as it is now.
#[utoipa::path(
    tag = "subscription",
    params(AccountParams),
    responses((status = 200, body = SubscriptionView), ReadErrors),
)]
#[get("/subscription")]
pub async fn get_subscription(
    caller: Caller,
    query: Params<AccountParams>,
    services: web::Data<Arc<Services>>,
) -> ApiResult<web::Json<SubscriptionView>> {
    let which = account(query.0.account.as_deref());
    Ok(web::Json(services.subscriptions.view(caller.actor(), &which).await?.into()))
}

/// What a change would cost, and when it would begin.
#[utoipa::path(
    tag = "subscription",
    request_body = SubscribeRequest,
    responses((status = 200, body = QuoteView), WriteErrors),
)]
#[post("/subscription/preview")]
pub async fn preview(
    caller: Caller,
    body: Body<SubscribeRequest>,
    services: web::Data<Arc<Services>>,
) -> ApiResult<web::Json<QuoteView>> {
    let (which, wish) =
        (account(body.0.account.as_deref()), wish(&body.0.plan, body.0.interval.as_deref(), body.0.seats)?);
    Ok(web::Json(services.subscriptions.preview(caller.actor(), &which, &wish).await?.into()))
}

/// Change the plan. What costs something is `pending` until its bill is paid.
#[utoipa::path(
    tag = "subscription",
    params(("Idempotency-Key" = String, Header)),
    request_body = PurchaseRequest,
    responses((status = 201, body = SubscribedView), ChangeErrors, WriteErrors),
)]
#[post("/subscription")]
pub async fn subscribe(
    caller: Caller,
    request: HttpRequest,
    body: Body<PurchaseRequest>,
    services: web::Data<Arc<Services>>,
) -> ApiResult<HttpResponse> {
    let (which, wish) =
        (account(body.0.account.as_deref()), wish(&body.0.plan, body.0.interval.as_deref(), body.0.seats)?);
    let once = idempotency::required(&request, caller.actor().user, "POST /subscription", &body.0)?;
    let coupon = body.0.coupon;
    let bought = services.run(move |all| async move {
        let who = (caller.actor(), &which);
        all.billing.subscribe_once(who, (&wish, coupon.as_deref()), &once, shown).await
    });
    Ok(idempotency::answer(StatusCode::CREATED, bought.await?, |answer| answer))
}

fn shown(bought: Bought) -> Value {
    let bill = bought.bill.as_ref().map(BillDetail::from);
    serde_json::to_value(SubscribedView::new(bought.done, bill)).unwrap_or_default()
}

/// Choose the model that the product uses by default, and whether bills are paid from the balance.
#[utoipa::path(
    tag = "subscription",
    request_body = SubscriptionPatch,
    responses((status = 200, body = SubscriptionView), ChangeErrors, WriteErrors),
)]
#[patch("/subscription")]
pub async fn update_subscription(
    caller: Caller,
    body: Body<SubscriptionPatch>,
    services: web::Data<Arc<Services>>,
) -> ApiResult<web::Json<SubscriptionView>> {
    let (which, model, auto_pay) = (account(body.0.account.as_deref()), body.0.selected_ai_model, body.0.auto_pay);
    if auto_pay.is_none() && model == Change::Keep {
        return Err(Error::invalid("selected_ai_model", "is missing; send it, or auto_pay").into());
    }
    let view = services
        .run(move |all| async move { all.subscriptions.prefer(caller.actor(), &which, model, auto_pay).await })
        .await?;
    Ok(web::Json(view.into()))
}

/// End the subscription with its paid term.
#[utoipa::path(
    tag = "subscription",
    params(AccountParams),
    responses(
        (status = 200, body = SubscriptionView),
        ChangeErrors,
        ReadErrors,
    ),
)]
#[post("/subscription/cancel")]
pub async fn cancel(
    caller: Caller,
    query: Params<AccountParams>,
    services: web::Data<Arc<Services>>,
) -> ApiResult<web::Json<SubscriptionView>> {
    let which = account(query.0.account.as_deref());
    let view = services.run(move |all| async move { all.subscriptions.cancel(caller.actor(), &which).await }).await?;
    Ok(web::Json(view.into()))
}

/// Take a cancellation back.
#[utoipa::path(
    tag = "subscription",
    params(AccountParams),
    responses(
        (status = 200, body = SubscriptionView),
        ChangeErrors,
        ReadErrors,
    ),
)]
#[post("/subscription/resume")]
pub async fn resume(
    caller: Caller,
    query: Params<AccountParams>,
    services: web::Data<Arc<Services>>,
) -> ApiResult<web::Json<SubscriptionView>> {
    let which = account(query.0.account.as_deref());
    let view = services.run(move |all| async move { all.subscriptions.resume(caller.actor(), &which).await }).await?;
    Ok(web::Json(view.into()))
}

/// Put an account on any plan at once, active and without a bill.
#[utoipa::path(
    tag = "operators",
    request_body = PlanOrder,
    responses((status = 200, body = SubscriptionView), WriteErrors),
)]
#[post("/admin/accounts/{id}/subscription")]
pub async fn order_subscription(
    caller: Caller,
    id: web::Path<String>,
    body: Body<PlanOrder>,
    services: web::Data<Arc<Services>>,
) -> ApiResult<web::Json<SubscriptionView>> {
    let id: AccountId = path_id(&id, "account")?;
    let wish = wish(&body.0.plan, body.0.interval.as_deref(), body.0.seats)?;
    let view = services.run(move |all| async move { all.subscriptions.set(caller.actor(), id, &wish).await }).await?;
    Ok(web::Json(view.into()))
}

fn account(text: Option<&str>) -> AccountRef {
    text.map(AccountRef::parse).unwrap_or_default()
}

fn wish(plan: &str, interval: Option<&str>, seats: Option<u32>) -> Result<PlanWish> {
    let plan = PlanCode::parse(plan).ok_or_else(|| Error::invalid("plan", "is not on sale"))?;
    Ok(PlanWish { plan, interval: read_interval(interval)?, seats })
}
