//! `/teams/{id}/members`: who is in a team, in which role, and how much is theirs.

use super::views::MemberBody;
use crate::caller::{Caller, Doorkeeper};
use crate::http::amount::DecimalText;
use crate::http::answers::{ChangeErrors, ReadErrors, WriteErrors};
use crate::http::body::Body;
use crate::http::paging::{Listed, page_request};
use crate::http::params::{Params, path_id};
use crate::http::problem::{ApiError, ApiResult};
use crate::services::Services;
use actix_web::{HttpResponse, delete, get, patch, web};
use domain::accounts::MemberRole;
use domain::id::{TeamId, UserId};
use domain::teams::{MemberChange, MembershipStatus};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::sync::Arc;
use utoipa::{IntoParams, ToSchema};

/// Which members.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct MemberParams {
    /// `pending`, `active` or `removed`; all of them when left out. Plain members see who is active.
    #[param(pattern = "^(pending|active|removed)$")]
    status: Option<String>,
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
    cursor: Option<String>,
}

/// Fields left out stay as they are.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"allocations": {"words": 100_000, "cu": null}}))]
pub struct MemberRequest {
    /// `admin` or `member`; only the owner gives roles.
    pub role: Option<String>,
    /// Most that the member may use in a period, by meter; a string or an integer, and null lifts the cap.
    #[serde(default)]
    #[schema(value_type = BTreeMap<String, Option<String>>)]
    pub allocations: BTreeMap<String, Option<DecimalText>>,
}

/// Members and what each has used in the open period; admins also see who asked to join and who left.
#[utoipa::path(tag = "teams", params(MemberParams), responses((status = 200, body = Listed<MemberBody>), ReadErrors))]
#[get("/teams/{id}/members")]
pub async fn list_members(
    caller: Caller,
    id: web::Path<String>,
    query: Params<MemberParams>,
    services: web::Data<Arc<Services>>,
) -> ApiResult<web::Json<Listed<MemberBody>>> {
    let MemberParams { status, limit, cursor } = query.0;
    let unknown = || ApiError::invalid("status", "must be pending, active or removed");
    let status = status.map(|status| MembershipStatus::parse(&status).ok_or_else(unknown)).transpose()?;
    let page = page_request(limit, cursor.as_deref())?;
    let page = services.metering.list_members(caller.actor(), path_id(&id, "team")?, status, page).await?;
    Ok(web::Json(Listed::of(page, MemberBody::from)))
}

/// Change a member's role or allocations.
///
/// An allocation holds from the next use on; a larger one lets its warnings fire again.
#[utoipa::path(
    tag = "teams",
    request_body = MemberRequest,
    responses((status = 200, body = MemberBody), WriteErrors),
)]
#[patch("/teams/{id}/members/{user}")]
pub async fn change_member(
    caller: Caller,
    path: web::Path<(String, String)>,
    body: Body<MemberRequest>,
    services: web::Data<Arc<Services>>,
) -> ApiResult<web::Json<MemberBody>> {
    let (team, user) = ids(&path)?;
    let MemberRequest { role, allocations } = body.0;
    let unknown = || ApiError::invalid("role", "must be admin or member");
    let role = role.map(|role| MemberRole::parse(&role).ok_or_else(unknown)).transpose()?;
    let allocations = allocations.into_iter().map(|(meter, quantity)| (meter, quantity.map(|text| text.0)));
    let change = MemberChange { role, allocations: allocations.collect() };
    let member = services
        .run(move |all| async move {
            all.teams.change_member(caller.actor(), team, user, change).await?;
            all.metering.member(caller.actor(), team, user).await
        })
        .await?;
    Ok(web::Json(member.into()))
}

/// Remove a member, or turn down who asked to join.
///
/// The member's keys on the team's account end at once, on every server within five seconds. What was used stays.
#[utoipa::path(tag = "teams", responses((status = 204), ReadErrors, ChangeErrors))]
#[delete("/teams/{id}/members/{user}")]
pub async fn remove_member(
    caller: Caller,
    path: web::Path<(String, String)>,
    services: web::Data<Arc<Services>>,
    door: web::Data<Doorkeeper>,
) -> ApiResult<HttpResponse> {
    let (team, user) = ids(&path)?;
    services.run(move |all| async move { all.teams.remove_member(caller.actor(), team, user).await }).await?;
    door.known.forget_all();
    Ok(HttpResponse::NoContent().finish())
}

pub fn ids(path: &(String, String)) -> ApiResult<(TeamId, UserId)> {
    Ok((path_id(&path.0, "team")?, path_id(&path.1, "member")?))
}
