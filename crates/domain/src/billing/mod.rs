//! What a customer is told about money owed: receipts.

mod document;
mod receipt;
mod words;

pub use document::{Document, Mark, Row};
pub use receipt::{
    MAX_LINES, MAX_PARTY_LINES, MAX_PAYMENTS, Party, Receipt, ReceiptLine, ReceiptMistake, ReceiptPayment,
    ReceiptRenderer, ReceiptState, Sum, SumKind,
};
