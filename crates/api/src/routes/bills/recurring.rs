//! `/provider-subscriptions`: plans that a provider charges for by itself.

use crate::caller::Caller;
use crate::http::answers::{ConflictErrors, ReadErrors, WriteErrors};
use crate::http::body::Body;
use crate::http::paging::Listed;
use crate::http::params::{Params, path_id};
use crate::http::problem::ApiResult;
use crate::http::time;
use crate::routes::listing::Listing;
use crate::routes::quota::AccountParams;
use crate::routes::subscription_views::PeriodView;
use crate::services::Services;
use actix_web::{HttpResponse, get, post, web};
use domain::accounts::AccountRef;
use domain::billing::Mirror;
use domain::id::{BillId, MirrorId};
use domain::page::Page;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;

pub fn configure(config: &mut impl Listing) {
    config.service(start_provider_subscription).service(list_provider_subscriptions);
    config.service(cancel_provider_subscription).service(open_provider_portal);
}

/// A subscription at a provider.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "id": "psb_0198a6f0c1d27d3e8b3f6a5c4d3e2f10", "account": "acc_0198a6f0c1d27d3e8b3f6a5c4d3e2f11",
    "bill": "bil_0198a6f0c1d27d3e8b3f6a5c4d3e2f12", "provider": "stripe", "status": "active", "price": "99.00",
    "currency": "CNY", "interval": "month", "period": null, "cancel_at_period_end": false, "ended_at": null,
    "created_at": "2026-11-21T08:00:00Z"
}))]
pub struct ProviderSubscriptionView {
    id: String,
    account: String,
    bill: String,
    provider: &'static str,
    /// `checking_out`, `active`, `past_due` or `ended`.
    status: &'static str,
    price: String,
    currency: String,
    interval: &'static str,
    /// The term that was charged last, as the provider counts it.
    period: Option<PeriodView>,
    cancel_at_period_end: bool,
    ended_at: Option<String>,
    created_at: String,
}

impl From<&Mirror> for ProviderSubscriptionView {
    fn from(mirror: &Mirror) -> Self {
        Self {
            id: mirror.id.to_string(),
            account: mirror.account.to_string(),
            bill: mirror.bill.to_string(),
            provider: mirror.provider.name(),
            status: mirror.status.name(),
            price: mirror.price.to_decimal(),
            currency: mirror.price.currency().code().to_owned(),
            interval: mirror.interval.name(),
            period: mirror.period.map(PeriodView::from),
            cancel_at_period_end: mirror.cancel_at_period_end,
            ended_at: mirror.ended_at.map(time::text),
            created_at: time::text(mirror.created_at),
        }
    }
}

/// A page of the provider for the customer's browser.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"url": "https://checkout.stripe.com/c/pay/cs_test_…"}))]
pub struct ProviderPage {
    url: String,
}

/// Have a provider charge for the plan of an unpaid bill again and again. The customer agrees to that at the page; the
/// first charge pays the bill.
#[utoipa::path(
    tag = "bills",
    params(("id" = String, Path)),
    responses((status = 201, description = "The page.", body = ProviderPage), ConflictErrors, ReadErrors)
)]
#[post("/bills/{id}/provider-subscription")]
pub async fn start_provider_subscription(
    caller: Caller,
    id: web::Path<String>,
    services: web::Data<Arc<Services>>,
) -> ApiResult {
    let (actor, id): (_, BillId) = (caller.actor().clone(), path_id(&id, "bill")?);
    let page = services.run(move |all| async move { all.recurring.start(&actor, id).await }).await?;
    Ok(HttpResponse::Created().json(ProviderPage { url: page.url }))
}

/// List an account's subscriptions at providers, newest first.
#[utoipa::path(
    tag = "bills",
    params(AccountParams),
    responses((status = 200, description = "All of them.", body = Listed<ProviderSubscriptionView>), ReadErrors)
)]
#[get("/provider-subscriptions")]
pub async fn list_provider_subscriptions(
    caller: Caller,
    query: Params<AccountParams>,
    services: web::Data<Arc<Services>>,
) -> ApiResult {
    let which = query.0.account.as_deref().map(AccountRef::parse).unwrap_or_default();
    let rows = services.recurring.list(caller.actor(), &which).await?;
    Ok(HttpResponse::Ok().json(Listed::of(Page { rows, next: None }, |row| ProviderSubscriptionView::from(&row))))
}

/// When a subscription ends.
#[derive(Debug, Default, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"keep": false}))]
pub struct ProviderSubscriptionCancelBody {
    /// true takes a cancellation back.
    #[serde(default)]
    pub keep: bool,
}

/// End a subscription at a provider when its term ends.
#[utoipa::path(
    tag = "bills",
    params(("id" = String, Path)),
    request_body = ProviderSubscriptionCancelBody,
    responses((status = 200, description = "As it is now.", body = ProviderSubscriptionView), WriteErrors)
)]
#[post("/provider-subscriptions/{id}/cancel")]
pub async fn cancel_provider_subscription(
    caller: Caller,
    id: web::Path<String>,
    body: Body<ProviderSubscriptionCancelBody>,
    services: web::Data<Arc<Services>>,
) -> ApiResult {
    let (actor, id): (_, MirrorId) = (caller.actor().clone(), path_id(&id, "provider subscription")?);
    let keep = body.0.keep;
    let mirror = services.run(move |all| async move { all.recurring.cancel(&actor, id, keep).await }).await?;
    Ok(HttpResponse::Ok().json(ProviderSubscriptionView::from(&mirror)))
}

/// Open the provider's page for charges and cards. It lives for minutes.
#[utoipa::path(
    tag = "bills",
    params(("id" = String, Path)),
    responses((status = 201, description = "The page.", body = ProviderPage), ConflictErrors, ReadErrors)
)]
#[post("/provider-subscriptions/{id}/portal")]
pub async fn open_provider_portal(
    caller: Caller,
    id: web::Path<String>,
    services: web::Data<Arc<Services>>,
) -> ApiResult {
    let (actor, id): (_, MirrorId) = (caller.actor().clone(), path_id(&id, "provider subscription")?);
    let url = services.run(move |all| async move { all.recurring.portal(&actor, id).await }).await?;
    Ok(HttpResponse::Created().json(ProviderPage { url }))
}
