//! `/bills/{id}/invoice`: asking for an invoice (发票), and what became of it.

use crate::caller::Caller;
use crate::http::answers::{ChangeErrors, ReadErrors, WriteErrors};
use crate::http::body::Body;
use crate::http::paging::{Listed, page_request};
use crate::http::params::{Params, path_id};
use crate::http::problem::ApiResult;
use crate::http::time;
use crate::services::Services;
use actix_web::{HttpResponse, get, post, web};
use domain::billing::{Invoice, InvoiceKind, InvoiceWish};
use domain::error::Error;
use domain::id::BillId;
use domain::money::Currency;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::{IntoParams, ToSchema};

/// What the invoice is to say.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"kind": "ordinary", "title": "北京百度网讯科技有限公司", "tax_id": "91110000802100433B"}))]
pub struct InvoiceBody {
    /// `ordinary` (普票, when left out) or `special` (专票, which needs a tax id).
    kind: Option<String>,
    /// The buyer's name: one line of up to 200 characters.
    title: String,
    /// The buyer's tax id. One that looks wrong is taken, with a warning.
    tax_id: Option<String>,
}

/// An invoice: the tax office's system makes it, and its number and file are recorded here.
#[derive(Debug, Serialize, ToSchema)]
pub struct InvoiceView {
    #[schema(example = "inv_0198a6f0c1d27d3e8b3f6a5c4d3e2f13")]
    id: String,
    account: String,
    bill: String,
    /// `requested`, `issued`, `rejected` or `reversed`.
    #[schema(example = "requested")]
    status: &'static str,
    /// `ordinary` or `special`.
    #[schema(example = "ordinary")]
    kind: &'static str,
    title: String,
    tax_id: Option<String>,
    /// What somebody should look at: `tax_id_check_digit`, `tax_id_alphabet` or `tax_id_old_kind`.
    warning: Option<&'static str>,
    #[schema(example = "99.00")]
    amount: String,
    #[schema(value_type = String, example = "CNY")]
    currency: Currency,
    number: Option<String>,
    /// Where the file lies.
    url: Option<String>,
    /// Why it was rejected or reversed.
    reason: Option<String>,
    requested_at: String,
    issued_at: Option<String>,
    /// Since when it is over more than was kept of the bill: while it stands, it has to be rejected or reversed.
    outdated_at: Option<String>,
    updated_at: String,
}

impl From<&Invoice> for InvoiceView {
    fn from(invoice: &Invoice) -> Self {
        Self {
            id: invoice.id.to_string(),
            account: invoice.account.to_string(),
            bill: invoice.bill.to_string(),
            status: invoice.status.name(),
            kind: invoice.title.kind.name(),
            title: invoice.title.title.clone(),
            tax_id: invoice.title.tax_id.as_ref().map(|id| id.as_str().to_owned()),
            warning: invoice.title.doubt().map(domain::billing::TaxIdDoubt::name),
            amount: invoice.amount.to_decimal(),
            currency: invoice.amount.currency(),
            number: invoice.number.clone(),
            url: invoice.url.clone(),
            reason: invoice.reason.clone(),
            requested_at: time::text(invoice.requested_at),
            issued_at: invoice.issued_at.map(time::text),
            outdated_at: invoice.outdated_at.map(time::text),
            updated_at: time::text(invoice.updated_at),
        }
    }
}

/// Ask for an invoice over what was paid of a bill. A bill has one at a time.
#[utoipa::path(
    tag = "bills",
    params(("id" = String, Path)),
    request_body = InvoiceBody,
    responses((status = 201, description = "Asked for.", body = InvoiceView), ChangeErrors, WriteErrors)
)]
#[post("/bills/{id}/invoice")]
pub async fn request_invoice(
    caller: Caller,
    id: web::Path<String>,
    body: Body<InvoiceBody>,
    services: web::Data<Arc<Services>>,
) -> ApiResult {
    let actor = caller.actor().clone();
    let id: BillId = path_id(&id, "bill")?;
    let InvoiceBody { kind, title, tax_id } = body.0;
    let kind = InvoiceKind::parse(kind.as_deref().unwrap_or(InvoiceKind::Ordinary.name()));
    let kind = kind.ok_or_else(|| Error::invalid("kind", "must be ordinary or special"))?;
    let wish = InvoiceWish { kind, title, tax_id };
    let invoice = services.run(|all| async move { all.billing.request_invoice(&actor, id, &wish).await }).await?;
    Ok(HttpResponse::Created().json(InvoiceView::from(&invoice)))
}

/// Which page.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct BillInvoicesParams {
    /// Rows on the page, 1 to 200; 50 when left out.
    #[param(minimum = 1, maximum = 200)]
    pub limit: Option<u32>,
    /// `next_cursor` of the page before.
    pub cursor: Option<String>,
}

/// List the invoices of a bill, newest first; at most one of them is requested or issued.
#[utoipa::path(
    tag = "bills",
    params(("id" = String, Path), BillInvoicesParams),
    responses((status = 200, description = "A page.", body = Listed<InvoiceView>), ReadErrors)
)]
#[get("/bills/{id}/invoices")]
pub async fn list_bill_invoices(
    caller: Caller,
    id: web::Path<String>,
    query: Params<BillInvoicesParams>,
    services: web::Data<Arc<Services>>,
) -> ApiResult {
    let id: BillId = path_id(&id, "bill")?;
    let page = page_request(query.0.limit, query.0.cursor.as_deref())?;
    let invoices = services.billing.invoices_of(caller.actor(), id, page).await?;
    Ok(HttpResponse::Ok().json(Listed::of(invoices, |invoice| InvoiceView::from(&invoice))))
}
