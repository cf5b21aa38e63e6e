//! What clients were told is in the database, and what they were refused is not.

use super::{Found, hold, same};
use crate::core::Core;
use crate::db::OUTSIDE;
use crate::ledger_of_answers::Book;

pub fn what_was_told_is_there(core: &Core, book: &Book, whole: bool) -> Found {
    let tables = &core.tables;
    for ((account, key), record) in &book.receipts {
        let row = tables.usage.get(OUTSIDE, &(*account, record.id));
        same(&row, &Some(record), || format!("the row of the receipt for {key}"))?;
    }
    // While somebody waits for an answer, a use may be booked of which nobody was told.
    for key in book.refused.iter().filter(|_| whole) {
        let booked = tables.usage_keys.get(OUTSIDE, key).is_some();
        let told = book.receipts.contains_key(key);
        hold(booked == told, || format!("{key:?} was refused, and is booked"))?;
    }
    for (id, reserved) in &book.reservations {
        let Some(row) = tables.reservations.get(OUTSIDE, &(reserved.account, *id)) else {
            return Err(format!("{id} was acknowledged, and is gone"));
        };
        if let Some(told) = reserved.ended {
            let ended = row.ended.as_ref().map(|ended| (ended.status, ended.captured.as_atoms()));
            same(&ended, &Some(told), || format!("the end of {id}"))?;
        }
    }
    for (id, account) in &book.grants {
        let Some(row) = tables.grants.get(OUTSIDE, &(*account, *id)) else {
            return Err(format!("grant {id} was acknowledged, and is gone"));
        };
        hold(!book.revoked.contains(id) || row.revoked_at.is_some(), || format!("{id} is not revoked"))?;
    }
    for (id, total) in &book.bills {
        let row = tables.bills.get(OUTSIDE, id).map(|issued| issued.bill.totals.total);
        same(&row, &Some(*total), || format!("what {id} asks for"))?;
    }
    for (bill, payment) in &book.paid {
        let row = tables.bill_payments.get(OUTSIDE, payment).map(|row| row.bill);
        same(&row, &Some(*bill), || format!("the bill of {payment}"))?;
    }
    for (id, amount) in &book.invoices {
        let row = tables.invoices.get(OUTSIDE, id).map(|row| row.amount);
        same(&row, &Some(*amount), || format!("what {id} is over"))?;
    }
    let lost = book.orders.iter().find(|id| tables.orders.get(OUTSIDE, id).is_none());
    hold(lost.is_none(), || format!("order {lost:?} was acknowledged, and is gone"))?;
    let lost = book.refunds.iter().find(|id| tables.refunds.get(OUTSIDE, id).is_none());
    hold(lost.is_none(), || format!("refund {lost:?} was acknowledged, and is gone"))?;
    let lost = book.redeemed.iter().find(|id| tables.redemption_uses.get(OUTSIDE, id).is_none());
    hold(lost.is_none(), || format!("redemption {lost:?} was acknowledged, and is gone"))?;
    let lost = book.check_ins.iter().find(|key| tables.check_ins.get(OUTSIDE, key).is_none());
    hold(lost.is_none(), || format!("check-in {lost:?} was acknowledged, and is gone"))?;
    let lost = book.adjustments.iter().find(|id| tables.adjustments.get(OUTSIDE, id).is_none());
    hold(lost.is_none(), || format!("adjustment {lost:?} was acknowledged, and is gone"))
}
