//! What only a look back shows: states that went back, and rows that changed or vanished although they never may.

use super::payments::is_step_back;
use super::{Found, hold, same};
use crate::core::Core;
use crate::db::OUTSIDE;
use chrono::{DateTime, Utc};
use domain::billing::{BillStatus, IssuedBill};
use domain::id::{AccountId, BillId, DeliveryId, OrderId, ReservationId};
use domain::metering::ReservationStatus;
use domain::notices::DeliveryStatus;
use domain::orders::OrderStatus;
use domain::plans::{Allowance, MeterCode};
use domain::quantity::Quantity;
use domain::quota::Subject;
use std::collections::{BTreeMap, BTreeSet};

/// What was seen at the last look.
#[derive(Default)]
pub struct History {
    orders: BTreeMap<OrderId, OrderStatus>,
    bills: BTreeMap<BillId, IssuedBill>,
    ended: BTreeMap<ReservationId, ReservationStatus>,
    drawn: BTreeMap<CounterKey, Quantity>,
    delivered: BTreeSet<DeliveryId>,
    transfers: usize,
    usage: usize,
}

type CounterKey = (AccountId, DateTime<Utc>, MeterCode);

impl History {
    pub fn follow(&mut self, core: &Core) -> Found {
        for order in core.tables.orders.values(OUTSIDE) {
            if let Some(before) = self.orders.insert(order.id, order.status) {
                let back = is_step_back(before, order.status);
                hold(!back, || format!("{} went from {before:?} to {:?}", order.id, order.status))?;
            }
        }
        for issued in core.tables.bills.values(OUTSIDE) {
            if let Some(before) = self.bills.insert(issued.bill.id, issued.clone()) {
                is_later(&before, issued)?;
            }
        }
        for row in core.tables.reservations.values(OUTSIDE) {
            let Some(ended) = &row.ended else {
                let known = self.ended.get(&row.id);
                hold(known.is_none(), || format!("{} was {known:?}, and is open again", row.id))?;
                continue;
            };
            let before = *self.ended.entry(row.id).or_insert(ended.status);
            same(&ended.status, &before, || format!("how {} ended", row.id))?;
        }
        for delivery in core.tables.deliveries.values(OUTSIDE) {
            let delivered = delivery.status == DeliveryStatus::Delivered;
            let was =
                if delivered { !self.delivered.insert(delivery.id) } else { self.delivered.contains(&delivery.id) };
            hold(delivered || !was, || format!("{} was delivered, and is {:?}", delivery.id, delivery.status))?;
        }
        self.limits_hold(core)?;
        self.nothing_vanished(core)
    }

    /// Nothing more is drawn from an allowance than the plan in force includes, whatever an earlier one did.
    fn limits_hold(&mut self, core: &Core) -> Found {
        for counter in core.tables.counters.values(OUTSIDE).filter(|counter| counter.subject == Subject::Account) {
            let key = (counter.account, counter.period.start, counter.meter.clone());
            let Some(period) = core.tables.periods.get(OUTSIDE, &(key.0, key.1)) else {
                return Err(format!("a counter without a period: {key:?}"));
            };
            let drawn = counter.drawn.allowance;
            let before = self.drawn.insert(key.clone(), drawn).unwrap_or(Quantity::ZERO);
            let version = core.tables.plans.get(OUTSIDE, &period.opened.version);
            let Some(terms) = version.and_then(|version| version.plan.terms(&counter.meter)) else { continue };
            let Allowance::Limited(included) = terms.allowance(period.opened.seats) else { continue };
            hold(drawn <= included.max(before), || format!("{key:?} drew {drawn:?} of {included:?}"))?;
        }
        Ok(())
    }

    /// Transfers and usage are only ever added.
    fn nothing_vanished(&mut self, core: &Core) -> Found {
        let transfers = core.tables.transfers.iter(OUTSIDE).count();
        hold(transfers >= self.transfers, || "a transfer vanished".to_owned())?;
        let usage = core.tables.usage.iter(OUTSIDE).count();
        hold(usage >= self.usage, || "a usage row vanished".to_owned())?;
        (self.transfers, self.usage) = (transfers, usage);
        Ok(())
    }
}

/// Amounts and lines of a bill never change, and an end is an end.
fn is_later(before: &IssuedBill, after: &IssuedBill) -> Found {
    let id = after.bill.id;
    same(&after.lines, &before.lines, || format!("the lines of {id}"))?;
    same(&after.bill.totals, &before.bill.totals, || format!("the totals of {id}"))?;
    let stays = before.bill.status == BillStatus::Unpaid || after.bill.status == before.bill.status;
    hold(stays, || format!("{id} went from {:?} to {:?}", before.bill.status, after.bill.status))
}
