//! What reservations do to an account's books: holding, letting go, and capturing.

use super::booking::{Ask, rejection};
use super::books::{AccountBooks, KeyAllowances, PlanPeriod};
use super::command::Rejection;
use super::decide::{Denied, Part, Source};
use super::reservation::{Reservation, Reserve};
use super::usage::{Placement, UsageRecord};
use crate::error::LimitKind;
use crate::id::ReservationId;
use crate::money::Money;
use crate::plans::Meter;
use crate::quantity::Quantity;
use crate::quota::Counter;
use chrono::{DateTime, Utc};

/// What a capture came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Captured {
    pub record: UsageRecord,
    pub shortfall: Option<Shortfall>,
}

/// What was used beyond a reservation and refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shortfall {
    /// Above zero.
    pub quantity: Quantity,
    pub refused_by: Option<LimitKind>,
}

impl AccountBooks {
    /// Decides a reservation as if it were consumed now, and holds what it was decided from.
    pub fn reserve(
        &mut self,
        keys: &mut KeyAllowances,
        command: &Reserve,
        meter: &Meter,
        now: DateTime<Utc>,
    ) -> Result<Reservation, Rejection> {
        let wanted = &command.wanted;
        self.members.as_ref().map_or(Ok(()), |members| members.admit(wanted, now))?;
        let (placed, plan) = self.place(wanted, meter, now);
        let reservation = self
            .decide_hold(keys, command, (meter, &plan), now)
            .map(|parts| Reservation {
                id: ReservationId::new(now),
                account: wanted.account,
                key: wanted.key.as_str().to_owned(),
                fingerprint: command.fingerprint(),
                meter: wanted.meter.clone(),
                quantity: wanted.quantity,
                period_start: placed.period_start,
                user: wanted.user,
                api_key: wanted.api_key,
                dimensions: wanted.dimensions.clone(),
                parts,
                created_at: now,
                expires_at: now + command.ttl,
                ended: None,
            })
            .map_err(|denied| rejection(wanted, meter, denied))?;
        if let Some(members) = &mut self.members {
            members.hold(&reservation, &plan);
        }
        self.hold_parts(keys, &reservation);
        Ok(reservation)
    }

    /// Decides by the same rule as a use, and lets the counter hold the quantity.
    fn decide_hold(
        &mut self,
        keys: &KeyAllowances,
        command: &Reserve,
        (meter, plan): (&Meter, &PlanPeriod),
        now: DateTime<Utc>,
    ) -> Result<Vec<Part>, Denied> {
        let wanted = &command.wanted;
        self.admit_by_status(wanted.quantity)?;
        let draft = self.draft(keys, Ask { command: wanted, meter, hold: None, promised: false }, plan)?;
        let of_grants = draft.parts.iter().filter(|part| matches!(part.source, Source::Grant(_)));
        let of_grants = of_grants.fold(Quantity::ZERO, |sum, part| sum.saturating_add(part.quantity));
        let mut counter = draft.before.clone();
        counter.hold(wanted.quantity, of_grants)?;
        self.hold_money(&draft.before, &mut counter, plan, now)?;
        self.keep(counter);
        Ok(draft.parts.into_iter().map(|part| Part { amount: None, ..part }).collect())
    }

    /// Lets the wallet hold what a counter's reservations may cost now.
    fn hold_money(
        &mut self,
        before: &Counter,
        after: &mut Counter,
        plan: &PlanPeriod,
        now: DateTime<Utc>,
    ) -> Result<(), Denied> {
        let nothing = Money::zero(after.wallet_held.currency());
        self.pay((before, after), plan, nothing, now).map(drop)
    }

    fn hold_parts(&mut self, keys: &mut KeyAllowances, reservation: &Reservation) {
        for (id, quantity) in reservation.grants() {
            if let Some(grant) = self.grant_mut(id) {
                grant.hold(quantity);
            }
        }
        keys.hold(reservation.api_key, &reservation.meter, reservation.quantity);
    }

    /// Gives back all that a reservation holds; what it holds of a revoked grant is revoked.
    pub fn release(&mut self, keys: &mut KeyAllowances, reservation: &Reservation, now: DateTime<Utc>) {
        self.let_go(keys, reservation, now);
        self.revoke_rest(reservation);
    }

    fn let_go(&mut self, keys: &mut KeyAllowances, reservation: &Reservation, now: DateTime<Utc>) {
        if let Some(before) = self.clone_held(reservation) {
            let mut counter = before.clone();
            counter.let_go(reservation.quantity, reservation.of_grants());
            self.let_money_go(&before, &mut counter, now);
            self.keep(counter);
        }
        if let Some(members) = &mut self.members {
            members.let_go(reservation);
        }
        for (id, quantity) in reservation.grants() {
            if let Some(grant) = self.grant_mut(id) {
                grant.let_go(quantity);
            }
        }
        keys.let_go(reservation.api_key, &reservation.meter, reservation.quantity);
    }

    /// Gives money back to the wallet. Letting go never asks for more, so nothing of it can fail; where the plan of the
    /// period is not known any more, the money stays held until the counter's last reservation has ended.
    fn let_money_go(&mut self, before: &Counter, after: &mut Counter, now: DateTime<Utc>) {
        let plan = self.plan_since(after.period.start).cloned();
        let plan = plan.or_else(|| after.reserved.is_zero().then(|| self.current.clone()));
        if let Some(plan) = plan {
            let kept = self.hold_money(before, after, &plan, now);
            debug_assert_eq!(kept, Ok(()), "less is held than before");
        }
    }

    fn revoke_rest(&mut self, reservation: &Reservation) {
        for (id, _) in reservation.grants() {
            if let Some(grant) = self.grant_mut(id)
                && let Some(revoked_at) = grant.revoked_at
            {
                grant.revoke(revoked_at);
            }
        }
    }

    /// Captures what was used. What the reservation held is always recorded; more than that is asked for anew,
    /// and what is refused of it comes back as a shortfall.
    ///
    /// The error means that nothing could be counted, and changes nothing.
    pub fn capture(
        &mut self,
        keys: &mut KeyAllowances,
        (reservation, used): (&Reservation, Quantity),
        meter: &Meter,
        now: DateTime<Utc>,
    ) -> Result<Captured, Rejection> {
        let (held, members, purses) = (self.clone_held(reservation), self.members.clone(), self.purses.clone());
        self.let_go(keys, reservation, now);
        let captured = self.book_capture(keys, (reservation, used), meter, now);
        match captured {
            Ok(captured) => {
                self.revoke_rest(reservation);
                Ok(captured)
            }
            Err(denied) => {
                if let Some(counter) = held {
                    self.keep(counter);
                }
                self.members = members;
                self.purses = purses;
                self.hold_parts(keys, reservation);
                Err(rejection(&reservation.as_use(used), meter, denied))
            }
        }
    }

    fn clone_held(&self, reservation: &Reservation) -> Option<Counter> {
        self.counter_since(reservation.period_start, &reservation.meter)
    }

    fn book_capture(
        &mut self,
        keys: &mut KeyAllowances,
        (reservation, used): (&Reservation, Quantity),
        meter: &Meter,
        now: DateTime<Utc>,
    ) -> Result<Captured, Denied> {
        let (placed, plan) = self.place_of(reservation);
        let mut refused = None;
        if used > reservation.quantity {
            let whole = reservation.as_use(used);
            let ask = Ask { command: &whole, meter, hold: Some(reservation), promised: false };
            match self.book(keys, ask, (placed, &plan), now) {
                Ok(record) => return Ok(Captured { record, shortfall: None }),
                Err(Denied::Limit { kind, .. }) => refused = Some(kind),
                Err(_) => {}
            }
        }
        let held = reservation.as_use(used.min(reservation.quantity));
        let ask = Ask { command: &held, meter, hold: Some(reservation), promised: true };
        let record = self.book(keys, ask, (placed, &plan), now)?;
        let beyond = used.left_after(reservation.quantity);
        let shortfall = beyond.is_positive().then_some(Shortfall { quantity: beyond, refused_by: refused });
        Ok(Captured { record, shortfall })
    }

    /// The period in which a capture counts: that of the reservation while it is open, else the current one.
    fn place_of(&self, reservation: &Reservation) -> (Placement, PlanPeriod) {
        let own = |plan: &&PlanPeriod| plan.period.start == reservation.period_start && !plan.closed;
        let own = std::iter::once(&self.current).chain(&self.earlier).find(own);
        let plan = own.unwrap_or(&self.current).clone();
        let placed = Placement {
            period_start: plan.period.start,
            occurred_at: reservation.created_at,
            adjustment: own.is_none(),
        };
        (placed, plan)
    }
}

#[cfg(test)]
#[path = "holding_tests.rs"]
mod tests;
