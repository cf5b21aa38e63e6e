//! Invoices: what Stripe charged for a term of a subscription, or could not.

use super::Stripe;
use super::amounts::from_stripe;
use super::calls::{escaped, is};
use super::checkout::MISSING;
use super::subscriptions::period;
use chrono::DateTime;
use domain::orders::{NotificationRefused, ProviderInvoice, ProviderResult};
use serde::Deserialize;

#[derive(Deserialize)]
pub struct Invoice {
    id: String,
    #[serde(default)]
    customer: Option<String>,
    currency: String,
    #[serde(default)]
    amount_paid: i64,
    #[serde(default)]
    amount_due: i64,
    #[serde(default)]
    parent: Option<Parent>,
    lines: Lines,
    #[serde(default)]
    status: Option<String>,
    #[serde(default)]
    status_transitions: Transitions,
}

#[derive(Default, Deserialize)]
struct Transitions {
    #[serde(default)]
    paid_at: Option<i64>,
}

/// Since basil: `parent.subscription_details.subscription`.
#[derive(Deserialize)]
struct Parent {
    #[serde(default)]
    subscription_details: Option<Details>,
}

#[derive(Deserialize)]
struct Details {
    subscription: String,
}

#[derive(Deserialize)]
struct Lines {
    data: Vec<Line>,
}

#[derive(Deserialize)]
struct Line {
    period: Span,
}

#[derive(Deserialize)]
struct Span {
    start: i64,
    end: i64,
}

impl Invoice {
    /// Nothing when the invoice is of no subscription.
    pub fn read(&self, paid: bool) -> Result<Option<ProviderInvoice>, NotificationRefused> {
        let details = self.parent.as_ref().and_then(|parent| parent.subscription_details.as_ref());
        let Some(details) = details else { return Ok(None) };
        let units = if paid { self.amount_paid } else { self.amount_due };
        // The line that ends last is the term; others are prorations of the one before.
        let term = self.lines.data.iter().map(|line| &line.period).max_by_key(|span| span.end);
        let read = || {
            Some(ProviderInvoice {
                reference: self.id.clone(),
                subscription: details.subscription.clone(),
                customer: self.customer.clone()?,
                amount: from_stripe(units, &self.currency)?,
                period: term.and_then(|span| period(span.start, span.end))?,
                paid_at: self.status_transitions.paid_at.and_then(|at| DateTime::from_timestamp(at, 0)),
            })
        };
        read().map(Some).ok_or(NotificationRefused::Content)
    }
}

impl Stripe {
    pub(super) async fn fetch_charge(&self, reference: &str) -> ProviderResult<Option<ProviderInvoice>> {
        let invoice: Invoice = match self.get(&format!("/v1/invoices/{}", escaped(reference))).await {
            Ok(invoice) => invoice,
            Err(error) if is(&error, MISSING) => return Ok(None),
            Err(error) => return Err(error),
        };
        if invoice.status.as_deref() != Some("paid") {
            return Ok(None);
        }
        invoice.read(true).map_err(|_| self.outside.untrusted("the invoice cannot be read"))
    }
}
