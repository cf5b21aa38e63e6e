//! Builds what makes receipts: the feature `pdf`, or nothing.

use crate::settings::Settings;
use domain::billing::{BillingService, ReceiptRenderer, ReceiptService};
use domain::notices::Locale;
use std::sync::Arc;

/// Receipts that are made at the same time: each takes a thread for some milliseconds.
#[cfg(feature = "pdf")]
const AT_ONCE: usize = 2;

pub fn build(settings: &Settings, billing: &Arc<BillingService>) -> ReceiptService {
    let locale = Locale::parse(&settings.mail.locale).unwrap_or(Locale::Chinese);
    ReceiptService { billing: billing.clone(), renderer: renderer(), locale }
}

#[cfg(feature = "pdf")]
fn renderer() -> Arc<dyn ReceiptRenderer> {
    Arc::new(receipts::PdfReceipts::new(AT_ONCE))
}

#[cfg(not(feature = "pdf"))]
fn renderer() -> Arc<dyn ReceiptRenderer> {
    Arc::new(without::NoReceipts)
}

#[cfg(not(feature = "pdf"))]
mod without {
    use domain::billing::{Document, ReceiptRenderer};
    use domain::error::{Error, Result};

    /// Of a server that was built without the feature `pdf`.
    pub struct NoReceipts;

    #[async_trait::async_trait]
    impl ReceiptRenderer for NoReceipts {
        async fn render(&self, _: Document) -> Result<Vec<u8>> {
            Err(Error::NotAvailable("receipts as PDF: it was built without the feature pdf"))
        }
    }
}
