//! `/redemptions`: what a customer redeems.

use super::views::RewardView;
use crate::caller::Caller;
use crate::http::answers::{ChangeErrors, ReadErrors, WriteErrors};
use crate::http::body::Body;
use crate::http::paging::{Listed, PageParams};
use crate::http::params::Params;
use crate::http::problem::ApiResult;
use crate::http::time;
use crate::services::Services;
use actix_web::http::StatusCode;
use actix_web::{HttpResponse, get, post, web};
use domain::accounts::AccountRef;
use domain::incentives::Redeemed;
use domain::plans::Catalogue;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::sync::Arc;
use utoipa::ToSchema;

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RedeemBody {
    /// Case, blanks and dashes do not matter.
    #[schema(example = "7K3M9-QXW2T-BHN5D-4RVCE")]
    code: String,
    /// Whose owner the caller is; the personal account when left out.
    account: Option<String>,
}

impl fmt::Debug for RedeemBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedeemBody").field("account", &self.account).finish_non_exhaustive()
    }
}

/// A code that was redeemed.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "id": "rdu_0198a6f0c1d27d3e8b3f6a5c4d3e2f13", "name": "Spring", "gift": false, "account": "acc_0198c0ffee007000800000000000abcd",
    "value": {"amount": "5.00", "currency": "CNY"}, "redeemed_at": "2026-11-21T08:00:00Z", "duplicate": false
}))]
pub struct RedemptionView {
    id: String,
    /// The name of its batch.
    name: String,
    gift: bool,
    /// What was credited.
    account: String,
    value: RewardView,
    redeemed_at: String,
    /// Whether it had been redeemed before, and nothing changed.
    duplicate: bool,
}

impl RedemptionView {
    fn of(redeemed: Redeemed, catalogue: &Catalogue) -> Self {
        Self {
            id: redeemed.used.id.to_string(),
            value: RewardView::of(&redeemed.batch.reward, catalogue),
            name: redeemed.batch.name,
            gift: redeemed.batch.is_gift,
            account: redeemed.used.account.to_string(),
            redeemed_at: time::text(redeemed.used.redeemed_at),
            duplicate: redeemed.duplicate,
        }
    }
}

/// Redeem a code, once per user.
///
/// The same code again by the same user is 200 with what was credited the first time. 409 `code_used_up`,
/// `code_disabled`, `code_expired` or `code_not_yet_valid`. A wrong code is 404; after five of one user, or twenty from
/// one address, the answer is 429 for a while.
#[utoipa::path(
    tag = "incentives",
    request_body = RedeemBody,
    responses(
        (status = 201, description = "Credited.", body = RedemptionView),
        (status = 200, description = "Had been credited before.", body = RedemptionView),
        WriteErrors, ChangeErrors
    )
)]
#[post("/redemptions/redeem")]
pub async fn redeem(
    caller: Caller,
    body: Body<RedeemBody>,
    services: web::Data<Arc<Services>>,
) -> ApiResult<HttpResponse> {
    let RedeemBody { code, account } = body.0;
    let account = account.map_or(AccountRef::Default, |text| AccountRef::parse(&text));
    let redeem = move |all: Arc<Services>| async move { all.redemptions.redeem(caller.actor(), &account, &code).await };
    let redeemed = services.run(redeem).await?;
    let status = if redeemed.duplicate { StatusCode::OK } else { StatusCode::CREATED };
    Ok(HttpResponse::build(status).json(RedemptionView::of(redeemed, &services.catalogue)))
}

/// What the caller redeemed, newest first.
#[utoipa::path(
    tag = "incentives",
    params(PageParams),
    responses((status = 200, description = "A page.", body = Listed<RedemptionView>), ReadErrors)
)]
#[get("/redemptions")]
pub async fn list_redemptions(
    caller: Caller,
    page: Params<PageParams>,
    services: web::Data<Arc<Services>>,
) -> ApiResult<web::Json<Listed<RedemptionView>>> {
    let page = services.redemptions.history(caller.actor(), page.0.request()?).await?;
    Ok(web::Json(Listed::of(page, |redeemed| RedemptionView::of(redeemed, &services.catalogue))))
}
