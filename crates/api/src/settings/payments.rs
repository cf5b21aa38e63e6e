//! The section `payments`: how long orders live, how much a top-up may be, transfers outside, and the providers.

use super::providers::Online;
use domain::money::{Currency, Money};
use serde::Deserialize;
use std::ops::RangeInclusive;

const ORDER_MINUTES: RangeInclusive<u32> = 5..=1440;
const MANUAL_DAYS: RangeInclusive<u32> = 1..=90;
const KEPT_REFUSED: RangeInclusive<u32> = 0..=1_000_000;

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Payments {
    /// How long an order waits for its payment.
    pub order_minutes: u32,
    pub top_up: TopUp,
    /// Notifications that are not believed and yet kept, of each provider and hour.
    pub kept_refused_per_hour: u32,
    pub manual: Manual,
    pub fake: Fake,
    pub online: Online,
}

/// The fake provider of the development profile.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fake {
    pub enabled: bool,
    /// On 127.0.0.1; 0 takes any free port.
    pub port: u16,
}

/// Amounts of the billing currency.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TopUp {
    pub min: String,
    pub max: String,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manual {
    pub enabled: bool,
    /// Words with `{number}` and `{amount}`.
    pub instructions: String,
    /// How long an order waits for a transfer.
    pub days: u32,
}

impl TopUp {
    /// The least and the most of a top-up.
    pub fn bounds(&self, currency: Currency) -> Option<(Money, Money)> {
        let least = Money::parse_minor(&self.min, currency).ok()?;
        let most = Money::parse_minor(&self.max, currency).ok()?;
        (least.is_positive() && least.nanos() <= most.nanos()).then_some((least, most))
    }
}

pub(super) fn check(payments: &Payments, currency: Option<Currency>) -> Vec<String> {
    let mut mistakes = Vec::new();
    let mut range = |key: &str, value: u32, range: RangeInclusive<u32>| {
        if !range.contains(&value) {
            mistakes.push(format!("{key}: must be from {} to {}", range.start(), range.end()));
        }
    };
    range("payments.order_minutes", payments.order_minutes, ORDER_MINUTES);
    range("payments.manual.days", payments.manual.days, MANUAL_DAYS);
    range("payments.kept_refused_per_hour", payments.kept_refused_per_hour, KEPT_REFUSED);
    if currency.is_some_and(|currency| payments.top_up.bounds(currency).is_none()) {
        let reason = "min and max must be amounts of the billing currency above zero, as texts, the least first";
        mistakes.push(format!("payments.top_up: {reason}"));
    }
    if payments.manual.enabled && !payments.manual.instructions.contains("{number}") {
        mistakes.push("payments.manual.instructions: must contain {number}, by which you know a transfer".to_owned());
    }
    mistakes
}
