//! What is given away: money for a wallet, or quota as a grant.

use crate::decimal::DecimalError;
use crate::error::{Error, Result};
use crate::identity::KeyDraft;
use crate::money::Money;
use crate::plans::{Catalogue, MeterCode};
use crate::quantity::Quantity;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// Longest validity of granted quota, in days.
pub const MAX_VALID_DAYS: u32 = 3650;

/// What one credit is worth; above zero.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Reward {
    /// Whole minor units.
    Money(Money),
    Quota(QuotaReward),
}

/// Quota, as the grant will have it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuotaReward {
    pub meter: MeterCode,
    pub quantity: Quantity,
    /// Models it may be used for; `None` is any.
    pub models: Option<Vec<String>>,
    /// Days from the credit to the grant's end, 1 to [`MAX_VALID_DAYS`]; `None` lasts for good.
    pub valid_days: Option<u32>,
}

/// A reward as somebody writes it: an amount, or a meter and a quantity.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RewardWish {
    /// A decimal in the billing currency.
    pub amount: Option<String>,
    pub meter: Option<String>,
    /// A decimal in the meter's unit.
    pub quantity: Option<String>,
    pub models: Option<Vec<String>>,
    pub valid_days: Option<u32>,
}

impl Reward {
    /// Reads a wish; mistakes are named as fields of `field`.
    pub fn read(wish: &RewardWish, catalogue: &Catalogue, field: &str) -> Result<Self> {
        let invalid = |name: &str, reason: String| Error::invalid(format!("{field}.{name}"), reason);
        match (&wish.amount, &wish.meter, &wish.quantity) {
            (Some(amount), None, None) if wish.models.is_none() && wish.valid_days.is_none() => {
                let money = Money::parse_minor(amount, catalogue.currency);
                let money = money.map_err(|error| invalid("amount", error.to_string()))?;
                if money.is_positive() { Ok(Self::Money(money)) } else { Err(invalid("amount", ABOVE_ZERO.to_owned())) }
            }
            (None, Some(meter), Some(quantity)) => {
                let meter = MeterCode::parse(meter).and_then(|code| catalogue.meters.get(&code));
                let meter = meter.ok_or_else(|| invalid("meter", "is not a meter of this server".to_owned()))?;
                let quantity = Quantity::parse(quantity, meter.scale);
                let quantity = quantity.map_err(|error: DecimalError| invalid("quantity", error.to_string()))?;
                if !quantity.is_positive() {
                    return Err(invalid("quantity", ABOVE_ZERO.to_owned()));
                }
                if wish.valid_days.is_some_and(|days| !(1..=MAX_VALID_DAYS).contains(&days)) {
                    return Err(invalid("valid_days", format!("must be 1 to {MAX_VALID_DAYS}")));
                }
                let models = wish.models.clone().map(KeyDraft::read_models).transpose()?;
                let meter = meter.code.clone();
                Ok(Self::Quota(QuotaReward { meter, quantity, models, valid_days: wish.valid_days }))
            }
            _ => Err(Error::invalid(field, "must be an amount, or a meter with a quantity")),
        }
    }

    /// Its number: nanos of money, or atoms of a meter.
    pub(super) fn number(&self) -> i64 {
        match self {
            Self::Money(money) => money.nanos(),
            Self::Quota(quota) => quota.quantity.as_atoms(),
        }
    }

    /// The same with another number.
    pub(super) fn of_number(&self, number: i64) -> Self {
        match self {
            Self::Money(money) => Self::Money(Money::from_nanos(number, money.currency())),
            Self::Quota(quota) => Self::Quota(QuotaReward { quantity: Quantity::atoms(number), ..quota.clone() }),
        }
    }

    /// What its number is a multiple of: a minor unit of money, an atom of a meter.
    pub(super) fn step(&self) -> i64 {
        match self {
            Self::Money(money) => money.currency().nanos_per_minor(),
            Self::Quota(_) => 1,
        }
    }

    /// As events and the audit log tell it.
    pub fn told(&self, catalogue: &Catalogue) -> Value {
        match self {
            Self::Money(money) => json!({ "amount": money.to_decimal(), "currency": money.currency().code() }),
            Self::Quota(quota) => {
                let scale = catalogue.meters.get(&quota.meter).map_or(0, |meter| meter.scale);
                json!({ "meter": quota.meter.as_str(), "quantity": quota.quantity.to_decimal(scale) })
            }
        }
    }
}

const ABOVE_ZERO: &str = "must be above zero";

#[cfg(test)]
#[path = "reward_tests.rs"]
mod tests;
