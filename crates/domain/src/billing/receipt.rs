//! Receipts: what a customer keeps of a bill. Never an invoice (发票), which only the tax office's system makes.

use crate::billing::document::Document;
use crate::error::Error;
use crate::money::{Currency, Money};
use crate::notices::Locale;
use chrono::{DateTime, NaiveDate, Utc};
use thiserror::Error;

/// Most lines of one receipt: some thirty pages. A bill has a few per meter.
pub const MAX_LINES: usize = 1_000;
/// Most payments on one receipt.
pub const MAX_PAYMENTS: usize = 200;
/// Most lines of address under a name.
pub const MAX_PARTY_LINES: usize = 12;

/// Who sells or buys: a name, and lines such as an address or a tax id.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Party {
    pub name: String,
    pub lines: Vec<String>,
}

/// One line; `amount` in whole minor units, negative for what is given back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReceiptLine {
    pub description: String,
    /// With its unit, as the customer reads it: `30.5 GB`. Empty where nothing was counted.
    pub quantity: String,
    /// What one unit costs: `0.50 / 1000`. Empty where there is no rate.
    pub rate: String,
    pub amount: Money,
}

/// What a sum below the lines is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SumKind {
    Base,
    Overage,
    Discount,
    Tax,
    Total,
    Paid,
    Refunded,
    /// What is still to be paid.
    Due,
}

/// A sum below the lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sum {
    pub kind: SumKind,
    pub amount: Money,
}

/// Money that came, or went back when negative.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReceiptPayment {
    /// The day in the billing time zone.
    pub on: NaiveDate,
    /// How, as the customer knows it, with the provider's number where there is one.
    pub means: String,
    pub amount: Money,
}

/// What the paper is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReceiptTitle {
    Bill,
    /// Money went back.
    Refund,
}

/// How the bill stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReceiptState {
    Unpaid,
    Paid,
    Void,
    Refunded,
}

/// A bill as its customer reads it. Days are those of the billing time zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    pub locale: Locale,
    pub title: ReceiptTitle,
    pub number: String,
    pub state: ReceiptState,
    /// When the bill was made: the date of the file, which must not depend on when it is asked for.
    pub issued_at: DateTime<Utc>,
    pub issued_on: NaiveDate,
    pub due_on: Option<NaiveDate>,
    /// First and last day.
    pub period: Option<(NaiveDate, NaiveDate)>,
    /// The code of the coupon that gave the discount.
    pub coupon: Option<String>,
    pub seller: Party,
    pub buyer: Party,
    pub currency: Currency,
    pub lines: Vec<ReceiptLine>,
    pub sums: Vec<Sum>,
    pub payments: Vec<ReceiptPayment>,
}

/// Why something is not a receipt.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum ReceiptMistake {
    #[error("has more than {MAX_LINES} lines")]
    TooManyLines,
    #[error("has more than {MAX_PAYMENTS} payments")]
    TooManyPayments,
    #[error("a name has more than {MAX_PARTY_LINES} lines below it")]
    TooManyPartyLines,
    #[error("all amounts of a receipt are in its currency")]
    CurrencyMismatch,
}

impl From<ReceiptMistake> for Error {
    fn from(mistake: ReceiptMistake) -> Self {
        Self::invalid("receipt", mistake.to_string())
    }
}

impl Receipt {
    /// The receipt in words, bounded and without characters that could disturb a page.
    pub fn document(&self) -> Result<Document, ReceiptMistake> {
        self.check()?;
        Ok(Document::of(self))
    }

    fn check(&self) -> Result<(), ReceiptMistake> {
        if self.lines.len() > MAX_LINES {
            return Err(ReceiptMistake::TooManyLines);
        }
        if self.payments.len() > MAX_PAYMENTS {
            return Err(ReceiptMistake::TooManyPayments);
        }
        if self.seller.lines.len().max(self.buyer.lines.len()) > MAX_PARTY_LINES {
            return Err(ReceiptMistake::TooManyPartyLines);
        }
        let lines = self.lines.iter().map(|line| line.amount);
        let amounts = lines.chain(self.sums.iter().map(|sum| sum.amount));
        let mut amounts = amounts.chain(self.payments.iter().map(|payment| payment.amount));
        let same = amounts.all(|amount| amount.currency() == self.currency);
        if same { Ok(()) } else { Err(ReceiptMistake::CurrencyMismatch) }
    }
}
