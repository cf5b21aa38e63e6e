//! Registering, logging in and logging out.

use super::identity_views::{AccountView, UserView};
use crate::caller::{Caller, Doorkeeper, client_ip};
use crate::http::answers::{PublicErrors, ReadErrors};
use crate::http::body::Body;
use crate::http::problem::{ApiResult, Problem};
use crate::services::Services;
use actix_web::{HttpRequest, HttpResponse, post, web};
use chrono::{DateTime, Utc};
use domain::accounts::{Registered, Registration};
use domain::error::{Error, Result};
use domain::identity::{Email, LoggedIn, Password, Phone, Username};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;

/// At least one of `username`, `email` and `phone`.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RegisterRequest {
    #[schema(example = "zhang")]
    pub username: Option<String>,
    #[schema(example = "zhang@example.cn")]
    pub email: Option<String>,
    #[schema(example = "+8613800138000")]
    pub phone: Option<String>,
    #[schema(example = "correct horse battery", min_length = 8, max_length = 128)]
    pub password: String,
    pub display_name: Option<String>,
    /// The code of the user who invited (GET /referral); an unknown one is refused.
    pub aff_code: Option<String>,
}

#[derive(Serialize, ToSchema)]
pub struct RegisteredView {
    pub user: UserView,
    pub account: AccountView,
    /// A session token, shown once.
    #[schema(example = "ses-…")]
    pub token: String,
    #[schema(value_type = String, format = DateTime)]
    pub expires_at: DateTime<Utc>,
}

impl RegisteredView {
    pub fn new(made: Registered, services: &Services) -> Self {
        Self {
            user: made.user.into(),
            account: AccountView::new(made.account, services.accounts.currency),
            token: made.token.expose().to_owned(),
            expires_at: made.expires_at,
        }
    }
}

/// Make a user, the personal account and a session.
#[utoipa::path(
    tag = "auth",
    security(()),
    request_body = RegisterRequest,
    responses(
        (status = 201, body = RegisteredView),
        (status = 403, description = "Registration is closed.", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "Conflicts with what is there.", body = Problem, content_type = "application/problem+json"),
        PublicErrors,
    ),
)]
#[post("/auth/register")]
pub async fn register(
    request: HttpRequest,
    body: Body<RegisterRequest>,
    services: web::Data<Arc<Services>>,
) -> ApiResult<HttpResponse> {
    let (wish, password) = wish(body.0)?;
    let ip = client_ip(&request);
    let made = services.run(move |all| async move { all.registration.register(wish, &password, ip).await }).await?;
    Ok(HttpResponse::Created().json(RegisteredView::new(made, &services)))
}

fn wish(body: RegisterRequest) -> Result<(Registration, Password)> {
    let invalid = |field: &'static str| move |reason: &'static str| Error::invalid(field, reason);
    let wish = Registration {
        username: body.username.map(|text| Username::parse(&text)).transpose().map_err(invalid("username"))?,
        email: body.email.map(|text| Email::parse(&text)).transpose().map_err(invalid("email"))?,
        phone: body.phone.map(|text| Phone::parse(&text)).transpose().map_err(invalid("phone"))?,
        display_name: body.display_name,
        aff_code: body.aff_code,
    };
    Ok((wish, Password::choose(&body.password).map_err(invalid("password"))?))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LoginRequest {
    /// A user name, e-mail address or phone number.
    #[schema(example = "zhang")]
    pub login: String,
    #[schema(example = "correct horse battery")]
    pub password: String,
}

#[derive(Serialize, ToSchema)]
pub struct LoggedInView {
    /// A session token, shown once.
    #[schema(example = "ses-…")]
    pub token: String,
    #[schema(value_type = String, format = DateTime)]
    pub expires_at: DateTime<Utc>,
    pub user: UserView,
}

impl From<LoggedIn> for LoggedInView {
    fn from(opened: LoggedIn) -> Self {
        Self { token: opened.token.expose().to_owned(), expires_at: opened.expires_at, user: opened.user.into() }
    }
}

/// Open a session.
#[utoipa::path(
    tag = "auth",
    security(()),
    request_body = LoginRequest,
    responses(
        (status = 200, body = LoggedInView),
        (status = 401, description = "Wrong, or nobody's.", body = Problem, content_type = "application/problem+json"),
        PublicErrors,
    ),
)]
#[post("/auth/login")]
pub async fn login(
    request: HttpRequest,
    body: Body<LoginRequest>,
    services: web::Data<Arc<Services>>,
) -> ApiResult<web::Json<LoggedInView>> {
    let (LoginRequest { login, password }, ip) = (body.0, client_ip(&request));
    let opened = services.run(move |all| async move { all.identity.log_in(&login, &password, ip).await }).await?;
    Ok(web::Json(opened.into()))
}

/// End the session of the token that is sent.
#[utoipa::path(tag = "auth", responses((status = 204), ReadErrors))]
#[post("/auth/logout")]
pub async fn logout(
    caller: Caller,
    services: web::Data<Arc<Services>>,
    door: web::Data<Doorkeeper>,
) -> ApiResult<HttpResponse> {
    caller.actor().require_session()?;
    services.run(move |all| async move { all.identity.log_out(&caller.token).await }).await?;
    door.known.forget_all();
    Ok(HttpResponse::NoContent().finish())
}
