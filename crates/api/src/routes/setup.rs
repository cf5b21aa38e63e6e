//! `POST /setup`: the first root, made by whoever read the token that the server printed as it started.

use super::auth::RegisteredView;
use crate::caller::{Doorkeeper, client_ip};
use crate::http::answers::PublicErrors;
use crate::http::body::Body;
use crate::http::problem::{ApiResult, Problem};
use crate::services::Services;
use actix_web::{HttpRequest, HttpResponse, post, web};
use domain::error::Error;
use domain::identity::{Password, Username};
use serde::Deserialize;
use std::sync::Arc;
use utoipa::ToSchema;

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SetupRequest {
    /// As the server printed it.
    #[schema(example = "setup-…")]
    pub token: String,
    #[schema(example = "root")]
    pub username: String,
    #[schema(example = "correct horse battery", min_length = 8, max_length = 128)]
    pub password: String,
}

/// Make the first root. Once there is one, this path is not found any more.
#[utoipa::path(
    tag = "auth",
    security(()),
    request_body = SetupRequest,
    responses(
        (status = 201, body = RegisteredView),
        (status = 403, description = "Not the token.", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "Done already.", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "Conflicts with what is there.", body = Problem, content_type = "application/problem+json"),
        PublicErrors,
    ),
)]
#[post("/setup")]
pub async fn set_up(
    request: HttpRequest,
    body: Body<SetupRequest>,
    services: web::Data<Arc<Services>>,
    door: web::Data<Doorkeeper>,
) -> ApiResult<HttpResponse> {
    let SetupRequest { token, username, password } = body.0;
    let username = Username::parse(&username).map_err(|reason| Error::invalid("username", reason))?;
    let password = Password::choose(&password).map_err(|reason| Error::invalid("password", reason))?;
    let ip = client_ip(&request);
    let set_up =
        move |all: Arc<Services>| async move { all.registration.set_up(&token, username, &password, ip).await };
    let made = services.run(set_up).await?;
    door.known.forget_all();
    Ok(HttpResponse::Created().json(RegisteredView::new(made, &services)))
}
