//! What an account can pay a use with: grants, the spend cap, the wallet, and what open reservations hold of each.

use super::booking::Ask;
use super::books::{AccountBooks, PlanPeriod};
use super::decide::{Denied, Part, Source};
use super::reservation::Reservation;
use crate::error::LimitKind;
use crate::id::{GrantId, TransferId};
use crate::money::Money;
use crate::plans::{Allowance, Meter, MeterKind, OnExhausted};
use crate::quantity::Quantity;
use crate::quota::{Counter, Grant};
use crate::wallet::NoBalance;
use chrono::{DateTime, Utc};

impl AccountBooks {
    /// The allowance together with all grants, drawn or not: what warnings are measured against.
    pub(super) fn limit(&self, counter: &Counter, meter: &Meter, included: Allowance) -> Allowance {
        match included {
            Allowance::Unlimited => Allowance::Unlimited,
            Allowance::Limited(included) => {
                let taken = counter.drawn.grants.saturating_add(counter.held_grants);
                let granted = self.grants_of(meter).fold(taken, |sum, grant| sum.saturating_add(grant.remaining));
                Allowance::Limited(included.saturating_add(granted))
            }
        }
    }

    /// What the spend cap leaves in the period; every meter's fee counts against it, and what open reservations
    /// of the other meters may still cost.
    pub(super) fn budget(&self, plan: &PlanPeriod, meter: &Meter) -> Result<Option<Money>, Denied> {
        let Some(cap) = self.spend_cap else { return Ok(None) };
        let fees = self.counters.values().filter(|counter| counter.period.start == plan.period.start);
        let mut left = cap;
        for counter in fees {
            left = left.checked_sub(counter.drawn.cost()?)?;
            if counter.meter != meter.code && counter.reserved.is_positive() {
                left = left.checked_sub(most_of_holds(counter, plan)?)?;
            }
        }
        Ok(Some(left))
    }

    /// What the wallet can pay for a counter, with what the counter's own reservations hold of it.
    pub(super) fn balance(&self, counter: &Counter, exhausted: &OnExhausted) -> Result<Option<Money>, Denied> {
        match exhausted {
            OnExhausted::Wallet(tariff) => Ok(Some(self.purse(tariff.currency()).spendable(counter.wallet_held)?)),
            OnExhausted::Refuse | OnExhausted::Overage(_) => Ok(None),
        }
    }

    /// Pays from the wallet, and lets it hold what the counter's reservations may still cost; with the transfer of the
    /// payment. Nothing is changed when it fails.
    pub(super) fn pay(
        &mut self,
        (before, after): (&Counter, &mut Counter),
        plan: &PlanPeriod,
        paid: Money,
        now: DateTime<Utc>,
    ) -> Result<Option<TransferId>, Denied> {
        let holding = wallet_of_holds(after, plan)?;
        if paid.is_zero() && holding == before.wallet_held {
            after.wallet_held = holding;
            return Ok(None);
        }
        let mut purse = self.purse(paid.currency());
        after.wallet_held = purse.settle(paid, (before.wallet_held, holding), now)?;
        let transfer = purse.payment().filter(|_| paid.is_positive());
        self.purses.insert(paid.currency(), purse);
        Ok(transfer)
    }

    fn grants_of(&self, meter: &Meter) -> impl Iterator<Item = &Grant> {
        self.grants.iter().filter(move |grant| grant.meter == meter.code && grant.remaining.is_positive())
    }

    /// The grants of a reservation that expired under it come first; then all that live, in their order.
    pub(super) fn usable_grants(&self, ask: Ask<'_>) -> Vec<(GrantId, Quantity)> {
        let own = ask.hold.into_iter().flat_map(Reservation::grants);
        let expired = own.filter(|(id, _)| self.expired.iter().any(|grant| grant.id == *id));
        let usable = self.grants_of(ask.meter).filter(|grant| grant.allows(ask.command.dimensions.model()));
        expired.chain(usable.map(|grant| (grant.id, grant.remaining))).collect()
    }

    pub(super) fn draw_grants(&mut self, parts: &[Part]) {
        for part in parts {
            let Source::Grant(id) = part.source else { continue };
            if let Some(grant) = self.grant_mut(id) {
                grant.remaining = grant.remaining.left_after(part.quantity);
            }
        }
    }

    /// What allowance and grants are left; `None` is unlimited.
    pub(super) fn remaining(&self, counter: &Counter, meter: &Meter, included: Allowance) -> Option<Quantity> {
        let spent = match meter.kind {
            MeterKind::Counter => counter.drawn.allowance.saturating_add(counter.held_beside_grants()),
            MeterKind::Gauge => counter.used,
        };
        let granted = self.grants_of(meter).fold(Quantity::ZERO, |sum, grant| sum.saturating_add(grant.remaining));
        match (included, meter.kind) {
            (Allowance::Unlimited, _) => None,
            (Allowance::Limited(included), MeterKind::Counter) => {
                Some(included.left_after(spent).saturating_add(granted))
            }
            (Allowance::Limited(included), MeterKind::Gauge) => {
                Some(included.saturating_add(granted).left_after(spent))
            }
        }
    }
}

/// How open reservations lie on allowance and overage: on the allowance as far as it reaches.
pub(super) struct Held {
    pub allowance: Quantity,
    pub overage: Quantity,
}

impl Held {
    pub fn of(counter: &Counter, included: Allowance) -> Self {
        let held = counter.held_beside_grants();
        let allowance = match left_of(included, counter.drawn.allowance) {
            Allowance::Unlimited => held,
            Allowance::Limited(left) => held.min(left),
        };
        Self { allowance, overage: held.left_after(allowance) }
    }
}

/// The most that capturing every open reservation of a counter can add to its fee.
fn most_of_holds(counter: &Counter, plan: &PlanPeriod) -> Result<Money, Denied> {
    let nothing = Money::zero(counter.drawn.fee.currency());
    let Some(terms) = plan.version.plan.terms(&counter.meter) else { return Ok(nothing) };
    let held = Held::of(counter, terms.allowance(plan.seats)).overage;
    match &terms.on_exhausted {
        OnExhausted::Refuse => Ok(nothing),
        OnExhausted::Overage(tariff) | OnExhausted::Wallet(tariff) => {
            let before = counter.drawn.overage.saturating_add(counter.drawn.wallet);
            Ok(tariff.step_fee(before, before.saturating_add(held))?)
        }
    }
}

/// What open reservations of a counter hold of the wallet: what capturing them all can cost, where the plan takes
/// that from the wallet.
fn wallet_of_holds(counter: &Counter, plan: &PlanPeriod) -> Result<Money, Denied> {
    let terms = plan.version.plan.terms(&counter.meter);
    match terms.map(|terms| &terms.on_exhausted) {
        Some(OnExhausted::Wallet(_)) if counter.reserved.is_positive() => most_of_holds(counter, plan),
        _ => Ok(Money::zero(counter.drawn.fee.currency())),
    }
}

pub(super) fn left_of(included: Allowance, used: Quantity) -> Allowance {
    match included {
        Allowance::Unlimited => Allowance::Unlimited,
        Allowance::Limited(included) => Allowance::Limited(included.left_after(used)),
    }
}

impl From<NoBalance> for Denied {
    fn from(error: NoBalance) -> Self {
        match error {
            NoBalance::TooLow { .. } => Self::Limit { kind: LimitKind::Wallet, remaining: Quantity::ZERO },
            NoBalance::Nonsense | NoBalance::Money(_) => Self::TooLarge,
        }
    }
}
