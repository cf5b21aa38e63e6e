//! Rewards as columns: an amount with its currency, or a meter with a quantity.

use super::columns::{corrupt, currency, from_json, meter, to_json};
use domain::incentives::{QuotaReward, Reward};
use domain::money::Money;
use domain::quantity::Quantity;
use domain::store::StoreResult;

/// The columns that every table with a reward has.
#[derive(Default)]
pub struct RewardColumns {
    pub amount_nanos: Option<i64>,
    pub currency: Option<String>,
    pub meter: Option<String>,
    pub quantity: Option<i64>,
    pub models: Option<String>,
    pub valid_days: Option<i32>,
}

pub fn columns(reward: &Reward, table: &'static str) -> StoreResult<RewardColumns> {
    match reward {
        Reward::Money(money) => Ok(RewardColumns {
            amount_nanos: Some(money.nanos()),
            currency: Some(money.currency().code().to_owned()),
            ..RewardColumns::default()
        }),
        Reward::Quota(quota) => Ok(RewardColumns {
            meter: Some(quota.meter.to_string()),
            quantity: Some(quota.quantity.as_atoms()),
            models: quota.models.as_ref().map(|models| to_json(models, table, "models")).transpose()?,
            valid_days: quota.valid_days.map(days).transpose().map_err(|_| corrupt(table, "valid_days"))?,
            ..RewardColumns::default()
        }),
    }
}

fn days(days: u32) -> Result<i32, std::num::TryFromIntError> {
    i32::try_from(days)
}

pub fn reward(columns: RewardColumns, table: &'static str) -> StoreResult<Reward> {
    match (columns.amount_nanos, columns.currency, columns.meter, columns.quantity) {
        (Some(nanos), Some(code), None, None) => Ok(Reward::Money(Money::from_nanos(nanos, currency(&code, table)?))),
        (None, None, Some(code), Some(atoms)) => Ok(Reward::Quota(QuotaReward {
            meter: meter(&code, table)?,
            quantity: Quantity::atoms(atoms),
            models: columns.models.map(|models| from_json(&models, table, "models")).transpose()?,
            valid_days: columns.valid_days.map(u32::try_from).transpose().map_err(|_| corrupt(table, "valid_days"))?,
        })),
        _ => Err(corrupt(table, "amount_nanos")),
    }
}
