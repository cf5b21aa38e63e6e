//! Upkeep: opening the periods of accounts that nobody touches.

use super::service::MeteringService;
use crate::error::Result;

/// Accounts rolled over between two looks at the clock.
const CHUNK: u64 = 200;

impl MeteringService {
    /// Rolls over a bounded number of due accounts, each in its own unit of work; returns how many.
    ///
    /// The result is the same as that of the account's first touch, which may come first at any moment.
    pub async fn roll_over_due(&self) -> Result<usize> {
        let due = self.store.subscriptions().due(self.clock.now(), CHUNK).await?;
        for account in &due {
            self.open_period(*account).await?;
        }
        Ok(due.len())
    }
}
