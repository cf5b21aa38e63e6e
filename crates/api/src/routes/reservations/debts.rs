//! `GET /debts`: what was used beyond reservations and refused.

use crate::caller::Caller;
use crate::http::answers::ReadErrors;
use crate::http::paging::{Listed, page_request};
use crate::http::params::Params;
use crate::http::problem::ApiResult;
use crate::http::time;
use crate::routes::usage::scale_of;
use crate::services::Services;
use actix_web::{HttpResponse, get, web};
use domain::accounts::{AccountRef, resolve};
use domain::actor::Scope;
use domain::error::LimitKind;
use domain::metering::Debt;
use domain::plans::Catalogue;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::{IntoParams, ToSchema};

/// Which debts.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct DebtParams {
    /// The caller's own when left out.
    account: Option<String>,
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
    cursor: Option<String>,
}

/// A quantity that was used and that no limit allowed.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "id": "dbt_0198a6f0c1d27d3e8b3f6a5c4d3e2f15", "account": "acc_0198a6f0c1d27d3e8b3f6a5c4d3e2f11", "meter": "words",
    "quantity": "500", "refused_by": "plan_allowance", "reservation": "rsv_0198a6f0c1d27d3e8b3f6a5c4d3e2f14",
    "usage": "use_0198a6f0c1d27d3e8b3f6a5c4d3e2f10", "period_start": "2026-11-20T16:00:00Z",
    "created_at": "2026-11-21T08:00:00Z"
}))]
pub struct DebtView {
    id: String,
    account: String,
    meter: String,
    quantity: String,
    /// The limit that refused it; null when it was too large to be counted.
    refused_by: Option<&'static str>,
    /// Whose capture left it.
    reservation: String,
    /// The use that was recorded for what had been held.
    usage: String,
    period_start: String,
    created_at: String,
}

impl DebtView {
    pub fn of(debt: &Debt, catalogue: &Catalogue) -> Self {
        Self {
            id: debt.id.to_string(),
            account: debt.account.to_string(),
            meter: debt.meter.to_string(),
            quantity: debt.quantity.to_decimal(scale_of(catalogue, &debt.meter)),
            refused_by: debt.refused_by.map(LimitKind::name),
            reservation: debt.reservation.to_string(),
            usage: debt.usage.to_string(),
            period_start: time::text(debt.period_start),
            created_at: time::text(debt.created_at),
        }
    }
}

/// List the account's debts, newest first.
#[utoipa::path(
    tag = "reservations",
    params(DebtParams),
    responses((status = 200, description = "A page.", body = Listed<DebtView>), ReadErrors)
)]
#[get("/debts")]
pub async fn list_debts(caller: Caller, params: Params<DebtParams>, services: web::Data<Arc<Services>>) -> ApiResult {
    let DebtParams { account, limit, cursor } = params.0;
    let page = page_request(limit, cursor.as_deref())?;
    let which = account.as_deref().map(AccountRef::parse).unwrap_or_default();
    let actor = caller.actor().clone();
    let rows = services
        .run(|services| async move {
            actor.require_scope(&Scope::UsageRead)?;
            let account = resolve(&*services.store, &actor, &which).await?;
            services.metering.list_debts(account.id, page).await
        })
        .await?;
    Ok(HttpResponse::Ok().json(Listed::of(rows, |debt| DebtView::of(&debt, &services.catalogue))))
}
