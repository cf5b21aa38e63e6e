//! `/admin`: the book, adjustments of wallets, and reversals.

use crate::caller::Caller;
use crate::http::amount::DecimalText;
use crate::http::answers::{ChangeErrors, ConflictErrors, ReadErrors, WriteErrors};
use crate::http::body::Body;
use crate::http::idempotency;
use crate::http::paging::{Listed, page_request};
use crate::http::params::{Params, path_id};
use crate::http::problem::{ApiError, ApiResult};
use crate::http::time;
use crate::routes::wallet::views::TransferView;
use crate::services::Services;
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, get, post, web};
use domain::id::{AccountId, AdjustmentId, TransferId};
use domain::wallet::{Adjustment, AdjustmentStatus, AdjustmentWish, LedgerTotal, Verdict};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::{IntoParams, ToSchema};

/// Money given to a wallet or taken from it.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"amount": "10.00", "currency": "CNY", "reason": "for the outage of Monday"}))]
pub struct AdjustmentBody {
    /// In whole minor units: above zero gives, below zero takes.
    #[schema(value_type = DecimalText)]
    amount: DecimalText,
    /// The currency of prices when left out.
    #[serde(default)]
    currency: Option<String>,
    /// 1 to 255 characters; the customer sees it on the statement.
    reason: String,
}

/// An adjustment and what became of it.
#[derive(Debug, Serialize, ToSchema)]
pub struct AdjustmentView {
    id: String,
    account: String,
    amount: String,
    currency: String,
    reason: String,
    /// `pending` waits for a second operator; `approved` is booked; `rejected`.
    status: &'static str,
    requested_by: String,
    requested_at: String,
    /// The second operator; null when none was needed.
    decided_by: Option<String>,
    decided_at: Option<String>,
    transfer: Option<String>,
}

impl AdjustmentView {
    fn of(adjustment: &Adjustment) -> Self {
        Self {
            id: adjustment.id.to_string(),
            account: adjustment.account.to_string(),
            amount: adjustment.amount.to_decimal(),
            currency: adjustment.currency().to_string(),
            reason: adjustment.reason.clone(),
            status: adjustment.status.name(),
            requested_by: adjustment.requested_by.to_string(),
            requested_at: time::text(adjustment.requested_at),
            decided_by: adjustment.decided_by.map(|user| user.to_string()),
            decided_at: adjustment.decided_at.map(time::text),
            transfer: adjustment.transfer.map(|transfer| transfer.to_string()),
        }
    }
}

/// Give money to a wallet, or take some. Above the configured amount it waits for a second operator.
#[utoipa::path(
    tag = "operators",
    params(("account" = String, Path), ("Idempotency-Key" = String, Header)),
    request_body = AdjustmentBody,
    responses(
        (status = 201, description = "Booked, or waiting: see its status.", body = AdjustmentView),
        WriteErrors,
        ChangeErrors,
    )
)]
#[post("/admin/accounts/{account}/adjustments")]
pub async fn adjust(
    caller: Caller,
    account: web::Path<String>,
    request: HttpRequest,
    body: Body<AdjustmentBody>,
    services: web::Data<Arc<Services>>,
) -> ApiResult {
    let actor = caller.actor().clone();
    actor.require_admin()?;
    let account: AccountId = path_id(&account, "account")?;
    let once = idempotency::required(&request, actor.user, "POST /admin/adjustments", &body.0)?;
    let AdjustmentBody { amount, currency, reason } = body.0;
    let wish = AdjustmentWish { amount: amount.0, currency, reason };
    let made =
        services.run(|services| async move { services.ledger.adjust(&actor, account, &wish, &once).await }).await?;
    Ok(idempotency::answer(StatusCode::CREATED, made, |adjustment| AdjustmentView::of(&adjustment)))
}

/// Which adjustments.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct AdjustmentParams {
    /// `pending`, `approved` or `rejected`.
    status: Option<String>,
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
    cursor: Option<String>,
}

/// List adjustments of all accounts, newest first.
#[utoipa::path(
    tag = "operators",
    params(AdjustmentParams),
    responses((status = 200, description = "A page.", body = Listed<AdjustmentView>), ReadErrors)
)]
#[get("/admin/adjustments")]
pub async fn list_adjustments(
    caller: Caller,
    params: Params<AdjustmentParams>,
    services: web::Data<Arc<Services>>,
) -> ApiResult {
    let actor = caller.actor().clone();
    actor.require_admin()?;
    let AdjustmentParams { status, limit, cursor } = params.0;
    let page = page_request(limit, cursor.as_deref())?;
    let unknown = || ApiError::invalid("status", "must be pending, approved or rejected");
    let status = status.as_deref().map(|name| AdjustmentStatus::parse(name).ok_or_else(unknown)).transpose()?;
    let found = services
        .run(move |services| async move { services.ledger.list_adjustments(&actor, status, page).await })
        .await?;
    Ok(HttpResponse::Ok().json(Listed::of(found, |adjustment| AdjustmentView::of(&adjustment))))
}

/// Approve an adjustment that another operator asked for, and book it.
#[utoipa::path(
    tag = "operators",
    params(("adjustment" = String, Path), ("Idempotency-Key" = String, Header)),
    responses((status = 200, description = "Booked.", body = AdjustmentView), ReadErrors, ChangeErrors)
)]
#[post("/admin/adjustments/{adjustment}/approve")]
pub async fn approve_adjustment(
    caller: Caller,
    adjustment: web::Path<String>,
    request: HttpRequest,
    services: web::Data<Arc<Services>>,
) -> ApiResult {
    decide(&caller, &adjustment, (Verdict::Approve, &request), &services).await
}

/// Reject an adjustment that another operator asked for.
#[utoipa::path(
    tag = "operators",
    params(("adjustment" = String, Path), ("Idempotency-Key" = String, Header)),
    responses((status = 200, description = "Rejected.", body = AdjustmentView), ReadErrors, ConflictErrors)
)]
#[post("/admin/adjustments/{adjustment}/reject")]
pub async fn reject_adjustment(
    caller: Caller,
    adjustment: web::Path<String>,
    request: HttpRequest,
    services: web::Data<Arc<Services>>,
) -> ApiResult {
    decide(&caller, &adjustment, (Verdict::Reject, &request), &services).await
}

async fn decide(
    caller: &Caller,
    id: &str,
    (verdict, request): (Verdict, &HttpRequest),
    services: &web::Data<Arc<Services>>,
) -> ApiResult {
    let actor = caller.actor().clone();
    actor.require_admin()?;
    let id: AdjustmentId = path_id(id, "adjustment")?;
    let once = idempotency::required(request, actor.user, "POST /admin/adjustments/decide", &())?;
    let decided = services
        .run(move |services| async move { services.ledger.decide_adjustment(&actor, id, verdict, &once).await })
        .await?;
    Ok(idempotency::answer(StatusCode::OK, decided, |decided| AdjustmentView::of(&decided)))
}

/// Why a transfer is reversed.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"reason": "booked by mistake"}))]
pub struct ReversalBody {
    /// 1 to 255 characters; the customer sees it on the statement.
    reason: String,
}

/// Book the opposite of a transfer, once. Only usage, gifts and adjustments.
#[utoipa::path(
    tag = "operators",
    params(("transfer" = String, Path), ("Idempotency-Key" = String, Header)),
    request_body = ReversalBody,
    responses((status = 201, description = "The reversal.", body = TransferView), WriteErrors, ChangeErrors)
)]
#[post("/admin/transfers/{transfer}/reverse")]
pub async fn reverse_transfer(
    caller: Caller,
    transfer: web::Path<String>,
    request: HttpRequest,
    body: Body<ReversalBody>,
    services: web::Data<Arc<Services>>,
) -> ApiResult {
    let actor = caller.actor().clone();
    actor.require_admin()?;
    let id: TransferId = path_id(&transfer, "transfer")?;
    let once = idempotency::required(&request, actor.user, "POST /admin/transfers/reverse", &body.0)?;
    let reason = body.0.reason;
    let reversal =
        services.run(move |services| async move { services.ledger.reverse(&actor, id, &reason, &once).await }).await?;
    Ok(idempotency::answer(StatusCode::CREATED, reversal, |reversal| TransferView::of(&reversal)))
}

/// What lies on all ledger accounts of one code.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"account": "revenue", "currency": "CNY", "received": "1.50", "paid": "0", "balance": "1.50"}))]
pub struct TotalView {
    /// `wallet` is all wallets together; `cash:wechat`, `revenue`, `promotion` …
    account: String,
    currency: String,
    received: String,
    paid: String,
    /// Of one currency, all of them sum to zero.
    balance: String,
}

impl TotalView {
    fn of(total: &LedgerTotal) -> Self {
        Self {
            account: total.code.clone(),
            currency: total.currency.to_string(),
            received: domain::money::decimal_of_nanos(total.received, total.currency),
            paid: domain::money::decimal_of_nanos(total.paid, total.currency),
            balance: domain::money::decimal_of_nanos(total.balance(), total.currency),
        }
    }
}

/// Sum up the book, by ledger account and currency.
#[utoipa::path(
    tag = "operators",
    responses((status = 200, description = "All of it.", body = Listed<TotalView>), ReadErrors)
)]
#[get("/admin/ledger")]
pub async fn get_ledger(caller: Caller, services: web::Data<Arc<Services>>) -> ApiResult {
    let actor = caller.actor().clone();
    actor.require_admin()?;
    let totals = services.run(|services| async move { services.ledger.totals(&actor).await }).await?;
    Ok(HttpResponse::Ok().json(Listed::whole(totals.iter().map(TotalView::of).collect())))
}
