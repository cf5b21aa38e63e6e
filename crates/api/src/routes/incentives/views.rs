//! Rewards on the wire.

use crate::http::amount::DecimalText;
use crate::routes::usage::scale_of;
use domain::incentives::{Reward, RewardWish};
use domain::plans::Catalogue;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// An amount for the wallet, or a meter with a quantity.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RewardBody {
    /// In the billing currency.
    amount: Option<DecimalText>,
    meter: Option<String>,
    /// In the meter's unit.
    quantity: Option<DecimalText>,
    /// Models the quota may be used for; any when left out.
    models: Option<Vec<String>>,
    /// Days from the credit to the quota's end, 1 to 3650; for good when left out.
    valid_days: Option<u32>,
}

impl From<RewardBody> for RewardWish {
    fn from(body: RewardBody) -> Self {
        Self {
            amount: body.amount.map(|amount| amount.0),
            meter: body.meter,
            quantity: body.quantity.map(|quantity| quantity.0),
            models: body.models,
            valid_days: body.valid_days,
        }
    }
}

/// What was or will be credited.
#[derive(Debug, Default, Serialize, ToSchema)]
#[schema(example = json!({"amount": "5.00", "currency": "CNY"}))]
pub struct RewardView {
    #[serde(skip_serializing_if = "Option::is_none")]
    amount: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    currency: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    meter: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    quantity: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    models: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    valid_days: Option<u32>,
}

impl RewardView {
    pub fn of(reward: &Reward, catalogue: &Catalogue) -> Self {
        match reward {
            Reward::Money(money) => Self {
                amount: Some(money.to_decimal()),
                currency: Some(money.currency().code().to_owned()),
                ..Self::default()
            },
            Reward::Quota(quota) => Self {
                meter: Some(quota.meter.to_string()),
                quantity: Some(quota.quantity.to_decimal(scale_of(catalogue, &quota.meter))),
                models: quota.models.clone(),
                valid_days: quota.valid_days,
                ..Self::default()
            },
        }
    }
}
