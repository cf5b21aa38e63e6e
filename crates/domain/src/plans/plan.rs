//! Plans: prices, seats, and the terms of each meter; and the immutable version that was sold.

use super::{MeterCode, PlanCode, Tariff};
use crate::id::PlanVersionId;
use crate::money::{Currency, Money};
use crate::quantity::Quantity;
use crate::text::hex;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use thiserror::Error;

/// What a plan includes of a meter per quota period.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Allowance {
    Unlimited,
    /// Not negative.
    Limited(Quantity),
}

/// What happens when the allowance and all grants are used up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnExhausted {
    Refuse,
    /// Goes on, and the fee is owed on the bill.
    Overage(Tariff),
    /// Goes on while the wallet pays.
    Wallet(Tariff),
}

impl OnExhausted {
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Refuse => "refuse",
            Self::Overage(_) => "overage",
            Self::Wallet(_) => "wallet",
        }
    }

    /// The tariff beyond the allowance; none when consumption is refused there.
    pub const fn tariff(&self) -> Option<&Tariff> {
        match self {
            Self::Refuse => None,
            Self::Overage(tariff) | Self::Wallet(tariff) => Some(tariff),
        }
    }
}

/// What a plan says about one meter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MeterTerms {
    /// Per seat when `per_seat`.
    pub included: Allowance,
    pub per_seat: bool,
    pub on_exhausted: OnExhausted,
}

impl MeterTerms {
    /// The allowance of `seats` seats, held at the largest quantity there is.
    pub fn allowance(&self, seats: u32) -> Allowance {
        match self.included {
            Allowance::Limited(included) if self.per_seat => {
                Allowance::Limited(included.checked_mul(seats).unwrap_or(Quantity::MAX))
            }
            included => included,
        }
    }
}

/// A share of a limit in percent, 1 to 1000: above 100 warns within the overage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u16", into = "u16")]
pub struct Percent(u16);

impl Percent {
    pub const MAX: u16 = 1000;

    pub fn new(percent: u16) -> Option<Self> {
        (1..=Self::MAX).contains(&percent).then_some(Self(percent))
    }

    pub const fn get(self) -> u16 {
        self.0
    }
}

impl TryFrom<u16> for Percent {
    type Error = String;
    fn try_from(percent: u16) -> Result<Self, String> {
        Self::new(percent).ok_or_else(|| format!("{percent} is not within 1 and {}", Self::MAX))
    }
}

impl From<Percent> for u16 {
    fn from(percent: Percent) -> Self {
        percent.0
    }
}

/// How long a paid term is. Quota periods are monthly on both.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Interval {
    Month,
    Year,
}

impl Interval {
    pub const ALL: [Self; 2] = [Self::Month, Self::Year];

    pub const fn months(self) -> u32 {
        match self {
            Self::Month => 1,
            Self::Year => 12,
        }
    }

    pub const fn name(self) -> &'static str {
        match self {
            Self::Month => "month",
            Self::Year => "year",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|interval| interval.name() == text)
    }
}

/// How many seats a plan is sold with; `1 <= min <= included <= max`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeatRule {
    /// Seats when the buyer names no number.
    pub included: u32,
    pub min: u32,
    pub max: u32,
}

/// A number of seats that the plan is not sold with.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("must be within {min} and {max}")]
pub struct SeatsOutOfRange {
    pub min: u32,
    pub max: u32,
}

/// Everything that is promised to whoever subscribes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    pub code: PlanCode,
    pub name: String,
    /// At least one; whole minor units; per seat when `per_seat`.
    pub prices: BTreeMap<Interval, Money>,
    pub per_seat: bool,
    /// `None`: one seat, always.
    pub seats: Option<SeatRule>,
    pub meters: BTreeMap<MeterCode, MeterTerms>,
    /// What follows when a subscription ends; `None` is the default plan.
    pub fallback: Option<PlanCode>,
    /// Sorted, each once.
    pub warnings: Vec<Percent>,
    pub currency: Currency,
}

impl Plan {
    pub fn terms(&self, meter: &MeterCode) -> Option<&MeterTerms> {
        self.meters.get(meter)
    }

    /// The price of a whole term; `None` when the plan is not sold by this interval, or the product
    /// is too large (a catalogue that was checked has no such plan).
    pub fn price(&self, interval: Interval, seats: u32) -> Option<Money> {
        let price = *self.prices.get(&interval)?;
        let times = if self.per_seat { i64::from(seats) } else { 1 };
        price.nanos().checked_mul(times).map(|nanos| Money::from_nanos(nanos, price.currency()))
    }

    /// Whether no interval costs anything.
    pub fn is_free(&self) -> bool {
        self.prices.values().all(|price| price.is_zero())
    }

    pub fn default_seats(&self) -> u32 {
        self.seats.map_or(1, |rule| rule.included)
    }

    /// The shortest interval that the plan is sold by.
    pub fn default_interval(&self) -> Interval {
        self.prices.keys().next().copied().unwrap_or(Interval::Month)
    }

    /// The number of seats that `wanted` means, if the plan is sold with it.
    pub fn check_seats(&self, wanted: Option<u32>) -> Result<u32, SeatsOutOfRange> {
        let seats = wanted.unwrap_or_else(|| self.default_seats());
        let (min, max) = self.seats.map_or((1, 1), |rule| (rule.min, rule.max));
        if (min..=max).contains(&seats) { Ok(seats) } else { Err(SeatsOutOfRange { min, max }) }
    }

    /// The plan's text as it is stored and hashed: fields in their declared order, maps sorted.
    pub fn canonical_json(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string(self)
    }
}

/// A plan as it was sold: immutable, and known by the hash of its content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanVersion {
    pub id: PlanVersionId,
    pub plan: Plan,
    /// Counts the versions of one plan from 1.
    pub number: i32,
    /// SHA-256 of [`Plan::canonical_json`], in lower-case hex.
    pub content_hash: String,
    pub created_at: DateTime<Utc>,
}

/// SHA-256 in lower-case hex.
pub fn content_hash(canonical: &str) -> String {
    hex(&Sha256::digest(canonical.as_bytes()))
}

#[cfg(test)]
#[path = "plan_tests.rs"]
mod tests;
