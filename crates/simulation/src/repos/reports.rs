//! Sums over months, row by row, where `infra` has the database group.

use super::Repos;
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::billing::{
    Bill, BillKind, BillStatus, Cell, EarnedSum, IssuedSum, Months, OverageRow, OwedSum, Place, ReportRepository,
    ReturnedSum,
};
use domain::id::AccountId;
use domain::money::Currency;
use domain::store::StoreResult;
use domain::wallet::{LedgerAccount, TransferKind};
use std::collections::{BTreeMap, BTreeSet};

fn cell(months: &Months, time: DateTime<Utc>, currency: Currency) -> Option<Cell> {
    match months.place(time) {
        Place::In(place) => Some((place, currency)),
        Place::Before | Place::After => None,
    }
}

/// When an owed bill was settled, and whether by paying; `None` for one that was settled before the months began.
fn settled(bill: &Bill, paid: &BTreeMap<domain::id::BillId, DateTime<Utc>>, months: &Months) -> Option<Settled> {
    let (at, by_paying) = match bill.status {
        BillStatus::Unpaid => return Some(None),
        BillStatus::Void => (bill.voided_at?, false),
        BillStatus::Paid => (*paid.get(&bill.id)?, true),
    };
    (at >= months.start()).then(|| Some((months.place(at), by_paying)))
}

type Settled = Option<(Place, bool)>;

#[async_trait]
impl ReportRepository for Repos {
    async fn issued(&self, months: &Months) -> StoreResult<Vec<IssuedSum>> {
        self.call(|tables, cx| {
            let mut sums: BTreeMap<Cell, [i128; 3]> = BTreeMap::new();
            for bill in tables.bills.values(cx.tx).map(|issued| &issued.bill).filter(|bill| is_owed(bill)) {
                let Some(cell) = cell(months, bill.issued_at, bill.totals.total.currency()) else { continue };
                let parts = [bill.totals.base, bill.totals.overage, bill.totals.discount];
                for (sum, part) in sums.entry(cell).or_default().iter_mut().zip(parts) {
                    *sum += i128::from(part.nanos());
                }
            }
            let sums = sums.into_iter();
            Ok(sums.map(|(cell, [base, overage, discount])| IssuedSum { cell, base, overage, discount }).collect())
        })
        .await
    }

    async fn earned(&self, months: &Months) -> StoreResult<Vec<EarnedSum>> {
        self.call(|tables, cx| {
            let mut sums: BTreeMap<(Cell, TransferKind, bool), i128> = BTreeMap::new();
            for transfer in tables.transfers.values(cx.tx) {
                let nanos = i128::from(transfer.amount.nanos());
                let (other, amount) = match (transfer.from, transfer.to) {
                    (other, LedgerAccount::Revenue) => (other, nanos),
                    (LedgerAccount::Revenue, other) => (other, -nanos),
                    _ => continue,
                };
                let Some(cell) = cell(months, transfer.booked_at, transfer.amount.currency()) else { continue };
                *sums.entry((cell, transfer.kind, other == LedgerAccount::Receivable)).or_default() += amount;
            }
            let sum = |((cell, kind, owed), amount)| EarnedSum { cell, kind, owed, amount };
            Ok(sums.into_iter().map(sum).collect())
        })
        .await
    }

    async fn overage(&self, months: &Months) -> StoreResult<Vec<OverageRow>> {
        self.call(|tables, cx| {
            let mut rows: BTreeMap<_, (i64, i128, i128)> = BTreeMap::new();
            for issued in tables.bills.values(cx.tx).filter(|issued| issued.bill.status != BillStatus::Void) {
                let Some(cell) = cell(months, issued.bill.issued_at, issued.bill.totals.total.currency()) else {
                    continue;
                };
                for overage in &issued.overages {
                    let row = rows.entry((cell, overage.used.meter.clone())).or_default();
                    row.0 += 1;
                    row.1 += i128::from(overage.used.quantity.as_atoms());
                    row.2 += i128::from(overage.fee.nanos());
                }
            }
            let row = |((cell, meter), (bills, quantity, fee))| OverageRow { cell, meter, bills, quantity, fee };
            Ok(rows.into_iter().map(row).collect())
        })
        .await
    }

    async fn owed(&self, months: &Months) -> StoreResult<Vec<OwedSum>> {
        self.call(|tables, cx| {
            let paid = tables.bill_payments.values(cx.tx).map(|payment| (payment.bill, payment.paid_at)).collect();
            let mut sums: BTreeMap<(Currency, Place, Place, Settled), i128> = BTreeMap::new();
            for bill in tables.bills.values(cx.tx).map(|issued| &issued.bill).filter(|bill| is_owed(bill)) {
                let Some(settled) = settled(bill, &paid, months) else { continue };
                let total = bill.totals.total;
                let group = (total.currency(), months.place(bill.issued_at), months.place(bill.due_at), settled);
                *sums.entry(group).or_default() += i128::from(total.nanos());
            }
            let sum = |((currency, issued, due, settled), amount)| OwedSum { currency, issued, due, settled, amount };
            Ok(sums.into_iter().map(sum).collect())
        })
        .await
    }

    async fn returned(&self, months: &Months) -> StoreResult<Vec<ReturnedSum>> {
        self.call(|tables, cx| {
            let of_bills: BTreeSet<(Option<AccountId>, String)> = tables
                .bills
                .values(cx.tx)
                .map(|issued| &issued.bill)
                .filter(|bill| !is_owed(bill))
                .flat_map(|bill| {
                    let digits = bill.id.as_uuid().simple();
                    [format!("bil_{digits}"), format!("rfd_{digits}")].map(|reference| (Some(bill.account), reference))
                })
                .collect();
            let mut sums: BTreeMap<(Cell, bool, bool), (i64, i128)> = BTreeMap::new();
            for transfer in tables.transfers.values(cx.tx).filter(|transfer| transfer.kind == TransferKind::Refunded) {
                let Some(cell) = cell(months, transfer.booked_at, transfer.amount.currency()) else { continue };
                let of_bill = of_bills.contains(&(transfer.about, transfer.reference.clone()));
                let sum = sums.entry((cell, of_bill, transfer.to.wallet().is_some())).or_default();
                sum.0 += 1;
                sum.1 += i128::from(transfer.amount.nanos());
            }
            let sum =
                |((cell, of_bill, to_wallet), (count, amount))| ReturnedSum { cell, of_bill, to_wallet, count, amount };
            Ok(sums.into_iter().map(sum).collect())
        })
        .await
    }
}

/// What goes back is never owed by a customer.
fn is_owed(bill: &Bill) -> bool {
    bill.kind != BillKind::Refund
}
