//! What is counted and what is sold.

use super::plan_views::{MeterView, PlanVersionView, PlanView};
use crate::caller::Caller;
use crate::http::answers::ReadErrors;
use crate::http::paging::Listed;
use crate::http::problem::ApiResult;
use crate::routes::listing::Listing;
use crate::services::Services;
use actix_web::{get, web};
use std::sync::Arc;

pub fn configure(config: &mut impl Listing) {
    config.service(list_plans).service(list_meters).service(list_versions);
}

/// The plans on sale, by code. Needs no token.
#[utoipa::path(tag = "plans", security(()), responses((status = 200, body = Listed<PlanView>)))]
#[get("/plans")]
pub async fn list_plans(services: web::Data<Arc<Services>>) -> web::Json<Listed<PlanView>> {
    let catalogue = &services.catalogue;
    web::Json(Listed::whole(catalogue.plans.values().map(|plan| PlanView::new(plan, catalogue)).collect()))
}

/// The meters, by code. Needs no token.
#[utoipa::path(tag = "plans", security(()), responses((status = 200, body = Listed<MeterView>)))]
#[get("/meters")]
pub async fn list_meters(services: web::Data<Arc<Services>>) -> web::Json<Listed<MeterView>> {
    web::Json(Listed::whole(services.catalogue.meters.values().map(MeterView::from).collect()))
}

/// Every version of every plan, by plan and number.
#[utoipa::path(tag = "operators", responses((status = 200, body = Listed<PlanVersionView>), ReadErrors))]
#[get("/admin/plans")]
pub async fn list_versions(
    caller: Caller,
    services: web::Data<Arc<Services>>,
) -> ApiResult<web::Json<Listed<PlanVersionView>>> {
    let versions = services.plans.versions(caller.actor()).await?;
    let shown = versions.iter().map(|version| PlanVersionView::new(version, &services.catalogue)).collect();
    Ok(web::Json(Listed::whole(shown)))
}
