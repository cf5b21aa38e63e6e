//! `POST /usage/batch`: many events, each on its own.

use super::single::UsageBody;
use super::views::UsageView;
use crate::caller::Caller;
use crate::http::answers::WriteErrors;
use crate::http::body::Body;
use crate::http::object::Object;
use crate::http::problem::{ApiError, ApiResult, Problem};
use crate::services::Services;
use actix_web::http::StatusCode;
use actix_web::{HttpResponse, post, web};
use domain::error::{Error, Result};
use domain::metering::{RECEIPT_DELETED, Receipt, UsageReport};
use domain::plans::Catalogue;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::sync::Arc;
use utoipa::ToSchema;

/// Up to 1000 events.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"events": [{"meter": "words", "quantity": 1500, "key": "job-42"}]}))]
pub struct BatchBody {
    /// Each as for `POST /usage`.
    #[schema(value_type = Vec<UsageBody>, min_items = 1, max_items = 1000)]
    pub events: Vec<Value>,
}

/// What became of each event, in the order sent.
#[derive(Debug, Serialize, ToSchema)]
pub struct BatchView {
    pub results: Vec<EventResult>,
}

/// What became of one event.
#[derive(Debug, Serialize, ToSchema)]
pub struct EventResult {
    /// `accepted`, `duplicate`, `refused` or `invalid`. A duplicate whose receipt is no longer kept has a problem
    /// `receipt_deleted` instead of the usage.
    pub status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub usage: Option<UsageView>,
    /// Why not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<Problem>,
}

/// Report many uses at once.
///
/// Events are decided in order, in one transaction, and one that is refused does not touch the others.
#[utoipa::path(
    tag = "usage",
    request_body = BatchBody,
    responses(
        (status = 200, description = "Every event has a result.", body = BatchView),
        WriteErrors,
    )
)]
#[post("/usage/batch")]
pub async fn report_batch(caller: Caller, body: Body<BatchBody>, services: web::Data<Arc<Services>>) -> ApiResult {
    check_size(body.0.events.len(), services.batch_limit)?;
    let reports = body.0.events.into_iter().map(read).collect();
    let results = report_all(&caller, reports, &services).await?;
    Ok(HttpResponse::Ok().json(BatchView { results }))
}

pub fn check_size(events: usize, most: usize) -> ApiResult<()> {
    if (1..=most).contains(&events) {
        Ok(())
    } else {
        Err(ApiError::invalid("events", format!("must have 1 to {most} entries")))
    }
}

fn read(event: Value) -> ApiResult<UsageReport> {
    let body: Object<UsageBody> = serde_path_to_error::deserialize(event).map_err(|error| {
        let path = error.path().to_string();
        ApiError::invalid(if path == "." { "event".to_owned() } else { path }, error.inner().to_string())
    })?;
    body.0.into_report(None)
}

/// Consumes the readable reports together and puts every result in its place.
pub async fn report_all(
    caller: &Caller,
    reports: Vec<ApiResult<UsageReport>>,
    services: &Arc<Services>,
) -> ApiResult<Vec<EventResult>> {
    let mut readable = Vec::with_capacity(reports.len());
    let mut places = Vec::with_capacity(reports.len());
    for report in reports {
        places.push(report.map(|report| readable.push(report)));
    }
    let mut outcomes = services.report(caller.actor(), readable).await?.into_iter();
    let results = places.into_iter().map(|place| match place {
        Ok(()) => {
            outcomes.next().map_or_else(|| rejected(&Error::Unavailable.into()), |o| result(o, &services.catalogue))
        }
        Err(error) => rejected(&error),
    });
    Ok(results.collect())
}

fn result(outcome: Result<Receipt>, catalogue: &Catalogue) -> EventResult {
    match outcome {
        Ok(receipt) => EventResult {
            status: if receipt.duplicate { "duplicate" } else { "accepted" },
            usage: Some(UsageView::of_receipt(&receipt, catalogue)),
            problem: None,
        },
        Err(error) => rejected(&error.into()),
    }
}

fn rejected(error: &ApiError) -> EventResult {
    let (status, problem) = error.problem();
    let status = match status {
        // Counted long ago; the problem says that its receipt is gone.
        StatusCode::CONFLICT if problem.code == RECEIPT_DELETED => "duplicate",
        StatusCode::PAYMENT_REQUIRED => "refused",
        _ => "invalid",
    };
    EventResult { status, usage: None, problem: Some(problem) }
}
