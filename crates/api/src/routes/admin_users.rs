//! Users and accounts as operators see them.

use super::identity_views::{AccountView, UserView};
use crate::caller::{Caller, Doorkeeper};
use crate::http::answers::{ReadErrors, WriteErrors};
use crate::http::body::Body;
use crate::http::paging::{Listed, PageParams};
use crate::http::params::{Params, path_id};
use crate::http::problem::ApiResult;
use crate::services::Services;
use actix_web::{get, patch, web};
use domain::accounts::{AccountOrder, AccountStatus, UserOrder};
use domain::actor::Role;
use domain::change::Change;
use domain::error::Error;
use domain::identity::UserStatus;
use serde::Deserialize;
use std::sync::Arc;
use utoipa::ToSchema;

/// Fields left out stay as they are.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UserOrderRequest {
    /// `active` or `disabled`; disabling ends the sessions and revokes the keys.
    #[schema(example = "disabled")]
    pub status: Option<String>,
    /// `user`, `admin` or `root`; only a root gives roles.
    pub role: Option<String>,
    #[serde(default)]
    #[schema(value_type = Option<String>, example = "crm-1042")]
    pub external_id: Change<String>,
}

/// Fields left out stay as they are.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AccountOrderRequest {
    /// `active` or `frozen`; a frozen account consumes and orders nothing.
    #[schema(example = "frozen")]
    pub status: Option<String>,
    #[serde(default)]
    #[schema(value_type = Option<String>, example = "crm-1042")]
    pub external_id: Change<String>,
}

/// All users, newest first.
#[utoipa::path(tag = "operators", params(PageParams), responses((status = 200, body = Listed<UserView>), ReadErrors))]
#[get("/admin/users")]
pub async fn list_users(
    caller: Caller,
    query: Params<PageParams>,
    services: web::Data<Arc<Services>>,
) -> ApiResult<web::Json<Listed<UserView>>> {
    let page = services.operators.list_users(caller.actor(), query.0.request()?).await?;
    Ok(web::Json(Listed::of(page, UserView::from)))
}

/// Disable a user, or give a role.
#[utoipa::path(
    tag = "operators",
    request_body = UserOrderRequest,
    responses(
        (status = 200, body = UserView),
        WriteErrors,
    ),
)]
#[patch("/admin/users/{id}")]
pub async fn update_user(
    caller: Caller,
    id: web::Path<String>,
    body: Body<UserOrderRequest>,
    services: web::Data<Arc<Services>>,
    door: web::Data<Doorkeeper>,
) -> ApiResult<web::Json<UserView>> {
    let body = body.0;
    let order = UserOrder {
        status: read(body.status, "status", UserStatus::parse)?,
        role: read(body.role, "role", Role::parse)?,
        external_id: body.external_id,
    };
    let id = path_id(&id, "user")?;
    let user =
        services.run(move |all| async move { all.operators.update_user(caller.actor(), id, order).await }).await?;
    door.known.forget_all();
    Ok(web::Json(user.into()))
}

/// All accounts, newest first.
#[utoipa::path(
    tag = "operators",
    params(PageParams),
    responses((status = 200, body = Listed<AccountView>), ReadErrors),
)]
#[get("/admin/accounts")]
pub async fn list_accounts(
    caller: Caller,
    query: Params<PageParams>,
    services: web::Data<Arc<Services>>,
) -> ApiResult<web::Json<Listed<AccountView>>> {
    let page = services.operators.list_accounts(caller.actor(), query.0.request()?).await?;
    Ok(web::Json(Listed::of(page, |account| AccountView::new(account, services.accounts.currency))))
}

/// Freeze or release an account, or name it as the host product does.
#[utoipa::path(
    tag = "operators",
    request_body = AccountOrderRequest,
    responses(
        (status = 200, body = AccountView),
        WriteErrors,
    ),
)]
#[patch("/admin/accounts/{id}")]
pub async fn order_account(
    caller: Caller,
    id: web::Path<String>,
    body: Body<AccountOrderRequest>,
    services: web::Data<Arc<Services>>,
) -> ApiResult<web::Json<AccountView>> {
    let body = body.0;
    let order =
        AccountOrder { status: read(body.status, "status", AccountStatus::parse)?, external_id: body.external_id };
    let id = path_id(&id, "account")?;
    let account =
        services.run(move |all| async move { all.operators.update_account(caller.actor(), id, order).await }).await?;
    Ok(web::Json(AccountView::new(account, services.accounts.currency)))
}

fn read<T>(text: Option<String>, field: &str, parse: fn(&str) -> Option<T>) -> Result<Option<T>, Error> {
    text.map(|text| parse(&text).ok_or_else(|| Error::invalid(field, "is not one of the known words"))).transpose()
}
