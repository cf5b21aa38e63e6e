//! `/admin/redemption-batches`: codes that operators make together.

use super::views::{RewardBody, RewardView};
use crate::caller::Caller;
use crate::http::answers::{ReadErrors, WriteErrors};
use crate::http::body::Body;
use crate::http::idempotency;
use crate::http::paging::{Listed, PageParams};
use crate::http::params::{Params, path_id};
use crate::http::problem::ApiResult;
use crate::http::time::{self, Time};
use crate::services::Services;
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, get, patch, post, web};
use domain::id::RedemptionBatchId;
use domain::incentives::{BatchWish, RedemptionBatch, RedemptionUse};
use domain::plans::Catalogue;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;

/// Codes to make.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"name": "Spring", "count": 100, "value": {"meter": "words", "quantity": 50000, "valid_days": 90}}))]
pub struct RedemptionBatchBody {
    /// One line of up to 64 characters.
    name: String,
    #[schema(minimum = 1, maximum = 10000)]
    count: u32,
    value: RewardBody,
    /// How many users may use each code, once each; 1 when left out.
    #[schema(minimum = 1, maximum = 1_000_000_000)]
    max_uses: Option<i64>,
    /// A present rather than something sold.
    gift: Option<bool>,
    valid_from: Option<Time>,
    /// Exclusive.
    valid_until: Option<Time>,
}

impl From<RedemptionBatchBody> for BatchWish {
    fn from(body: RedemptionBatchBody) -> Self {
        Self {
            name: body.name,
            count: body.count,
            reward: body.value.into(),
            max_uses: body.max_uses.unwrap_or(1),
            is_gift: body.gift.unwrap_or(false),
            valid_from: body.valid_from.map(|time| time.0),
            valid_until: body.valid_until.map(|time| time.0),
        }
    }
}

/// A batch of codes of one value.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "id": "rdb_0198a6f0c1d27d3e8b3f6a5c4d3e2f13", "name": "Spring", "count": 100, "value": {"amount": "5.00", "currency": "CNY"},
    "max_uses": 1, "gift": false, "valid_from": null, "valid_until": null, "created_by": "usr_0198c0ffee007000800000000000abcd",
    "created_at": "2026-11-21T08:00:00Z"
}))]
pub struct RedemptionBatchView {
    id: String,
    name: String,
    count: u32,
    value: RewardView,
    max_uses: i64,
    gift: bool,
    valid_from: Option<String>,
    valid_until: Option<String>,
    created_by: String,
    created_at: String,
}

impl RedemptionBatchView {
    fn of(batch: &RedemptionBatch, catalogue: &Catalogue) -> Self {
        Self {
            id: batch.id.to_string(),
            name: batch.name.clone(),
            count: batch.count,
            value: RewardView::of(&batch.reward, catalogue),
            max_uses: batch.max_uses,
            gift: batch.is_gift,
            valid_from: batch.valid_from.map(time::text),
            valid_until: batch.valid_until.map(time::text),
            created_by: batch.created_by.to_string(),
            created_at: time::text(batch.created_at),
        }
    }
}

/// Make codes of one value. The codes themselves are in the export.
#[utoipa::path(
    tag = "operators",
    params(("Idempotency-Key" = String, Header)),
    request_body = RedemptionBatchBody,
    responses((status = 201, description = "Made.", body = RedemptionBatchView), WriteErrors)
)]
#[post("/admin/redemption-batches")]
pub async fn create_redemption_batch(
    caller: Caller,
    request: HttpRequest,
    body: Body<RedemptionBatchBody>,
    services: web::Data<Arc<Services>>,
) -> ApiResult<HttpResponse> {
    caller.actor().require_admin()?;
    let once = idempotency::required(&request, caller.actor().user, "POST /admin/redemption-batches", &body.0)?;
    let wish = BatchWish::from(body.0);
    let use_case = move |all: Arc<Services>| async move { all.redemptions.make(caller.actor(), &wish, &once).await };
    let made = services.run(use_case).await?;
    Ok(idempotency::answer(StatusCode::CREATED, made, |batch| RedemptionBatchView::of(&batch, &services.catalogue)))
}

/// Batches, newest first.
#[utoipa::path(
    tag = "operators",
    params(PageParams),
    responses((status = 200, description = "A page.", body = Listed<RedemptionBatchView>), ReadErrors)
)]
#[get("/admin/redemption-batches")]
pub async fn list_redemption_batches(
    caller: Caller,
    page: Params<PageParams>,
    services: web::Data<Arc<Services>>,
) -> ApiResult<web::Json<Listed<RedemptionBatchView>>> {
    caller.actor().require_admin()?;
    let page = services.redemptions.batches(caller.actor(), page.0.request()?).await?;
    Ok(web::Json(Listed::of(page, |batch| RedemptionBatchView::of(&batch, &services.catalogue))))
}

/// One batch.
#[utoipa::path(
    tag = "operators",
    params(("id" = String, Path)),
    responses((status = 200, body = RedemptionBatchView), ReadErrors)
)]
#[get("/admin/redemption-batches/{id}")]
pub async fn get_redemption_batch(
    caller: Caller,
    id: web::Path<String>,
    services: web::Data<Arc<Services>>,
) -> ApiResult<web::Json<RedemptionBatchView>> {
    caller.actor().require_admin()?;
    let id: RedemptionBatchId = path_id(&id, "batch")?;
    let batch = services.redemptions.batch(caller.actor(), id).await?;
    Ok(web::Json(RedemptionBatchView::of(&batch, &services.catalogue)))
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"enabled": false}))]
pub struct EnabledBody {
    pub(super) enabled: bool,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"enabled": false, "changed": 100}))]
pub struct EnabledView {
    enabled: bool,
    /// Codes that were not so before.
    changed: u64,
}

impl EnabledView {
    pub(super) fn new(enabled: bool, changed: u64) -> Self {
        Self { enabled, changed }
    }
}

/// Disable or enable all codes of a batch.
#[utoipa::path(
    tag = "operators",
    params(("id" = String, Path)),
    request_body = EnabledBody,
    responses((status = 200, body = EnabledView), WriteErrors)
)]
#[patch("/admin/redemption-batches/{id}")]
pub async fn update_redemption_batch(
    caller: Caller,
    id: web::Path<String>,
    body: Body<EnabledBody>,
    services: web::Data<Arc<Services>>,
) -> ApiResult<web::Json<EnabledView>> {
    caller.actor().require_admin()?;
    let id: RedemptionBatchId = path_id(&id, "batch")?;
    let enabled = body.0.enabled;
    let set =
        move |all: Arc<Services>| async move { all.redemptions.set_enabled(caller.actor(), (id, None), enabled).await };
    Ok(web::Json(EnabledView::new(enabled, services.run(set).await?)))
}

/// Who used a code of the batch.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "id": "rdu_0198a6f0c1d27d3e8b3f6a5c4d3e2f13", "code": "rdc_0198a6f0c1d27d3e8b3f6a5c4d3e2f14", "user": "usr_0198c0ffee007000800000000000abcd",
    "account": "acc_0198c0ffee007000800000000000abcd", "redeemed_at": "2026-11-21T08:00:00Z"
}))]
pub struct UseView {
    id: String,
    code: String,
    user: String,
    account: String,
    redeemed_at: String,
}

impl From<RedemptionUse> for UseView {
    fn from(used: RedemptionUse) -> Self {
        Self {
            id: used.id.to_string(),
            code: used.code.to_string(),
            user: used.user.to_string(),
            account: used.account.to_string(),
            redeemed_at: time::text(used.redeemed_at),
        }
    }
}

/// Who used the codes of a batch, newest first.
#[utoipa::path(
    tag = "operators",
    params(("id" = String, Path), PageParams),
    responses((status = 200, description = "A page.", body = Listed<UseView>), ReadErrors)
)]
#[get("/admin/redemption-batches/{id}/uses")]
pub async fn list_redemption_uses(
    caller: Caller,
    id: web::Path<String>,
    page: Params<PageParams>,
    services: web::Data<Arc<Services>>,
) -> ApiResult<web::Json<Listed<UseView>>> {
    caller.actor().require_admin()?;
    let id: RedemptionBatchId = path_id(&id, "batch")?;
    let page = services.redemptions.uses(caller.actor(), id, page.0.request()?).await?;
    Ok(web::Json(Listed::of(page, UseView::from)))
}
