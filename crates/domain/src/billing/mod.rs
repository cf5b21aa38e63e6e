//! What a customer is told about money owed: receipts, and invoices.

mod document;
mod invoice;
mod receipt;
mod tax_id;
mod words;

pub use document::{Document, Mark, Row};
pub use invoice::{InvoiceKind, InvoiceStatus, InvoiceTitle, MAX_TITLE, NoSuchChange, may_be_requested};
pub use receipt::{
    MAX_LINES, MAX_PARTY_LINES, MAX_PAYMENTS, Party, Receipt, ReceiptLine, ReceiptMistake, ReceiptPayment,
    ReceiptRenderer, ReceiptState, Sum, SumKind,
};
pub use tax_id::{TaxId, TaxIdDoubt};
