//! `POST /usage`: one event.

use super::views::UsageView;
use crate::caller::Caller;
use crate::http::amount::DecimalText;
use crate::http::answers::WriteErrors;
use crate::http::body::Body;
use crate::http::idempotency;
use crate::http::problem::{ApiError, ApiResult, Problem};
use crate::http::time::Time;
use crate::services::Services;
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, post, web};
use domain::accounts::AccountRef;
use domain::id::UserId;
use domain::metering::UsageReport;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::sync::Arc;
use utoipa::ToSchema;

/// One use of one meter.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"meter": "words", "quantity": 1500, "key": "job-42", "dimensions": {"model": "gpt-4o"}}))]
pub struct UsageBody {
    pub meter: String,
    /// In the meter's unit; a gauge is released with a negative one.
    pub quantity: DecimalText,
    /// Your name for this use, unique for the account; may come as the `Idempotency-Key` header instead.
    #[schema(max_length = 255)]
    pub key: Option<String>,
    /// Up to 35 days back and 5 minutes ahead; now when left out.
    pub occurred_at: Option<Time>,
    /// Labels; `model` appears in the statistics.
    #[serde(default)]
    pub dimensions: BTreeMap<String, String>,
    /// An account id, or for service keys also your own id of the account.
    pub account: Option<String>,
    /// Who used it; for service keys, which must say so on a team's account.
    #[schema(value_type = Option<String>)]
    pub user: Option<UserId>,
}

impl UsageBody {
    /// The report; `key` is of the header when the body has none.
    pub fn into_report(self, key: Option<String>) -> ApiResult<UsageReport> {
        Ok(UsageReport {
            meter: self.meter,
            quantity: self.quantity.0,
            key: self.key.or(key).ok_or_else(key_missing)?,
            occurred_at: self.occurred_at.map(|time| time.0),
            dimensions: self.dimensions,
            account: self.account.as_deref().map(AccountRef::parse).unwrap_or_default(),
            user: self.user,
        })
    }
}

pub fn key_missing() -> ApiError {
    let detail = "Name the use with `key` or an Idempotency-Key header, so that repeating it is safe.";
    ApiError::plain(StatusCode::BAD_REQUEST, "idempotency_key_missing", detail)
}

/// Report one use.
///
/// Checks every limit, draws the funds, records and warns in one transaction. Repeating a key answers the
/// first receipt; 409 `receipt_deleted` when that is past its retention. A key never counts twice.
#[utoipa::path(
    tag = "usage",
    params(("Idempotency-Key" = Option<String>, Header, description = "Instead of `key`.")),
    request_body = UsageBody,
    responses(
        (status = 201, description = "Recorded.", body = UsageView),
        (status = 200, description = "Recorded before under the same key.", body = UsageView),
        (status = 402, description = "Refused by a limit, which is named.", body = Problem, content_type = "application/problem+json"),
        WriteErrors,
    )
)]
#[post("/usage")]
pub async fn report_usage(
    caller: Caller,
    request: HttpRequest,
    body: Body<UsageBody>,
    services: web::Data<Arc<Services>>,
) -> ApiResult {
    let report = body.0.into_report(idempotency::header(&request)?)?;
    let mut outcomes = services.report(caller.actor(), vec![report]).await?;
    let receipt = outcomes.pop().ok_or(domain::error::Error::Unavailable)??;
    let mut response = if receipt.duplicate { HttpResponse::Ok() } else { HttpResponse::Created() };
    Ok(response.json(UsageView::of_receipt(&receipt, &services.catalogue)))
}
