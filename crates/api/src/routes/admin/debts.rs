//! `GET /admin/debts`: what all accounts used beyond their reservations.

use crate::caller::Caller;
use crate::http::answers::ReadErrors;
use crate::http::paging::{Listed, PageParams};
use crate::http::params::Params;
use crate::http::problem::ApiResult;
use crate::routes::reservations::DebtView;
use crate::services::Services;
use actix_web::{HttpResponse, get, web};
use std::sync::Arc;

/// List the debts of all accounts, newest first.
#[utoipa::path(
    tag = "operators",
    params(PageParams),
    responses((status = 200, description = "A page.", body = Listed<DebtView>), ReadErrors)
)]
#[get("/admin/debts")]
pub async fn list_all_debts(caller: Caller, page: Params<PageParams>, services: web::Data<Arc<Services>>) -> ApiResult {
    let actor = caller.actor().clone();
    actor.require_admin()?;
    let page = page.0.request()?;
    let debts = services.run(|services| async move { services.metering.list_all_debts(&actor, page).await }).await?;
    Ok(HttpResponse::Ok().json(Listed::of(debts, |debt| DebtView::of(&debt, &services.catalogue))))
}
