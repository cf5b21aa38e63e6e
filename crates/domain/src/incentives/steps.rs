//! The one step by which incentives give: a transfer or a grant, once per reference.

use super::reward::{QuotaReward, Reward};
use crate::error::Result;
use crate::id::{AccountId, GrantId};
use crate::quantity::Quantity;
use crate::quota::{DEFAULT_PRIORITY, Grant, GrantOrigin};
use crate::store::Repositories;
use crate::wallet::{LedgerAccount, Transfer, TransferKind, post};
use chrono::{DateTime, TimeDelta, Utc};

/// Who is credited for what.
pub(super) struct Credit<'a> {
    /// Its row is locked by the caller.
    pub(super) account: AccountId,
    pub(super) reward: &'a Reward,
    pub(super) origin: GrantOrigin,
    /// Unique: a second credit is `StoreError::Duplicate`.
    pub(super) reference: String,
}

/// Credits an account within the caller's unit of work.
pub(super) async fn credit(work: &dyn Repositories, credit: Credit<'_>, now: DateTime<Utc>) -> Result<()> {
    match credit.reward {
        Reward::Money(amount) => {
            let kind = (TransferKind::Promotion, credit.reference);
            let sides = (LedgerAccount::Promotion, LedgerAccount::Wallet(credit.account));
            post(work, &[Transfer::new(kind, sides, *amount, now)?]).await
        }
        Reward::Quota(quota) => {
            let grant = grant(credit.account, quota, (credit.origin, credit.reference), now);
            Ok(work.grants().insert(&grant).await?)
        }
    }
}

fn grant(account: AccountId, quota: &QuotaReward, why: (GrantOrigin, String), now: DateTime<Utc>) -> Grant {
    let days = |days: u32| now + TimeDelta::days(i64::from(days));
    Grant {
        id: GrantId::new(now),
        account,
        meter: quota.meter.clone(),
        origin: why.0,
        reference: why.1,
        priority: DEFAULT_PRIORITY,
        quantity: quota.quantity,
        remaining: quota.quantity,
        held: Quantity::ZERO,
        revoked: Quantity::ZERO,
        revoked_at: None,
        models: quota.models.clone(),
        expires_at: quota.valid_days.map(days),
        created_at: now,
    }
}
