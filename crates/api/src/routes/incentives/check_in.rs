//! `/check-in`: once per local day.

use super::views::RewardView;
use crate::caller::Caller;
use crate::http::answers::{ChangeErrors, ReadErrors};
use crate::http::problem::ApiResult;
use crate::http::time;
use crate::services::Services;
use actix_web::http::StatusCode;
use actix_web::{HttpResponse, get, post, web};
use domain::incentives::CheckIn;
use domain::plans::Catalogue;
use serde::Serialize;
use std::sync::Arc;
use utoipa::ToSchema;

/// A day on which somebody checked in.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "day": "2026-11-21", "streak": 4, "value": {"meter": "words", "quantity": "500"}, "checked_in_at": "2026-11-21T08:00:00Z"
}))]
pub struct CheckInView {
    /// In the billing time zone.
    day: String,
    /// Days on end, this one included.
    streak: u32,
    value: RewardView,
    checked_in_at: String,
}

impl CheckInView {
    fn of(check_in: &CheckIn, catalogue: &Catalogue) -> Self {
        Self {
            day: check_in.day.to_string(),
            streak: check_in.streak,
            value: RewardView::of(&check_in.reward, catalogue),
            checked_in_at: time::text(check_in.checked_in_at),
        }
    }
}

/// Check in for today.
///
/// The first call of a day is 201, the others are 200 with the same answer. 409 `check_in_closed` where nothing is given.
#[utoipa::path(
    tag = "incentives",
    responses(
        (status = 201, description = "Credited.", body = CheckInView),
        (status = 200, description = "Had been credited today.", body = CheckInView),
        ReadErrors, ChangeErrors
    )
)]
#[post("/check-in")]
pub async fn check_in_today(caller: Caller, services: web::Data<Arc<Services>>) -> ApiResult<HttpResponse> {
    let check_in = move |all: Arc<Services>| async move { all.check_ins.check_in(caller.actor()).await };
    let (check_in, first) = services.run(check_in).await?;
    let status = if first { StatusCode::CREATED } else { StatusCode::OK };
    Ok(HttpResponse::build(status).json(CheckInView::of(&check_in, &services.catalogue)))
}

/// How the caller stands today.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "day": "2026-11-21", "streak": 3, "today": null, "least": {"amount": "0.10", "currency": "CNY"},
    "most": {"amount": "0.50", "currency": "CNY"}
}))]
pub struct CheckInStanding {
    day: String,
    /// Days on end up to yesterday, and today once it is done.
    streak: u32,
    /// Today's check-in; null when it is still to be had.
    today: Option<CheckInView>,
    /// The least a day is worth; null where nothing is given.
    least: Option<RewardView>,
    most: Option<RewardView>,
}

/// Whether the caller checked in today, and how many days on end.
#[utoipa::path(tag = "incentives", responses((status = 200, body = CheckInStanding), ReadErrors))]
#[get("/check-in")]
pub async fn get_check_in(caller: Caller, services: web::Data<Arc<Services>>) -> ApiResult<web::Json<CheckInStanding>> {
    let view = services.check_ins.view(caller.actor()).await?;
    let (catalogue, terms) = (&services.catalogue, services.check_ins.terms.as_ref());
    Ok(web::Json(CheckInStanding {
        day: view.day.to_string(),
        streak: view.streak,
        today: view.today.as_ref().map(|today| CheckInView::of(today, catalogue)),
        least: terms.map(|terms| RewardView::of(&terms.least, catalogue)),
        most: terms.map(|terms| RewardView::of(&terms.most, catalogue)),
    }))
}
