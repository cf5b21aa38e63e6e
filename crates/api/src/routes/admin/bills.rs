//! `/admin/bills`: bills of all accounts; payments outside, refunds, taking bills back; and closing periods now.

use crate::billing_rounds;
use crate::caller::Caller;
use crate::http::amount::DecimalText;
use crate::http::answers::{ReadErrors, WriteErrors};
use crate::http::body::Body;
use crate::http::idempotency;
use crate::http::paging::{Listed, page_request};
use crate::http::params::{Params, path_id};
use crate::http::problem::ApiResult;
use crate::routes::bills::{BillDetail, BillParams, BillPaymentView, BillSummary};
use crate::services::Services;
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, get, post, web};
use domain::billing::{RefundTo, RefundWish, Refunded};
use domain::error::Error;
use domain::id::BillId;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;

/// List the bills of all accounts, newest first; `account` takes an id.
#[utoipa::path(
    tag = "operators",
    params(BillParams),
    responses((status = 200, description = "A page.", body = Listed<BillSummary>), ReadErrors)
)]
#[get("/admin/bills")]
pub async fn list_all_bills(
    caller: Caller,
    query: Params<BillParams>,
    services: web::Data<Arc<Services>>,
) -> ApiResult {
    let actor = caller.actor();
    actor.require_admin()?;
    let page = page_request(query.0.limit, query.0.cursor.as_deref())?;
    let mut filter = query.0.filter()?;
    filter.account = query.0.account.as_deref().map(|text| path_id(text, "account")).transpose()?;
    let bills = services.billing.list_all(actor, &filter, page).await?;
    Ok(HttpResponse::Ok().json(Listed::of(bills, |bill| BillSummary::from(&bill))))
}

/// Money that came in outside.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"note": "bank transfer 20261121-7"}))]
pub struct OutsidePaymentBody {
    /// The number of the transfer or the like; one line of up to 120 characters.
    note: Option<String>,
}

/// Record that a bill was paid outside. What waits for it begins at once.
#[utoipa::path(
    tag = "operators",
    params(("id" = String, Path), ("Idempotency-Key" = String, Header)),
    request_body = OutsidePaymentBody,
    responses((status = 201, description = "Paid.", body = BillPaymentView), WriteErrors)
)]
#[post("/admin/bills/{id}/payments")]
pub async fn record_bill_payment(
    caller: Caller,
    id: web::Path<String>,
    request: HttpRequest,
    body: Body<OutsidePaymentBody>,
    services: web::Data<Arc<Services>>,
) -> ApiResult {
    let actor = caller.actor().clone();
    actor.require_admin()?;
    let id: BillId = path_id(&id, "bill")?;
    let once = idempotency::required(&request, actor.user, "POST /admin/bills/payments", &body.0)?;
    let note = body.0.note;
    let paid =
        services.run(|all| async move { all.billing.pay_outside(&actor, id, note.as_deref(), &once).await }).await?;
    Ok(idempotency::answer(StatusCode::CREATED, paid, |payment| BillPaymentView::from(&payment)))
}

/// What goes back.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"amount": "20.00", "to": "wallet", "reason": "outage on the 21st"}))]
pub struct RefundBody {
    /// All that may still go back when left out.
    amount: Option<DecimalText>,
    /// `wallet`; `provider`: to where it came from, as far as a provider took it; or `manual`: outside, by an operator.
    to: String,
    /// For the bill and the audit log; one line of up to 120 characters.
    reason: String,
}

/// A refund bill, and what it asks for.
#[derive(Debug, Serialize, ToSchema)]
pub struct RefundedView {
    #[serde(flatten)]
    bill: BillDetail,
    /// The bill's invoice: it is over more than was kept of the bill, and has to be rejected, or reversed once issued.
    outdated_invoice: Option<String>,
}

impl From<&Refunded> for RefundedView {
    fn from(refunded: &Refunded) -> Self {
        let outdated_invoice = refunded.outdated.map(|id| id.to_string());
        Self { bill: BillDetail::from(&refunded.issued), outdated_invoice }
    }
}

/// Give back a part of a bill that was paid, or all of it, by a refund bill; one that goes to a provider is unpaid until
/// the provider has paid, and void if it fails.
#[utoipa::path(
    tag = "operators",
    params(("id" = String, Path), ("Idempotency-Key" = String, Header)),
    request_body = RefundBody,
    responses((status = 201, description = "The refund bill.", body = RefundedView), WriteErrors)
)]
#[post("/admin/bills/{id}/refund")]
pub async fn refund_bill(
    caller: Caller,
    id: web::Path<String>,
    request: HttpRequest,
    body: Body<RefundBody>,
    services: web::Data<Arc<Services>>,
) -> ApiResult {
    let actor = caller.actor().clone();
    actor.require_admin()?;
    let id: BillId = path_id(&id, "bill")?;
    let once = idempotency::required(&request, actor.user, "POST /admin/bills/refund", &body.0)?;
    let (amount, reason) = (body.0.amount.map(|amount| amount.0), body.0.reason);
    let to = match body.0.to.as_str() {
        "wallet" => Some(RefundTo::Wallet),
        "manual" => Some(RefundTo::Outside),
        "provider" => None,
        _ => return Err(Error::invalid("to", "must be wallet, provider or manual").into()),
    };
    let refunded = services.run(|all| async move {
        match to {
            Some(to) => all.billing.refund(&actor, id, &RefundWish { amount, to, reason }, &once).await,
            None => all.charging.refund(&actor, id, (amount.as_deref(), &reason), &once).await,
        }
    });
    let given = refunded.await?;
    Ok(idempotency::answer(StatusCode::CREATED, given, |refunded| RefundedView::from(&refunded)))
}

/// Why a bill is taken back.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"reason": "billed by mistake"}))]
pub struct VoidBody {
    /// For the audit log; one line of up to 120 characters.
    reason: String,
}

/// Take an unpaid bill back.
#[utoipa::path(
    tag = "operators",
    params(("id" = String, Path)),
    request_body = VoidBody,
    responses((status = 200, description = "As it is now.", body = BillSummary), WriteErrors)
)]
#[post("/admin/bills/{id}/void")]
pub async fn void_bill(
    caller: Caller,
    id: web::Path<String>,
    body: Body<VoidBody>,
    services: web::Data<Arc<Services>>,
) -> ApiResult {
    let actor = caller.actor().clone();
    actor.require_admin()?;
    let id: BillId = path_id(&id, "bill")?;
    let reason = body.0.reason;
    let voided = services.run(|all| async move { all.billing.void(&actor, id, &reason).await }).await?;
    Ok(HttpResponse::Ok().json(BillSummary::from(&voided)))
}

/// Which periods to close.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"month": "2026-11"}))]
pub struct CloseBody {
    /// Only periods that began in this local month or before; all that ended when left out.
    month: Option<String>,
}

/// What was closed.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"closed": 120, "failed": 0}))]
pub struct ClosedView {
    /// Quota periods.
    closed: u64,
    failed: u64,
}

/// Close every quota period that ended, without waiting for what comes late.
#[utoipa::path(
    tag = "operators",
    request_body = CloseBody,
    responses((status = 200, description = "Closed.", body = ClosedView), WriteErrors)
)]
#[post("/admin/billing/close")]
pub async fn close_periods(caller: Caller, body: Body<CloseBody>, services: web::Data<Arc<Services>>) -> ApiResult {
    let actor = caller.actor().clone();
    actor.require_admin()?;
    let month = body.0.month;
    let done =
        services.run(|all| async move { billing_rounds::close_now(&all, &actor, month.as_deref()).await }).await?;
    Ok(HttpResponse::Ok().json(ClosedView { closed: done.done, failed: done.failed }))
}
