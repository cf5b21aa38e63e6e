//! `/admin/invoices`: what customers asked for, and recording what the tax office's system made of it.

use crate::caller::Caller;
use crate::http::answers::{ReadErrors, WriteErrors};
use crate::http::body::Body;
use crate::http::paging::{Listed, page_request};
use crate::http::params::{Params, path_id};
use crate::http::problem::ApiResult;
use crate::routes::bills::InvoiceView;
use crate::services::Services;
use actix_web::{HttpResponse, get, post, web};
use domain::billing::{InvoiceEnd, InvoiceFilter, InvoiceStatus};
use domain::error::Error;
use domain::id::InvoiceId;
use serde::Deserialize;
use std::sync::Arc;
use utoipa::{IntoParams, ToSchema};

/// Which invoices.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct InvoiceParams {
    /// An account's id; all accounts when left out.
    pub account: Option<String>,
    /// A bill's id.
    pub bill: Option<String>,
    /// `requested`, `issued`, `rejected` or `reversed`.
    pub status: Option<String>,
    /// `true`: only those to reject or reverse, because money went back of their bill.
    pub outdated: Option<bool>,
    /// Rows on the page, 1 to 200; 50 when left out.
    #[param(minimum = 1, maximum = 200)]
    pub limit: Option<u32>,
    /// `next_cursor` of the page before.
    pub cursor: Option<String>,
}

/// List the invoices of all accounts, newest first.
#[utoipa::path(
    tag = "operators",
    params(InvoiceParams),
    responses((status = 200, description = "A page.", body = Listed<InvoiceView>), ReadErrors)
)]
#[get("/admin/invoices")]
pub async fn list_invoices(
    caller: Caller,
    query: Params<InvoiceParams>,
    services: web::Data<Arc<Services>>,
) -> ApiResult {
    let (query, actor) = (query.0, caller.actor());
    actor.require_admin()?;
    let page = page_request(query.limit, query.cursor.as_deref())?;
    let status = |text: &String| {
        InvoiceStatus::parse(text).ok_or_else(|| Error::invalid("status", "is no status of an invoice"))
    };
    let filter = InvoiceFilter {
        account: query.account.as_deref().map(|text| path_id(text, "account")).transpose()?,
        bill: query.bill.as_deref().map(|text| path_id(text, "bill")).transpose()?,
        status: query.status.as_ref().map(status).transpose()?,
        outdated: query.outdated.unwrap_or_default(),
    };
    let invoices = services.billing.list_invoices(actor, &filter, page).await?;
    Ok(HttpResponse::Ok().json(Listed::of(invoices, |invoice| InvoiceView::from(&invoice))))
}

/// What the tax office's system made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"number": "25117000000012345678", "url": "https://files.example.com/25117000000012345678.pdf"}))]
pub struct IssueInvoiceBody {
    /// One line of up to 64 characters.
    number: String,
    /// Where the customer finds the file; it is never fetched.
    url: Option<String>,
}

/// Record that an invoice was issued.
#[utoipa::path(
    tag = "operators",
    params(("id" = String, Path)),
    request_body = IssueInvoiceBody,
    responses((status = 200, description = "As it is now.", body = InvoiceView), WriteErrors)
)]
#[post("/admin/invoices/{id}/issue")]
pub async fn issue_invoice(
    caller: Caller,
    id: web::Path<String>,
    body: Body<IssueInvoiceBody>,
    services: web::Data<Arc<Services>>,
) -> ApiResult {
    let actor = caller.actor().clone();
    actor.require_admin()?;
    let id: InvoiceId = path_id(&id, "invoice")?;
    let IssueInvoiceBody { number, url } = body.0;
    let issued =
        services.run(|all| async move { all.billing.issue_invoice(&actor, id, &number, url.as_deref()).await });
    Ok(HttpResponse::Ok().json(InvoiceView::from(&issued.await?)))
}

/// Why an invoice stands no more.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"reason": "the title is not the company's name"}))]
pub struct InvoiceReasonBody {
    /// For the customer and the audit log; one line of up to 120 characters.
    reason: String,
}

/// Refuse to make an invoice. The customer may ask for another.
#[utoipa::path(
    tag = "operators",
    params(("id" = String, Path)),
    request_body = InvoiceReasonBody,
    responses((status = 200, description = "As it is now.", body = InvoiceView), WriteErrors)
)]
#[post("/admin/invoices/{id}/reject")]
pub async fn reject_invoice(
    caller: Caller,
    id: web::Path<String>,
    body: Body<InvoiceReasonBody>,
    services: web::Data<Arc<Services>>,
) -> ApiResult {
    end(&caller, &id, (InvoiceEnd::Reject, body.0), &services).await
}

/// Record that an issued invoice was taken back (红冲). The customer may ask for another.
#[utoipa::path(
    tag = "operators",
    params(("id" = String, Path)),
    request_body = InvoiceReasonBody,
    responses((status = 200, description = "As it is now.", body = InvoiceView), WriteErrors)
)]
#[post("/admin/invoices/{id}/reverse")]
pub async fn reverse_invoice(
    caller: Caller,
    id: web::Path<String>,
    body: Body<InvoiceReasonBody>,
    services: web::Data<Arc<Services>>,
) -> ApiResult {
    end(&caller, &id, (InvoiceEnd::Reverse, body.0), &services).await
}

async fn end(
    caller: &Caller,
    id: &str,
    (how, InvoiceReasonBody { reason }): (InvoiceEnd, InvoiceReasonBody),
    services: &Arc<Services>,
) -> ApiResult {
    let actor = caller.actor().clone();
    actor.require_admin()?;
    let id: InvoiceId = path_id(id, "invoice")?;
    let ended = services.run(|all| async move { all.billing.end_invoice(&actor, id, how, &reason).await }).await?;
    Ok(HttpResponse::Ok().json(InvoiceView::from(&ended)))
}
