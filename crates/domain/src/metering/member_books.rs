//! The members' side of a team's books: each has counters of its own beside the pool's, and may have less than
//! the pool. Loaded only for accounts of teams; the sum of the members' counters is the pool's.

use super::books::PlanPeriod;
use super::command::{Consume, Rejection};
use super::decide::Limit;
use super::reservation::Reservation;
use super::usage::UsageRecord;
use crate::error::LimitKind;
use crate::id::{AccountId, UserId, WarningId};
use crate::plans::{Allowance, Meter, MeterCode, MeterKind, Percent};
use crate::quantity::Quantity;
use crate::quota::{Counter, FiredWarning, Subject};
use crate::teams::{Membership, TeamStatus};
use chrono::{DateTime, Utc};
use std::collections::{BTreeMap, BTreeSet};

type MemberCounterKey = (UserId, DateTime<Utc>, MeterCode);

/// The members of one team, as far as a batch needs them.
#[derive(Clone, Debug)]
pub struct MemberBooks {
    status: TeamStatus,
    /// The members that commands of the batch name.
    members: BTreeMap<UserId, Membership>,
    counters: BTreeMap<MemberCounterKey, Counter>,
    changed: BTreeSet<MemberCounterKey>,
}

impl MemberBooks {
    pub fn open(status: TeamStatus) -> Self {
        Self { status, members: BTreeMap::new(), counters: BTreeMap::new(), changed: BTreeSet::new() }
    }

    pub fn add_member(&mut self, member: Membership) {
        self.members.insert(member.user, member);
    }

    /// Adds a counter of a member, whether or not the batch names the member.
    pub fn add_counter(&mut self, member: UserId, counter: Counter) {
        self.counters.insert((member, counter.period.start, counter.meter.clone()), counter);
    }

    /// Whether the team's first bill is paid and the team still exists.
    pub fn is_active(&self) -> bool {
        self.status == TeamStatus::Active
    }

    /// Refuses what nobody used, for the pool is the sum of its users, and what somebody used who was no member any
    /// more. Who never was one comes through an operator's service, which may report for anybody.
    pub fn admit(&self, command: &Consume, now: DateTime<Utc>) -> Result<(), Rejection> {
        let used_at = command.occurred_at.unwrap_or(now);
        let user = command.user.ok_or_else(|| Rejection::invalid("user", "must be named: the account is a team's"))?;
        match self.members.get(&user) {
            // What is released must never be owed, whoever stored it.
            Some(_) if command.quantity.is_negative() => Ok(()),
            Some(member) if member.joined_at.is_some() && !member.covers(used_at) => {
                Err(Rejection::invalid("user", "is no longer a member of the team"))
            }
            _ => Ok(()),
        }
    }

    /// What the member's allocation still lets through in the period; `None` without one.
    pub fn limit(&self, command: &Consume, meter: &Meter, plan: &PlanPeriod) -> Option<Limit> {
        let user = command.user?;
        let allocation = self.members.get(&user)?.allocation(meter.code.as_str())?;
        let counter = self.counters.get(&(user, plan.period.start, meter.code.clone()));
        let taken = counter.map_or(Quantity::ZERO, |counter| counter.used.saturating_add(counter.reserved));
        Some(Limit { kind: LimitKind::MemberAllocation, remaining: allocation.left_after(taken) })
    }

    /// A reservation begins to hold a part of its member's allocation.
    pub fn hold(&mut self, reservation: &Reservation, plan: &PlanPeriod) {
        let Some(user) = reservation.user else { return };
        let allocation = self.members.get(&user).and_then(|member| member.allocation(reservation.meter.as_str()));
        let counter = self.counter(user, (reservation.account, &reservation.meter), plan, allocation);
        // The pool holds as much and was checked.
        counter.reserved = counter.reserved.saturating_add(reservation.quantity);
    }

    /// A reservation ends: its member has that part of the allocation again.
    pub fn let_go(&mut self, reservation: &Reservation) {
        let Some(user) = reservation.user else { return };
        let key = (user, reservation.period_start, reservation.meter.clone());
        if let Some(counter) = self.counters.get_mut(&key) {
            counter.reserved = counter.reserved.left_after(reservation.quantity);
            self.changed.insert(key);
        }
    }

    /// Counts a use that the pool has booked for its member, and fires the member's own thresholds.
    pub fn book(&mut self, record: &UsageRecord, meter: &Meter, plan: &PlanPeriod) -> Vec<FiredWarning> {
        let Some(user) = record.user else { return Vec::new() };
        if record.quantity.is_negative() {
            self.release(user, record, plan);
            return Vec::new();
        }
        let allocation = self.members.get(&user).and_then(|member| member.allocation(meter.code.as_str()));
        let allowance = allocation.map_or(Allowance::Unlimited, Allowance::Limited);
        let counter = self.counter(user, (record.account, &record.meter), plan, allocation);
        let before = counter.used;
        // The pool holds the sum of all members and was checked: no member's part of it is too large.
        counter.used = counter.used.saturating_add(record.quantity);
        counter.peak = counter.peak.max(counter.used);
        if meter.kind == MeterKind::Counter {
            counter.drawn = counter.drawn.checked_add(record.drawn).unwrap_or(counter.drawn);
        }
        let crossed = counter.warnings.observe(&plan.version.plan.warnings, allowance, before, counter.used);
        let counter = counter.clone();
        crossed.into_iter().map(|threshold| fired(&counter, threshold, record)).collect()
    }

    /// A gauge goes down: first by what the member holds, then by what others do, the oldest user first.
    /// Whoever deletes a shared file need not be the one who stored it.
    fn release(&mut self, user: UserId, record: &UsageRecord, plan: &PlanPeriod) {
        let (start, meter) = (plan.period.start, &record.meter);
        let others = self.counters.keys().filter(|(other, at, of)| *other != user && *at == start && of == meter);
        let holders: Vec<_> = std::iter::once((user, start, meter.clone())).chain(others.cloned()).collect();
        let mut missing = Quantity::ZERO.left_after(record.quantity);
        for holder in holders {
            let Some(counter) = self.counters.get_mut(&holder) else { continue };
            let taken = counter.used.min(missing);
            if taken.is_positive() {
                counter.used = counter.used.left_after(taken);
                missing = missing.left_after(taken);
                self.changed.insert(holder);
            }
        }
    }

    fn counter(
        &mut self,
        user: UserId,
        (account, meter): (AccountId, &MeterCode),
        plan: &PlanPeriod,
        allocation: Option<Quantity>,
    ) -> &mut Counter {
        let key = (user, plan.period.start, meter.clone());
        self.changed.insert(key.clone());
        self.counters.entry(key).or_insert_with(|| {
            let (subject, currency) = (Subject::Member(user), plan.version.plan.currency);
            let mut counter = Counter::opening(account, subject, meter.clone(), plan.period, currency);
            counter.warnings.limit = allocation.unwrap_or(Quantity::MAX);
            counter
        })
    }

    pub fn changed_counters(&self) -> impl Iterator<Item = &Counter> {
        self.changed.iter().filter_map(|key| self.counters.get(key))
    }
}

fn fired(counter: &Counter, threshold: Percent, record: &UsageRecord) -> FiredWarning {
    FiredWarning {
        id: WarningId::new(record.recorded_at),
        account: record.account,
        subject: counter.subject.id(record.account),
        meter: counter.meter.clone(),
        period_start: counter.period.start,
        threshold,
        generation: counter.warnings.generation,
        limit: counter.warnings.limit,
        used: counter.used,
        usage: record.id,
        fired_at: record.recorded_at,
    }
}

#[cfg(test)]
#[path = "member_books_tests.rs"]
mod tests;
