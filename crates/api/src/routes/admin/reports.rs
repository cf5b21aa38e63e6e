//! `/admin/reports`: sums over months, as JSON or as files.

use super::report_views::{
    Named, OverageReportView, ReceivablesView, RefundsView, Report, RevenueView, overage, receivables, refunds, revenue,
};
use crate::caller::Caller;
use crate::http::answers::ReadErrors;
use crate::http::csv;
use crate::http::params::Params;
use crate::http::problem::{ApiError, ApiResult};
use crate::services::Services;
use actix_web::{HttpResponse, get, web};
use domain::billing::{Cell, Months};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::IntoParams;

/// Which months, and as what.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ReportParams {
    /// The first month, such as `2026-01`; a year up to `to` when left out.
    pub from: Option<String>,
    /// The last month; the current one when left out.
    pub to: Option<String>,
    /// `json` (when left out) or `csv`.
    pub format: Option<String>,
}

/// Revenue by month and currency.
#[utoipa::path(
    tag = "operators",
    params(ReportParams),
    responses((status = 200, description = "The report; or a file.", body = Report<RevenueView>), ReadErrors)
)]
#[get("/admin/reports/revenue")]
pub async fn report_revenue(
    caller: Caller,
    query: Params<ReportParams>,
    services: web::Data<Arc<Services>>,
) -> ApiResult {
    let asked = Asked::read(&caller, &query.0, &services)?;
    let rows = services.billing.revenue(caller.actor(), &asked.months).await?;
    let rows = rows.iter().map(|(cell, row)| revenue(asked.named(*cell), row)).collect();
    asked.answer("revenue", rows)
}

/// Overage by month, currency and meter.
#[utoipa::path(
    tag = "operators",
    params(ReportParams),
    responses((status = 200, description = "The report; or a file.", body = Report<OverageReportView>), ReadErrors)
)]
#[get("/admin/reports/overage")]
pub async fn report_overage(
    caller: Caller,
    query: Params<ReportParams>,
    services: web::Data<Arc<Services>>,
) -> ApiResult {
    let asked = Asked::read(&caller, &query.0, &services)?;
    let rows = services.billing.overage(caller.actor(), &asked.months).await?;
    let rows = rows.iter().map(|row| overage(asked.named(row.cell), row, &services)).collect();
    asked.answer("overage", rows)
}

/// What customers owed, by month and currency.
#[utoipa::path(
    tag = "operators",
    params(ReportParams),
    responses((status = 200, description = "The report; or a file.", body = Report<ReceivablesView>), ReadErrors)
)]
#[get("/admin/reports/receivables")]
pub async fn report_receivables(
    caller: Caller,
    query: Params<ReportParams>,
    services: web::Data<Arc<Services>>,
) -> ApiResult {
    let asked = Asked::read(&caller, &query.0, &services)?;
    let rows = services.billing.receivables(caller.actor(), &asked.months).await?;
    let rows = rows.iter().map(|(cell, row)| receivables(asked.named(*cell), row)).collect();
    asked.answer("receivables", rows)
}

/// Refunds by month and currency.
#[utoipa::path(
    tag = "operators",
    params(ReportParams),
    responses((status = 200, description = "The report; or a file.", body = Report<RefundsView>), ReadErrors)
)]
#[get("/admin/reports/refunds")]
pub async fn report_refunds(
    caller: Caller,
    query: Params<ReportParams>,
    services: web::Data<Arc<Services>>,
) -> ApiResult {
    let asked = Asked::read(&caller, &query.0, &services)?;
    let rows = services.billing.refunds(caller.actor(), &asked.months).await?;
    let rows = rows.iter().map(|(cell, row)| refunds(asked.named(*cell), row)).collect();
    asked.answer("refunds", rows)
}

/// What was asked for.
struct Asked {
    months: Months,
    as_file: bool,
    time_zone: String,
}

impl Asked {
    fn read(caller: &Caller, query: &ReportParams, services: &Services) -> ApiResult<Self> {
        caller.actor().require_admin()?;
        let as_file = match query.format.as_deref() {
            None | Some("json") => false,
            Some("csv") => true,
            Some(_) => return Err(ApiError::invalid("format", "must be json or csv")),
        };
        let months = services.billing.months(query.from.as_deref(), query.to.as_deref())?;
        Ok(Self { months, as_file, time_zone: services.catalogue.zone.name().to_owned() })
    }

    fn named(&self, cell: Cell) -> Named {
        Named { month: self.months.label(cell.0), cell }
    }

    fn answer<T: Serialize + Default>(self, name: &str, data: Vec<T>) -> ApiResult {
        let (from, to) = (self.months.label(0), self.months.label(self.months.len() - 1));
        if self.as_file {
            return csv::file(&format!("{name}-{from}-{to}"), &data);
        }
        Ok(HttpResponse::Ok().json(Report { from, to, time_zone: self.time_zone, data }))
    }
}
