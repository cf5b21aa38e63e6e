//! `/bills`: what an account owes and owed, why, and paying it.

mod invoices;
mod receipt;
mod recurring;
mod views;

use crate::caller::Caller;
use crate::http::answers::{ChangeErrors, ReadErrors, WriteErrors};
use crate::http::body::Body;
use crate::http::idempotency;
use crate::http::paging::{Listed, page_request};
use crate::http::params::{Params, path_id};
use crate::http::problem::ApiResult;
use crate::routes::listing::Listing;
use crate::routes::orders::{AttemptBody, method_named, provider_named};
use crate::routes::usage::UsageView;
use crate::services::Services;
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, get, post, web};
use domain::accounts::AccountRef;
use domain::billing::{BillFilter, BillKind, BillStatus};
use domain::error::{Error, Result};
use domain::id::BillId;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::{IntoParams, ToSchema};

pub use invoices::InvoiceView;
pub use views::{BillDetail, BillPaymentView, BillSummary};

pub fn configure(config: &mut impl Listing) {
    // Before the bill itself, whose id would take any ending.
    config
        .service(list_bills)
        .service(receipt::get_receipt)
        .service(get_bill)
        .service(list_bill_usage)
        .service(pay_bill);
    config.service(invoices::request_invoice).service(invoices::list_bill_invoices);
    recurring::configure(config);
}

/// Which bills.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct BillParams {
    /// An account's id or external id; the key's account, or the personal one, when left out.
    pub account: Option<String>,
    /// `subscription`, `month`, `overage` or `refund`.
    pub kind: Option<String>,
    /// `unpaid`, `paid` or `void`.
    pub status: Option<String>,
    /// The local month in which the bill's period began, such as `2026-11`.
    pub month: Option<String>,
    /// Rows on the page, 1 to 200; 50 when left out.
    #[param(minimum = 1, maximum = 200)]
    pub limit: Option<u32>,
    /// `next_cursor` of the page before.
    pub cursor: Option<String>,
}

impl BillParams {
    pub fn filter(&self) -> Result<BillFilter> {
        let kind = |text: &String| BillKind::parse(text).ok_or_else(|| Error::invalid("kind", "is no kind of bill"));
        let status =
            |text: &String| BillStatus::parse(text).ok_or_else(|| Error::invalid("status", "is no status of a bill"));
        let month = self.month.as_ref().map(|text| match text.parse::<domain::metering::Month>() {
            Ok(_) => Ok(text.clone()),
            Err(error) => Err(Error::invalid("month", error.to_string())),
        });
        Ok(BillFilter {
            account: None,
            kind: self.kind.as_ref().map(kind).transpose()?,
            status: self.status.as_ref().map(status).transpose()?,
            month: month.transpose()?,
        })
    }
}

/// List an account's bills, newest first.
#[utoipa::path(
    tag = "bills",
    params(BillParams),
    responses((status = 200, description = "A page.", body = Listed<BillSummary>), ReadErrors)
)]
#[get("/bills")]
pub async fn list_bills(caller: Caller, query: Params<BillParams>, services: web::Data<Arc<Services>>) -> ApiResult {
    let (query, actor) = (query.0, caller.actor());
    let page = page_request(query.limit, query.cursor.as_deref())?;
    let which = query.account.as_deref().map(AccountRef::parse).unwrap_or_default();
    let bills = services.billing.list(actor, &which, query.filter()?, page).await?;
    Ok(HttpResponse::Ok().json(Listed::of(bills, |bill| BillSummary::from(&bill))))
}

/// A bill with its lines, its meters and its payments.
#[utoipa::path(
    tag = "bills",
    params(("id" = String, Path)),
    responses((status = 200, description = "The bill.", body = BillDetail), ReadErrors)
)]
#[get("/bills/{id}")]
pub async fn get_bill(caller: Caller, id: web::Path<String>, services: web::Data<Arc<Services>>) -> ApiResult {
    let id: BillId = path_id(&id, "bill")?;
    let view = services.billing.view(caller.actor(), id).await?;
    Ok(HttpResponse::Ok().json(BillDetail::from(&view)))
}

/// Which of the rows behind a bill.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct BillUsageParams {
    /// The number of a line; all lines when left out.
    pub line: Option<u32>,
    /// Rows on the page, 1 to 200; 50 when left out.
    #[param(minimum = 1, maximum = 200)]
    pub limit: Option<u32>,
    /// `next_cursor` of the page before.
    pub cursor: Option<String>,
}

/// List the usage behind a bill, or behind one of its lines, newest first: what cost something.
#[utoipa::path(
    tag = "bills",
    params(("id" = String, Path), BillUsageParams),
    responses((status = 200, description = "A page.", body = Listed<UsageView>), ReadErrors)
)]
#[get("/bills/{id}/usage")]
pub async fn list_bill_usage(
    caller: Caller,
    id: web::Path<String>,
    query: Params<BillUsageParams>,
    services: web::Data<Arc<Services>>,
) -> ApiResult {
    let id: BillId = path_id(&id, "bill")?;
    let page = page_request(query.0.limit, query.0.cursor.as_deref())?;
    let rows = services.billing.usage(caller.actor(), id, query.0.line, page).await?;
    Ok(HttpResponse::Ok().json(Listed::of(rows, |row| UsageView::of_record(&row, &services.catalogue))))
}

/// How to pay.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"provider": "wallet"}))]
pub struct BillPaymentBody {
    /// `wallet`: from the account's balance, at once; or `wechat`, `alipay`, `stripe`, `manual`: an order for the bill.
    pub provider: String,
    /// `page` for Alipay's page instead of a QR code.
    #[schema(pattern = "^(default|page)$")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
}

/// What came of it: a payment from the balance, or an order with what is to be done to pay it.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
pub enum BillPaymentAnswer {
    Paid(BillPaymentView),
    Ordered(Box<AttemptBody>),
}

/// Pay a bill from the account's balance, or ask a provider for it. What waits for the bill begins when it is paid.
/// Asking again is another attempt at the same order, as long as that waits.
#[utoipa::path(
    tag = "bills",
    params(("id" = String, Path), ("Idempotency-Key" = String, Header)),
    request_body = BillPaymentBody,
    responses((status = 201, description = "Paid, or ordered.", body = BillPaymentAnswer), ChangeErrors, WriteErrors)
)]
#[post("/bills/{id}/payments")]
pub async fn pay_bill(
    caller: Caller,
    id: web::Path<String>,
    request: HttpRequest,
    body: Body<BillPaymentBody>,
    services: web::Data<Arc<Services>>,
) -> ApiResult {
    let actor = caller.actor().clone();
    let id: BillId = path_id(&id, "bill")?;
    let once = idempotency::required(&request, actor.user, "POST /bills/payments", &body.0)?;
    if body.0.provider != "wallet" {
        let how = (provider_named(&body.0.provider)?, method_named(body.0.method.as_deref())?);
        let made = services.run(move |all| async move { all.charging.charge(&actor, id, how, &once).await }).await?;
        return Ok(idempotency::answer(StatusCode::CREATED, made, |attempt| {
            BillPaymentAnswer::Ordered(Box::new(AttemptBody::from(&attempt)))
        }));
    }
    let paid = services.run(|all| async move { all.billing.pay_from_wallet(&actor, id, &once).await }).await?;
    Ok(idempotency::answer(StatusCode::CREATED, paid, |payment| {
        BillPaymentAnswer::Paid(BillPaymentView::from(&payment))
    }))
}
