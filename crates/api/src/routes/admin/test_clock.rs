//! `POST /admin/test-clock/advance`: next month today. Only when `clock.test` is true.

use crate::caller::Caller;
use crate::http::answers::WriteErrors;
use crate::http::body::Body;
use crate::http::problem::ApiResult;
use crate::http::time::{self, Time};
use crate::loops;
use crate::services::Services;
use actix_web::{HttpResponse, post, web};
use domain::error::Error;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;

/// Where to move the clock.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"to": "2026-12-21T00:00:00Z"}))]
pub struct AdvanceBody {
    /// Later than the clock's time.
    to: Time,
}

/// What the clock says.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"now": "2026-12-21T00:00:00Z"}))]
pub struct ClockView {
    now: String,
}

/// Move the test clock ahead. Background work of the new time is done before the answer: periods, bills, payments.
#[utoipa::path(
    tag = "operators",
    request_body = AdvanceBody,
    responses((status = 200, description = "Moved.", body = ClockView), WriteErrors)
)]
#[post("/admin/test-clock/advance")]
pub async fn advance_test_clock(
    caller: Caller,
    body: Body<AdvanceBody>,
    services: web::Data<Arc<Services>>,
) -> ApiResult {
    let actor = caller.actor().clone();
    actor.require_admin()?;
    let to = body.0.to.0;
    services
        .run(move |services| async move {
            let clock = services.test_clock.clone().ok_or(Error::NotFound("test clock"))?;
            loops::advance_clock(&services, &actor, &clock, to).await
        })
        .await?;
    Ok(HttpResponse::Ok().json(ClockView { now: time::text(services.clock.now()) }))
}
