//! Bills are the sums of their lines, issued once for a period, paid once, and what is owed is what the ledger says.

use super::{Found, hold, same};
use crate::core::Core;
use crate::db::OUTSIDE;
use domain::billing::{Bill, BillKind, BillStatus, Totals};
use domain::id::BillId;
use domain::money::Money;
use domain::wallet::TransferKind;
use std::collections::BTreeMap;

pub fn bills_are_sums_of_lines(core: &Core) -> Found {
    for issued in core.tables.bills.values(OUTSIDE) {
        let bill = &issued.bill;
        let sum = |lines: &mut dyn Iterator<Item = Money>| lines.map(Money::nanos).sum::<i64>();
        let of = |is_overage| issued.lines.iter().filter(move |line| line.kind.is_overage() == is_overage);
        let (base, overage) = (sum(&mut of(false).map(|line| line.amount)), sum(&mut of(true).map(|line| line.amount)));
        let discount = sum(&mut issued.lines.iter().map(|line| line.discount));
        let Totals { base: is_base, overage: is_overage, discount: is_discount, total } = bill.totals;
        let found = [is_base, is_overage, is_discount, total].map(Money::nanos);
        same(&found, &[base, overage, discount, base + overage - discount], || format!("the totals of {}", bill.id))?;
        hold(bill.totals.total.nanos() >= 0, || format!("{} asks for less than nothing", bill.id))?;
    }
    Ok(())
}

/// One bill of a kind for a period, as long as it is not void.
pub fn periods_are_billed_once(core: &Core) -> Found {
    let mut seen = BTreeMap::new();
    for issued in core.tables.bills.values(OUTSIDE) {
        let bill = &issued.bill;
        let Some(key) = bill.live_key() else { continue };
        if let Some(other) = seen.insert((bill.account, bill.kind, key), bill.id) {
            return Err(format!("{} and {other} are for the same", bill.id));
        }
    }
    Ok(())
}

pub fn bills_are_paid_and_refunded_once(core: &Core) -> Found {
    let (mut payments, mut refunds): (BTreeMap<BillId, Vec<i64>>, BTreeMap<BillId, i64>) = Default::default();
    for payment in core.tables.bill_payments.values(OUTSIDE) {
        payments.entry(payment.bill).or_default().push(payment.amount.nanos());
    }
    let all = || core.tables.bills.values(OUTSIDE).map(|issued| &issued.bill);
    for bill in all().filter(|bill| bill.status != BillStatus::Void) {
        if let Some(original) = bill.refund_of {
            *refunds.entry(original).or_default() += bill.totals.total.nanos();
        }
    }
    for bill in all() {
        let total = bill.totals.total.nanos();
        let refunded = refunds.remove(&bill.id).unwrap_or(0);
        same(&bill.refunded.nanos(), &refunded, || format!("what went back of {}", bill.id))?;
        hold(refunded <= total, || format!("more went back of {} than it asked for", bill.id))?;
        if bill.kind == BillKind::Refund || total == 0 {
            continue;
        }
        let paid = payments.remove(&bill.id).unwrap_or_default();
        let wanted = if bill.status == BillStatus::Paid { vec![total] } else { Vec::new() };
        same(&paid, &wanted, || format!("the payments of {} ({:?})", bill.id, bill.status))?;
        is_booked(core, bill)?;
    }
    Ok(())
}

/// An issued bill is booked as owed, and booked back once it is void.
fn is_booked(core: &Core, bill: &Bill) -> Found {
    let booked = |kind, reference: String| {
        let key = crate::db::hash(&(kind, reference.as_str()));
        core.tables.transfers.by_unique(OUTSIDE, 0, key)
    };
    let Some(issued) = booked(TransferKind::BillIssued, bill.id.to_string()) else {
        return Err(format!("{} is not booked as owed", bill.id));
    };
    same(&issued.amount, &bill.totals.total, || format!("what is booked of {}", bill.id))?;
    let back = booked(TransferKind::Reversal, issued.id.to_string()).is_some();
    same(&back, &(bill.status == BillStatus::Void), || format!("whether {} is booked back", bill.id))
}

/// A bill has one invoice that stands, over no more than was paid and did not come back, unless it is known to be outdated.
pub fn invoices_are_over_what_was_paid(core: &Core) -> Found {
    let mut standing = BTreeMap::new();
    for invoice in core.tables.invoices.values(OUTSIDE).filter(|invoice| invoice.status.stands()) {
        if let Some(other) = standing.insert(invoice.bill, invoice) {
            return Err(format!("{} and {} are of one bill", invoice.id, other.id));
        }
    }
    let mut back: BTreeMap<BillId, i64> = BTreeMap::new();
    for issued in core.tables.bills.values(OUTSIDE).filter(|issued| issued.bill.status == BillStatus::Paid) {
        if let Some(original) = issued.bill.refund_of {
            *back.entry(original).or_default() += issued.bill.totals.total.nanos();
        }
    }
    for (bill, invoice) in standing {
        let total = core.tables.bills.get(OUTSIDE, &bill).map_or(0, |issued| issued.bill.totals.total.nanos());
        let left = total - back.get(&bill).copied().unwrap_or(0);
        let over = invoice.amount.nanos();
        hold(over > 0, || format!("{} is over nothing", invoice.id))?;
        hold(over <= left || invoice.outdated_at.is_some(), || format!("{} is over {over} of {left}", invoice.id))?;
    }
    Ok(())
}

/// Coupons were used by as many bills as they say, and not more often than they may be.
pub fn coupons_are_counted(core: &Core) -> Found {
    let mut uses: BTreeMap<&str, u32> = BTreeMap::new();
    for issued in core.tables.bills.values(OUTSIDE).filter(|issued| issued.bill.status != BillStatus::Void) {
        if let Some(code) = &issued.bill.coupon {
            *uses.entry(code).or_default() += 1;
        }
    }
    for coupon in core.tables.coupons.values(OUTSIDE) {
        let wanted = uses.remove(coupon.code.as_str()).unwrap_or(0);
        same(&coupon.uses, &wanted, || format!("the uses of {}", coupon.code))?;
        let within = coupon.max_uses.is_none_or(|most| coupon.uses <= most);
        hold(within, || format!("{} was used too often", coupon.code))?;
    }
    hold(uses.is_empty(), || format!("coupons that there are not: {uses:?}"))
}
