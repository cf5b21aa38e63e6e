//! `/admin/accounts/{account}/grants`: extra quota.

use crate::caller::Caller;
use crate::http::amount::DecimalText;
use crate::http::answers::{ReadErrors, WriteErrors};
use crate::http::body::Body;
use crate::http::idempotency;
use crate::http::paging::{Listed, PageParams};
use crate::http::params::{Params, path_id};
use crate::http::problem::ApiResult;
use crate::http::time::{self, Time};
use crate::routes::usage::scale_of;
use crate::services::Services;
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, delete, get, post, web};
use domain::id::{AccountId, GrantId};
use domain::plans::Catalogue;
use domain::quota::{Grant, GrantWish};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;

/// Quota to give.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"meter": "words", "quantity": 50000, "reason": "apology for the outage"}))]
pub struct GrantBody {
    meter: String,
    /// Above zero, in the meter's unit.
    quantity: DecimalText,
    /// 0 to 100; lower is drawn first. 50 when left out.
    #[schema(minimum = 0, maximum = 100)]
    priority: Option<i32>,
    /// Models it may be used for; any when left out.
    models: Option<Vec<String>>,
    expires_at: Option<Time>,
    /// For the audit log; one line of up to 255 characters.
    reason: Option<String>,
}

/// Extra quota of an account.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "id": "grt_0198a6f0c1d27d3e8b3f6a5c4d3e2f13", "meter": "words", "origin": "manual", "quantity": "50000", "remaining": "50000",
    "held": "0", "revoked": "0", "priority": 50, "models": null, "expires_at": null, "created_at": "2026-11-21T08:00:00Z"
}))]
pub struct GrantView {
    id: String,
    meter: String,
    origin: &'static str,
    quantity: String,
    remaining: String,
    /// By open reservations.
    held: String,
    revoked: String,
    priority: i32,
    models: Option<Vec<String>>,
    expires_at: Option<String>,
    created_at: String,
}

impl GrantView {
    fn of(grant: &Grant, catalogue: &Catalogue) -> Self {
        let scale = scale_of(catalogue, &grant.meter);
        Self {
            id: grant.id.to_string(),
            meter: grant.meter.to_string(),
            origin: grant.origin.name(),
            quantity: grant.quantity.to_decimal(scale),
            remaining: grant.remaining.to_decimal(scale),
            held: grant.held.to_decimal(scale),
            revoked: grant.revoked.to_decimal(scale),
            priority: grant.priority,
            models: grant.models.clone(),
            expires_at: grant.expires_at.map(time::text),
            created_at: time::text(grant.created_at),
        }
    }
}

/// Give an account extra quota.
#[utoipa::path(
    tag = "operators",
    params(("account" = String, Path), ("Idempotency-Key" = String, Header)),
    request_body = GrantBody,
    responses(
        (status = 201, description = "Given.", body = GrantView),
        WriteErrors,
    )
)]
#[post("/admin/accounts/{account}/grants")]
pub async fn give_grant(
    caller: Caller,
    account: web::Path<String>,
    request: HttpRequest,
    body: Body<GrantBody>,
    services: web::Data<Arc<Services>>,
) -> ApiResult {
    let actor = caller.actor().clone();
    actor.require_admin()?;
    let account: AccountId = path_id(&account, "account")?;
    let once = idempotency::required(&request, actor.user, "POST /admin/grants", &body.0)?;
    let body = body.0;
    let wish = GrantWish {
        meter: body.meter,
        quantity: body.quantity.0,
        priority: body.priority,
        models: body.models,
        expires_at: body.expires_at.map(|time| time.0),
        reason: body.reason,
    };
    let given =
        services.run(|services| async move { services.grants.give(&actor, account, &wish, &once).await }).await?;
    Ok(idempotency::answer(StatusCode::CREATED, given, |grant| GrantView::of(&grant, &services.catalogue)))
}

/// List an account's grants, newest first.
#[utoipa::path(
    tag = "operators",
    params(("account" = String, Path), PageParams),
    responses((status = 200, description = "A page.", body = Listed<GrantView>), ReadErrors)
)]
#[get("/admin/accounts/{account}/grants")]
pub async fn list_grants(
    caller: Caller,
    account: web::Path<String>,
    page: Params<PageParams>,
    services: web::Data<Arc<Services>>,
) -> ApiResult {
    let actor = caller.actor().clone();
    actor.require_admin()?;
    let account: AccountId = path_id(&account, "account")?;
    let page = page.0.request()?;
    let grants = services.run(|services| async move { services.grants.list(&actor, account, page).await }).await?;
    Ok(HttpResponse::Ok().json(Listed::of(grants, |grant| GrantView::of(&grant, &services.catalogue))))
}

/// Take back what remains of a grant.
#[utoipa::path(
    tag = "operators",
    params(("account" = String, Path), ("grant" = String, Path)),
    responses((status = 200, description = "As it is now.", body = GrantView), ReadErrors)
)]
#[delete("/admin/accounts/{account}/grants/{grant}")]
pub async fn revoke_grant(
    caller: Caller,
    path: web::Path<(String, String)>,
    services: web::Data<Arc<Services>>,
) -> ApiResult {
    let actor = caller.actor().clone();
    actor.require_admin()?;
    let account: AccountId = path_id(&path.0, "account")?;
    let grant: GrantId = path_id(&path.1, "grant")?;
    let revoked = services.run(|services| async move { services.grants.revoke(&actor, account, grant).await }).await?;
    Ok(HttpResponse::Ok().json(GrantView::of(&revoked, &services.catalogue)))
}
