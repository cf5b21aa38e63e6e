//! `GET /reservations` and `GET /reservations/{id}`.

use super::views::ReservationView;
use crate::caller::Caller;
use crate::http::answers::ReadErrors;
use crate::http::paging::{Listed, page_request};
use crate::http::params::{Params, path_id};
use crate::http::problem::{ApiError, ApiResult};
use crate::routes::usage::meter_code;
use crate::services::Services;
use actix_web::{HttpResponse, get, web};
use domain::accounts::AccountRef;
use domain::metering::{ReservationFilter, ReservationStatus};
use serde::Deserialize;
use std::sync::Arc;
use utoipa::IntoParams;

/// Which reservations.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ReservationParams {
    /// The caller's own when left out.
    account: Option<String>,
    #[param(pattern = "^(open|captured|released|expired)$")]
    status: Option<String>,
    meter: Option<String>,
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
    cursor: Option<String>,
}

impl ReservationParams {
    fn filter(&self) -> ApiResult<ReservationFilter> {
        let unknown = || ApiError::invalid("status", "must be open, captured, released or expired");
        let status = self.status.as_deref().map(|name| ReservationStatus::parse(name).ok_or_else(unknown));
        let meter = self.meter.as_deref().map(meter_code).transpose()?;
        Ok(ReservationFilter { status: status.transpose()?, meter, ..ReservationFilter::default() })
    }
}

/// Show one reservation.
#[utoipa::path(
    tag = "reservations",
    params(("id" = String, Path)),
    responses((status = 200, description = "As it is now.", body = ReservationView), ReadErrors)
)]
#[get("/reservations/{id}")]
pub async fn get_reservation(caller: Caller, id: web::Path<String>, services: web::Data<Arc<Services>>) -> ApiResult {
    let id = path_id(&id, "reservation")?;
    let actor = caller.actor().clone();
    let found = services.run(move |services| async move { services.reservation(&actor, id).await }).await?;
    Ok(HttpResponse::Ok().json(ReservationView::of(&found, &services.catalogue)))
}

/// List reservations, newest first. Plain members of a team see their own.
#[utoipa::path(
    tag = "reservations",
    params(ReservationParams),
    responses((status = 200, description = "A page.", body = Listed<ReservationView>), ReadErrors)
)]
#[get("/reservations")]
pub async fn list_reservations(
    caller: Caller,
    params: Params<ReservationParams>,
    services: web::Data<Arc<Services>>,
) -> ApiResult {
    let params = params.0;
    let filter = params.filter()?;
    let page = page_request(params.limit, params.cursor.as_deref())?;
    let which = params.account.as_deref().map(AccountRef::parse).unwrap_or_default();
    let actor = caller.actor().clone();
    let rows = services
        .run(|services| async move { services.metering.list_reservations(&actor, &which, filter, page).await })
        .await?;
    Ok(HttpResponse::Ok().json(Listed::of(rows, |row| ReservationView::of(&row, &services.catalogue))))
}
