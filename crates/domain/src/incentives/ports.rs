//! What incentives keep. Everything belongs to a user but the operators' batches and codes.

use super::check_in::CheckIn;
use super::code::{AffCode, CodeText};
use super::redemption::{RedemptionBatch, RedemptionCode, RedemptionUse, SealedCode};
use super::referral::{Referral, ReferralReward};
use crate::error::Result;
use crate::id::{RedemptionBatchId, RedemptionCodeId, UserId};
use crate::money::Money;
use crate::page::{Page, PageRequest};
use crate::store::StoreResult;
use async_trait::async_trait;
use chrono::{DateTime, NaiveDate, Utc};

/// Batches; never changed.
#[cfg_attr(any(test, feature = "testing"), mockall::automock)]
#[async_trait]
pub trait RedemptionBatchRepository: Send + Sync {
    async fn insert(&self, batch: &RedemptionBatch) -> StoreResult<()>;

    async fn find(&self, id: RedemptionBatchId) -> StoreResult<Option<RedemptionBatch>>;

    /// The batches of these ids that exist, in any order.
    async fn find_many(&self, ids: &[RedemptionBatchId]) -> StoreResult<Vec<RedemptionBatch>>;

    /// Newest first.
    async fn list(&self, page: PageRequest) -> StoreResult<Page<RedemptionBatch>>;
}

/// Codes. Their uses are counted by conditional UPDATEs, which lock the row until the unit of work ends.
#[cfg_attr(any(test, feature = "testing"), mockall::automock)]
#[async_trait]
pub trait RedemptionCodeRepository: Send + Sync {
    /// Adds codes; one whose digest exists is `StoreError::Duplicate`.
    async fn insert(&self, codes: &[RedemptionCode]) -> StoreResult<()>;

    async fn find(&self, id: RedemptionCodeId) -> StoreResult<Option<RedemptionCode>>;

    async fn find_by_digest(&self, digest: &str) -> StoreResult<Option<RedemptionCode>>;

    /// Counts one use of a code that is enabled and has one left; false when there is none.
    async fn take(&self, id: RedemptionCodeId, now: DateTime<Utc>) -> StoreResult<bool>;

    /// Enables or disables a code, or all of a batch; how many that were not so before.
    async fn set_enabled(
        &self,
        batch: RedemptionBatchId,
        only: Option<RedemptionCodeId>,
        enabled: bool,
        now: DateTime<Utc>,
    ) -> StoreResult<u64>;

    /// The codes of a batch, newest first.
    async fn list(&self, batch: RedemptionBatchId, page: PageRequest) -> StoreResult<Page<RedemptionCode>>;

    /// All codes of a batch in the order of their ids; [`MAX_CODES`](super::MAX_CODES) bounds them.
    async fn all(&self, batch: RedemptionBatchId) -> StoreResult<Vec<RedemptionCode>>;
}

/// Who used which code.
#[cfg_attr(any(test, feature = "testing"), mockall::automock)]
#[async_trait]
pub trait RedemptionUseRepository: Send + Sync {
    /// A second use of a code by one user is `StoreError::Duplicate`.
    async fn insert(&self, used: &RedemptionUse) -> StoreResult<()>;

    async fn find(&self, user: UserId, code: RedemptionCodeId) -> StoreResult<Option<RedemptionUse>>;

    /// What a user redeemed, newest first.
    async fn list_of_user(&self, user: UserId, page: PageRequest) -> StoreResult<Page<RedemptionUse>>;

    /// For operators: who used the codes of a batch, newest first.
    async fn list_of_batch(&self, batch: RedemptionBatchId, page: PageRequest) -> StoreResult<Page<RedemptionUse>>;
}

/// Check-ins. Whoever adds one holds the lock on the row of the user's personal account.
#[cfg_attr(any(test, feature = "testing"), mockall::automock)]
#[async_trait]
pub trait CheckInRepository: Send + Sync {
    /// A second one of a user and day is `StoreError::Duplicate`.
    async fn insert(&self, check_in: &CheckIn) -> StoreResult<()>;

    async fn find(&self, user: UserId, day: NaiveDate) -> StoreResult<Option<CheckIn>>;

    /// The user's latest up to a day.
    async fn latest(&self, user: UserId, until: NaiveDate) -> StoreResult<Option<CheckIn>>;
}

/// Referrals, a row per user. Amounts and counts change by UPDATEs that add, which lock the row.
#[cfg_attr(any(test, feature = "testing"), mockall::automock)]
#[async_trait]
pub trait ReferralRepository: Send + Sync {
    /// A second row of a user, or a code that is taken, is `StoreError::Duplicate`.
    async fn insert(&self, referral: &Referral) -> StoreResult<()>;

    async fn find(&self, user: UserId) -> StoreResult<Option<Referral>>;

    async fn find_by_code(&self, code: &AffCode) -> StoreResult<Option<Referral>>;

    /// Counts one more who came by the user's code.
    async fn count_invited(&self, user: UserId) -> StoreResult<()>;

    /// Adds to what the user earned and has; false when the row is in another currency.
    async fn earn(&self, user: UserId, amount: Money) -> StoreResult<bool>;

    /// Takes from what the user has; false when that is less, or in another currency.
    async fn spend(&self, user: UserId, amount: Money) -> StoreResult<bool>;

    /// A second reward for one invitee is `StoreError::Duplicate`.
    async fn insert_reward(&self, reward: &ReferralReward) -> StoreResult<()>;

    async fn find_reward(&self, invitee: UserId) -> StoreResult<Option<ReferralReward>>;
}

/// Encrypts codes for their rows. `Error::KeyMissing` when there is no key, or not the one that sealed.
#[cfg_attr(any(test, feature = "testing"), mockall::automock)]
pub trait CodeVault: Send + Sync {
    fn seal(&self, id: RedemptionCodeId, code: &CodeText) -> Result<SealedCode>;

    fn open(&self, id: RedemptionCodeId, sealed: &SealedCode) -> Result<CodeText>;
}
