//! `GET /admin/audit-log`: who did what.

use crate::caller::Caller;
use crate::http::answers::ReadErrors;
use crate::http::paging::{Listed, page_request};
use crate::http::params::Params;
use crate::http::problem::{ApiError, ApiResult};
use crate::http::time::{self, Time};
use crate::services::Services;
use actix_web::{HttpResponse, get, web};
use domain::audit::{AuditFilter, Recorded};
use domain::error::Error;
use serde::de::IntoDeserializer;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::sync::Arc;
use utoipa::{IntoParams, ToSchema};

/// One act.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "id": "aud_0198a6f0c1d27d3e8b3f6a5c4d3e2f14", "account": "acc_0198a6f0c1d27d3e8b3f6a5c4d3e2f11", "actor": "usr_0198a6f0c1d27d3e8b3f6a5c4d3e2f15",
    "api_key": null, "action": "grant.give", "target": "grt_0198a6f0c1d27d3e8b3f6a5c4d3e2f13",
    "detail": {"meter": "words"}, "at": "2026-11-21T08:00:00Z", "position": 42,
    "hash": "5d41402abc4b2a76b9719d911017c5925d41402abc4b2a76b9719d911017c592"
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
    /// The place in the chain.
    position: Option<i64>,
    /// What the row's content and the row before it hash to.
    hash: Option<String>,
}

impl From<Recorded> for AuditView {
    fn from(recorded: Recorded) -> Self {
        let event = recorded.event;
        Self {
            id: event.id.to_string(),
            account: event.account.map(|account| account.to_string()),
            actor: event.actor_user.map(|user| user.to_string()),
            api_key: event.actor_key.map(|key| key.to_string()),
            action: event.action,
            target: event.target,
            detail: event.detail,
            at: time::text(event.created_at),
            position: recorded.position,
            hash: recorded.hash,
        }
    }
}

/// Which acts; all that are given must fit.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct AuditParams {
    /// Rows on the page, 1 to 200; 50 when left out.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
    /// The id of the user who acted.
    actor: Option<String>,
    /// The id of the account that was changed.
    account: Option<String>,
    /// The id of what was changed.
    target: Option<String>,
    /// Such as `grant.give`.
    action: Option<String>,
    /// Not before this time.
    from: Option<String>,
    /// Before this time.
    until: Option<String>,
}

impl AuditParams {
    fn filter(self) -> ApiResult<AuditFilter> {
        Ok(AuditFilter {
            actor: self.actor.map(|text| id(&text, "actor")).transpose()?,
            account: self.account.map(|text| id(&text, "account")).transpose()?,
            target: self.target.map(|text| plain(text, "target")).transpose()?,
            action: self.action.map(|text| plain(text, "action")).transpose()?,
            from: self.from.map(|text| time_of(&text, "from")).transpose()?,
            until: self.until.map(|text| time_of(&text, "until")).transpose()?,
        })
    }
}

fn id<T: std::str::FromStr>(text: &str, field: &str) -> ApiResult<T> {
    text.parse().map_err(|_| ApiError::invalid(field, "is not an id of this kind"))
}

/// What no act can be called is not looked up: PostgreSQL takes no NUL in a text.
fn plain(text: String, field: &str) -> ApiResult<String> {
    if text.contains('\0') { Err(Error::invalid(field, "must not contain NUL").into()) } else { Ok(text) }
}

fn time_of(text: &str, field: &str) -> ApiResult<chrono::DateTime<chrono::Utc>> {
    let read: Result<Time, serde::de::value::Error> = Time::deserialize(text.into_deserializer());
    read.map(|time| time.0).map_err(|_| ApiError::invalid(field, "is not a time such as 2026-11-21T08:00:00Z"))
}

/// List acts of operators and changes of rights, newest first.
#[utoipa::path(
    tag = "operators",
    params(AuditParams),
    responses((status = 200, description = "A page.", body = Listed<AuditView>), ReadErrors)
)]
#[get("/admin/audit-log")]
pub async fn list_audit_log(
    caller: Caller,
    query: Params<AuditParams>,
    services: web::Data<Arc<Services>>,
) -> ApiResult {
    caller.actor().require_admin()?;
    let page = page_request(query.0.limit, query.0.cursor.as_deref())?;
    let filter = query.0.filter()?;
    let list = move |all: Arc<Services>| async move { Ok(all.store.audit().list(&filter, page).await?) };
    Ok(HttpResponse::Ok().json(Listed::of(services.run(list).await?, AuditView::from)))
}
