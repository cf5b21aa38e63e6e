//! One's own profile.

use super::identity_views::UserView;
use crate::caller::{Caller, Doorkeeper};
use crate::http::answers::{ReadErrors, WriteErrors};
use crate::http::body::Body;
use crate::http::problem::ApiResult;
use crate::services::Services;
use actix_web::{get, patch, web};
use domain::change::Change;
use domain::error::Error;
use domain::identity::{Password, PasswordChange, ProfileChange};
use serde::Deserialize;
use serde_json::Value;
use std::sync::Arc;
use utoipa::ToSchema;

/// Fields left out stay as they are.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ProfileRequest {
    #[schema(example = "张小三")]
    pub display_name: Option<String>,
    #[serde(default)]
    #[schema(value_type = Option<String>, example = "https://cdn.example.cn/zhang.png")]
    pub avatar_url: Change<String>,
    /// Replaces all settings.
    #[schema(value_type = Option<Object>)]
    pub settings: Option<Value>,
    /// A new password; needs `old_password` and ends all other sessions.
    pub password: Option<String>,
    pub old_password: Option<String>,
}

/// Who am I?
#[utoipa::path(tag = "me", responses((status = 200, body = UserView), ReadErrors))]
#[get("/me")]
pub async fn get_me(caller: Caller, services: web::Data<Arc<Services>>) -> ApiResult<web::Json<UserView>> {
    Ok(web::Json(services.identity.me(&caller.authenticated).await?.into()))
}

/// Change one's profile or password.
#[utoipa::path(
    tag = "me",
    request_body = ProfileRequest,
    responses((status = 200, body = UserView), WriteErrors),
)]
#[patch("/me")]
pub async fn update_me(
    caller: Caller,
    body: Body<ProfileRequest>,
    services: web::Data<Arc<Services>>,
    door: web::Data<Doorkeeper>,
) -> ApiResult<web::Json<UserView>> {
    let body = body.0;
    let change = ProfileChange {
        display_name: body.display_name,
        avatar_url: body.avatar_url,
        settings: body.settings,
        password: password_change(body.old_password, body.password)?,
    };
    let user =
        services.run(move |all| async move { all.identity.update_me(&caller.authenticated, change).await }).await?;
    door.known.forget_all();
    Ok(web::Json(user.into()))
}

fn password_change(old: Option<String>, new: Option<String>) -> Result<Option<PasswordChange>, Error> {
    match (old, new) {
        (None, None) => Ok(None),
        (Some(old), Some(new)) => {
            let new = Password::choose(&new).map_err(|reason| Error::invalid("password", reason))?;
            Ok(Some(PasswordChange { old: Password::presented(&old), new }))
        }
        (None, Some(_)) => Err(Error::invalid("old_password", "is needed to change the password")),
        (Some(_), None) => Err(Error::invalid("password", "is missing")),
    }
}
