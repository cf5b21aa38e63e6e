//! What a customer is told about money owed: receipts, and invoices.

mod document;
mod invoice;
mod receipt;
mod tax_id;
mod words;

use crate::error::Result;
use async_trait::async_trait;
pub use document::{Document, Mark, Row};
pub use invoice::{InvoiceKind, InvoiceStatus, InvoiceTitle, MAX_TITLE, NoSuchChange, may_be_requested};
pub use receipt::{
    MAX_LINES, MAX_PARTY_LINES, MAX_PAYMENTS, Party, Receipt, ReceiptLine, ReceiptMistake, ReceiptPayment,
    ReceiptState, Sum, SumKind,
};
pub use tax_id::{TaxId, TaxIdDoubt};

/// Turns a document into a PDF. The same document always gives the same bytes.
#[cfg_attr(any(test, feature = "testing"), mockall::automock)]
#[async_trait]
pub trait ReceiptRenderer: Send + Sync {
    /// `Error::Unavailable` when too many are being made.
    async fn render(&self, document: Document) -> Result<Vec<u8>>;
}
