//! `/teams` and `/teams/{id}`: found, list, see, change, hand over, delete.

use super::views::{TeamBody, TeamItem};
use crate::caller::{Caller, Doorkeeper};
use crate::http::answers::{ReadErrors, WriteErrors};
use crate::http::body::Body;
use crate::http::paging::{Listed, PageParams};
use crate::http::params::{Params, path_id};
use crate::http::problem::{ApiError, ApiResult};
use crate::services::Services;
use actix_web::{HttpResponse, delete, get, patch, post, web};
use domain::change::Change;
use domain::id::UserId;
use domain::teams::{JoinPolicy, TeamChange};
use serde::Deserialize;
use std::sync::Arc;
use utoipa::ToSchema;

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FoundTeamRequest {
    #[schema(example = "Writers", max_length = 100)]
    pub name: String,
}

/// Fields left out stay as they are.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UpdateTeamRequest {
    #[schema(example = "Writers", max_length = 100)]
    pub name: Option<String>,
    /// 3 to 50 of `a-z`, `0-9` and `-`; unique; null takes it away.
    #[serde(default)]
    #[schema(value_type = Option<String>, example = "writers")]
    pub team_code: Change<String>,
    /// `approval`: who comes with the invite code waits for an admin. `open`: is a member at once.
    #[schema(example = "approval")]
    pub join_policy: Option<String>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TransferRequest {
    /// An active member.
    #[schema(example = "usr_0198a6f0c1d27d3e8b3f6a5c4d3e2f12")]
    pub user: String,
}

/// Found a team and its account.
///
/// It is suspended until its first bill is paid: subscribe with `account` set to the team's.
#[utoipa::path(
    tag = "teams",
    request_body = FoundTeamRequest,
    responses((status = 201, body = TeamBody), WriteErrors),
)]
#[post("/teams")]
pub async fn found_team(
    caller: Caller,
    body: Body<FoundTeamRequest>,
    services: web::Data<Arc<Services>>,
) -> ApiResult<HttpResponse> {
    let name = body.0.name;
    let team = services.run(move |all| async move { all.teams.found(caller.actor(), &name).await }).await?;
    Ok(HttpResponse::Created().json(TeamBody::from(team)))
}

/// The caller's teams, newest first, with those that the caller asked to join.
#[utoipa::path(tag = "teams", params(PageParams), responses((status = 200, body = Listed<TeamItem>), ReadErrors))]
#[get("/teams")]
pub async fn list_teams(
    caller: Caller,
    query: Params<PageParams>,
    services: web::Data<Arc<Services>>,
) -> ApiResult<web::Json<Listed<TeamItem>>> {
    let page = services.teams.list(caller.actor(), query.0.request()?).await?;
    Ok(web::Json(Listed::of(page, TeamItem::from)))
}

#[utoipa::path(tag = "teams", responses((status = 200, body = TeamBody), ReadErrors))]
#[get("/teams/{id}")]
pub async fn get_team(
    caller: Caller,
    id: web::Path<String>,
    services: web::Data<Arc<Services>>,
) -> ApiResult<web::Json<TeamBody>> {
    let team = services.teams.view(caller.actor(), path_id(&id, "team")?).await?;
    Ok(web::Json(team.into()))
}

/// Rename a team, or change how it is joined.
#[utoipa::path(
    tag = "teams",
    request_body = UpdateTeamRequest,
    responses((status = 200, body = TeamBody), WriteErrors),
)]
#[patch("/teams/{id}")]
pub async fn update_team(
    caller: Caller,
    id: web::Path<String>,
    body: Body<UpdateTeamRequest>,
    services: web::Data<Arc<Services>>,
) -> ApiResult<web::Json<TeamBody>> {
    let id = path_id(&id, "team")?;
    let UpdateTeamRequest { name, team_code, join_policy } = body.0;
    let unknown = || ApiError::invalid("join_policy", "must be approval or open");
    let join_policy = join_policy.map(|policy| JoinPolicy::parse(&policy).ok_or_else(unknown)).transpose()?;
    let change = TeamChange { name, team_code, join_policy };
    let team = services.run(move |all| async move { all.teams.update(caller.actor(), id, change).await }).await?;
    Ok(web::Json(team.into()))
}

/// Delete a team.
///
/// Nobody is a member any more, every key on its account ends at once, the account is frozen, and the subscription
/// ends with its term. What was used stays on record.
#[utoipa::path(tag = "teams", responses((status = 204), ReadErrors))]
#[delete("/teams/{id}")]
pub async fn delete_team(
    caller: Caller,
    id: web::Path<String>,
    services: web::Data<Arc<Services>>,
    door: web::Data<Doorkeeper>,
) -> ApiResult<HttpResponse> {
    let id = path_id(&id, "team")?;
    services.run(move |all| async move { all.teams.delete(caller.actor(), id).await }).await?;
    door.known.forget_all();
    Ok(HttpResponse::NoContent().finish())
}

/// Hand a team over to a member; the owner until then stays as an admin.
#[utoipa::path(
    tag = "teams",
    request_body = TransferRequest,
    responses((status = 200, body = TeamBody), WriteErrors),
)]
#[post("/teams/{id}/transfer-ownership")]
pub async fn transfer_ownership(
    caller: Caller,
    id: web::Path<String>,
    body: Body<TransferRequest>,
    services: web::Data<Arc<Services>>,
) -> ApiResult<web::Json<TeamBody>> {
    let id = path_id(&id, "team")?;
    let to: UserId = body.0.user.parse().map_err(|_| ApiError::invalid("user", "is not an id of a user"))?;
    let team =
        services.run(move |all| async move { all.teams.transfer_ownership(caller.actor(), id, to).await }).await?;
    Ok(web::Json(team.into()))
}
