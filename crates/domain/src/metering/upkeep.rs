//! Upkeep: opening the periods of accounts that nobody touches.

use super::service::MeteringService;
use crate::error::{Error, Result};
use crate::id::AccountId;
use crate::plans;
use crate::store::retrying;

/// Accounts of one look at the clock.
const CHUNK: u64 = 200;
/// Accounts of one unit of work; they are locked as long as it takes.
const TOGETHER: usize = 50;

/// What one chunk of upkeep came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RolledOver {
    pub done: u64,
    /// Accounts that could not be rolled over; they stay due, and the next chunk must skip them.
    pub failed: u64,
}

impl MeteringService {
    /// Rolls over a bounded number of due accounts, some in one unit of work, or when that fails, each in its own.
    ///
    /// The result is the same as that of the account's first touch, which may come first at any moment. An
    /// account that fails does not hold up those behind it.
    pub async fn roll_over_due(&self, skip: u64) -> Result<RolledOver> {
        let due = self.store.subscriptions().due(self.clock.now(), skip, CHUNK).await?;
        let mut rolled = RolledOver::default();
        for together in due.chunks(TOGETHER) {
            match retrying!(self.store, self.open_periods(together)) {
                Ok(()) => rolled.done += together.len() as u64,
                Err(error) => {
                    tracing::warn!(error = ?error, "periods are opened one account at a time");
                    self.open_each(together, &mut rolled).await;
                }
            }
        }
        Ok(rolled)
    }

    async fn open_periods(&self, accounts: &[AccountId]) -> Result<()> {
        let now = self.clock.now();
        let work = self.store.begin().await?;
        let locked = work.accounts().lock_many(accounts).await?;
        if locked.len() < accounts.len() {
            return Err(Error::NotFound("account"));
        }
        for account in locked {
            plans::lock_current(&*work, &self.catalogue, &account, &*self.hook, now).await?;
        }
        Ok(work.commit().await?)
    }

    async fn open_each(&self, accounts: &[AccountId], rolled: &mut RolledOver) {
        for account in accounts {
            match self.open_period(*account).await {
                Ok(_) => rolled.done += 1,
                Err(error) => {
                    tracing::error!(%account, error = ?error, "a period could not be opened");
                    rolled.failed += 1;
                }
            }
        }
    }
}
