//! Invitations for one person each, and the team's own code.

use super::views::{InvitationBody, TeamBody};
use crate::caller::Caller;
use crate::http::answers::{ChangeErrors, ReadErrors, WriteErrors};
use crate::http::body::Body;
use crate::http::paging::{Listed, PageParams};
use crate::http::params::{Params, path_id};
use crate::http::problem::{ApiError, ApiResult};
use crate::services::Services;
use actix_web::{HttpResponse, delete, get, post, web};
use domain::accounts::MemberRole;
use domain::identity::Email;
use domain::teams::InvitationWish;
use serde::Deserialize;
use std::sync::Arc;
use utoipa::ToSchema;

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct InvitationRequest {
    /// Where the code is mailed to; hand it on yourself when left out.
    #[schema(example = "li@example.cn")]
    pub email: Option<String>,
    /// `member`, or `admin`, which only the owner gives; `member` when left out.
    #[schema(example = "member")]
    pub role: Option<String>,
}

/// Invite one person, who is a member as soon as the code is used. It is good for seven days.
#[utoipa::path(
    tag = "teams",
    request_body = InvitationRequest,
    responses((status = 201, body = InvitationBody), WriteErrors),
)]
#[post("/teams/{id}/invitations")]
pub async fn invite(
    caller: Caller,
    id: web::Path<String>,
    body: Body<InvitationRequest>,
    services: web::Data<Arc<Services>>,
) -> ApiResult<HttpResponse> {
    let id = path_id(&id, "team")?;
    let InvitationRequest { email, role } = body.0;
    let email = email.map(|text| Email::parse(&text).map_err(|reason| ApiError::invalid("email", reason)));
    let unknown = || ApiError::invalid("role", "must be admin or member");
    let role = role.map(|role| MemberRole::parse(&role).ok_or_else(unknown)).transpose()?;
    let wish = InvitationWish { email: email.transpose()?, role: role.unwrap_or(MemberRole::Member) };
    let invitation = services.run(move |all| async move { all.teams.invite(caller.actor(), id, wish).await }).await?;
    Ok(HttpResponse::Created().json(InvitationBody::new(invitation, services.clock.now())))
}

/// A team's invitations, newest first, ended ones too.
#[utoipa::path(tag = "teams", params(PageParams), responses((status = 200, body = Listed<InvitationBody>), ReadErrors))]
#[get("/teams/{id}/invitations")]
pub async fn list_invitations(
    caller: Caller,
    id: web::Path<String>,
    query: Params<PageParams>,
    services: web::Data<Arc<Services>>,
) -> ApiResult<web::Json<Listed<InvitationBody>>> {
    let (id, page) = (path_id(&id, "team")?, query.0.request()?);
    let page = services.teams.list_invitations(caller.actor(), id, page).await?;
    let now = services.clock.now();
    Ok(web::Json(Listed::of(page, |invitation| InvitationBody::new(invitation, now))))
}

/// Revoke an invitation that nobody has used.
#[utoipa::path(tag = "teams", responses((status = 204), ReadErrors, ChangeErrors))]
#[delete("/teams/{id}/invitations/{invitation}")]
pub async fn revoke_invitation(
    caller: Caller,
    path: web::Path<(String, String)>,
    services: web::Data<Arc<Services>>,
) -> ApiResult<HttpResponse> {
    let (team, which) = (path_id(&path.0, "team")?, path_id(&path.1, "invitation")?);
    services.run(move |all| async move { all.teams.revoke_invitation(caller.actor(), team, which).await }).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Replace the team's six digits; the old ones open nothing any more.
#[utoipa::path(tag = "teams", responses((status = 200, body = TeamBody), ReadErrors))]
#[post("/teams/{id}/invite-code/rotate")]
pub async fn rotate_invite_code(
    caller: Caller,
    id: web::Path<String>,
    services: web::Data<Arc<Services>>,
) -> ApiResult<web::Json<TeamBody>> {
    let id = path_id(&id, "team")?;
    let team = services.run(move |all| async move { all.teams.rotate_invite_code(caller.actor(), id).await }).await?;
    Ok(web::Json(team.into()))
}
