//! Money that came in is booked once, delivered once or suspended, and goes back at most once.

use super::{Found, hold, same};
use crate::core::Core;
use crate::db::{OUTSIDE, hash};
use domain::billing::{BillKind, BillStatus};
use domain::id::{AccountId, GrantId, PaymentId};
use domain::money::Money;
use domain::orders::{OrderStatus, Purpose, RefundStatus, SuspenseReason, SuspenseStatus};
use domain::wallet::{LedgerAccount, Transfer, TransferKind};
use std::collections::{BTreeMap, BTreeSet};

fn booked(core: &Core, kind: TransferKind, reference: &str) -> Option<Transfer> {
    core.tables.transfers.by_unique(OUTSIDE, 0, hash(&(kind, reference))).cloned()
}

/// What lies on an account of the ledger that is no wallet.
fn lies_on(core: &Core, account: LedgerAccount) -> i64 {
    let transfers = core.tables.transfers.values(OUTSIDE);
    let signed = transfers.map(|transfer| {
        let (to, from) = (transfer.to == account, transfer.from == account);
        transfer.amount.nanos() * (i64::from(to) - i64::from(from))
    });
    signed.sum()
}

pub fn ledger_accounts_are_what_is_open(core: &Core) -> Found {
    let tables = &core.tables;
    let bills = tables.bills.values(OUTSIDE).map(|issued| &issued.bill);
    let owed = bills.filter(|bill| bill.status == BillStatus::Unpaid && bill.kind != BillKind::Refund);
    let owed: i64 = owed.map(|bill| bill.totals.total.nanos()).sum();
    same(&lies_on(core, LedgerAccount::Receivable), &-owed, || "what customers owe".to_owned())?;
    let open = tables.suspense.values(OUTSIDE);
    let open = open.filter(|item| item.status == SuspenseStatus::Open && item.reason != SuspenseReason::Payee);
    let open: i64 = open.map(|item| item.amount.nanos()).sum();
    same(&lies_on(core, LedgerAccount::Suspense), &open, || "what lies on suspense".to_owned())?;
    let under_way = tables.refunds.values(OUTSIDE);
    let under_way = under_way.filter(|row| !matches!(row.status, RefundStatus::Succeeded | RefundStatus::Failed));
    let under_way: i64 = under_way.map(|refund| refund.amount.nanos()).sum();
    same(&lies_on(core, LedgerAccount::Refund), &under_way, || "what is on its way back".to_owned())
}

pub fn captures_are_booked_once(core: &Core) -> Found {
    for payment in core.tables.payments.values(OUTSIDE) {
        let transfer = booked(core, TransferKind::Payment, &payment.id.to_string());
        let found = transfer.map(|transfer| transfer.amount);
        same(&found, &payment.captured, || format!("what is booked of {}", payment.id))?;
        same(&payment.status.has_money(), &payment.captured.is_some(), || format!("whether {} is paid", payment.id))?;
    }
    let mut seen = BTreeSet::new();
    for item in core.tables.suspense.values(OUTSIDE) {
        let payment = core.tables.payments.get(OUTSIDE, &item.payment);
        let is_own = payment.is_some_and(|payment| payment.transaction.as_ref() == Some(&item.transaction));
        let is_new_money = booked(core, TransferKind::Suspended, &item.id.to_string()).is_some();
        let is_twice = !seen.insert((item.payment, &item.transaction)) || (is_own && is_new_money);
        hold(!is_twice, || format!("{} of {} was taken twice", item.transaction, item.payment))?;
    }
    Ok(())
}

pub fn orders_are_delivered_once(core: &Core) -> Found {
    for order in core.tables.orders.values(OUTSIDE) {
        let (reference, delivered) = (order.id.to_string(), order.status == OrderStatus::Delivered);
        let what = || format!("what was delivered for {} ({:?})", order.id, order.status);
        match order.purpose {
            Purpose::TopUp => {
                let found = booked(core, TransferKind::TopUp, &reference).map(|transfer| transfer.amount);
                same(&found, &delivered.then_some(order.amount), what)?;
            }
            Purpose::Product(_) => {
                let found = booked(core, TransferKind::Sale, &reference).map(|transfer| transfer.amount);
                same(&found, &delivered.then_some(order.amount), what)?;
                let grant = (order.account, GrantId::from_uuid(order.id.as_uuid()));
                same(&core.tables.grants.get(OUTSIDE, &grant).is_some(), &delivered, what)?;
            }
            Purpose::Bill { .. } => {}
        }
        if matches!(order.status, OrderStatus::AwaitingDelivery | OrderStatus::Delivered) {
            let payment = order.paid_by.and_then(|id| core.tables.payments.get(OUTSIDE, &id));
            let paid = payment.is_some_and(|payment| payment.order == order.id && payment.captured.is_some());
            hold(paid, || format!("{} is {:?} without a payment", order.id, order.status))?;
        }
    }
    Ok(())
}

/// What refunds take of a payment is what it keeps for them, and never more than came in.
pub fn refunds_stay_within_payments(core: &Core) -> Found {
    let mut sums: BTreeMap<PaymentId, (i64, i64)> = BTreeMap::new();
    for refund in core.tables.refunds.values(OUTSIDE).filter(|row| row.status != RefundStatus::Failed) {
        let item = refund.suspense.and_then(|id| core.tables.suspense.get(OUTSIDE, &id));
        let payment = core.tables.payments.get(OUTSIDE, &refund.payment);
        let own = payment.and_then(|payment| payment.transaction.clone());
        if item.is_some_and(|item| Some(&item.transaction) != own.as_ref()) {
            continue;
        }
        let sum = sums.entry(refund.payment).or_default();
        sum.0 += refund.amount.nanos();
        sum.1 += if refund.status == RefundStatus::Succeeded { refund.amount.nanos() } else { 0 };
    }
    for payment in core.tables.payments.values(OUTSIDE) {
        let wanted = sums.remove(&payment.id).unwrap_or_default();
        let found = (payment.refunding.nanos(), payment.refunded.nanos());
        same(&found, &wanted, || format!("what {} gives back", payment.id))?;
        let captured = payment.captured.map_or(0, Money::nanos);
        hold(found.0 <= captured, || format!("{} gives back more than came in", payment.id))?;
    }
    hold(sums.is_empty(), || format!("refunds of no payment: {sums:?}"))?;
    core.tables.refunds.values(OUTSIDE).try_for_each(|refund| {
        let reference = refund.id.to_string();
        let has = |kind| booked(core, kind, &reference).is_some();
        let found = [TransferKind::RefundReserved, TransferKind::Refunded, TransferKind::RefundFailed].map(has);
        let ended = |status| refund.status == status;
        let wanted = [true, ended(RefundStatus::Succeeded), ended(RefundStatus::Failed)];
        same(&found, &wanted, || format!("what is booked of {}", refund.id))
    })
}

/// A step of an order that there is not, seen between two looks.
pub fn is_step_back(before: OrderStatus, after: OrderStatus) -> bool {
    match (before, after) {
        (before, after) if before == after => false,
        (OrderStatus::Delivered, _)
        | (_, OrderStatus::Created)
        | (OrderStatus::Closed | OrderStatus::AwaitingDelivery, OrderStatus::Closing) => true,
        _ => false,
    }
}

/// Whose wallet gave more than it had, by the ledger alone.
pub fn no_wallet_is_overdrawn(core: &Core) -> Found {
    let mut lies: BTreeMap<AccountId, i64> = BTreeMap::new();
    for transfer in core.tables.transfers.values(OUTSIDE) {
        for (side, sign) in [(transfer.from, -1), (transfer.to, 1)] {
            if let Some(account) = side.wallet() {
                *lies.entry(account).or_default() += sign * transfer.amount.nanos();
            }
        }
    }
    let overdrawn = lies.iter().find(|(_, lies)| **lies < 0);
    hold(overdrawn.is_none(), || format!("an overdrawn wallet: {overdrawn:?}"))
}
