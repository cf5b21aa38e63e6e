//! Tariffs: the fee of a quantity beyond the allowance, by graduated tiers.
//!
//! A fee is always a difference of two points on one cumulative curve, so that many small steps cost
//! exactly what one large step does. Tiers are `(previous, up_to]`, as in Stripe and OpenMeter.

use crate::money::{Currency, Money, MoneyError};
use crate::quantity::Quantity;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Most tiers in one tariff.
pub const MAX_TIERS: usize = 100;

/// Whether a started `per` counts in part or whole.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rounding {
    /// The exact fraction; rounded once, half away from zero, on the cumulative fee in nanos.
    #[default]
    Exact,
    /// Each started `per` of a tier counts whole.
    Up,
}

/// A price that holds from the tier before up to and including `up_to`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tier {
    /// `None` is without end.
    pub up_to: Option<Quantity>,
    /// What `price` buys; above zero.
    pub per: Quantity,
    /// Not negative.
    pub price: Money,
}

/// Why tiers do not make a tariff; `usize` is the index of the tier.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum TariffError {
    #[error("needs at least one tier")]
    Empty,
    #[error("has more than {MAX_TIERS} tiers")]
    TooMany,
    #[error("must be larger than the up_to of the tier before")]
    NotRising(usize),
    #[error("only the last tier has no up_to")]
    OpenTooEarly(usize),
    #[error("the last tier has no up_to: it holds for everything above")]
    LastNotOpen(usize),
    #[error("must be above zero")]
    PerNotPositive(usize),
    #[error("must not be negative")]
    NegativePrice(usize),
    #[error("all prices of a tariff are in one currency")]
    MixedCurrencies(usize),
    #[error("the `per` of the tiers have no common multiple that fits")]
    Incommensurable(usize),
}

/// A tariff that has been checked: its fee never falls and can always be computed exactly.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Content", into = "Content")]
pub struct Tariff {
    tiers: Vec<Tier>,
    round: Rounding,
    currency: Currency,
    /// The least common multiple of every tier's `per`: the denominator of exact fees.
    denominator: i64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Content {
    tiers: Vec<Tier>,
    round: Rounding,
}

impl Tariff {
    /// Not empty, rising, the last tier open, prices not negative and of one currency.
    pub fn new(tiers: Vec<Tier>, round: Rounding) -> Result<Self, TariffError> {
        let currency = tiers.first().ok_or(TariffError::Empty)?.price.currency();
        if tiers.len() > MAX_TIERS {
            return Err(TariffError::TooMany);
        }
        let mut denominator = 1;
        let mut floor = Quantity::ZERO;
        for (index, tier) in tiers.iter().enumerate() {
            check_tier(tier, currency, index)?;
            floor = next_floor(tier, floor, index, index + 1 == tiers.len())?;
            denominator =
                common_multiple(denominator, tier.per.as_atoms()).ok_or(TariffError::Incommensurable(index))?;
        }
        Ok(Self { tiers, round, currency, denominator })
    }

    /// The cumulative fee of the first `quantity` atoms; nothing at or below zero.
    pub fn fee(&self, quantity: Quantity) -> Result<Money, MoneyError> {
        let mut whole = 0_i128;
        let mut fraction = 0_i128;
        let mut floor = Quantity::ZERO;
        for tier in &self.tiers {
            let ceiling = tier.up_to.map_or(quantity, |up_to| up_to.min(quantity));
            let atoms = i128::from(ceiling.left_after(floor).as_atoms());
            let (price, per) = (i128::from(tier.price.nanos()), i128::from(tier.per.as_atoms()));
            match self.round {
                Rounding::Up => whole += (atoms + per - 1) / per * price,
                Rounding::Exact => {
                    whole += atoms * price / per;
                    fraction += atoms * price % per * (i128::from(self.denominator) / per);
                }
            }
            match tier.up_to {
                Some(up_to) if up_to < quantity => floor = up_to,
                _ => break,
            }
        }
        // Nothing above is negative, so "half away from zero" is "half up".
        let rounded = whole + (2 * fraction + i128::from(self.denominator)) / (2 * i128::from(self.denominator));
        let nanos = i64::try_from(rounded).map_err(|_| MoneyError::Overflow)?;
        Ok(Money::from_nanos(nanos, self.currency))
    }

    /// What it costs to go from `before` to `after` atoms.
    pub fn step_fee(&self, before: Quantity, after: Quantity) -> Result<Money, MoneyError> {
        self.fee(after)?.checked_sub(self.fee(before)?)
    }

    /// The largest quantity that `budget` pays for on top of `before`; a fee too large to be
    /// represented is not affordable. Nothing for a negative budget or another currency.
    pub fn affordable(&self, before: Quantity, budget: Money) -> Quantity {
        let before = before.max(Quantity::ZERO);
        let most = Quantity::MAX.left_after(before).as_atoms();
        let fits = |extra: i64| self.is_affordable(before, Quantity::atoms(extra), budget);
        if !fits(0) {
            return Quantity::ZERO;
        }
        let (mut low, mut high) = (0, most);
        while low < high {
            // The upper middle, without overflow: `low` always fits, everything above `high` does not.
            let middle = high - (high - low) / 2;
            if fits(middle) {
                low = middle;
            } else {
                high = middle - 1;
            }
        }
        Quantity::atoms(low)
    }

    /// Whether `budget` pays for `extra` atoms on top of `before`; see [`Self::affordable`].
    pub fn is_affordable(&self, before: Quantity, extra: Quantity, budget: Money) -> bool {
        let after = before.saturating_add(extra);
        let fee = self.step_fee(before, after);
        budget.currency() == self.currency && fee.is_ok_and(|fee| fee.nanos() <= budget.nanos())
    }

    pub fn tiers(&self) -> &[Tier] {
        &self.tiers
    }

    pub const fn round(&self) -> Rounding {
        self.round
    }

    pub const fn currency(&self) -> Currency {
        self.currency
    }
}

fn check_tier(tier: &Tier, currency: Currency, index: usize) -> Result<(), TariffError> {
    if !tier.per.is_positive() {
        return Err(TariffError::PerNotPositive(index));
    }
    if tier.price.nanos() < 0 {
        return Err(TariffError::NegativePrice(index));
    }
    if tier.price.currency() != currency {
        return Err(TariffError::MixedCurrencies(index));
    }
    Ok(())
}

fn next_floor(tier: &Tier, floor: Quantity, index: usize, last: bool) -> Result<Quantity, TariffError> {
    match tier.up_to {
        Some(_) if last => Err(TariffError::LastNotOpen(index)),
        None if !last => Err(TariffError::OpenTooEarly(index)),
        Some(up_to) if up_to <= floor => Err(TariffError::NotRising(index)),
        up_to => Ok(up_to.unwrap_or(floor)),
    }
}

fn common_multiple(a: i64, b: i64) -> Option<i64> {
    let (mut divisor, mut rest) = (a, b);
    while rest != 0 {
        (divisor, rest) = (rest, divisor % rest);
    }
    (a / divisor).checked_mul(b)
}

impl TryFrom<Content> for Tariff {
    type Error = TariffError;
    fn try_from(content: Content) -> Result<Self, TariffError> {
        Self::new(content.tiers, content.round)
    }
}

impl From<Tariff> for Content {
    fn from(tariff: Tariff) -> Self {
        Self { tiers: tariff.tiers, round: tariff.round }
    }
}

#[cfg(test)]
#[path = "tariff_tests.rs"]
mod tests;
