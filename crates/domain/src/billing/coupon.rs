//! Coupons: a discount on the bill of a plan, and how a discount is spread over lines.

use super::line::BillLine;
use crate::id::CouponId;
use crate::money::{Money, MoneyError};
use crate::plans::PlanCode;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Longest code, in characters.
pub const MAX_CODE_LENGTH: usize = 32;

/// How much a coupon takes off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reduction {
    /// 1 to 100.
    Percent(u8),
    /// Above zero, in whole minor units; at most what is due is taken off.
    Fixed(Money),
}

/// A code that takes something off.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Coupon {
    pub id: CouponId,
    /// Unique; 1 to [`MAX_CODE_LENGTH`] of `A-Z 0-9 - _`.
    pub code: String,
    pub reduction: Reduction,
    /// How often it may be used; `None` is as often as asked.
    pub max_uses: Option<u32>,
    pub uses: u32,
    /// `[valid_from, valid_until)`.
    pub valid_from: Option<DateTime<Utc>>,
    pub valid_until: Option<DateTime<Utc>>,
    /// The only plan it is for.
    pub plan: Option<PlanCode>,
    pub disabled: bool,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

/// Why a coupon takes nothing off.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum CouponRefused {
    #[error("is not a coupon that can be used now")]
    NotNow,
    #[error("was used as often as it may be")]
    UsedUp,
    #[error("is for another plan")]
    OtherPlan,
    #[error("is in another currency")]
    OtherCurrency,
}

impl Coupon {
    /// Reads a code as customers type it.
    pub fn read_code(text: &str) -> Option<String> {
        let code = text.trim().to_ascii_uppercase();
        let fits = (1..=MAX_CODE_LENGTH).contains(&code.len())
            && code.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || b"-_".contains(&byte));
        fits.then_some(code)
    }

    /// What it takes off of `due` for a plan: never more than that.
    pub fn takes_off(&self, plan: &PlanCode, due: Money, now: DateTime<Utc>) -> Result<Money, CouponRefused> {
        let begun = self.valid_from.is_none_or(|from| from <= now);
        if self.disabled || !begun || self.valid_until.is_some_and(|until| until <= now) {
            return Err(CouponRefused::NotNow);
        }
        if self.max_uses.is_some_and(|most| self.uses >= most) {
            return Err(CouponRefused::UsedUp);
        }
        if self.plan.as_ref().is_some_and(|only| only != plan) {
            return Err(CouponRefused::OtherPlan);
        }
        match self.reduction {
            Reduction::Fixed(amount) if amount.currency() != due.currency() => Err(CouponRefused::OtherCurrency),
            Reduction::Fixed(amount) => Ok(Money::from_nanos(amount.nanos().min(due.nanos()).max(0), due.currency())),
            Reduction::Percent(percent) => percent_of(due, percent).map_err(|_| CouponRefused::NotNow),
        }
    }
}

fn percent_of(due: Money, percent: u8) -> Result<Money, MoneyError> {
    let share = i128::from(due.nanos().max(0)) * i128::from(percent.min(100)) / 100;
    let share = i64::try_from(share).map_err(|_| MoneyError::Overflow)?;
    let rounded = Money::from_nanos(share, due.currency()).round_half_away_to_minor()?;
    Ok(if rounded.nanos() > due.nanos() { due } else { rounded })
}

/// Spreads a discount over the lines that ask for something, each in proportion to its amount and in whole minor units;
/// what is left of the division goes to the largest remainders, the first line first.
///
/// An error when the discount is larger than those lines together.
pub fn spread(discount: Money, lines: &mut [BillLine]) -> Result<(), MoneyError> {
    let minor = i128::from(discount.currency().nanos_per_minor());
    let weight = |line: &BillLine| i128::from(line.amount.nanos().max(0)) / minor;
    let (whole, total) = (i128::from(discount.nanos()) / minor, lines.iter().map(weight).sum::<i128>());
    if whole == 0 {
        return Ok(());
    }
    if whole < 0 || whole > total {
        return Err(MoneyError::Overflow);
    }
    let mut shares: Vec<(usize, i128, i128)> =
        lines.iter().map(weight).enumerate().map(|(at, w)| (at, whole * w / total, whole * w % total)).collect();
    let given: i128 = shares.iter().map(|(_, share, _)| share).sum();
    shares.sort_by(|(a, _, left), (b, _, right)| right.cmp(left).then(a.cmp(b)));
    for (rank, (at, share, _)) in shares.into_iter().enumerate() {
        let extra = i128::from(i128::try_from(rank).is_ok_and(|rank| rank < whole - given));
        let nanos = i64::try_from((share + extra) * minor).map_err(|_| MoneyError::Overflow)?;
        lines[at].discount = Money::from_nanos(nanos, discount.currency());
    }
    Ok(())
}

#[cfg(test)]
#[path = "coupon_tests.rs"]
mod tests;
