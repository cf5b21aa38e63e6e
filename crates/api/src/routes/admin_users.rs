//! Users and accounts as operators see them.

use super::identity_views::{AccountView, UserView};
use crate::caller::{Caller, Doorkeeper};
use crate::http::answers::{ReadErrors, WriteErrors};
use crate::http::body::Body;
use crate::http::paging::{Listed, page_request};
use crate::http::params::{Params, path_id};
use crate::http::problem::ApiResult;
use crate::services::Services;
use actix_web::{get, patch, web};
use domain::accounts::{AccountOrder, AccountSearch, AccountStatus, UserOrder};
use domain::actor::Role;
use domain::change::Change;
use domain::error::Error;
use domain::identity::{UserSearch, UserStatus};
use serde::Deserialize;
use std::sync::Arc;
use utoipa::{IntoParams, ToSchema};

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

/// Which users; at most one of the names.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct UserParams {
    /// Rows on the page, 1 to 200; 50 when left out.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
    /// How the user name begins.
    username: Option<String>,
    /// How the e-mail address begins.
    email: Option<String>,
    /// How the phone number begins.
    phone: Option<String>,
    /// How the host product's id begins.
    external_id: Option<String>,
    /// How the id begins: `usr_0198`.
    id: Option<String>,
}

impl UserParams {
    fn search(&self) -> Result<Option<UserSearch>, Error> {
        only_one([
            self.username.as_deref().map(UserSearch::username),
            self.email.as_deref().map(UserSearch::email),
            self.phone.as_deref().map(UserSearch::phone),
            self.external_id.as_deref().map(UserSearch::external_id),
            self.id.as_deref().map(UserSearch::id),
        ])
    }
}

/// Which accounts; at most one of the names.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct AccountParams {
    /// Rows on the page, 1 to 200; 50 when left out.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
    /// How the name begins, letter for letter.
    name: Option<String>,
    /// How the host product's id begins.
    external_id: Option<String>,
    /// How the id begins: `acc_0198`.
    id: Option<String>,
    /// The id of the owner.
    owner: Option<String>,
}

impl AccountParams {
    fn search(&self) -> Result<Option<AccountSearch>, Error> {
        let owner = |text: &str| {
            let owner = text.parse().map(AccountSearch::Owner);
            owner.map_err(|_| Error::invalid("owner", "is not the id of a user"))
        };
        only_one([
            self.name.as_deref().map(AccountSearch::name),
            self.external_id.as_deref().map(AccountSearch::external_id),
            self.id.as_deref().map(AccountSearch::id),
            self.owner.as_deref().map(owner),
        ])
    }
}

/// Each search walks one index in its own order, so two at once would be neither.
fn only_one<T>(searches: impl IntoIterator<Item = Option<Result<T, Error>>>) -> Result<Option<T>, Error> {
    let mut given = searches.into_iter().flatten();
    let first = given.next().transpose()?;
    if given.next().is_some() { Err(Error::invalid("query", "may search by one thing at a time")) } else { Ok(first) }
}

/// All users, newest first; or those whose name begins so, in the order of that name.
#[utoipa::path(tag = "operators", params(UserParams), responses((status = 200, body = Listed<UserView>), ReadErrors))]
#[get("/admin/users")]
pub async fn list_users(
    caller: Caller,
    query: Params<UserParams>,
    services: web::Data<Arc<Services>>,
) -> ApiResult<web::Json<Listed<UserView>>> {
    caller.actor().require_admin()?;
    let page = page_request(query.0.limit, query.0.cursor.as_deref())?;
    let page = services.operators.list_users(caller.actor(), query.0.search()?.as_ref(), page).await?;
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

/// All accounts, newest first; or those whose name begins so, in the order of that name.
#[utoipa::path(
    tag = "operators",
    params(AccountParams),
    responses((status = 200, body = Listed<AccountView>), ReadErrors),
)]
#[get("/admin/accounts")]
pub async fn list_accounts(
    caller: Caller,
    query: Params<AccountParams>,
    services: web::Data<Arc<Services>>,
) -> ApiResult<web::Json<Listed<AccountView>>> {
    caller.actor().require_admin()?;
    let page = page_request(query.0.limit, query.0.cursor.as_deref())?;
    let page = services.operators.list_accounts(caller.actor(), query.0.search()?.as_ref(), page).await?;
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
