//! Changing plans: whether it is an upgrade, and what it costs today.
//!
//! An upgrade begins at once and is prorated by the second over the real length of the terms; a
//! downgrade begins when the paid term ends. Source: Stripe's prorations, Autumn's plan changes.

use super::subscription::{Choice, Subscription};
use super::{Interval, PlanCode};
use crate::money::{Money, MoneyError, SCALE};
use crate::time::Period;
use chrono::{DateTime, Utc};
use std::cmp::Ordering;

/// Which way a change goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChangeKind {
    Upgrade,
    Downgrade,
    Same,
}

/// A choice with its price: what the change is judged by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    pub choice: Choice,
    /// The price of a whole term for all seats, in whole minor units.
    pub price: Money,
}

/// Judges by the price per month, except that more seats are always an upgrade, and that one plan with
/// the same seats is judged by the length of its term: a discounted year is not a lesser plan.
pub fn change_kind(old: &Offer, new: &Offer) -> ChangeKind {
    let (from, to) = (&old.choice, &new.choice);
    let price = monthly(new, from.interval).cmp(&monthly(old, to.interval));
    let length = to.interval.months().cmp(&from.interval.months());
    let order = match to.seats.cmp(&from.seats) {
        Ordering::Greater => Ordering::Greater,
        Ordering::Equal if from.plan == to.plan => length.then(price),
        seats => price.then(length).then(seats).then(other_plan(&from.plan, &to.plan)),
    };
    match order {
        Ordering::Greater => ChangeKind::Upgrade,
        Ordering::Less => ChangeKind::Downgrade,
        // The same plan at another price is another version: taken up at once, and nothing is owed.
        Ordering::Equal if from.version != to.version => ChangeKind::Upgrade,
        Ordering::Equal => ChangeKind::Same,
    }
}

/// The price per month, cross-multiplied with the months of the other side.
fn monthly(offer: &Offer, other: Interval) -> i128 {
    i128::from(offer.price.nanos()) * i128::from(other.months())
}

fn other_plan(from: &PlanCode, to: &PlanCode) -> Ordering {
    if from == to { Ordering::Equal } else { Ordering::Greater }
}

/// When a change begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effective {
    Now,
    TermEnd(DateTime<Utc>),
}

/// What is credited or charged for the rest of a term.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuoteLine {
    pub choice: Choice,
    pub period: Period,
    /// Negative for a credit; whole minor units.
    pub amount: Money,
}

/// What a change means, before it is made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quote {
    pub kind: ChangeKind,
    pub effective: Effective,
    /// Credit for what is left of the old term, then the charge for the new one.
    pub lines: Vec<QuoteLine>,
    /// The sum of the lines; never negative.
    pub due: Money,
}

/// Quotes a change of `subscription`, already brought up to date at `now`.
///
/// `paid` is what was paid for the running term; the credit never exceeds it. A change whose credit
/// would exceed its charge waits for the term's end: nothing has to be paid back, and nothing is lost.
pub fn quote(
    subscription: &Subscription,
    (old, paid): (&Offer, Money),
    new: &Offer,
    now: DateTime<Utc>,
) -> Result<Quote, MoneyError> {
    let kind = change_kind(old, new);
    let zero = Money::zero(new.price.currency());
    let later = Quote { kind, effective: Effective::TermEnd(subscription.term.end), lines: vec![], due: zero };
    match kind {
        ChangeKind::Same => Ok(Quote { effective: Effective::Now, ..later }),
        ChangeKind::Downgrade => Ok(later),
        ChangeKind::Upgrade => {
            let lines = upgrade_lines(subscription, (old, paid), new, now)?;
            let due = lines.iter().try_fold(zero, |sum, line| sum.checked_add(line.amount))?;
            Ok(if due.nanos() < 0 { later } else { Quote { kind, effective: Effective::Now, lines, due } })
        }
    }
}

fn upgrade_lines(
    subscription: &Subscription,
    (old, paid): (&Offer, Money),
    new: &Offer,
    now: DateTime<Utc>,
) -> Result<Vec<QuoteLine>, MoneyError> {
    let (old_term, new_term) = (subscription.term, subscription.term_after(&new.choice));
    let unused = prorate(old.price, old_term, now, old_term.end)?;
    let credit = if unused.nanos() > paid.nanos() { paid } else { unused };
    let charge = prorate(new.price, new_term, now, new_term.end)?;
    let line =
        |choice: &Choice, end, amount| QuoteLine { choice: choice.clone(), period: Period { start: now, end }, amount };
    let mut lines = Vec::with_capacity(2);
    if !credit.is_zero() {
        let negative = Money::zero(credit.currency()).checked_sub(credit)?;
        lines.push(line(&old.choice, old_term.end, negative));
    }
    if !charge.is_zero() {
        lines.push(line(&new.choice, new_term.end, charge));
    }
    Ok(lines)
}

/// The share of `price` for `[from, to)` of `term`, in whole minor units.
///
/// A difference of two rounded points on one line, so that the parts of a term, cut anywhere, add up
/// to its price exactly.
pub fn prorate(price: Money, term: Period, from: DateTime<Utc>, to: DateTime<Utc>) -> Result<Money, MoneyError> {
    elapsed_share(price, term, to)?.checked_sub(elapsed_share(price, term, from)?)
}

/// `price × elapsed / length`, rounded half away from zero to the minor unit; by whole seconds.
fn elapsed_share(price: Money, term: Period, at: DateTime<Utc>) -> Result<Money, MoneyError> {
    let minor = 10_i128.pow(u32::from(SCALE - price.currency().decimals()));
    let elapsed = (at.clamp(term.start, term.end) - term.start).num_seconds();
    let length = i128::from(term.length().num_seconds().max(1));
    let product = i128::from(price.nanos()) * i128::from(elapsed);
    let divisor = length * minor;
    let rounded = (2 * product.abs() + divisor) / (2 * divisor) * product.signum() * minor;
    let nanos = i64::try_from(rounded).map_err(|_| MoneyError::Overflow)?;
    Ok(Money::from_nanos(nanos, price.currency()))
}

#[cfg(test)]
#[path = "change_tests.rs"]
mod tests;
