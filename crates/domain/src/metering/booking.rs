//! Booking one command into an account's books. A refused command leaves no trace.

use super::books::{AccountBooks, KeyAllowances, PlanPeriod};
use super::command::{Consume, Rejection};
use super::decide::{Denied, Funds, Gauge, Limit, Part, Source, decide, decide_gauge, settle};
use super::reservation::Reservation;
use super::usage::{Placement, UsageRecord, drawn_by};
use crate::accounts::AccountStatus;
use crate::error::{LimitKind, Refusal};
use crate::id::{GrantId, TransferId, WarningId};
use crate::money::Money;
use crate::plans::{Allowance, Meter, MeterKind, OnExhausted, SubscriptionStatus};
use crate::quantity::Quantity;
use crate::quota::{Counter, FiredWarning, Grant, Subject};
use crate::wallet::NoBalance;
use chrono::{DateTime, Utc};

/// What a meter that the plan does not mention does.
const NOT_INCLUDED: (Allowance, &OnExhausted) = (Allowance::Limited(Quantity::ZERO), &OnExhausted::Refuse);

/// What is asked of the books.
#[derive(Clone, Copy)]
pub(super) struct Ask<'a> {
    pub command: &'a Consume,
    pub meter: &'a Meter,
    /// The reservation that is being captured; it has let go of what it held.
    pub hold: Option<&'a Reservation>,
    /// Within what the reservation held: decided before, so not refused now.
    pub promised: bool,
}

/// A command as it would be booked.
pub(super) struct Draft {
    pub parts: Vec<Part>,
    pub before: Counter,
    after: Counter,
    /// The plan's allowance in this period.
    included: Allowance,
}

impl AccountBooks {
    /// Decides one command and books it.
    pub fn consume(
        &mut self,
        keys: &mut KeyAllowances,
        command: &Consume,
        meter: &Meter,
        now: DateTime<Utc>,
    ) -> Result<UsageRecord, Rejection> {
        self.members.as_ref().map_or(Ok(()), |members| members.admit(command, now))?;
        let ask = Ask { command, meter, hold: None, promised: false };
        let (placed, plan) = self.place(command, meter, now);
        self.book(keys, ask, (placed, &plan), now).map_err(|denied| rejection(command, meter, denied))
    }

    /// Decides and books what is asked in a period; nothing is changed when it is denied.
    pub(super) fn book(
        &mut self,
        keys: &mut KeyAllowances,
        ask: Ask<'_>,
        (placed, plan): (Placement, &PlanPeriod),
        now: DateTime<Utc>,
    ) -> Result<UsageRecord, Denied> {
        let Ask { command, meter, promised, .. } = ask;
        if !promised {
            self.admit_by_status(command.quantity)?;
        }
        let mut draft = self.draft(keys, ask, plan)?;
        let drawn = drawn_by(&draft.parts, Money::zero(plan.version.plan.currency))?;
        let transfer = self.pay((&draft.before, &mut draft.after), plan, drawn.paid, now)?;
        let mut record = UsageRecord { transfer, ..UsageRecord::of(command, placed, drawn, &draft.parts, now) };
        self.draw_grants(&draft.parts);
        keys.draw(command.api_key, &command.meter, command.quantity);
        self.settle(draft, plan, meter, &mut record);
        Ok(record)
    }

    /// Only consumption is refused: what is released must never be owed.
    pub(super) fn admit_by_status(&self, quantity: Quantity) -> Result<(), Denied> {
        if quantity.is_negative() {
            return Ok(());
        }
        let kind = match (self.account.status, self.status) {
            (AccountStatus::Frozen, _) => LimitKind::AccountStatus,
            _ if self.members.as_ref().is_some_and(|members| !members.is_active()) => LimitKind::SubscriptionStatus,
            (_, SubscriptionStatus::Suspended | SubscriptionStatus::Pending | SubscriptionStatus::Expired) => {
                LimitKind::SubscriptionStatus
            }
            _ => return Ok(()),
        };
        Err(Denied::Limit { kind, remaining: Quantity::ZERO })
    }

    /// The period in which the command counts: its own while that is open, else the current one.
    pub(super) fn place(&self, command: &Consume, meter: &Meter, now: DateTime<Utc>) -> (Placement, PlanPeriod) {
        let occurred_at = command.occurred_at.unwrap_or(now);
        let late = occurred_at < self.current.period.start && meter.kind == MeterKind::Counter;
        let own = self.earlier.iter().find(|earlier| late && earlier.period.contains(occurred_at) && !earlier.closed);
        let plan = own.unwrap_or(&self.current).clone();
        let adjustment = late && own.is_none();
        (Placement { period_start: plan.period.start, occurred_at, adjustment }, plan)
    }

    pub(super) fn draft(&self, keys: &KeyAllowances, ask: Ask<'_>, plan: &PlanPeriod) -> Result<Draft, Denied> {
        let Ask { command, meter, .. } = ask;
        let own = keys.left(command.api_key, &meter.code);
        let own = own.map(|remaining| Limit { kind: LimitKind::ApiKeyAllowance, remaining });
        let allocation = self.members.as_ref().and_then(|members| members.limit(command, meter, plan));
        let limits: Vec<Limit> = own.into_iter().chain(allocation).collect();
        let terms = plan.version.plan.terms(&meter.code);
        let (included, exhausted) =
            terms.map_or(NOT_INCLUDED, |terms| (terms.allowance(plan.seats), &terms.on_exhausted));
        let counter = self.counter(plan, meter, included);
        let budget = self.budget(plan, meter)?;
        let (parts, after) = match meter.kind {
            MeterKind::Counter => {
                let held = Held::of(&counter, included);
                let funds = Funds {
                    allowance: left_of(included, counter.drawn.allowance.saturating_add(held.allowance)),
                    allowance_held: held.allowance,
                    grants: self.usable_grants(ask),
                    exhausted,
                    overage_before: counter.drawn.overage.saturating_add(counter.drawn.wallet),
                    overage_held: held.overage,
                    budget,
                    balance: self.balance(&counter, exhausted)?,
                };
                let parts = if ask.promised {
                    settle(&funds, command.quantity)
                } else {
                    decide(&limits, &funds, command.quantity)?
                };
                let after = counted(&counter, command.quantity, &parts)?;
                (parts, after)
            }
            MeterKind::Gauge => {
                let limit = self.limit(&counter, meter, included);
                let overage_before = counter.drawn.overage;
                let gauge = Gauge { level: counter.used, limit, exhausted, overage_before, budget };
                let parts = decide_gauge(&limits, &gauge, command.quantity)?;
                let after = gauged(&counter, command.quantity, limit, &parts)?;
                (parts, after)
            }
        };
        Ok(Draft { parts, before: counter, after, included })
    }

    fn counter(&self, plan: &PlanPeriod, meter: &Meter, included: Allowance) -> Counter {
        let key = (plan.period.start, meter.code.clone());
        self.counters.get(&key).cloned().unwrap_or_else(|| {
            let currency = plan.version.plan.currency;
            let mut counter =
                Counter::opening(self.account.id, Subject::Account, meter.code.clone(), plan.period, currency);
            counter.warnings.limit = match self.limit(&counter, meter, included) {
                Allowance::Limited(limit) => limit,
                Allowance::Unlimited => Quantity::MAX,
            };
            counter
        })
    }

    /// The allowance together with all grants, drawn or not: what warnings are measured against.
    fn limit(&self, counter: &Counter, meter: &Meter, included: Allowance) -> Allowance {
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
    fn budget(&self, plan: &PlanPeriod, meter: &Meter) -> Result<Option<Money>, Denied> {
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
    fn balance(&self, counter: &Counter, exhausted: &OnExhausted) -> Result<Option<Money>, Denied> {
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
    fn usable_grants(&self, ask: Ask<'_>) -> Vec<(GrantId, Quantity)> {
        let own = ask.hold.into_iter().flat_map(Reservation::grants);
        let expired = own.filter(|(id, _)| self.expired.iter().any(|grant| grant.id == *id));
        let usable = self.grants_of(ask.meter).filter(|grant| grant.allows(ask.command.dimensions.model()));
        expired.chain(usable.map(|grant| (grant.id, grant.remaining))).collect()
    }

    fn draw_grants(&mut self, parts: &[Part]) {
        for part in parts {
            let Source::Grant(id) = part.source else { continue };
            if let Some(grant) = self.grant_mut(id) {
                grant.remaining = grant.remaining.left_after(part.quantity);
            }
        }
    }

    /// Fires warnings, completes the row and keeps the counter.
    fn settle(&mut self, draft: Draft, plan: &PlanPeriod, meter: &Meter, record: &mut UsageRecord) {
        let Draft { before, mut after, included, .. } = draft;
        let before = before.used;
        let limit = self.limit(&after, meter, included);
        let crossed = after.warnings.observe(&plan.version.plan.warnings, limit, before, after.used);
        for threshold in &crossed {
            self.fired.push(FiredWarning {
                id: WarningId::new(record.recorded_at),
                account: self.account.id,
                subject: after.subject.id(self.account.id),
                meter: meter.code.clone(),
                period_start: after.period.start,
                threshold: *threshold,
                generation: after.warnings.generation,
                limit: after.warnings.limit,
                used: after.used,
                usage: record.id,
                fired_at: record.recorded_at,
            });
        }
        record.warnings = crossed;
        if let Some(members) = &mut self.members {
            let fired = members.book(record, meter, plan);
            record.warnings.extend(fired.iter().map(|warning| warning.threshold));
            record.warnings.sort_unstable();
            record.warnings.dedup();
            self.fired.extend(fired);
        }
        record.remaining = self.remaining(&after, meter, included);
        self.keep(after);
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
struct Held {
    allowance: Quantity,
    overage: Quantity,
}

impl Held {
    fn of(counter: &Counter, included: Allowance) -> Self {
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

fn left_of(included: Allowance, used: Quantity) -> Allowance {
    match included {
        Allowance::Unlimited => Allowance::Unlimited,
        Allowance::Limited(included) => Allowance::Limited(included.left_after(used)),
    }
}

fn counted(counter: &Counter, quantity: Quantity, parts: &[Part]) -> Result<Counter, Denied> {
    let mut after = counter.clone();
    after.used = counter.used.checked_add(quantity).ok_or(Denied::TooLarge)?;
    // What is held can be counted too when it is captured.
    after.used.checked_add(counter.reserved).ok_or(Denied::TooLarge)?;
    after.peak = after.used;
    after.drawn = counter.drawn.checked_add(drawn_by(parts, counter.drawn.fee)?)?;
    // Owed and paid together are what a spend cap is about, and can always be added.
    after.drawn.cost()?;
    Ok(after)
}

fn gauged(counter: &Counter, quantity: Quantity, limit: Allowance, parts: &[Part]) -> Result<Counter, Denied> {
    let mut after = counter.clone();
    after.used = counter.used.checked_add(quantity).ok_or(Denied::TooLarge)?;
    after.peak = counter.peak.max(after.used);
    after.drawn.fee = counter.drawn.fee.checked_add(drawn_by(parts, counter.drawn.fee)?.fee)?;
    // What is released is never owed, also where the limit fell below the level.
    if let (Allowance::Limited(limit), true) = (limit, quantity.is_positive()) {
        after.drawn.overage = counter.drawn.overage.max(after.used.left_after(limit));
    }
    Ok(after)
}

impl From<NoBalance> for Denied {
    fn from(error: NoBalance) -> Self {
        match error {
            NoBalance::TooLow { .. } => Self::Limit { kind: LimitKind::Wallet, remaining: Quantity::ZERO },
            NoBalance::Nonsense | NoBalance::Money(_) => Self::TooLarge,
        }
    }
}

pub(super) fn rejection(command: &Consume, meter: &Meter, denied: Denied) -> Rejection {
    match denied {
        Denied::Limit { kind, remaining } => Rejection::Refused(Refusal {
            limit: kind,
            meter: meter.code.to_string(),
            scale: meter.scale,
            requested: command.quantity,
            remaining,
        }),
        Denied::TooLarge => Rejection::invalid("quantity", "is too large"),
        Denied::BelowZero { level } => {
            let level = level.to_decimal(meter.scale);
            Rejection::invalid("quantity", format!("would take the gauge below zero; its level is {level}"))
        }
    }
}
