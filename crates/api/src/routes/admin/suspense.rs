//! `/admin/suspense` and `/admin/reconciliation`: money and differences that an operator has to decide about.

use crate::caller::Caller;
use crate::http::answers::{ReadErrors, WriteErrors};
use crate::http::body::Body;
use crate::http::idempotency;
use crate::http::paging::{Listed, PageParams};
use crate::http::params::{Params, path_id};
use crate::http::problem::{ApiError, ApiResult};
use crate::http::time;
use crate::services::Services;
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, get, post, web};
use domain::id::{DifferenceId, SuspenseId};
use domain::money::Money;
use domain::orders::{Difference, DifferenceStatus, Resolution, ResolveWish, SuspenseItem};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;

/// Money that came in and was not delivered for.
#[derive(Debug, Serialize, ToSchema)]
pub struct SuspenseView {
    id: String,
    account: String,
    order: String,
    payment: String,
    /// `late`, `double`, `short`, `over`, `currency`, `payee` or `undeliverable`.
    reason: &'static str,
    /// `open`, `refunding`, `refunded`, `credited`, `delivered` or `dismissed`.
    status: &'static str,
    amount: String,
    currency: String,
    transaction: String,
    refund: Option<String>,
    note: Option<String>,
    created_at: String,
    resolved_at: Option<String>,
}

impl From<SuspenseItem> for SuspenseView {
    fn from(item: SuspenseItem) -> Self {
        Self {
            id: item.id.to_string(),
            account: item.account.to_string(),
            order: item.order.to_string(),
            payment: item.payment.to_string(),
            reason: item.reason.name(),
            status: item.status.name(),
            amount: item.amount.to_decimal(),
            currency: item.amount.currency().code().to_owned(),
            transaction: item.transaction,
            refund: item.refund.map(|refund| refund.to_string()),
            note: item.note,
            created_at: time::text(item.created_at),
            resolved_at: item.resolved_at.map(time::text),
        }
    }
}

/// What to do with suspended money, and why.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"resolution": "refund", "note": "paid after the order was closed"}))]
pub struct ResolveBody {
    /// `refund`, `credit` (to the wallet), `deliver`, or `dismiss` for another merchant's money.
    #[schema(pattern = "^(refund|credit|deliver|dismiss)$")]
    resolution: String,
    note: String,
}

/// Something on which a provider's bill and our books differ.
#[derive(Debug, Serialize, ToSchema)]
pub struct DifferenceView {
    id: String,
    provider: &'static str,
    date: String,
    class: &'static str,
    /// `open`, `explained` or `resolved`.
    status: &'static str,
    number: String,
    transaction: String,
    ours: Option<String>,
    theirs: Option<String>,
    note: Option<String>,
    created_at: String,
    resolved_at: Option<String>,
}

impl From<Difference> for DifferenceView {
    fn from(found: Difference) -> Self {
        Self {
            id: found.id.to_string(),
            provider: found.provider.name(),
            date: found.day.to_string(),
            class: found.class.name(),
            status: found.status.name(),
            number: found.number,
            transaction: found.transaction,
            ours: found.ours.map(Money::to_decimal),
            theirs: found.theirs.map(Money::to_decimal),
            note: found.note,
            created_at: time::text(found.created_at),
            resolved_at: found.resolved_at.map(time::text),
        }
    }
}

/// What became of a difference, and why.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"status": "explained", "note": "fee of the provider's trial month"}))]
pub struct DifferenceBody {
    #[schema(pattern = "^(open|explained|resolved)$")]
    status: String,
    note: String,
}

/// List suspended money, newest first.
#[utoipa::path(
    tag = "operators",
    params(PageParams),
    responses((status = 200, description = "A page.", body = Listed<SuspenseView>), ReadErrors)
)]
#[get("/admin/suspense")]
pub async fn list_suspense(caller: Caller, page: Params<PageParams>, services: web::Data<Arc<Services>>) -> ApiResult {
    let actor = caller.actor().clone();
    actor.require_admin()?;
    let page = page.0.request()?;
    let found = services.run(move |all| async move { all.orders.list_suspense(&actor, None, page).await }).await?;
    Ok(HttpResponse::Ok().json(Listed::of(found, SuspenseView::from)))
}

/// Resolve suspended money, once.
#[utoipa::path(
    tag = "operators",
    params(("id" = String, Path), ("Idempotency-Key" = String, Header)),
    request_body = ResolveBody,
    responses((status = 200, description = "Resolved.", body = SuspenseView), WriteErrors)
)]
#[post("/admin/suspense/{id}/resolve")]
pub async fn resolve_suspense(
    caller: Caller,
    id: web::Path<String>,
    request: HttpRequest,
    body: Body<ResolveBody>,
    services: web::Data<Arc<Services>>,
) -> ApiResult {
    let actor = caller.actor().clone();
    actor.require_admin()?;
    let id: SuspenseId = path_id(&id, "suspense item")?;
    let once = idempotency::required(&request, actor.user, "POST /admin/suspense/resolve", &body.0)?;
    let unknown = || ApiError::invalid("resolution", "must be refund, credit, deliver or dismiss");
    let resolution = Resolution::parse(&body.0.resolution).ok_or_else(unknown)?;
    let wish = ResolveWish { resolution, note: body.0.note };
    let resolve = move |all: Arc<Services>| async move { all.orders.resolve_suspense(&actor, id, &wish, &once).await };
    Ok(idempotency::answer(StatusCode::OK, services.run(resolve).await?, SuspenseView::from))
}

/// List what reconciliation found, newest first.
#[utoipa::path(
    tag = "operators",
    params(PageParams),
    responses((status = 200, description = "A page.", body = Listed<DifferenceView>), ReadErrors)
)]
#[get("/admin/reconciliation")]
pub async fn list_differences(
    caller: Caller,
    page: Params<PageParams>,
    services: web::Data<Arc<Services>>,
) -> ApiResult {
    let actor = caller.actor().clone();
    actor.require_admin()?;
    let page = page.0.request()?;
    let found = services.run(move |all| async move { all.orders.list_differences(&actor, None, page).await }).await?;
    Ok(HttpResponse::Ok().json(Listed::of(found, DifferenceView::from)))
}

/// Say what became of a difference.
#[utoipa::path(
    tag = "operators",
    params(("id" = String, Path)),
    request_body = DifferenceBody,
    responses((status = 200, description = "As it is now.", body = DifferenceView), WriteErrors)
)]
#[post("/admin/reconciliation/{id}/resolve")]
pub async fn resolve_difference(
    caller: Caller,
    id: web::Path<String>,
    body: Body<DifferenceBody>,
    services: web::Data<Arc<Services>>,
) -> ApiResult {
    let actor = caller.actor().clone();
    actor.require_admin()?;
    let id: DifferenceId = path_id(&id, "difference")?;
    let unknown = || ApiError::invalid("status", "must be open, explained or resolved");
    let status = DifferenceStatus::parse(&body.0.status).ok_or_else(unknown)?;
    let note = body.0.note;
    let resolve =
        move |all: Arc<Services>| async move { all.orders.resolve_difference(&actor, id, status, &note).await };
    Ok(HttpResponse::Ok().json(DifferenceView::from(services.run(resolve).await?)))
}
