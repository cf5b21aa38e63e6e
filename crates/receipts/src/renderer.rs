//! Making receipts off the threads that answer requests, only so many at once.

use crate::font::Face;
use crate::layout::lay_out;
use crate::paint::paint;
use async_trait::async_trait;
use domain::billing::{Document, ReceiptRenderer};
use domain::error::{Error, Result};
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::time::timeout;

/// Receipts that may wait for each one that is being made; more are told to come back.
const WAITING_PER_RUNNING: usize = 32;
/// Then whoever waits is told to come back.
const LONGEST_WAIT: Duration = Duration::from_secs(10);

/// Renders receipts with krilla on the blocking pool.
pub struct PdfReceipts {
    face: Arc<OnceLock<Face>>,
    admitted: Arc<Semaphore>,
    running: Arc<Semaphore>,
}

impl PdfReceipts {
    /// At most `at_once` receipts are made at the same time; at least one.
    pub fn new(at_once: usize) -> Self {
        let at_once = at_once.max(1);
        let admitted = Arc::new(Semaphore::new(at_once * (1 + WAITING_PER_RUNNING)));
        Self { face: Arc::default(), admitted, running: Arc::new(Semaphore::new(at_once)) }
    }
}

#[async_trait]
impl ReceiptRenderer for PdfReceipts {
    async fn render(&self, document: Document) -> Result<Vec<u8>> {
        let admitted = self.admitted.clone().try_acquire_owned().map_err(|_| Error::Unavailable)?;
        let running = timeout(LONGEST_WAIT, self.running.clone().acquire_owned()).await;
        let running = running.map_err(|_| Error::Unavailable)?.map_err(|_| Error::Unavailable)?;
        let face = self.face.clone();
        // The permits stay with the work, even when the caller goes away.
        let job = tokio::task::spawn_blocking(move || {
            let _permits = (admitted, running);
            render(&face, &document)
        });
        job.await.map_err(|_| Error::Unavailable)?
    }
}

fn render(face: &OnceLock<Face>, document: &Document) -> Result<Vec<u8>> {
    if face.get().is_none() {
        let _ = face.set(Face::load()?);
    }
    let face = face.get().ok_or(Error::Unavailable)?;
    let pages = lay_out(face, document);
    let unknown = missing(face, document);
    if !unknown.is_empty() {
        tracing::warn!(number = document.number, count = unknown.len(), "a receipt has characters that its font lacks");
    }
    paint(face, document, &pages, true)
}

/// The characters of names and lines that are shown as □.
fn missing(face: &Face, document: &Document) -> Vec<char> {
    let parties = [&document.seller.1, &document.buyer.1];
    let names = parties.into_iter().flat_map(|party| std::iter::once(&party.name).chain(&party.lines));
    let texts = names.chain(document.lines.iter().flatten()).chain(document.payments.iter().flatten());
    texts.flat_map(|text| text.chars()).filter(|letter| !face.knows(*letter)).collect()
}

#[cfg(test)]
#[path = "renderer_tests.rs"]
mod tests;
