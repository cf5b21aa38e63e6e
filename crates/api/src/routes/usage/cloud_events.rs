//! `POST /usage/events`: CloudEvents 1.0, one structured or a JSON batch, as OpenMeter's clients send them.
//!
//! `type` is the meter, `source` and `id` together are the key, `subject` the account, `data.value` the quantity
//! and every other member of `data` a dimension. Source: CloudEvents JSON format 1.0, OpenMeter's ingest API.

use super::batch::{BatchView, check_size, report_all};
use crate::caller::Caller;
use crate::http::amount::DecimalText;
use crate::http::answers::WriteErrors;
use crate::http::body;
use crate::http::object::Object;
use crate::http::problem::{ApiError, ApiResult};
use crate::http::time::Time;
use crate::services::Services;
use actix_web::{HttpRequest, HttpResponse, post, web};
use domain::accounts::AccountRef;
use domain::id::UserId;
use domain::metering::UsageReport;
use serde::Deserialize;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::sync::Arc;
use utoipa::ToSchema;

const STRUCTURED: &str = "application/cloudevents+json";
const BATCH: &str = "application/cloudevents-batch+json";

/// A CloudEvent that reports use. Extension attributes but `user` are not looked at.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(example = json!({
    "specversion": "1.0", "id": "5c10fade", "source": "worker-1", "type": "words", "subject": "acc_0198a6f0c1d27d3e8b3f6a5c4d3e2f11",
    "time": "2026-11-21T08:00:00Z", "data": {"value": 1500, "model": "gpt-4o"}
}))]
pub struct CloudEvent {
    pub specversion: String,
    pub id: String,
    pub source: String,
    /// The meter.
    #[serde(rename = "type")]
    pub kind: String,
    /// The account; the caller's own when left out.
    pub subject: Option<String>,
    pub time: Option<Time>,
    /// Extension attribute: who used it; for service keys.
    #[schema(value_type = Option<String>)]
    pub user: Option<UserId>,
    /// `value` is the quantity, 1 when left out; everything else is a dimension.
    #[serde(default)]
    #[schema(value_type = Object)]
    pub data: Map<String, Value>,
}

/// Report uses as CloudEvents.
#[utoipa::path(
    tag = "usage",
    request_body(content(
        (CloudEvent = "application/cloudevents+json"),
        (Vec<CloudEvent> = "application/cloudevents-batch+json"),
    )),
    responses(
        (status = 200, description = "Every event has a result.", body = BatchView),
        WriteErrors,
    )
)]
#[post("/usage/events")]
pub async fn report_cloud_events(
    caller: Caller,
    request: HttpRequest,
    payload: web::Payload,
    services: web::Data<Arc<Services>>,
) -> ApiResult {
    let bytes = body::read(&request, payload.into_inner(), &[STRUCTURED, BATCH, "application/json"]).await?;
    let events = match body::parse::<Value>(&bytes)? {
        Value::Array(events) => events,
        event => vec![event],
    };
    check_size(events.len(), services.batch_limit)?;
    let reports = events.into_iter().map(read).collect();
    let results = report_all(&caller, reports, &services).await?;
    Ok(HttpResponse::Ok().json(BatchView { results }))
}

fn read(event: Value) -> ApiResult<UsageReport> {
    let Object(mut event): Object<CloudEvent> = serde_path_to_error::deserialize(event).map_err(|error| {
        let path = error.path().to_string();
        ApiError::invalid(if path == "." { "event".to_owned() } else { path }, error.inner().to_string())
    })?;
    if event.specversion != "1.0" {
        return Err(ApiError::invalid("specversion", "must be \"1.0\""));
    }
    if event.id.is_empty() || event.source.is_empty() {
        return Err(ApiError::invalid("id", "and `source` must not be empty"));
    }
    let quantity = match event.data.remove("value") {
        None => "1".to_owned(),
        Some(value) => {
            serde_json::from_value::<DecimalText>(value)
                .map_err(|error| ApiError::invalid("data.value", error.to_string()))?
                .0
        }
    };
    Ok(UsageReport {
        meter: event.kind,
        quantity,
        key: key(&event.source, &event.id),
        occurred_at: event.time.map(|time| time.0),
        dimensions: dimensions(event.data)?,
        account: event.subject.as_deref().map(AccountRef::parse).unwrap_or_default(),
        user: event.user,
    })
}

/// `source` and `id` as one key; the length keeps `a` + `b/c` apart from `a/b` + `c`.
fn key(source: &str, id: &str) -> String {
    format!("{}:{source}/{id}", source.len())
}

fn dimensions(data: Map<String, Value>) -> ApiResult<BTreeMap<String, String>> {
    data.into_iter()
        .map(|(name, value)| match value {
            Value::String(text) => Ok((name, text)),
            Value::Number(number) => Ok((name, number.to_string())),
            Value::Bool(flag) => Ok((name, flag.to_string())),
            _ => Err(ApiError::invalid(format!("data.{name}"), "must be a string, number or boolean")),
        })
        .collect()
}
