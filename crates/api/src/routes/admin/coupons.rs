//! `/admin/coupons`: codes that take something off the bill of a plan.

use crate::caller::Caller;
use crate::http::amount::DecimalText;
use crate::http::answers::{ReadErrors, WriteErrors};
use crate::http::body::Body;
use crate::http::paging::{Listed, PageParams};
use crate::http::params::{Params, path_id};
use crate::http::problem::ApiResult;
use crate::http::time::{self, Time};
use crate::services::Services;
use actix_web::{HttpResponse, delete, get, post, web};
use domain::billing::{Coupon, CouponWish, Reduction};
use domain::id::CouponId;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;

/// A coupon to make: `percent` or `amount`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"code": "SPRING-26", "percent": 20, "max_uses": 100, "plan": "professional"}))]
pub struct CouponBody {
    /// 1 to 32 of A-Z, 0-9, `-` and `_`.
    code: String,
    #[schema(minimum = 1, maximum = 100)]
    percent: Option<u8>,
    /// In the currency of bills; at most what is due is taken off.
    amount: Option<DecimalText>,
    /// As often as asked when left out.
    max_uses: Option<u32>,
    valid_from: Option<Time>,
    /// Not included.
    valid_until: Option<Time>,
    /// The only plan it is for; any when left out.
    plan: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct CouponView {
    #[schema(example = "cpn_0198a6f0c1d27d3e8b3f6a5c4d3e2f13")]
    id: String,
    code: String,
    percent: Option<u8>,
    amount: Option<String>,
    max_uses: Option<u32>,
    uses: u32,
    valid_from: Option<String>,
    valid_until: Option<String>,
    plan: Option<String>,
    disabled: bool,
    created_at: String,
}

impl From<Coupon> for CouponView {
    fn from(coupon: Coupon) -> Self {
        let (percent, amount) = match coupon.reduction {
            Reduction::Percent(percent) => (Some(percent), None),
            Reduction::Fixed(amount) => (None, Some(amount.to_decimal())),
        };
        Self {
            id: coupon.id.to_string(),
            code: coupon.code,
            percent,
            amount,
            max_uses: coupon.max_uses,
            uses: coupon.uses,
            valid_from: coupon.valid_from.map(time::text),
            valid_until: coupon.valid_until.map(time::text),
            plan: coupon.plan.map(|plan| plan.to_string()),
            disabled: coupon.disabled,
            created_at: time::text(coupon.created_at),
        }
    }
}

/// Make a coupon.
#[utoipa::path(
    tag = "operators",
    request_body = CouponBody,
    responses((status = 201, description = "Made.", body = CouponView), WriteErrors)
)]
#[post("/admin/coupons")]
pub async fn make_coupon(caller: Caller, body: Body<CouponBody>, services: web::Data<Arc<Services>>) -> ApiResult {
    let actor = caller.actor().clone();
    actor.require_admin()?;
    let body = body.0;
    let wish = CouponWish {
        code: body.code,
        percent: body.percent,
        amount: body.amount.map(|amount| amount.0),
        max_uses: body.max_uses,
        valid_from: body.valid_from.map(|time| time.0),
        valid_until: body.valid_until.map(|time| time.0),
        plan: body.plan,
    };
    let made = services.run(|all| async move { all.billing.make_coupon(&actor, &wish).await }).await?;
    Ok(HttpResponse::Created().json(CouponView::from(made)))
}

/// List coupons, newest first.
#[utoipa::path(
    tag = "operators",
    params(PageParams),
    responses((status = 200, description = "A page.", body = Listed<CouponView>), ReadErrors)
)]
#[get("/admin/coupons")]
pub async fn list_coupons(caller: Caller, page: Params<PageParams>, services: web::Data<Arc<Services>>) -> ApiResult {
    let coupons = services.billing.list_coupons(caller.actor(), page.0.request()?).await?;
    Ok(HttpResponse::Ok().json(Listed::of(coupons, CouponView::from)))
}

/// Disable a coupon; bills that have it stay as they are.
#[utoipa::path(
    tag = "operators",
    params(("id" = String, Path)),
    responses((status = 200, description = "As it is now.", body = CouponView), ReadErrors)
)]
#[delete("/admin/coupons/{id}")]
pub async fn disable_coupon(caller: Caller, id: web::Path<String>, services: web::Data<Arc<Services>>) -> ApiResult {
    let actor = caller.actor().clone();
    actor.require_admin()?;
    let id: CouponId = path_id(&id, "coupon")?;
    let coupon = services.run(|all| async move { all.billing.disable_coupon(&actor, id).await }).await?;
    Ok(HttpResponse::Ok().json(CouponView::from(coupon)))
}
