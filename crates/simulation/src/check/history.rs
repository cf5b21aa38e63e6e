//! What only a look back shows: states that went back, and rows that changed or vanished although they never may.

use super::limits::Limits;
use super::payments::is_step_back;
use super::{Found, hold, same};
use crate::core::Core;
use crate::db::OUTSIDE;
use domain::billing::{BillStatus, IssuedBill};
use domain::id::{BillId, DeliveryId, OrderId, ReservationId};
use domain::metering::ReservationStatus;
use domain::notices::DeliveryStatus;
use domain::orders::OrderStatus;
use std::collections::{BTreeMap, BTreeSet};

/// What was seen at the last look.
#[derive(Default)]
pub struct History {
    orders: BTreeMap<OrderId, OrderStatus>,
    bills: BTreeMap<BillId, IssuedBill>,
    ended: BTreeMap<ReservationId, ReservationStatus>,
    limits: Limits,
    delivered: BTreeSet<DeliveryId>,
    transfers: usize,
    usage: usize,
}

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
        self.limits.hold(core)?;
        self.nothing_vanished(core)
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
