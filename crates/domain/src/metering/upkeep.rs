//! Upkeep: opening the periods of accounts that nobody touches.

use super::service::MeteringService;
use crate::error::Result;

/// Accounts rolled over between two looks at the clock.
const CHUNK: u64 = 200;

/// What one chunk of upkeep came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RolledOver {
    pub done: u64,
    /// Accounts that could not be rolled over; they stay due, and the next chunk must skip them.
    pub failed: u64,
}

impl MeteringService {
    /// Rolls over a bounded number of due accounts, each in its own unit of work.
    ///
    /// The result is the same as that of the account's first touch, which may come first at any moment. An
    /// account that fails does not hold up those behind it.
    pub async fn roll_over_due(&self, skip: u64) -> Result<RolledOver> {
        let due = self.store.subscriptions().due(self.clock.now(), skip, CHUNK).await?;
        let mut rolled = RolledOver::default();
        for account in due {
            match self.open_period(account).await {
                Ok(_) => rolled.done += 1,
                Err(error) => {
                    tracing::error!(%account, error = ?error, "a period could not be opened");
                    rolled.failed += 1;
                }
            }
        }
        Ok(rolled)
    }
}
