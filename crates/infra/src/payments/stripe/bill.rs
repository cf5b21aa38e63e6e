//! A day's balance transactions, which stand for a daily bill. The day is UTC's.
//!
//! A charge that Stripe made by itself has no number of ours; which invoice it paid is asked for, one by one.

use super::Stripe;
use super::amounts::from_stripe;
use super::calls::{List, escaped};
use super::refunds::Metadata;
use crate::payments::time::utc_day;
use chrono::{DateTime, NaiveDate};
use domain::orders::{BillRow, BillRowKind, ProviderResult};
use serde::Deserialize;

/// Of a hundred rows each.
const MAX_PAGES: usize = 1000;

#[derive(Deserialize)]
struct Transaction {
    id: String,
    #[serde(rename = "type")]
    kind: String,
    created: i64,
    /// In the currency that is paid out, which need not be the customer's.
    currency: String,
    #[serde(default)]
    fee: i64,
    #[serde(default)]
    source: Option<Source>,
}

/// The charge or the refund.
#[derive(Deserialize)]
struct Source {
    amount: i64,
    currency: String,
    #[serde(default)]
    payment_intent: Option<String>,
    #[serde(default)]
    metadata: Metadata,
}

/// That a payment was of an invoice: charges name none since basil.
#[derive(Deserialize)]
struct InvoicePayment {
    invoice: String,
}

fn is_nameless(row: &BillRow) -> bool {
    row.kind == BillRowKind::Payment && row.number.is_empty() && !row.transaction.is_empty()
}

impl Stripe {
    pub(super) async fn balance_transactions(&self, day: NaiveDate) -> ProviderResult<Vec<BillRow>> {
        let (start, end) = utc_day(day);
        let mut rows = Vec::new();
        let mut after = String::new();
        for _ in 0..MAX_PAGES {
            let range = format!("created[gte]={start}&created[lt]={end}");
            let path = format!("/v1/balance_transactions?limit=100&{range}&expand[]=data.source{after}");
            let page: List<Transaction> = self.get(&path).await?;
            for transaction in &page.data {
                let row = row_of(transaction);
                let row = row.map_err(|()| self.outside.untrusted("a balance transaction cannot be read"))?;
                match row {
                    Some(row) if is_nameless(&row) => rows.push(self.with_invoice(row).await?),
                    row => rows.extend(row),
                }
            }
            match page.data.last() {
                Some(last) if page.has_more => after = format!("&starting_after={}", escaped(&last.id)),
                _ => return Ok(rows),
            }
        }
        Err(self.outside.untrusted("the day has too many balance transactions"))
    }

    /// The row as one of a charge, if its payment was of an invoice.
    async fn with_invoice(&self, row: BillRow) -> ProviderResult<BillRow> {
        let intent = escaped(&row.transaction);
        let path =
            format!("/v1/invoice_payments?limit=1&payment[type]=payment_intent&payment[payment_intent]={intent}");
        let found: List<InvoicePayment> = self.get(&path).await?;
        Ok(match found.data.into_iter().next() {
            Some(payment) => BillRow { kind: BillRowKind::Charge, number: payment.invoice, ..row },
            None => row,
        })
    }
}

/// Nothing for payouts, fees and the like.
fn row_of(transaction: &Transaction) -> Result<Option<BillRow>, ()> {
    let kind = match transaction.kind.as_str() {
        "charge" | "payment" => BillRowKind::Payment,
        "refund" | "payment_refund" => BillRowKind::Refund,
        _ => return Ok(None),
    };
    let source = transaction.source.as_ref().ok_or(())?;
    Ok(Some(BillRow {
        kind,
        number: source.metadata.number.clone().unwrap_or_default(),
        transaction: source.payment_intent.clone().unwrap_or_default(),
        amount: from_stripe(source.amount.checked_abs().ok_or(())?, &source.currency).ok_or(())?,
        fee: from_stripe(transaction.fee, &transaction.currency),
        at: DateTime::from_timestamp(transaction.created, 0).ok_or(())?,
    }))
}
