//! `GET /usage` and `GET /usage/summary`.

use super::views::{UsageView, scale_of};
use crate::caller::Caller;
use crate::http::answers::ReadErrors;
use crate::http::paging::{Listed, page_request};
use crate::http::params::Params;
use crate::http::problem::{ApiError, ApiResult};
use crate::http::time::Time;
use crate::services::Services;
use actix_web::{HttpResponse, get, web};
use domain::accounts::{AccountRef, resolve_reader};
use domain::actor::Scope;
use domain::metering::{GroupBy, SummaryRow, UsageFilter};
use domain::money::Money;
use domain::plans::{Catalogue, MeterCode};
use domain::quantity::Quantity;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::{IntoParams, ToSchema};

/// Which rows.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct UsageParams {
    /// The caller's own when left out.
    account: Option<String>,
    meter: Option<String>,
    /// Occurred at or after.
    from: Option<Time>,
    /// Occurred before.
    to: Option<Time>,
    api_key: Option<String>,
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
    cursor: Option<String>,
}

/// List uses, newest first; a plain member of a team sees the own.
#[utoipa::path(
    tag = "usage",
    params(UsageParams),
    responses(
        (status = 200, description = "A page.", body = Listed<UsageView>),
        ReadErrors,
    )
)]
#[get("/usage")]
pub async fn list_usage(caller: Caller, params: Params<UsageParams>, services: web::Data<Arc<Services>>) -> ApiResult {
    let params = params.0;
    let filter = UsageFilter {
        meter: params.meter.as_deref().map(meter_code).transpose()?,
        api_key: params
            .api_key
            .map(|key| key.parse())
            .transpose()
            .map_err(|_| ApiError::invalid("api_key", "is not an id"))?,
        from: params.from.map(|time| time.0),
        to: params.to.map(|time| time.0),
        user: None,
    };
    let page = page_request(params.limit, params.cursor.as_deref())?;
    let which = params.account.as_deref().map(AccountRef::parse).unwrap_or_default();
    let actor = caller.actor().clone();
    let rows = services
        .run(|services| async move {
            actor.require_scope(&Scope::UsageRead)?;
            let (account, user) = resolve_reader(&*services.store, &actor, &which).await?;
            services.metering.list_usage(account.id, &UsageFilter { user, ..filter }, page).await
        })
        .await?;
    Ok(HttpResponse::Ok().json(Listed::of(rows, |row| UsageView::of_record(&row, &services.catalogue))))
}

/// What is summed, and by what.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct SummaryParams {
    account: Option<String>,
    /// `hour`, `day`, `meter`, `model`, `api_key` or `user`; `day` when left out.
    #[param(pattern = "^(hour|day|meter|model|api_key|user)$")]
    group_by: Option<String>,
    from: Option<Time>,
    to: Option<Time>,
}

/// One sum.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"group": "2026-11-21", "meter": "words", "quantity": "1500", "amount": "0.25", "currency": "CNY", "events": 1}))]
pub struct SummaryView {
    /// The hour, day, meter, model or id; empty where none was said.
    group: String,
    meter: String,
    quantity: String,
    amount: String,
    currency: String,
    events: i64,
}

/// Sum up use by hour, day, meter, model, API key or user.
///
/// A plain member of a team sums the own use. Days are those of the billing time zone; by anything but the hour, whole days are summed.
#[utoipa::path(
    tag = "usage",
    params(SummaryParams),
    responses(
        (status = 200, description = "The sums.", body = Listed<SummaryView>),
        ReadErrors,
    )
)]
#[get("/usage/summary")]
pub async fn summarise_usage(
    caller: Caller,
    params: Params<SummaryParams>,
    services: web::Data<Arc<Services>>,
) -> ApiResult {
    let SummaryParams { account, group_by, from, to } = params.0;
    let group_by = GroupBy::parse(group_by.as_deref().unwrap_or("day"))
        .ok_or_else(|| ApiError::invalid("group_by", "must be hour, day, meter, model, api_key or user"))?;
    let (from, to) = (from.map(|time| time.0), to.map(|time| time.0));
    let which = account.as_deref().map(AccountRef::parse).unwrap_or_default();
    let actor = caller.actor().clone();
    let rows = services
        .run(|services| async move {
            actor.require_scope(&Scope::UsageRead)?;
            let (account, user) = resolve_reader(&*services.store, &actor, &which).await?;
            services.metering.summarise((account.id, user), group_by, from, to).await
        })
        .await?;
    let views = rows.into_iter().map(|row| summary_view(row, &services.catalogue)).collect();
    Ok(HttpResponse::Ok().json(Listed::whole(views)))
}

pub fn meter_code(text: &str) -> ApiResult<MeterCode> {
    MeterCode::parse(text).ok_or_else(|| ApiError::invalid("meter", "is not a meter of this server"))
}

fn summary_view(row: SummaryRow, catalogue: &Catalogue) -> SummaryView {
    SummaryView {
        quantity: Quantity::atoms(row.quantity).to_decimal(scale_of(catalogue, &row.meter)),
        meter: row.meter.to_string(),
        group: row.group,
        amount: Money::from_nanos(row.amount_nanos, catalogue.currency).to_decimal(),
        currency: catalogue.currency.to_string(),
        events: row.events,
    }
}
