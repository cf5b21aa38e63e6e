//! Redemption codes, check-ins and referrals.

use super::Repos;
use super::statements::{change, change_all, find, find_where, insert, list, save, select};
use async_trait::async_trait;
use chrono::{DateTime, NaiveDate, Utc};
use domain::id::{RedemptionBatchId, RedemptionCodeId, UserId};
use domain::incentives::{
    AffCode, CheckIn, CheckInRepository, RedemptionBatch, RedemptionBatchRepository, RedemptionCode,
    RedemptionCodeRepository, RedemptionUse, RedemptionUseRepository, Referral, ReferralRepository, ReferralReward,
};
use domain::money::Money;
use domain::page::{Page, PageRequest};
use domain::store::StoreResult;

#[async_trait]
impl RedemptionBatchRepository for Repos {
    async fn insert(&self, batch: &RedemptionBatch) -> StoreResult<()> {
        insert!(self.redemption_batches[batch.id] = batch)
    }

    async fn find(&self, id: RedemptionBatchId) -> StoreResult<Option<RedemptionBatch>> {
        find!(self.redemption_batches[id])
    }

    async fn find_many(&self, ids: &[RedemptionBatchId]) -> StoreResult<Vec<RedemptionBatch>> {
        select!(self.redemption_batches, |row| ids.contains(&row.id))
    }

    async fn list(&self, wanted: PageRequest) -> StoreResult<Page<RedemptionBatch>> {
        list!(self.redemption_batches, |_| true, wanted, |row| row.id.as_uuid())
    }
}

#[async_trait]
impl RedemptionCodeRepository for Repos {
    async fn insert(&self, codes: &[RedemptionCode]) -> StoreResult<()> {
        self.call(|tables, cx| {
            tables.redemption_codes.insert(cx, codes.iter().map(|row| (row.id, row.clone())).collect())
        })
        .await
    }

    async fn find(&self, id: RedemptionCodeId) -> StoreResult<Option<RedemptionCode>> {
        find!(self.redemption_codes[id])
    }

    async fn find_by_digest(&self, digest: &str) -> StoreResult<Option<RedemptionCode>> {
        find_where!(self.redemption_codes, |row| row.digest == digest)
    }

    async fn take(&self, id: RedemptionCodeId, now: DateTime<Utc>) -> StoreResult<bool> {
        let loose = self.is_unconditional("redemption_codes");
        change!(self.redemption_codes[id], |before: &RedemptionCode| {
            let left = loose || (before.enabled && before.used < before.max_uses);
            left.then(|| RedemptionCode { used: before.used + 1, updated_at: now, ..before.clone() })
        })
    }

    async fn set_enabled(
        &self,
        batch: RedemptionBatchId,
        only: Option<RedemptionCodeId>,
        enabled: bool,
        now: DateTime<Utc>,
    ) -> StoreResult<u64> {
        let fits = |row: &RedemptionCode| {
            row.batch == batch && row.enabled != enabled && only.is_none_or(|only| row.id == only)
        };
        let after = |row: &RedemptionCode| RedemptionCode { enabled, updated_at: now, ..row.clone() };
        change_all!(self.redemption_codes, fits, after)
    }

    async fn list(&self, batch: RedemptionBatchId, wanted: PageRequest) -> StoreResult<Page<RedemptionCode>> {
        list!(self.redemption_codes, |row| row.batch == batch, wanted, |row| row.id.as_uuid())
    }

    async fn all(&self, batch: RedemptionBatchId) -> StoreResult<Vec<RedemptionCode>> {
        select!(self.redemption_codes, |row| row.batch == batch)
    }
}

#[async_trait]
impl RedemptionUseRepository for Repos {
    async fn insert(&self, used: &RedemptionUse) -> StoreResult<()> {
        insert!(self.redemption_uses[used.id] = used)
    }

    async fn find(&self, user: UserId, code: RedemptionCodeId) -> StoreResult<Option<RedemptionUse>> {
        find_where!(self.redemption_uses, |row| row.user == user && row.code == code)
    }

    async fn list_of_user(&self, user: UserId, wanted: PageRequest) -> StoreResult<Page<RedemptionUse>> {
        list!(self.redemption_uses, |row| row.user == user, wanted, |row| row.id.as_uuid())
    }

    async fn list_of_batch(&self, batch: RedemptionBatchId, wanted: PageRequest) -> StoreResult<Page<RedemptionUse>> {
        list!(self.redemption_uses, |row| row.batch == batch, wanted, |row| row.id.as_uuid())
    }
}

#[async_trait]
impl CheckInRepository for Repos {
    async fn insert(&self, check_in: &CheckIn) -> StoreResult<()> {
        insert!(self.check_ins[(check_in.user, check_in.day)] = check_in)
    }

    async fn find(&self, user: UserId, day: NaiveDate) -> StoreResult<Option<CheckIn>> {
        find!(self.check_ins[(user, day)])
    }

    async fn latest(&self, user: UserId, until: NaiveDate) -> StoreResult<Option<CheckIn>> {
        let mut found: Vec<CheckIn> = select!(self.check_ins, |row| row.user == user && row.day <= until)?;
        Ok(found.pop())
    }
}

#[async_trait]
impl ReferralRepository for Repos {
    async fn insert(&self, referral: &Referral) -> StoreResult<()> {
        insert!(self.referrals[referral.user] = referral)
    }

    async fn find(&self, user: UserId) -> StoreResult<Option<Referral>> {
        find!(self.referrals[user])
    }

    async fn find_by_code(&self, code: &AffCode) -> StoreResult<Option<Referral>> {
        find_where!(self.referrals, |row| row.code == *code)
    }

    async fn count_invited(&self, user: UserId) -> StoreResult<()> {
        save!(self.referrals[user], |row: &Referral| Referral { invited: row.invited + 1, ..row.clone() })
    }

    async fn earn(&self, user: UserId, amount: Money) -> StoreResult<bool> {
        change!(self.referrals[user], |row: &Referral| {
            let (earned, available) = (more(row.earned, amount)?, more(row.available, amount)?);
            Some(Referral { earned, available, ..row.clone() })
        })
    }

    async fn spend(&self, user: UserId, amount: Money) -> StoreResult<bool> {
        let loose = self.is_unconditional("referrals");
        change!(self.referrals[user], |row: &Referral| {
            let enough = loose || row.available.nanos() >= amount.nanos();
            let less = Money::from_nanos(-amount.nanos(), amount.currency());
            let available = more(row.available, less)?;
            enough.then(|| Referral { available, ..row.clone() })
        })
    }

    async fn insert_reward(&self, reward: &ReferralReward) -> StoreResult<()> {
        insert!(self.referral_rewards[reward.invitee] = reward)
    }

    async fn find_reward(&self, invitee: UserId) -> StoreResult<Option<ReferralReward>> {
        find!(self.referral_rewards[invitee])
    }
}

/// The sum; `None` in another currency.
fn more(of: Money, amount: Money) -> Option<Money> {
    of.checked_add(amount).ok()
}
