//! `GET /bills/{id}.pdf`: a bill with its receipt, to keep or print.

use crate::caller::Caller;
use crate::http::answers::ReadErrors;
use crate::http::params::{Params, path_id};
use crate::http::problem::{ApiError, ApiResult, Problem};
use crate::services::Services;
use actix_web::{HttpResponse, get, web};
use domain::id::BillId;
use domain::notices::Locale;
use serde::Deserialize;
use std::sync::Arc;
use utoipa::IntoParams;

/// In which language.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ReceiptParams {
    /// `zh` or `en`; the `locale` of the caller's settings, or else the server's, when left out.
    pub locale: Option<String>,
}

/// A bill as a PDF: what it is for, what was paid and what went back. It is no tax invoice.
#[utoipa::path(
    tag = "bills",
    params(("id" = String, Path), ReceiptParams),
    responses(
        (status = 200, description = "The paper.", body = String, content_type = "application/pdf"),
        (status = 501, description = "This server makes none.", body = Problem, content_type = "application/problem+json"),
        ReadErrors
    )
)]
#[get("/bills/{id}.pdf")]
pub async fn get_receipt(
    caller: Caller,
    id: web::Path<String>,
    query: Params<ReceiptParams>,
    services: web::Data<Arc<Services>>,
) -> ApiResult {
    let id: BillId = path_id(&id, "bill")?;
    let read = |tag: &String| Locale::parse(tag).ok_or_else(|| ApiError::invalid("locale", "must be zh or en"));
    let locale = query.0.locale.as_ref().map(read).transpose()?;
    let file = services.receipts.pdf(caller.actor(), id, locale).await?;
    Ok(HttpResponse::Ok()
        .content_type("application/pdf")
        .insert_header(("Content-Disposition", format!("inline; filename=\"{id}.pdf\"")))
        .body(file))
}
