//! Deriving bills again, and what differs: sums from lines, overage from the usage rows behind it, fees from prices, and
//! periods that ended without the bill that they should have.
//!
//! A bill was made from counters; the counters of its period are never asked here. So a bill that equals its rows was
//! counted rightly.

use super::closing::overage_bill;
use super::evidence::Evidence;
use super::service::BillingService;
use super::{Bill, BillKind, BillLine, BillStatus, IssuedBill, Slot, Totals};
use crate::error::{Error, Result};
use crate::id::{AccountId, BillId};
use crate::money::Money;
use crate::plans::OpenedPeriod;
use crate::time::Period;
use chrono::{DateTime, Utc};
use std::collections::BTreeSet;

/// What a bill says, and what it would say if it were made again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    pub account: AccountId,
    /// `None` is a bill that is missing.
    pub bill: Option<BillId>,
    pub period_start: DateTime<Utc>,
    /// `lines`, `base`, `overage`, `discount`, `total`, `fees`, `usage`, `period`, `missing` or `unclosed`.
    pub what: &'static str,
    pub billed: String,
    pub derived: String,
}

/// What deriving a bill again came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recomputed {
    pub differences: Vec<Difference>,
    /// Usage rows behind the bill were deleted since, so that only its sums could be compared.
    pub rows_deleted: bool,
}

/// Periods that ended, of some accounts.
#[derive(Clone, Debug, Default)]
pub struct EndedPeriods {
    /// Each with whether it is closed.
    pub periods: Vec<(AccountId, OpenedPeriod, bool)>,
    /// The last of the accounts that were looked at, with periods or without.
    pub last: Option<AccountId>,
}

/// A part of a walk over periods.
#[derive(Clone, Debug, Default)]
pub struct Walked {
    pub differences: Vec<Difference>,
    /// Periods that were looked at.
    pub periods: u64,
    /// After which account the next part begins; `None` at the end.
    pub last: Option<AccountId>,
}

impl BillingService {
    /// What differs of a bill. Reads only.
    pub async fn recompute(&self, id: BillId) -> Result<Recomputed> {
        let issued = self.store.bills().find(id).await?.ok_or(Error::NotFound("bill"))?;
        let zero = Money::zero(issued.bill.totals.total.currency());
        let mut differences = compare(&issued, &Totals::of(&issued.lines, zero)?);
        let again = match (issued.bill.kind, issued.bill.status) {
            (_, BillStatus::Void) | (BillKind::Refund, _) => Vec::new(),
            (BillKind::Month | BillKind::Overage, _) => self.overage_again(&issued).await?,
            (BillKind::Subscription, _) => self.fees_again(&issued).await?,
        };
        let rows_deleted = !again.is_empty() && self.rows_are_gone(&issued).await?;
        if !rows_deleted {
            differences.extend(again);
        }
        Ok(Recomputed { differences, rows_deleted })
    }

    /// The next bills to recompute, of a local month if one is named.
    pub async fn to_recompute(&self, month: Option<&str>, after: Option<BillId>, most: u64) -> Result<Vec<BillId>> {
        Ok(self.store.bills().walk(month.map(str::to_owned), after, most).await?)
    }

    /// Periods that began within a span and ended: those that should have been closed, and those without the bill that
    /// their usage rows ask for. Those of at most `most` accounts, after one.
    pub async fn without_bills(&self, began: Period, after: Option<AccountId>, most: u64) -> Result<Walked> {
        let until = self.catalogue.bills.closing(self.clock.now());
        let EndedPeriods { periods: ended, last } = self.store.closings().ended(began, until, after, most).await?;
        let periods = ended.len() as u64;
        let mut differences = Vec::new();
        let mut closed = Vec::new();
        for (account, opened, is_closed) in ended {
            if is_closed {
                closed.push((account, opened));
            } else {
                differences.push(of_period((account, &opened), "unclosed", String::new()));
            }
        }
        differences.extend(self.unbilled(&closed).await?);
        Ok(Walked { differences, periods, last })
    }

    async fn unbilled(&self, closed: &[(AccountId, OpenedPeriod)]) -> Result<Vec<Difference>> {
        let slots: Vec<Slot> = closed.iter().map(|(account, opened)| (*account, opened.period.start)).collect();
        let bills = self.store.bills().of_periods(BillKind::Month, &slots).await?;
        let billed: BTreeSet<Slot> =
            bills.iter().map(|issued| (issued.bill.account, issued.bill.period.start)).collect();
        let suspects = self.with_overage(&slots).await?;
        let mut differences = Vec::new();
        for open in closed {
            let slot = (open.0, open.1.period.start);
            if billed.contains(&slot) || !suspects.contains(&slot) {
                continue;
            }
            let evidence = Evidence::load(&*self.store, &[slot], std::slice::from_ref(open)).await?;
            let told = self.told_by_rows((open.0, &open.1), &evidence, None).await?;
            let uses = evidence.uses(&self.catalogue, (open.0, &open.1), &told);
            let draft = overage_bill(BillKind::Month, &self.catalogue, (open.0, &open.1), uses)?;
            differences.extend(draft.map(|draft| of_period((open.0, &open.1), "missing", described(&draft.lines))));
        }
        Ok(differences)
    }

    /// The periods of which usage rows, or what was carried over, may cost something.
    async fn with_overage(&self, slots: &[Slot]) -> Result<BTreeSet<Slot>> {
        let sums = self.store.closings().usage_sums(slots, false).await?;
        let mut found: BTreeSet<Slot> = sums.iter().map(|sum| (sum.account, sum.period_start)).collect();
        let counters = self.store.counters().load(slots).await?;
        let levels = counters.iter().filter(|counter| counter.drawn.overage.is_positive());
        found.extend(levels.map(|counter| (counter.account, counter.period.start)));
        Ok(found)
    }

    async fn rows_are_gone(&self, issued: &IssuedBill) -> Result<bool> {
        let Some(line) = issued.lines.iter().find(|line| line.kind.is_overage()) else { return Ok(false) };
        let recorded = Period { start: line.period.start, end: issued.bill.issued_at };
        Ok(self.store.closings().rows_are_gone(issued.bill.account, recorded).await?)
    }
}

fn of_period((account, opened): (AccountId, &OpenedPeriod), what: &'static str, derived: String) -> Difference {
    let period_start = opened.period.start;
    Difference { account, bill: None, period_start, what, billed: String::new(), derived }
}

pub(super) fn of_bill(issued: &IssuedBill, what: &'static str, billed: String, derived: String) -> Difference {
    let Bill { id, account, period, .. } = &issued.bill;
    Difference { account: *account, bill: Some(*id), period_start: period.start, what, billed, derived }
}

fn compare(issued: &IssuedBill, derived: &Totals) -> Vec<Difference> {
    let billed = &issued.bill.totals;
    let sums = [
        ("base", billed.base, derived.base),
        ("overage", billed.overage, derived.overage),
        ("discount", billed.discount, derived.discount),
        ("total", billed.total, derived.total),
    ];
    let differ = sums.into_iter().filter(|(_, billed, derived)| billed != derived);
    differ.map(|(what, billed, derived)| of_bill(issued, what, billed.to_decimal(), derived.to_decimal())).collect()
}

pub(super) fn compare_lines(issued: &IssuedBill, derived: &[BillLine]) -> Option<Difference> {
    let (billed, derived) = (described(&issued.lines), described(derived));
    (billed != derived).then(|| of_bill(issued, "lines", billed, derived))
}

/// What lines ask for: names and units that are shown may have changed since.
pub(super) fn described(lines: &[BillLine]) -> String {
    let line = |line: &BillLine| {
        let used = line.used.as_ref().map(|used| format!(" {} {}", used.meter, used.quantity.as_atoms()));
        format!("{}{} {}", line.kind.name(), used.unwrap_or_default(), line.amount.to_decimal())
    };
    lines.iter().map(line).collect::<Vec<_>>().join("; ")
}
