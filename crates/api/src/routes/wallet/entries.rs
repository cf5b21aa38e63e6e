//! `GET /wallet/entries`.

use super::views::EntryView;
use crate::caller::Caller;
use crate::http::answers::ReadErrors;
use crate::http::paging::{Listed, page_request};
use crate::http::params::Params;
use crate::http::problem::{ApiError, ApiResult};
use crate::services::Services;
use actix_web::{HttpResponse, get, web};
use domain::accounts::AccountRef;
use domain::money::Currency;
use serde::Deserialize;
use std::sync::Arc;
use utoipa::IntoParams;

/// Which statement.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct EntryParams {
    account: Option<String>,
    /// `CNY`, for example; the currency of prices when left out.
    currency: Option<String>,
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
    cursor: Option<String>,
}

/// List what came into a wallet and what went out, newest first, with the balance after each.
#[utoipa::path(
    tag = "wallet",
    params(EntryParams),
    responses((status = 200, description = "A page.", body = Listed<EntryView>), ReadErrors)
)]
#[get("/wallet/entries")]
pub async fn list_entries(
    caller: Caller,
    params: Params<EntryParams>,
    services: web::Data<Arc<Services>>,
) -> ApiResult {
    let EntryParams { account, currency, limit, cursor } = params.0;
    let page = page_request(limit, cursor.as_deref())?;
    let currency = read_currency(currency.as_deref())?;
    let which = account.as_deref().map(AccountRef::parse).unwrap_or_default();
    let actor = caller.actor().clone();
    let lines = services
        .run(move |services| async move { services.ledger.statement(&actor, &which, currency, page).await })
        .await?;
    Ok(HttpResponse::Ok().json(Listed::of(lines, |line| EntryView::of(&line))))
}

/// A currency in the query string.
pub fn read_currency(code: Option<&str>) -> ApiResult<Option<Currency>> {
    let unknown = || ApiError::invalid("currency", "is not a currency code such as CNY");
    code.map(|code| Currency::parse(code).ok_or_else(unknown)).transpose()
}
