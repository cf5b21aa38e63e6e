//! Coming and going: join with a code, be approved, leave.

use super::members::ids;
use super::views::{MemberBody, TeamItem};
use crate::caller::{Caller, Doorkeeper};
use crate::http::answers::{ChangeErrors, ReadErrors, WriteErrors};
use crate::http::body::Body;
use crate::http::params::path_id;
use crate::http::problem::ApiResult;
use crate::services::Services;
use actix_web::{HttpResponse, post, web};
use serde::Deserialize;
use std::sync::Arc;
use utoipa::ToSchema;

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct JoinRequest {
    /// The team's six digits, or an invitation's code.
    #[schema(example = "042917")]
    pub invite_code: String,
}

/// Join a team, or ask to.
///
/// With the team's code one waits for an admin, unless the team is open; an invitation's code makes a member at
/// once. After five wrong codes of one user, or twenty from one address, the answer is 429 for a while.
#[utoipa::path(tag = "teams", request_body = JoinRequest, responses((status = 200, body = TeamItem), WriteErrors))]
#[post("/teams/join")]
pub async fn join_team(
    caller: Caller,
    body: Body<JoinRequest>,
    services: web::Data<Arc<Services>>,
) -> ApiResult<web::Json<TeamItem>> {
    let code = body.0.invite_code;
    let joined = services.run(move |all| async move { all.teams.join(caller.actor(), &code).await }).await?;
    Ok(web::Json(joined.into()))
}

/// Let somebody in who asked to join; 409 `no_seat_left` when every seat is taken.
#[utoipa::path(tag = "teams", responses((status = 200, body = MemberBody), ReadErrors, ChangeErrors))]
#[post("/teams/{id}/members/{user}/approve")]
pub async fn approve_member(
    caller: Caller,
    path: web::Path<(String, String)>,
    services: web::Data<Arc<Services>>,
) -> ApiResult<web::Json<MemberBody>> {
    let (team, user) = ids(&path)?;
    let member = services
        .run(move |all| async move {
            all.teams.approve(caller.actor(), team, user).await?;
            all.metering.member(caller.actor(), team, user).await
        })
        .await?;
    Ok(web::Json(member.into()))
}

/// Leave a team. The owner hands it over first.
#[utoipa::path(tag = "teams", responses((status = 204), ReadErrors, ChangeErrors))]
#[post("/teams/{id}/leave")]
pub async fn leave_team(
    caller: Caller,
    id: web::Path<String>,
    services: web::Data<Arc<Services>>,
    door: web::Data<Doorkeeper>,
) -> ApiResult<HttpResponse> {
    let id = path_id(&id, "team")?;
    services.run(move |all| async move { all.teams.leave(caller.actor(), id).await }).await?;
    door.known.forget_all();
    Ok(HttpResponse::NoContent().finish())
}
