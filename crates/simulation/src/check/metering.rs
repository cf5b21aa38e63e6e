//! Counters, reservations and grants agree with each other and with the usage rows.

use super::{Found, hold, same};
use crate::core::Core;
use crate::db::OUTSIDE;
use chrono::{DateTime, Utc};
use domain::id::{AccountId, GrantId};
use domain::metering::Reservation;
use domain::plans::MeterCode;
use domain::quota::Subject;
use std::collections::BTreeMap;

type Slot = (AccountId, DateTime<Utc>, MeterCode);

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Sums {
    used: i64,
    allowance: i64,
    grants: i64,
    overage: i64,
    wallet: i64,
    fee: i64,
    paid: i64,
}

/// A gauge's level goes over into the next period, and its rows count there too.
pub const GAUGE: &str = "space";

pub fn counters_are_sums_of_usage(core: &Core) -> Found {
    let mut sums: BTreeMap<Slot, Sums> = BTreeMap::new();
    let mut levels: BTreeMap<(AccountId, MeterCode), i64> = BTreeMap::new();
    for row in core.tables.usage.values(OUTSIDE) {
        let sum = sums.entry((row.account, row.period_start, row.meter.clone())).or_default();
        sum.used += row.quantity.as_atoms();
        sum.allowance += row.drawn.allowance.as_atoms();
        sum.grants += row.drawn.grants.as_atoms();
        sum.overage += row.drawn.overage.as_atoms();
        sum.wallet += row.drawn.wallet.as_atoms();
        sum.fee += row.drawn.fee.nanos();
        sum.paid += row.drawn.paid.nanos();
        *levels.entry((row.account, row.meter.clone())).or_default() += row.quantity.as_atoms();
    }
    let mut last: BTreeMap<(AccountId, MeterCode), (DateTime<Utc>, i64)> = BTreeMap::new();
    for counter in core.tables.counters.values(OUTSIDE).filter(|counter| counter.subject == Subject::Account) {
        let slot = (counter.account, counter.period.start, counter.meter.clone());
        let wanted = sums.remove(&slot).unwrap_or_default();
        if counter.meter.as_str() == GAUGE {
            let level = (counter.period.start, counter.used.as_atoms());
            let newest = last.entry((counter.account, counter.meter.clone())).or_insert(level);
            *newest = level.max(*newest);
            continue;
        }
        let drawn = counter.drawn;
        let found = Sums {
            used: counter.used.as_atoms(),
            allowance: drawn.allowance.as_atoms(),
            grants: drawn.grants.as_atoms(),
            overage: drawn.overage.as_atoms(),
            wallet: drawn.wallet.as_atoms(),
            fee: drawn.fee.nanos(),
            paid: drawn.paid.nanos(),
        };
        same(&found, &wanted, || format!("counter {slot:?} against its usage rows"))?;
    }
    for (gauge, (_, level)) in last {
        same(&level, &levels.remove(&gauge).unwrap_or(0), || format!("gauge {gauge:?} against its usage rows"))?;
    }
    let lone = sums.keys().find(|(_, _, meter)| meter.as_str() != GAUGE);
    hold(lone.is_none(), || format!("usage without a counter: {lone:?}"))
}

fn open(core: &Core) -> impl Iterator<Item = &Reservation> {
    core.tables.reservations.values(OUTSIDE).filter(|row| row.ended.is_none())
}

pub fn holds_are_open_reservations(core: &Core) -> Found {
    let mut held: BTreeMap<Slot, (i64, i64)> = BTreeMap::new();
    for row in open(core) {
        let sum = held.entry((row.account, row.period_start, row.meter.clone())).or_default();
        sum.0 += row.quantity.as_atoms();
        sum.1 += row.of_grants().as_atoms();
    }
    for counter in core.tables.counters.values(OUTSIDE).filter(|counter| counter.subject == Subject::Account) {
        let slot = (counter.account, counter.period.start, counter.meter.clone());
        let wanted = held.remove(&slot).unwrap_or_default();
        let found = (counter.reserved.as_atoms(), counter.held_grants.as_atoms());
        same(&found, &wanted, || format!("what is held of {slot:?} against open reservations"))?;
    }
    hold(held.is_empty(), || format!("reservations without a counter: {held:?}"))?;
    captures_are_recorded_once(core)
}

/// A capture has exactly one usage row, and nothing else has one.
fn captures_are_recorded_once(core: &Core) -> Found {
    let mut captured: BTreeMap<_, i64> = BTreeMap::new();
    for row in core.tables.usage.values(OUTSIDE) {
        if let Some(reservation) = row.reservation() {
            *captured.entry((row.account, reservation)).or_default() += row.quantity.as_atoms();
        }
    }
    for row in core.tables.reservations.values(OUTSIDE) {
        let wanted = row.ended.as_ref().map_or(0, |ended| ended.captured.as_atoms());
        let found = captured.remove(&(row.account, row.id)).unwrap_or(0);
        same(&found, &wanted, || format!("what {} captured against its usage row", row.id))?;
    }
    hold(captured.is_empty(), || format!("captures of no reservation: {captured:?}"))
}

pub fn grants_add_up(core: &Core) -> Found {
    let (mut drawn, mut held): (BTreeMap<GrantId, i64>, BTreeMap<GrantId, i64>) = Default::default();
    for row in core.tables.usage.values(OUTSIDE) {
        for (grant, quantity) in &row.grants {
            *drawn.entry(*grant).or_default() += quantity.as_atoms();
        }
    }
    for (grant, quantity) in open(core).flat_map(Reservation::grants) {
        *held.entry(grant).or_default() += quantity.as_atoms();
    }
    for grant in core.tables.grants.values(OUTSIDE) {
        let id = grant.id;
        same(&grant.held.as_atoms(), &held.remove(&id).unwrap_or(0), || format!("what is held of {id}"))?;
        let gone = grant.quantity.as_atoms() - grant.remaining.as_atoms() - grant.revoked.as_atoms();
        let wanted = drawn.remove(&id).unwrap_or(0) + grant.held.as_atoms();
        same(&gone, &wanted, || format!("what was drawn of {id}"))?;
        hold(!grant.remaining.is_negative(), || format!("{id} has less than nothing left"))?;
        let is_gone = grant.revoked_at.is_none() || grant.remaining.is_zero();
        hold(is_gone, || format!("{id} was revoked, and {:?} of it is left", grant.remaining))?;
    }
    hold(drawn.is_empty() && held.is_empty(), || format!("grants that are nowhere: {drawn:?} {held:?}"))
}
