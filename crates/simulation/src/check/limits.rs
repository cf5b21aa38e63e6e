//! Limits of every kind hold, whatever earlier looks saw, and what goes beyond an allowance is paid for.

use super::metering::GAUGE;
use super::{Found, hold, same};
use crate::catalogue::PRICES;
use crate::core::Core;
use crate::db::OUTSIDE;
use chrono::{DateTime, Utc};
use domain::id::{AccountId, ApiKeyId, UsageId, UserId};
use domain::metering::{ReservationStatus, UsageRecord};
use domain::plans::{Allowance, MeterCode, MeterTerms, OnExhausted};
use domain::quantity::Quantity;
use domain::quota::{Counter, Subject};
use std::collections::{BTreeMap, BTreeSet};

type CounterKey = (AccountId, DateTime<Utc>, MeterCode);

/// What was taken of each limit at the last look: a limit that fell below it takes nothing back.
#[derive(Default)]
pub struct Limits {
    drawn: BTreeMap<CounterKey, Quantity>,
    levels: BTreeMap<(AccountId, MeterCode, DateTime<Utc>), Quantity>,
    members: BTreeMap<(UserId, CounterKey), Quantity>,
    keys: BTreeMap<ApiKeyId, Quantity>,
    uses: BTreeSet<UsageId>,
}

impl Limits {
    pub fn hold(&mut self, core: &Core) -> Found {
        for counter in core.tables.counters.values(OUTSIDE) {
            match counter.subject {
                Subject::Account => self.allowances_hold(core, counter)?,
                Subject::Member(user) => self.allocations_hold(core, user, counter)?,
            }
        }
        for key in core.tables.api_keys.values(OUTSIDE) {
            let Some(allowance) = &key.draft.allowance else { continue };
            let taken = allowance.used.saturating_add(allowance.held);
            let before = self.keys.insert(key.id, taken).unwrap_or(Quantity::ZERO);
            let most = allowance.quantity.max(before);
            hold(taken <= most, || format!("{} took {taken:?} of {most:?}", key.id))?;
        }
        self.caps_hold(core)
    }

    /// A use that costs something leaves its period within the cap of its account. What a reservation holds was within it
    /// when it was made, and is captured also after the cap was lowered.
    fn caps_hold(&mut self, core: &Core) -> Found {
        for row in core.tables.usage.values(OUTSIDE) {
            let costs = row.amount().is_positive() && row.reservation().is_none();
            if !self.uses.insert(row.id) || !costs {
                continue;
            }
            let Some(cap) = core.tables.accounts.get(OUTSIDE, &row.account).and_then(|account| account.spend_cap)
            else {
                continue;
            };
            let counters = core.tables.counters.values(OUTSIDE).filter(|counter| {
                (counter.account, counter.period.start, counter.subject)
                    == (row.account, row.period_start, Subject::Account)
            });
            let spent: i64 = counters.map(|counter| counter.drawn.fee.nanos() + counter.drawn.paid.nanos()).sum();
            hold(spent <= cap.nanos(), || format!("{} spent {spent} of {}", row.account, cap.nanos()))?;
        }
        Ok(())
    }

    /// Nothing more is drawn from an allowance than the plan in force includes, and a gauge that the plan refuses to
    /// let rise stays within it and what was ever granted.
    fn allowances_hold(&mut self, core: &Core, counter: &Counter) -> Found {
        let key = key_of(counter);
        let Some(period) = core.tables.periods.get(OUTSIDE, &(key.0, key.1)) else {
            return Err(format!("a counter without a period: {key:?}"));
        };
        let drawn = counter.drawn.allowance;
        let before = self.drawn.insert(key.clone(), drawn).unwrap_or(Quantity::ZERO);
        let level = self.level_before(counter);
        let version = core.tables.plans.get(OUTSIDE, &period.opened.version);
        let Some(terms) = version.and_then(|version| version.plan.terms(&counter.meter)) else { return Ok(()) };
        let Allowance::Limited(included) = terms.allowance(period.opened.seats) else { return Ok(()) };
        hold(drawn <= included.max(before), || format!("{key:?} drew {drawn:?} of {included:?}"))?;
        if is_gauge(&counter.meter) && refuses(terms) {
            let most = included.saturating_add(granted(core, counter)).max(level);
            hold(counter.used <= most, || format!("{key:?} rose to {:?} of {most:?}", counter.used))?;
        }
        Ok(())
    }

    /// The level at the last look, which the period before had where this one had none.
    fn level_before(&mut self, counter: &Counter) -> Quantity {
        let key = (counter.account, counter.meter.clone(), counter.period.start);
        let of_the_gauge = (key.0, key.1.clone(), DateTime::<Utc>::MIN_UTC)..=key.clone();
        let before = self.levels.range(of_the_gauge).next_back().map_or(Quantity::ZERO, |(_, level)| *level);
        self.levels.insert(key, counter.used);
        before
    }

    /// A member's part of a counter stays within what the member may use.
    fn allocations_hold(&mut self, core: &Core, user: UserId, counter: &Counter) -> Found {
        if is_gauge(&counter.meter) {
            return Ok(());
        }
        let key = key_of(counter);
        let taken = counter.used.saturating_add(counter.reserved);
        let before = self.members.insert((user, key.clone()), taken).unwrap_or(Quantity::ZERO);
        let allocation = core.tables.allocations.get(OUTSIDE, &(key.0, user, counter.meter.to_string()));
        let most = allocation.map_or(taken, |allocation| (*allocation).max(before));
        hold(taken <= most, || format!("{user} took {taken:?} of {most:?} of {key:?}"))
    }
}

/// Funds add up to what was used, each was there, and beyond allowance and grants there is a price.
pub fn uses_are_paid_for(core: &Core) -> Found {
    for row in core.tables.usage.values(OUTSIDE).filter(|row| !is_gauge(&row.meter)) {
        let drawn = row.drawn;
        let funds = [drawn.allowance, drawn.grants, drawn.overage, drawn.wallet];
        let sum: i64 = funds.iter().map(|fund| fund.as_atoms()).sum();
        same(&sum, &row.quantity.as_atoms(), || format!("the funds of {}", row.id))?;
        for (quantity, cost) in [(drawn.overage, drawn.fee), (drawn.wallet, drawn.paid)] {
            let (quantity, cost) = (quantity.as_atoms(), cost.nanos());
            let has_a_price =
                PRICES.iter().any(|(meter, nanos)| *meter == row.meter.as_str() && cost == quantity * nanos);
            hold(has_a_price || (quantity, cost) == (0, 0), || format!("{} costs {cost} for {quantity}", row.id))?;
        }
        grants_were_live(core, row)?;
    }
    captures_were_in_time(core)
}

/// A grant that expired pays only for what a reservation held of it.
fn grants_were_live(core: &Core, row: &UsageRecord) -> Found {
    for (id, _) in row.grants.iter().filter(|_| row.reservation().is_none()) {
        let end = core.tables.grants.get(OUTSIDE, &(row.account, *id)).and_then(|grant| grant.expires_at);
        hold(end.is_none_or(|end| row.recorded_at < end), || format!("{} was paid by {id}, which was gone", row.id))?;
    }
    Ok(())
}

fn captures_were_in_time(core: &Core) -> Found {
    for row in core.tables.reservations.values(OUTSIDE) {
        let Some(ended) = &row.ended else { continue };
        let in_time = ended.status == ReservationStatus::Expired || ended.at < row.expires_at;
        hold(in_time, || format!("{} was {:?} at {}, after its time", row.id, ended.status, ended.at))?;
    }
    Ok(())
}

fn key_of(counter: &Counter) -> CounterKey {
    (counter.account, counter.period.start, counter.meter.clone())
}

fn is_gauge(meter: &MeterCode) -> bool {
    meter.as_str() == GAUGE
}

const fn refuses(terms: &MeterTerms) -> bool {
    matches!(terms.on_exhausted, OnExhausted::Refuse)
}

fn granted(core: &Core, counter: &Counter) -> Quantity {
    let own = core.tables.grants.values(OUTSIDE);
    let own = own.filter(|grant| grant.account == counter.account && grant.meter == counter.meter);
    own.fold(Quantity::ZERO, |sum, grant| sum.saturating_add(grant.quantity))
}
