//! Booking one command into an account's books. A refused command leaves no trace.

use super::books::{AccountBooks, KeyAllowances, PlanPeriod};
use super::command::{Consume, Rejection};
use super::decide::{Denied, Funds, Gauge, Limit, Part, Source, decide, decide_gauge};
use super::usage::{Placement, UsageRecord, drawn_by};
use crate::accounts::AccountStatus;
use crate::error::{LimitKind, Refusal};
use crate::id::WarningId;
use crate::money::Money;
use crate::plans::{Allowance, Meter, MeterKind, OnExhausted, SubscriptionStatus};
use crate::quantity::Quantity;
use crate::quota::{Counter, FiredWarning, Grant, Subject};
use chrono::{DateTime, Utc};

/// What a meter that the plan does not mention does.
const NOT_INCLUDED: (Allowance, &OnExhausted) = (Allowance::Limited(Quantity::ZERO), &OnExhausted::Refuse);

/// A command as it would be booked.
struct Draft {
    parts: Vec<Part>,
    before: Quantity,
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
        let deny = |denied| rejection(command, meter, denied);
        self.admit_by_status(command.quantity).map_err(deny)?;
        self.members.as_ref().map_or(Ok(()), |members| members.admit(command, now))?;
        let (placed, plan) = self.place(command, meter, now);
        let draft = self.draft(keys, command, meter, &plan).map_err(deny)?;
        let drawn =
            drawn_by(&draft.parts, Money::zero(plan.version.plan.currency)).map_err(|_| deny(Denied::TooLarge))?;
        let mut record = UsageRecord::of(command, placed, drawn, &draft.parts, now);
        self.draw_grants(&draft.parts);
        keys.draw(command.api_key, &command.meter, command.quantity);
        self.settle(draft, &plan, meter, &mut record);
        Ok(record)
    }

    /// Only consumption is refused: what is released must never be owed.
    fn admit_by_status(&self, quantity: Quantity) -> Result<(), Denied> {
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
    fn place(&self, command: &Consume, meter: &Meter, now: DateTime<Utc>) -> (Placement, PlanPeriod) {
        let occurred_at = command.occurred_at.unwrap_or(now);
        let late = occurred_at < self.current.period.start && meter.kind == MeterKind::Counter;
        let own = self.earlier.iter().find(|earlier| late && earlier.period.contains(occurred_at) && !earlier.closed);
        let plan = own.unwrap_or(&self.current).clone();
        let adjustment = late && own.is_none();
        (Placement { period_start: plan.period.start, occurred_at, adjustment }, plan)
    }

    fn draft(
        &self,
        keys: &KeyAllowances,
        command: &Consume,
        meter: &Meter,
        plan: &PlanPeriod,
    ) -> Result<Draft, Denied> {
        let own = keys.left(command.api_key, &meter.code);
        let own = own.map(|remaining| Limit { kind: LimitKind::ApiKeyAllowance, remaining });
        let allocation = self.members.as_ref().and_then(|members| members.limit(command, meter, plan));
        let limits: Vec<Limit> = own.into_iter().chain(allocation).collect();
        let terms = plan.version.plan.terms(&meter.code);
        let (included, exhausted) =
            terms.map_or(NOT_INCLUDED, |terms| (terms.allowance(plan.seats), &terms.on_exhausted));
        let counter = self.counter(plan, meter, included);
        let budget = self.budget(plan)?;
        let (parts, after) = match meter.kind {
            MeterKind::Counter => {
                let funds = Funds {
                    allowance: left_of(included, counter.drawn.allowance.saturating_add(counter.reserved)),
                    grants: self.usable_grants(command, meter),
                    exhausted,
                    overage_before: counter.drawn.overage.saturating_add(counter.drawn.wallet),
                    budget,
                    balance: None,
                };
                let parts = decide(&limits, &funds, command.quantity)?;
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
        Ok(Draft { parts, before: counter.used, after, included })
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
                let granted =
                    self.grants_of(meter).fold(counter.drawn.grants, |sum, grant| sum.saturating_add(grant.remaining));
                Allowance::Limited(included.saturating_add(granted))
            }
        }
    }

    /// What the spend cap leaves in the period; every meter's fee counts against it.
    fn budget(&self, plan: &PlanPeriod) -> Result<Option<Money>, Denied> {
        let Some(cap) = self.spend_cap else { return Ok(None) };
        let fees = self.counters.values().filter(|counter| counter.period.start == plan.period.start);
        let mut left = cap;
        for counter in fees {
            left = left.checked_sub(counter.drawn.fee)?;
        }
        Ok(Some(left))
    }

    fn grants_of(&self, meter: &Meter) -> impl Iterator<Item = &Grant> {
        self.grants.iter().filter(move |grant| grant.meter == meter.code && grant.remaining.is_positive())
    }

    fn usable_grants(&self, command: &Consume, meter: &Meter) -> Vec<(crate::id::GrantId, Quantity)> {
        let usable = self.grants_of(meter).filter(|grant| grant.allows(command.dimensions.model()));
        usable.map(|grant| (grant.id, grant.remaining)).collect()
    }

    fn draw_grants(&mut self, parts: &[Part]) {
        for part in parts {
            let Source::Grant(id) = part.source else { continue };
            if let Some(grant) = self.grants.iter_mut().find(|grant| grant.id == id) {
                grant.remaining = grant.remaining.left_after(part.quantity);
                self.drawn_grants.insert(id);
            }
        }
    }

    /// Fires warnings, completes the row and keeps the counter.
    fn settle(&mut self, draft: Draft, plan: &PlanPeriod, meter: &Meter, record: &mut UsageRecord) {
        let Draft { before, mut after, included, .. } = draft;
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
        let key = (after.period.start, meter.code.clone());
        self.counters.insert(key.clone(), after);
        self.changed.insert(key);
    }

    /// What allowance and grants are left; `None` is unlimited.
    pub(super) fn remaining(&self, counter: &Counter, meter: &Meter, included: Allowance) -> Option<Quantity> {
        let spent = match meter.kind {
            MeterKind::Counter => counter.drawn.allowance.saturating_add(counter.reserved),
            MeterKind::Gauge => counter.used.saturating_add(counter.reserved),
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

fn left_of(included: Allowance, used: Quantity) -> Allowance {
    match included {
        Allowance::Unlimited => Allowance::Unlimited,
        Allowance::Limited(included) => Allowance::Limited(included.left_after(used)),
    }
}

fn counted(counter: &Counter, quantity: Quantity, parts: &[Part]) -> Result<Counter, Denied> {
    let mut after = counter.clone();
    after.used = counter.used.checked_add(quantity).ok_or(Denied::TooLarge)?;
    after.peak = after.used;
    after.drawn = counter.drawn.checked_add(drawn_by(parts, counter.drawn.fee)?)?;
    Ok(after)
}

fn gauged(counter: &Counter, quantity: Quantity, limit: Allowance, parts: &[Part]) -> Result<Counter, Denied> {
    let mut after = counter.clone();
    after.used = counter.used.checked_add(quantity).ok_or(Denied::TooLarge)?;
    after.peak = counter.peak.max(after.used);
    after.drawn.fee = counter.drawn.fee.checked_add(drawn_by(parts, counter.drawn.fee)?.fee)?;
    if let Allowance::Limited(limit) = limit {
        after.drawn.overage = counter.drawn.overage.max(after.used.left_after(limit));
    }
    Ok(after)
}

fn rejection(command: &Consume, meter: &Meter, denied: Denied) -> Rejection {
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
