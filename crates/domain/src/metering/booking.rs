//! Booking one command into an account's books. A refused command leaves no trace.

use super::books::{AccountBooks, KeyAllowances, PlanPeriod};
use super::command::{Consume, Rejection};
use super::decide::{Denied, Funds, Limit, Part, decide, settle};
use super::decide_gauge::{Gauge, decide_gauge};
use super::means::{Held, left_of};
use super::reservation::Reservation;
use super::usage::{Placement, UsageRecord, drawn_by};
use crate::accounts::AccountStatus;
use crate::error::{LimitKind, Refusal};
use crate::id::WarningId;
use crate::money::Money;
use crate::plans::{Allowance, Meter, MeterKind, OnExhausted, SubscriptionStatus};
use crate::quantity::Quantity;
use crate::quota::{Counter, FiredWarning, Subject};
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
        self.counter_since(plan.period.start, &meter.code).unwrap_or_else(|| {
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
