//! `/notices`: what happened to an account, read or not.

use super::views::{NoticeView, ReadAllView};
use crate::caller::Caller;
use crate::http::answers::ReadErrors;
use crate::http::paging::{Listed, page_request};
use crate::http::params::{Params, path_id};
use crate::http::problem::ApiResult;
use crate::services::Services;
use actix_web::{get, post, web};
use domain::accounts::AccountRef;
use domain::id::NoticeId;
use serde::Deserialize;
use std::sync::Arc;
use utoipa::IntoParams;

/// Which notices.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct NoticesParams {
    /// An account's id or external id; the caller's own when left out.
    account: Option<String>,
    /// true: only those that nobody read.
    unread: Option<bool>,
    /// Rows on the page, 1 to 200; 50 when left out.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// Whose notices.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct OfAccount {
    /// An account's id or external id; the caller's own when left out.
    account: Option<String>,
}

impl OfAccount {
    fn which(&self) -> AccountRef {
        self.account.as_deref().map(AccountRef::parse).unwrap_or_default()
    }
}

/// List an account's notices, latest first.
#[utoipa::path(
    tag = "notices",
    params(NoticesParams),
    responses((status = 200, description = "A page.", body = Listed<NoticeView>), ReadErrors)
)]
#[get("/notices")]
pub async fn list_notices(
    caller: Caller,
    query: Params<NoticesParams>,
    services: web::Data<Arc<Services>>,
) -> ApiResult<web::Json<Listed<NoticeView>>> {
    let query = query.0;
    let page = page_request(query.limit, query.cursor.as_deref())?;
    let which = OfAccount { account: query.account }.which();
    let found = services.notices.list(caller.actor(), &which, query.unread.unwrap_or(false), page).await?;
    Ok(web::Json(Listed::of(found, NoticeView::from)))
}

/// Mark a notice as read, for everybody who shares the account.
#[utoipa::path(
    tag = "notices",
    params(("id" = String, Path), OfAccount),
    responses((status = 200, description = "As it is now.", body = NoticeView), ReadErrors)
)]
#[post("/notices/{id}/read")]
pub async fn read_notice(
    caller: Caller,
    id: web::Path<String>,
    query: Params<OfAccount>,
    services: web::Data<Arc<Services>>,
) -> ApiResult<web::Json<NoticeView>> {
    let id: NoticeId = path_id(&id, "notice")?;
    let which = query.0.which();
    let notice = services.run(move |all| async move { all.notices.read(caller.actor(), &which, id).await }).await?;
    Ok(web::Json(notice.into()))
}

/// Mark all notices of an account as read.
#[utoipa::path(
    tag = "notices",
    params(OfAccount),
    responses((status = 200, description = "How many were not read before.", body = ReadAllView), ReadErrors)
)]
#[post("/notices/read-all")]
pub async fn read_all_notices(
    caller: Caller,
    query: Params<OfAccount>,
    services: web::Data<Arc<Services>>,
) -> ApiResult<web::Json<ReadAllView>> {
    let which = query.0.which();
    let read = services.run(move |all| async move { all.notices.read_all(caller.actor(), &which).await }).await?;
    Ok(web::Json(ReadAllView { read }))
}
