//! `GET /admin/audit-log`: who did what.

use crate::caller::Caller;
use crate::http::answers::ReadErrors;
use crate::http::paging::{Listed, PageParams};
use crate::http::params::Params;
use crate::http::problem::ApiResult;
use crate::http::time;
use crate::services::Services;
use actix_web::{HttpResponse, get, web};
use domain::audit::AuditEvent;
use serde::Serialize;
use serde_json::Value;
use std::sync::Arc;
use utoipa::ToSchema;

/// One act.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "id": "aud_0198a6f0c1d27d3e8b3f6a5c4d3e2f14", "account": "acc_0198a6f0c1d27d3e8b3f6a5c4d3e2f11", "actor": "usr_0198a6f0c1d27d3e8b3f6a5c4d3e2f15",
    "api_key": null, "action": "grant.give", "target": "grt_0198a6f0c1d27d3e8b3f6a5c4d3e2f13",
    "detail": {"meter": "words"}, "at": "2026-11-21T08:00:00Z"
}))]
pub struct AuditView {
    id: String,
    account: Option<String>,
    actor: Option<String>,
    api_key: Option<String>,
    action: String,
    target: String,
    #[schema(value_type = Object)]
    detail: Value,
    at: String,
}

impl From<AuditEvent> for AuditView {
    fn from(event: AuditEvent) -> Self {
        Self {
            id: event.id.to_string(),
            account: event.account.map(|account| account.to_string()),
            actor: event.actor_user.map(|user| user.to_string()),
            api_key: event.actor_key.map(|key| key.to_string()),
            action: event.action,
            target: event.target,
            detail: event.detail,
            at: time::text(event.created_at),
        }
    }
}

/// List acts of operators and changes of rights, newest first.
#[utoipa::path(
    tag = "operators",
    params(PageParams),
    responses((status = 200, description = "A page.", body = Listed<AuditView>), ReadErrors)
)]
#[get("/admin/audit-log")]
pub async fn list_audit_log(caller: Caller, page: Params<PageParams>, services: web::Data<Arc<Services>>) -> ApiResult {
    caller.actor().require_admin()?;
    let page = page.0.request()?;
    let events = services.run(|services| async move { Ok(services.store.audit().list(page).await?) }).await?;
    Ok(HttpResponse::Ok().json(Listed::of(events, AuditView::from)))
}
