//! Whether a gauge may change, and what a new peak costs.

use super::decide::{Denied, Limit, Part, Source, most_of, refuse_if_any_binds};
use crate::error::LimitKind;
use crate::money::Money;
use crate::plans::{Allowance, OnExhausted};
use crate::quantity::Quantity;

/// A gauge before the command.
#[derive(Clone, Debug)]
pub struct Gauge<'a> {
    pub level: Quantity,
    /// The plan's allowance with all live grants.
    pub limit: Allowance,
    pub exhausted: &'a OnExhausted,
    /// The most by which the level exceeded the limit in this period: what is owed already.
    pub overage_before: Quantity,
    pub budget: Option<Money>,
}

/// Decides a gauge's change by `quantity` atoms; negative releases, zero is not asked.
pub fn decide_gauge(limits: &[Limit], gauge: &Gauge<'_>, quantity: Quantity) -> Result<Vec<Part>, Denied> {
    let level = gauge.level.checked_add(quantity).ok_or(Denied::TooLarge)?;
    if level.is_negative() {
        return Err(Denied::BelowZero { level: gauge.level });
    }
    if quantity.is_negative() {
        return Ok(vec![Part { source: Source::Release, quantity, amount: None }]);
    }
    let Allowance::Limited(limit) = gauge.limit else {
        refuse_if_any_binds(limits, None, quantity)?;
        return Ok(vec![Part { source: Source::Allowance, quantity, amount: None }]);
    };
    let within = limit.left_after(gauge.level).min(quantity);
    let over = level.left_after(limit);
    let plan = (over.is_positive() && !may_rise_to(gauge, over)).then(|| Limit {
        kind: gauge_bound(gauge),
        remaining: limit.saturating_add(affordable_over(gauge)).left_after(gauge.level),
    });
    refuse_if_any_binds(limits, plan, quantity)?;
    let mut parts = Vec::with_capacity(2);
    if within.is_positive() {
        parts.push(Part { source: Source::Allowance, quantity: within, amount: None });
    }
    let beyond = quantity.left_after(within);
    if let (true, OnExhausted::Overage(tariff)) = (beyond.is_positive(), gauge.exhausted) {
        let owed = over.max(gauge.overage_before);
        let amount = tariff.step_fee(gauge.overage_before, owed)?;
        parts.push(Part { source: Source::Overage, quantity: beyond, amount: Some(amount) });
    }
    Ok(parts)
}

fn gauge_bound(gauge: &Gauge<'_>) -> LimitKind {
    match gauge.exhausted {
        OnExhausted::Overage(_) => LimitKind::SpendCap,
        OnExhausted::Refuse | OnExhausted::Wallet(_) => LimitKind::PlanAllowance,
    }
}

/// Whether the gauge may lie this far above its limit.
fn may_rise_to(gauge: &Gauge<'_>, over: Quantity) -> bool {
    match gauge.exhausted {
        OnExhausted::Overage(tariff) => {
            let more = over.left_after(gauge.overage_before);
            tariff.is_affordable(gauge.overage_before, more, most_of(tariff, gauge.budget))
        }
        OnExhausted::Refuse | OnExhausted::Wallet(_) => false,
    }
}

/// How far above its limit the gauge may rise.
fn affordable_over(gauge: &Gauge<'_>) -> Quantity {
    match gauge.exhausted {
        OnExhausted::Overage(tariff) => {
            let more = tariff.affordable(gauge.overage_before, most_of(tariff, gauge.budget));
            gauge.overage_before.saturating_add(more)
        }
        OnExhausted::Refuse | OnExhausted::Wallet(_) => Quantity::ZERO,
    }
}
