//! Receipts as PDF: the adapter of `domain::billing::ReceiptRenderer`.
//!
//! A crate of its own, so that its libraries and its font are left out of a server built without the feature `pdf`.
//! `font` knows widths, `wrap` breaks lines, `layout` fills pages, `paint` writes them.

mod font;
mod layout;
mod paint;
mod renderer;
#[cfg(test)]
#[path = "samples_tests.rs"]
mod samples;
mod wrap;

pub use renderer::PdfReceipts;
