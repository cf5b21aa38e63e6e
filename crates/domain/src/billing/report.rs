//! What operators ask over months: revenue, overage, receivables and refunds. Sums in nanos, wider than 64 bits.
//!
//! Revenue and refunds are what the ledger says, receivables and overage what bills say; `tests/it/http/reports.rs`
//! compares each with the other.

use super::months::Place;
use crate::money::Currency;
use crate::plans::MeterCode;
use crate::wallet::TransferKind;
use std::collections::{BTreeMap, BTreeSet};

/// A month by its place, and a currency.
pub type Cell = (usize, Currency);

/// What was earned in a month.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RevenueRow {
    /// Fees of terms on bills that were issued, less credits.
    pub base: i128,
    pub overage: i128,
    pub discount: i128,
    /// `base + overage − discount`.
    pub billed: i128,
    /// Bills that were taken back.
    pub voided: i128,
    /// Products that were delivered.
    pub sales: i128,
    /// Usage that wallets paid.
    pub usage: i128,
    /// What was set aside to go back, less what did not.
    pub refunded: i128,
    /// Everything else: corrections by operators.
    pub other: i128,
    /// `billed − voided + sales + usage − refunded + other`.
    pub net: i128,
}

/// What customers owed on bills.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReceivablesRow {
    /// When the month began.
    pub opening: i128,
    pub issued: i128,
    pub paid: i128,
    pub voided: i128,
    /// `opening + issued − paid − voided`: when the month ended.
    pub closing: i128,
    /// What of `closing` was past its due day.
    pub overdue: i128,
}

/// What was billed beyond allowances, on bills that are not void.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OverageRow {
    pub cell: Cell,
    pub meter: MeterCode,
    pub bills: i64,
    /// In atoms.
    pub quantity: i128,
    pub fee: i128,
}

/// What went back to customers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RefundsRow {
    pub count: i64,
    /// Of bills.
    pub bills: i128,
    /// Of orders, and of money that belonged to none.
    pub orders: i128,
    pub to_wallets: i128,
    /// To providers, and outside by operators.
    pub to_providers: i128,
    /// `bills + orders`, and `to_wallets + to_providers`.
    pub total: i128,
}

/// Parts of the bills that were issued in a month.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IssuedSum {
    pub cell: Cell,
    pub base: i128,
    pub overage: i128,
    pub discount: i128,
}

/// What the ledger moved to revenue or away from it in a month.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EarnedSum {
    pub cell: Cell,
    pub kind: TransferKind,
    /// Whether it is between revenue and what customers owe.
    pub owed: bool,
    /// Negative when it left.
    pub amount: i128,
}

/// Bills that were owed at some time since the months began.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OwedSum {
    pub currency: Currency,
    pub issued: Place,
    pub due: Place,
    /// When they were paid or taken back, if they were, and whether they were paid.
    pub settled: Option<(Place, bool)>,
    pub amount: i128,
}

/// What the ledger says went back in a month.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReturnedSum {
    pub cell: Cell,
    /// Of a bill, or else of an order.
    pub of_bill: bool,
    pub to_wallet: bool,
    pub count: i64,
    pub amount: i128,
}

/// Revenue by month and currency.
pub fn revenue(issued: &[IssuedSum], earned: &[EarnedSum]) -> BTreeMap<Cell, RevenueRow> {
    let mut rows = BTreeMap::<Cell, RevenueRow>::new();
    for sum in issued {
        let row = rows.entry(sum.cell).or_default();
        row.base += sum.base;
        row.overage += sum.overage;
        row.discount += sum.discount;
    }
    for sum in earned {
        let row = rows.entry(sum.cell).or_default();
        match (sum.kind, sum.owed) {
            (TransferKind::BillIssued, _) => row.billed += sum.amount,
            (TransferKind::Reversal, true) => row.voided -= sum.amount,
            (TransferKind::Sale, _) => row.sales += sum.amount,
            (TransferKind::Usage, _) => row.usage += sum.amount,
            (TransferKind::RefundReserved | TransferKind::RefundFailed, _) => row.refunded -= sum.amount,
            _ => row.other += sum.amount,
        }
        row.net += sum.amount;
    }
    rows
}

/// What customers owed, for each of `months` and every currency in which anything was.
pub fn receivables(sums: &[OwedSum], months: usize) -> BTreeMap<Cell, ReceivablesRow> {
    let currencies: BTreeSet<Currency> = sums.iter().map(|sum| sum.currency).collect();
    let mut rows = BTreeMap::new();
    for currency in currencies {
        let mine: Vec<&OwedSum> = sums.iter().filter(|sum| sum.currency == currency).collect();
        let mut opening = total(mine.iter().filter(|sum| sum.issued == Place::Before));
        for month in 0..months {
            let row = receivable(&mine, Place::In(month), opening);
            opening = row.closing;
            rows.insert((month, currency), row);
        }
    }
    rows
}

fn receivable(sums: &[&OwedSum], month: Place, opening: i128) -> ReceivablesRow {
    let settled = |as_paid: bool| total(sums.iter().filter(|sum| sum.settled == Some((month, as_paid))));
    let issued = total(sums.iter().filter(|sum| sum.issued == month));
    let (paid, voided) = (settled(true), settled(false));
    let open = |sum: &&&OwedSum| sum.issued <= month && sum.settled.is_none_or(|(place, _)| place > month);
    let overdue = total(sums.iter().filter(open).filter(|sum| sum.due <= month));
    ReceivablesRow { opening, issued, paid, voided, closing: opening + issued - paid - voided, overdue }
}

fn total<'a>(sums: impl Iterator<Item = &'a &'a OwedSum>) -> i128 {
    sums.map(|sum| sum.amount).sum()
}

/// Refunds by month and currency.
pub fn refunds(sums: &[ReturnedSum]) -> BTreeMap<Cell, RefundsRow> {
    let mut rows = BTreeMap::<Cell, RefundsRow>::new();
    for sum in sums {
        let row = rows.entry(sum.cell).or_default();
        row.count += sum.count;
        row.total += sum.amount;
        let of = if sum.of_bill { &mut row.bills } else { &mut row.orders };
        *of += sum.amount;
        let to = if sum.to_wallet { &mut row.to_wallets } else { &mut row.to_providers };
        *to += sum.amount;
    }
    rows
}

#[cfg(test)]
#[path = "report_tests.rs"]
mod tests;
