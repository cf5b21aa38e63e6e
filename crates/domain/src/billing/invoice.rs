//! Invoices (发票): what a customer asks for and an operator records. The tax office's system makes them; we keep the
//! number and the address, and never a paper of our own under that name.
//!
//! `requested → issued | rejected`, `issued → reversed` (红冲). After a rejection or a reversal the bill may be invoiced
//! anew, so a bill has at most one invoice that stands, and any number that do not.
//! Source: the states of WeChat's fapiao API, and the seed's `billing_invoices` without its one-to-one.

use crate::billing::tax_id::{TaxId, TaxIdDoubt};
use crate::error::{Error, FieldError, Result};
use crate::id::{AccountId, BillId, InvoiceId};
use crate::money::Money;
use crate::text::{is_hidden, visible_line};
use chrono::{DateTime, Utc};

/// Longest title, in characters: the seed's `invoice_title`.
pub const MAX_TITLE: usize = 200;
/// Longest number of an invoice; those of today have 20 digits.
const MAX_NUMBER: usize = 64;
/// Longest address of an invoice, in bytes.
const MAX_URL: usize = 1024;

/// How an invoice stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum InvoiceStatus {
    Requested,
    Issued,
    Rejected,
    /// Taken back by a red-letter invoice.
    Reversed,
}

/// A change that no invoice makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoSuchChange {
    pub from: InvoiceStatus,
    pub to: InvoiceStatus,
}

impl InvoiceStatus {
    pub const ALL: [Self; 4] = [Self::Requested, Self::Issued, Self::Rejected, Self::Reversed];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Requested => "requested",
            Self::Issued => "issued",
            Self::Rejected => "rejected",
            Self::Reversed => "reversed",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.name() == name)
    }

    /// Whether the bill has an invoice by it: another one must wait until this one does not stand.
    pub const fn stands(self) -> bool {
        matches!(self, Self::Requested | Self::Issued)
    }

    /// The status after a change, if invoices make it.
    pub fn change(self, to: Self) -> std::result::Result<Self, NoSuchChange> {
        let edge =
            matches!((self, to), (Self::Requested, Self::Issued | Self::Rejected) | (Self::Issued, Self::Reversed));
        if edge { Ok(to) } else { Err(NoSuchChange { from: self, to }) }
    }
}

impl From<NoSuchChange> for Error {
    fn from(change: NoSuchChange) -> Self {
        let (from, to) = (change.from.name(), change.to.name());
        Self::conflict("invoice_status", format!("the invoice is {from} and cannot be {to}"))
    }
}

/// Which invoice is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum InvoiceKind {
    /// 普票.
    Ordinary,
    /// 专票: the buyer deducts its tax, and must have a tax id.
    Special,
}

impl InvoiceKind {
    pub const ALL: [Self; 2] = [Self::Ordinary, Self::Special];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Ordinary => "ordinary",
            Self::Special => "special",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// What an invoice is to say about its buyer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvoiceTitle {
    pub kind: InvoiceKind,
    /// A company's or a person's name.
    pub title: String,
    /// Companies have one, persons do not.
    pub tax_id: Option<TaxId>,
}

impl InvoiceTitle {
    /// Reads what a customer typed, and says every mistake. What merely looks wrong is [`Self::doubt`].
    pub fn read(kind: InvoiceKind, title: &str, tax_id: Option<&str>) -> Result<Self> {
        let mut mistakes = Vec::new();
        let title = visible_line(title, MAX_TITLE).unwrap_or_else(|reason| {
            mistakes.push(FieldError { field: "title".to_owned(), reason: reason.to_owned() });
            String::new()
        });
        let tax_id = match tax_id.map(TaxId::parse).transpose() {
            Ok(None) if kind == InvoiceKind::Special => {
                let reason = "is needed for a special invoice".to_owned();
                mistakes.push(FieldError { field: "tax_id".to_owned(), reason });
                None
            }
            Ok(tax_id) => tax_id,
            Err(Error::Invalid(more)) => {
                mistakes.extend(more);
                None
            }
            Err(other) => return Err(other),
        };
        if mistakes.is_empty() { Ok(Self { kind, title, tax_id }) } else { Err(Error::Invalid(mistakes)) }
    }

    pub fn doubt(&self) -> Option<TaxIdDoubt> {
        self.tax_id.as_ref().and_then(TaxId::doubt)
    }
}

/// An invoice for a bill: what it says, and how it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invoice {
    pub id: InvoiceId,
    pub account: AccountId,
    pub bill: BillId,
    pub status: InvoiceStatus,
    pub title: InvoiceTitle,
    /// What was paid of the bill and had not gone back when the invoice was asked for.
    pub amount: Money,
    /// As the tax office's system gave it out.
    pub number: Option<String>,
    /// Where its file lies.
    pub url: Option<String>,
    /// Why it was rejected or reversed.
    pub reason: Option<String>,
    pub requested_at: DateTime<Utc>,
    pub issued_at: Option<DateTime<Utc>>,
    /// Since when more went back of the bill than before it was asked for: it is to be rejected, or reversed.
    pub outdated_at: Option<DateTime<Utc>>,
    pub updated_at: DateTime<Utc>,
}

/// How an operator ends an invoice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InvoiceEnd {
    /// It will not be made.
    Reject,
    /// It was issued, and taken back.
    Reverse,
}

impl InvoiceEnd {
    const fn status(self) -> InvoiceStatus {
        match self {
            Self::Reject => InvoiceStatus::Rejected,
            Self::Reverse => InvoiceStatus::Reversed,
        }
    }
}

impl Invoice {
    /// The invoice once the tax office's system made it.
    pub fn issued(&self, number: &str, url: Option<&str>, now: DateTime<Utc>) -> Result<Self> {
        let status = self.status.change(InvoiceStatus::Issued)?;
        let number = visible_line(number, MAX_NUMBER).map_err(|reason| Error::invalid("number", reason))?;
        let url = url.map(read_url).transpose()?;
        Ok(Self { status, number: Some(number), url, issued_at: Some(now), updated_at: now, ..self.clone() })
    }

    /// The invoice once it stands no more: rejected before it was issued, or reversed after.
    pub fn ended(&self, end: InvoiceEnd, reason: String, now: DateTime<Utc>) -> Result<Self> {
        let status = self.status.change(end.status())?;
        Ok(Self { status, reason: Some(reason), updated_at: now, ..self.clone() })
    }

    /// The invoice once it is over more than `left` of its bill; `None` when it is not, or was known to be.
    pub fn outdated(&self, left: Money, now: DateTime<Utc>) -> Option<Self> {
        let news = self.status.stands() && self.outdated_at.is_none() && self.amount.nanos() > left.nanos();
        news.then(|| Self { outdated_at: Some(now), updated_at: now, ..self.clone() })
    }
}

/// The address is only handed back, never fetched.
fn read_url(url: &str) -> Result<String> {
    let web = url.starts_with("https://") || url.starts_with("http://");
    let odd = |letter: char| letter.is_whitespace() || is_hidden(letter) || "\"'<>\\`".contains(letter);
    if web && url.len() <= MAX_URL && !url.chars().any(odd) {
        Ok(url.to_owned())
    } else {
        Err(Error::invalid("url", "must be an http or https URL of at most 1024 characters"))
    }
}

/// Refuses another invoice for a bill that has one that stands.
pub fn may_be_requested(of_the_bill: &[InvoiceStatus]) -> Result<()> {
    match of_the_bill.iter().find(|status| status.stands()) {
        None => Ok(()),
        Some(status) => {
            Err(Error::conflict("invoice_exists", format!("the bill has an invoice that is {}", status.name())))
        }
    }
}

#[cfg(test)]
#[path = "invoice_tests.rs"]
mod tests;
