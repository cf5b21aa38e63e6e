//! THE decision: does a consume fit, which funds pay for it, and if not, which limit says no.
//!
//! All or nothing. Funds are drawn in order: the period's allowance, grants, then what the plan says when
//! those are exhausted. The refusal names the limit that would let the least through.

use crate::error::LimitKind;
use crate::id::GrantId;
use crate::money::{Money, MoneyError};
use crate::plans::{Allowance, OnExhausted, Tariff};
use crate::quantity::Quantity;

/// A limit beside the funds, and what it still lets through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    pub kind: LimitKind,
    pub remaining: Quantity,
}

/// What pays for a counter's use, as it stands before the command.
#[derive(Clone, Debug)]
pub struct Funds<'a> {
    /// What is left of the period's allowance and not held.
    pub allowance: Allowance,
    /// Allowance that open reservations hold. It is drawn in place of overage, and they hold overage instead: what
    /// is merely held never makes a use dearer.
    pub allowance_held: Quantity,
    /// Usable grants in drawing order, each with what remains.
    pub grants: Vec<(GrantId, Quantity)>,
    pub exhausted: &'a OnExhausted,
    /// Overage of the period so far; prices are cumulative.
    pub overage_before: Quantity,
    /// The most overage that open reservations would still draw: what the cap must leave room for.
    pub overage_held: Quantity,
    /// What the spend cap still allows beside this meter's open reservations; `None` without a cap.
    pub budget: Option<Money>,
    /// What the prepaid balance can pay, with what this meter's open reservations hold of it; `None` is nothing.
    pub balance: Option<Money>,
}

/// Where a part of a quantity comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Source {
    Allowance,
    Grant(GrantId),
    Overage,
    Wallet,
    /// A gauge going down.
    Release,
}

/// A part of a consumed quantity, and what it costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    pub source: Source,
    pub quantity: Quantity,
    /// For overage and wallet.
    pub amount: Option<Money>,
}

/// Why a quantity does not fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Denied {
    Limit {
        kind: LimitKind,
        remaining: Quantity,
    },
    /// The price, or the counter, would pass the largest number.
    TooLarge,
    /// A release past a level of zero.
    BelowZero {
        level: Quantity,
    },
}

impl From<MoneyError> for Denied {
    fn from(_: MoneyError) -> Self {
        Self::TooLarge
    }
}

/// Decides a counter's consume of `quantity` atoms, above zero.
pub fn decide(limits: &[Limit], funds: &Funds<'_>, quantity: Quantity) -> Result<Vec<Part>, Denied> {
    let (mut parts, missing) = cover(funds, quantity);
    let covered = quantity.left_after(missing);
    let last = beyond_funds(funds, missing)
        .map(|beyond| Limit { kind: beyond.kind, remaining: covered.saturating_add(beyond.remaining) });
    refuse_if_any_binds(limits, last, quantity)?;
    if missing.is_positive() {
        draw_beyond(funds, &mut parts, missing)?;
    }
    Ok(parts)
}

/// Draws what a reservation held, which was decided when it was made and is never refused.
///
/// What the plan no longer provides for, since it was changed meanwhile, was allowance when it was promised; and so was
/// what the wallet cannot pay, for it held enough by the plan of then.
pub fn settle(funds: &Funds<'_>, quantity: Quantity) -> Vec<Part> {
    let (mut parts, missing) = cover(funds, quantity);
    let payable = payable(funds, missing);
    if payable.is_positive() && draw_beyond(funds, &mut parts, payable).is_err() {
        add_allowance(&mut parts, payable);
    }
    add_allowance(&mut parts, missing.left_after(payable));
    parts
}

/// The part of what is missing that is not short of balance.
fn payable(funds: &Funds<'_>, missing: Quantity) -> Quantity {
    match funds.exhausted {
        OnExhausted::Wallet(tariff) => {
            let balance = Some(funds.balance.unwrap_or(Money::zero(tariff.currency())));
            let fits = fits_beside_holds(tariff, funds, missing, balance);
            if fits { missing } else { affordable_beside_holds(tariff, funds, balance).min(missing) }
        }
        OnExhausted::Refuse | OnExhausted::Overage(_) => missing,
    }
}

/// What allowance and grants pay, and what is missing then.
fn cover(funds: &Funds<'_>, quantity: Quantity) -> (Vec<Part>, Quantity) {
    let mut parts = Vec::with_capacity(2);
    let mut missing = quantity;
    let mut draw = |source, available: Quantity, missing: &mut Quantity| {
        let taken = available.min(*missing);
        if taken.is_positive() {
            parts.push(Part { source, quantity: taken, amount: None });
            *missing = missing.left_after(taken);
        }
    };
    match funds.allowance {
        Allowance::Unlimited => draw(Source::Allowance, quantity, &mut missing),
        Allowance::Limited(left) => draw(Source::Allowance, left, &mut missing),
    }
    for (grant, remaining) in &funds.grants {
        draw(Source::Grant(*grant), *remaining, &mut missing);
    }
    (parts, missing)
}

/// Draws from beyond allowance and grants: first what reservations hold of the allowance, in exchange.
fn draw_beyond(funds: &Funds<'_>, parts: &mut Vec<Part>, missing: Quantity) -> Result<(), Denied> {
    let exchanged = missing.min(funds.allowance_held);
    let rest = missing.left_after(exchanged);
    let last = if rest.is_positive() { Some(priced(funds, rest)?) } else { None };
    add_allowance(parts, exchanged);
    parts.extend(last);
    Ok(())
}

/// The allowance is always the first part.
fn add_allowance(parts: &mut Vec<Part>, quantity: Quantity) {
    match parts.first_mut() {
        Some(part) if part.source == Source::Allowance => part.quantity = part.quantity.saturating_add(quantity),
        _ if quantity.is_positive() => parts.insert(0, Part { source: Source::Allowance, quantity, amount: None }),
        _ => {}
    }
}

/// What the plan's last fund lets through, and the limit to name, when that is less than what is missing.
///
/// How much exactly is asked only then: it takes a search.
fn beyond_funds(funds: &Funds<'_>, missing: Quantity) -> Option<Limit> {
    if !missing.is_positive() {
        return None;
    }
    match funds.exhausted {
        OnExhausted::Refuse => Some(Limit { kind: LimitKind::PlanAllowance, remaining: Quantity::ZERO }),
        OnExhausted::Overage(tariff) => {
            let fits = fits_beside_holds(tariff, funds, missing, funds.budget);
            (!fits).then(|| Limit {
                kind: LimitKind::SpendCap,
                remaining: affordable_beside_holds(tariff, funds, funds.budget),
            })
        }
        OnExhausted::Wallet(tariff) => wallet_bound(funds, tariff, missing),
    }
}

fn wallet_bound(funds: &Funds<'_>, tariff: &Tariff, missing: Quantity) -> Option<Limit> {
    let balance = Some(funds.balance.unwrap_or(Money::zero(tariff.currency())));
    let fits = |money| fits_beside_holds(tariff, funds, missing, money);
    if fits(balance) && fits(funds.budget) {
        return None;
    }
    let by_balance = affordable_beside_holds(tariff, funds, balance);
    let by_cap = affordable_beside_holds(tariff, funds, funds.budget);
    Some(if by_cap < by_balance {
        Limit { kind: LimitKind::SpendCap, remaining: by_cap }
    } else {
        Limit { kind: LimitKind::Wallet, remaining: by_balance }
    })
}

/// The budget, or without one all that can be represented.
pub(super) fn most_of(tariff: &Tariff, budget: Option<Money>) -> Money {
    budget.unwrap_or(Money::from_nanos(i64::MAX, tariff.currency()))
}

/// How much more the money pays for when every open reservation is captured whole, in whatever order.
fn affordable_beside_holds(tariff: &Tariff, funds: &Funds<'_>, money: Option<Money>) -> Quantity {
    left_beside_holds(tariff, funds, money).map_or(Quantity::ZERO, |(worst, left)| tariff.affordable(worst, left))
}

fn fits_beside_holds(tariff: &Tariff, funds: &Funds<'_>, missing: Quantity, money: Option<Money>) -> bool {
    let left = left_beside_holds(tariff, funds, money);
    left.is_ok_and(|(worst, left)| tariff.is_affordable(worst, missing, left))
}

/// The overage when every open reservation is captured whole, and what of the money is left then.
///
/// A tariff never falls, so the fee of all of it bounds the fee of any part of it.
fn left_beside_holds(
    tariff: &Tariff,
    funds: &Funds<'_>,
    money: Option<Money>,
) -> Result<(Quantity, Money), MoneyError> {
    let worst = funds.overage_before.saturating_add(funds.overage_held);
    let held = tariff.step_fee(funds.overage_before, worst)?;
    Ok((worst, most_of(tariff, money).checked_sub(held)?))
}

fn priced(funds: &Funds<'_>, quantity: Quantity) -> Result<Part, Denied> {
    let (source, tariff) = match funds.exhausted {
        OnExhausted::Overage(tariff) => (Source::Overage, tariff),
        OnExhausted::Wallet(tariff) => (Source::Wallet, tariff),
        OnExhausted::Refuse => return Err(Denied::TooLarge),
    };
    let after = funds.overage_before.checked_add(quantity).ok_or(Denied::TooLarge)?;
    let amount = tariff.step_fee(funds.overage_before, after)?;
    Ok(Part { source, quantity, amount: Some(amount) })
}

/// Refuses by the limit that lets the least through; of equals, the one nearest to the caller.
pub(super) fn refuse_if_any_binds(limits: &[Limit], last: Option<Limit>, quantity: Quantity) -> Result<(), Denied> {
    let tightest = limits.iter().copied().chain(last).filter(|limit| limit.remaining < quantity);
    match tightest.min_by_key(|limit| limit.remaining) {
        Some(limit) => Err(Denied::Limit { kind: limit.kind, remaining: limit.remaining }),
        None => Ok(()),
    }
}

#[cfg(test)]
#[path = "decide_tests.rs"]
mod tests;
