//! `/admin/redemption-batches/{id}/codes`: the codes of a batch, and their export.

use super::batches::{EnabledBody, EnabledView};
use crate::caller::Caller;
use crate::http::answers::{ReadErrors, WriteErrors};
use crate::http::body::Body;
use crate::http::csv;
use crate::http::paging::{Listed, PageParams};
use crate::http::params::{Params, path_id};
use crate::http::problem::ApiResult;
use crate::http::time;
use crate::services::Services;
use actix_web::{HttpResponse, get, patch, web};
use domain::id::{RedemptionBatchId, RedemptionCodeId};
use domain::incentives::{ExportedCode, RedemptionCode};
use serde::Serialize;
use std::sync::Arc;
use utoipa::ToSchema;

/// A code without its text.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "id": "rdc_0198a6f0c1d27d3e8b3f6a5c4d3e2f14", "hint": "7K3M9", "used": 0, "max_uses": 1, "enabled": true,
    "created_at": "2026-11-21T08:00:00Z"
}))]
pub struct RedemptionCodeView {
    id: String,
    /// Its first characters.
    hint: String,
    used: i64,
    max_uses: i64,
    enabled: bool,
    created_at: String,
}

impl From<RedemptionCode> for RedemptionCodeView {
    fn from(code: RedemptionCode) -> Self {
        Self {
            id: code.id.to_string(),
            hint: code.hint,
            used: code.used,
            max_uses: code.max_uses,
            enabled: code.enabled,
            created_at: time::text(code.created_at),
        }
    }
}

/// The codes of a batch, newest first, without their texts.
#[utoipa::path(
    tag = "operators",
    params(("id" = String, Path), PageParams),
    responses((status = 200, description = "A page.", body = Listed<RedemptionCodeView>), ReadErrors)
)]
#[get("/admin/redemption-batches/{id}/codes")]
pub async fn list_redemption_codes(
    caller: Caller,
    id: web::Path<String>,
    page: Params<PageParams>,
    services: web::Data<Arc<Services>>,
) -> ApiResult<web::Json<Listed<RedemptionCodeView>>> {
    caller.actor().require_admin()?;
    let id: RedemptionBatchId = path_id(&id, "batch")?;
    let page = services.redemptions.codes(caller.actor(), id, page.0.request()?).await?;
    Ok(web::Json(Listed::of(page, RedemptionCodeView::from)))
}

/// Disable or enable one code.
#[utoipa::path(
    tag = "operators",
    params(("id" = String, Path), ("code" = String, Path)),
    request_body = EnabledBody,
    responses((status = 200, body = EnabledView), WriteErrors)
)]
#[patch("/admin/redemption-batches/{id}/codes/{code}")]
pub async fn update_redemption_code(
    caller: Caller,
    path: web::Path<(String, String)>,
    body: Body<EnabledBody>,
    services: web::Data<Arc<Services>>,
) -> ApiResult<web::Json<EnabledView>> {
    caller.actor().require_admin()?;
    let id: RedemptionBatchId = path_id(&path.0, "batch")?;
    let code: RedemptionCodeId = path_id(&path.1, "code")?;
    let enabled = body.0.enabled;
    let set = move |all: Arc<Services>| async move {
        all.redemptions.set_enabled(caller.actor(), (id, Some(code)), enabled).await
    };
    Ok(web::Json(EnabledView::new(enabled, services.run(set).await?)))
}

/// All codes of a batch in clear, as CSV. It is written down who had them.
#[utoipa::path(
    tag = "operators",
    params(("id" = String, Path)),
    responses((status = 200, description = "code, hint, used, max_uses, enabled.", body = String, content_type = "text/csv"), ReadErrors)
)]
#[get("/admin/redemption-batches/{id}/codes.csv")]
pub async fn export_redemption_codes(
    caller: Caller,
    id: web::Path<String>,
    services: web::Data<Arc<Services>>,
) -> ApiResult<HttpResponse> {
    caller.actor().require_admin()?;
    let id: RedemptionBatchId = path_id(&id, "batch")?;
    let export = move |all: Arc<Services>| async move { all.redemptions.export(caller.actor(), id).await };
    let rows: Vec<CodeRow> = services.run(export).await?.iter().map(CodeRow::from).collect();
    csv::file(&id.to_string(), &rows)
}

/// A code in clear. No cell begins with what a spreadsheet takes for a formula: letters and digits only.
#[derive(Default, Serialize)]
struct CodeRow {
    code: String,
    hint: String,
    used: i64,
    max_uses: i64,
    enabled: bool,
}

impl From<&ExportedCode> for CodeRow {
    fn from(ExportedCode { text, code }: &ExportedCode) -> Self {
        Self {
            code: text.expose(),
            hint: code.hint.clone(),
            used: code.used,
            max_uses: code.max_uses,
            enabled: code.enabled,
        }
    }
}
