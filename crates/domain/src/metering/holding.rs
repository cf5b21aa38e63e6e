//! What reservations do to an account's books: holding, letting go, and capturing.

use super::booking::{Ask, rejection};
use super::books::{AccountBooks, KeyAllowances, PlanPeriod};
use super::command::Rejection;
use super::decide::{Denied, Part, Source};
use super::reservation::{Reservation, Reserve};
use super::usage::{Placement, UsageRecord};
use crate::error::LimitKind;
use crate::id::ReservationId;
use crate::plans::Meter;
use crate::quantity::Quantity;
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
        let (placed, plan) = self.place(wanted, meter, now);
        let reservation = self
            .decide_hold(keys, command, meter, &plan)
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
        self.hold_parts(keys, &reservation);
        Ok(reservation)
    }

    /// Decides by the same rule as a use, and lets the counter hold the quantity.
    fn decide_hold(
        &mut self,
        keys: &KeyAllowances,
        command: &Reserve,
        meter: &Meter,
        plan: &PlanPeriod,
    ) -> Result<Vec<Part>, Denied> {
        let wanted = &command.wanted;
        self.admit_by_status(wanted.quantity)?;
        let draft = self.draft(keys, Ask { command: wanted, meter, hold: None, promised: false }, plan)?;
        let of_grants = draft.parts.iter().filter(|part| matches!(part.source, Source::Grant(_)));
        let of_grants = of_grants.fold(Quantity::ZERO, |sum, part| sum.saturating_add(part.quantity));
        let mut counter = draft.before;
        counter.hold(wanted.quantity, of_grants)?;
        self.keep(counter);
        Ok(draft.parts.into_iter().map(|part| Part { amount: None, ..part }).collect())
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
    pub fn release(&mut self, keys: &mut KeyAllowances, reservation: &Reservation) {
        self.let_go(keys, reservation);
        self.revoke_rest(reservation);
    }

    fn let_go(&mut self, keys: &mut KeyAllowances, reservation: &Reservation) {
        let key = (reservation.period_start, reservation.meter.clone());
        if let Some(mut counter) = self.counters.get(&key).cloned() {
            counter.let_go(reservation.quantity, reservation.of_grants());
            self.keep(counter);
        }
        for (id, quantity) in reservation.grants() {
            if let Some(grant) = self.grant_mut(id) {
                grant.let_go(quantity);
            }
        }
        keys.let_go(reservation.api_key, &reservation.meter, reservation.quantity);
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
        let held = self.clone_held(reservation);
        self.let_go(keys, reservation);
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
                self.hold_parts(keys, reservation);
                Err(rejection(&reservation.as_use(used), meter, denied))
            }
        }
    }

    fn clone_held(&self, reservation: &Reservation) -> Option<crate::quota::Counter> {
        self.counters.get(&(reservation.period_start, reservation.meter.clone())).cloned()
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
