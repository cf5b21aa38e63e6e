//! `GET /wallet/entries.csv`: a statement as a file, sent while it is read.

use super::entries::read_currency;
use super::views::EntryView;
use crate::caller::Caller;
use crate::http::answers::ReadErrors;
use crate::http::params::Params;
use crate::http::problem::ApiResult;
use crate::services::Services;
use actix_web::web::Bytes;
use actix_web::{HttpResponse, get, web};
use domain::accounts::AccountRef;
use domain::actor::Actor;
use domain::error::{Error, Result};
use domain::money::Currency;
use domain::page::{MAX_LIMIT, PageRequest};
use futures_util::stream;
use serde::Deserialize;
use std::sync::Arc;
use utoipa::IntoParams;
use uuid::Uuid;

/// Most lines of one file; `before` asks for what comes after them.
const MAX_LINES: usize = 100_000;
const HEAD: [&str; 9] =
    ["number", "booked_at", "kind", "amount", "currency", "balance", "transfer", "reference", "reason"];

/// Which statement.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ExportParams {
    account: Option<String>,
    /// `CNY`, for example; the currency of prices when left out.
    currency: Option<String>,
    /// Only lines before the one with this number.
    #[param(minimum = 1)]
    before: Option<u64>,
}

/// What is left to be read.
struct Reading {
    services: Arc<Services>,
    actor: Actor,
    which: AccountRef,
    currency: Option<Currency>,
    before: Option<Uuid>,
    lines: usize,
}

impl Reading {
    /// The next lines as CSV, and where to go on; no more when the statement or the file ends.
    async fn next(mut self) -> Result<Option<(Bytes, Option<Self>)>> {
        let page = PageRequest { limit: MAX_LIMIT, before: self.before };
        let (actor, which, currency) = (self.actor.clone(), self.which.clone(), self.currency);
        let task = move |services: Arc<Services>| async move {
            services.ledger.statement(&actor, &which, currency, page).await
        };
        let found = self.services.run(task).await?;
        let first = self.lines == 0;
        self.lines += found.rows.len();
        let text = text_of(first, &found.rows.iter().map(EntryView::of).collect::<Vec<_>>())?;
        self.before = found.next;
        let goes_on = found.next.is_some() && self.lines < MAX_LINES;
        Ok(Some((text, goes_on.then_some(self))))
    }
}

/// Export a statement as CSV, newest first; at most 100,000 lines, and `before` for those after them.
#[utoipa::path(
    tag = "wallet",
    params(ExportParams),
    responses((status = 200, description = "UTF-8 with a head.", body = String, content_type = "text/csv"), ReadErrors)
)]
#[get("/wallet/entries.csv")]
pub async fn export_entries(
    caller: Caller,
    params: Params<ExportParams>,
    services: web::Data<Arc<Services>>,
) -> ApiResult {
    let ExportParams { account, currency, before } = params.0;
    let reading = Reading {
        services: services.get_ref().clone(),
        actor: caller.actor().clone(),
        which: account.as_deref().map(AccountRef::parse).unwrap_or_default(),
        currency: read_currency(currency.as_deref())?,
        before: before.map(|number| Uuid::from_u128(u128::from(number))),
        lines: 0,
    };
    // The first lines are read before anything is sent, so that whoever may not have them hears so.
    let Some((first, rest)) = reading.next().await? else { return Err(Error::Unavailable.into()) };
    let rest = stream::try_unfold(rest, |rest| async {
        match rest {
            Some(reading) => reading.next().await,
            None => Ok(None),
        }
    });
    let all = stream::StreamExt::chain(stream::iter([Ok(first)]), rest);
    Ok(HttpResponse::Ok()
        .content_type("text/csv; charset=utf-8")
        .insert_header(("Content-Disposition", "attachment; filename=\"wallet-entries.csv\""))
        .streaming(Box::pin(all)))
}

fn text_of(first: bool, lines: &[EntryView]) -> Result<Bytes> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    if first {
        writer.write_record(HEAD).map_err(|_| Error::Unavailable)?;
    }
    for line in lines {
        let (number, reason) = (line.number.to_string(), line.reason.as_deref().map(harmless).unwrap_or_default());
        let reference = harmless(&line.reference);
        let fields: [&str; 9] = [
            &number,
            &line.booked_at,
            line.kind,
            &line.amount,
            &line.currency,
            &line.balance,
            &line.transfer,
            &reference,
            &reason,
        ];
        writer.write_record(fields).map_err(|_| Error::Unavailable)?;
    }
    writer.into_inner().map(Bytes::from).map_err(|_| Error::Unavailable)
}

/// A text that no spreadsheet takes for a formula.
fn harmless(text: &str) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{text}") } else { text.to_owned() }
}
