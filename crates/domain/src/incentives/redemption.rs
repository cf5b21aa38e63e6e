//! Redemption and gift codes: batches of equal codes, and who used which.

use super::reward::Reward;
use crate::error::{Error, Result};
use crate::id::{AccountId, RedemptionBatchId, RedemptionCodeId, RedemptionUseId, UserId};
use crate::text::visible_line;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// Most codes of one batch; its export is made in memory.
pub const MAX_CODES: u32 = 10_000;
/// Most uses of one code.
pub const MAX_USES: i64 = 1_000_000_000;
const MAX_NAME_LENGTH: usize = 64;

/// Codes of one value that were made together. Never changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RedemptionBatch {
    pub id: RedemptionBatchId,
    pub name: String,
    pub reward: Reward,
    /// A present rather than something sold; the grant's origin says so.
    pub is_gift: bool,
    /// How many codes it has, 1 to [`MAX_CODES`].
    pub count: u32,
    /// Uses of each code, 1 to [`MAX_USES`], by as many users.
    pub max_uses: i64,
    pub valid_from: Option<DateTime<Utc>>,
    /// Exclusive.
    pub valid_until: Option<DateTime<Utc>>,
    pub created_by: UserId,
    pub created_at: DateTime<Utc>,
}

impl RedemptionBatch {
    pub fn read_name(text: &str) -> Result<String> {
        visible_line(text, MAX_NAME_LENGTH).map_err(|reason| Error::invalid("name", reason))
    }

    /// Refuses a count, a number of uses or a window that cannot be.
    pub(super) fn check(&self) -> Result<()> {
        if !(1..=MAX_CODES).contains(&self.count) {
            return Err(Error::invalid("count", format!("must be 1 to {MAX_CODES}")));
        }
        if !(1..=MAX_USES).contains(&self.max_uses) {
            return Err(Error::invalid("max_uses", format!("must be 1 to {MAX_USES}")));
        }
        let begins = self.valid_from.unwrap_or(self.created_at).max(self.created_at);
        if self.valid_until.is_some_and(|end| end <= begins) {
            return Err(Error::invalid("valid_until", "must be in the future and after valid_from"));
        }
        Ok(())
    }

    /// Refuses a use outside of the window.
    pub(super) fn require_open(&self, now: DateTime<Utc>) -> Result<()> {
        if self.valid_from.is_some_and(|start| now < start) {
            return Err(Error::conflict("code_not_yet_valid", "The code is not valid yet."));
        }
        if self.valid_until.is_some_and(|end| end <= now) {
            return Err(Error::conflict("code_expired", "The code has expired."));
        }
        Ok(())
    }
}

/// A code encrypted for its row, so that operators can export it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedCode(pub String);

/// One code of a batch. `0 ≤ used ≤ max_uses`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RedemptionCode {
    pub id: RedemptionCodeId,
    pub batch: RedemptionBatchId,
    /// Hex of the SHA-256; unique.
    pub digest: String,
    pub sealed: SealedCode,
    /// Its first characters.
    pub hint: String,
    pub used: i64,
    pub max_uses: i64,
    pub enabled: bool,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

impl RedemptionCode {
    /// Why a code that exists could not be taken.
    pub(super) fn refusal(&self) -> Error {
        if self.enabled {
            Error::conflict("code_used_up", "The code was used as often as it may be.")
        } else {
            Error::conflict("code_disabled", "The code is disabled.")
        }
    }
}

/// Somebody used a code; at most once per user and code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RedemptionUse {
    pub user: UserId,
    pub id: RedemptionUseId,
    pub code: RedemptionCodeId,
    pub batch: RedemptionBatchId,
    /// What was credited.
    pub account: AccountId,
    pub redeemed_at: DateTime<Utc>,
}

impl RedemptionUse {
    /// The reference of its one credit.
    pub fn reference(&self) -> String {
        format!("redemption:{}:{}", self.code, self.user)
    }
}
