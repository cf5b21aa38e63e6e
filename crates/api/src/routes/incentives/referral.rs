//! `/referral`: the caller's code, and what inviting earned.

use crate::caller::Caller;
use crate::http::amount::DecimalText;
use crate::http::answers::{ChangeErrors, ReadErrors, WriteErrors};
use crate::http::body::Body;
use crate::http::idempotency;
use crate::http::problem::ApiResult;
use crate::services::Services;
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, get, post, web};
use domain::incentives::ReferralTransfer;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;

/// The caller's side of referrals.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "aff_code": "7K3M9QXW", "invited": 3, "earned": "15.00", "transferable": "5.00", "currency": "CNY", "least_transfer": "10.00"
}))]
pub struct ReferralView {
    /// What others register with.
    aff_code: String,
    /// How many did.
    invited: u32,
    /// Ever.
    earned: String,
    /// What was not transferred yet.
    transferable: String,
    currency: String,
    /// Least of one transfer.
    least_transfer: String,
}

/// The caller's code, and what it earned.
#[utoipa::path(tag = "incentives", responses((status = 200, body = ReferralView), ReadErrors))]
#[get("/referral")]
pub async fn get_referral(caller: Caller, services: web::Data<Arc<Services>>) -> ApiResult<web::Json<ReferralView>> {
    let row = services.run(move |all| async move { all.referrals.view(caller.actor()).await }).await?;
    Ok(web::Json(ReferralView {
        aff_code: row.code.as_str().to_owned(),
        invited: row.invited,
        earned: row.earned.to_decimal(),
        transferable: row.available.to_decimal(),
        currency: row.earned.currency().code().to_owned(),
        least_transfer: services.referrals.referrals.terms.least_transfer.to_decimal(),
    }))
}

#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"amount": "10.00"}))]
pub struct TransferBody {
    /// In the billing currency.
    amount: DecimalText,
}

/// Money on its way from what was earned to the wallet.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"id": "trf_0198a6f0c1d27d3e8b3f6a5c4d3e2f13", "amount": "10.00", "currency": "CNY", "transferable": "5.00"}))]
pub struct ReferralTransferView {
    /// The ledger's transfer.
    id: String,
    amount: String,
    currency: String,
    /// What is left.
    transferable: String,
}

impl From<ReferralTransfer> for ReferralTransferView {
    fn from(done: ReferralTransfer) -> Self {
        Self {
            id: done.id.to_string(),
            amount: done.amount.to_decimal(),
            currency: done.amount.currency().code().to_owned(),
            transferable: done.available.to_decimal(),
        }
    }
}

/// Transfer earnings to the wallet of the personal account; 409 `referral_balance_too_low` when there is less.
#[utoipa::path(
    tag = "incentives",
    params(("Idempotency-Key" = String, Header)),
    request_body = TransferBody,
    responses((status = 201, description = "Transferred.", body = ReferralTransferView), WriteErrors, ChangeErrors)
)]
#[post("/referral/transfer")]
pub async fn transfer_referral(
    caller: Caller,
    request: HttpRequest,
    body: Body<TransferBody>,
    services: web::Data<Arc<Services>>,
) -> ApiResult<HttpResponse> {
    let once = idempotency::required(&request, caller.actor().user, "POST /referral/transfer", &body.0)?;
    let amount = body.0.amount.0;
    let transfer =
        move |all: Arc<Services>| async move { all.referrals.transfer(caller.actor(), &amount, &once).await };
    Ok(idempotency::answer(StatusCode::CREATED, services.run(transfer).await?, ReferralTransferView::from))
}
