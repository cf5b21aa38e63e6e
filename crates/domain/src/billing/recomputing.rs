//! Deriving issued bills again, and what differs: sums from lines, and overage from the usage rows behind it.
//!
//! A bill was made from counters; counters are never asked here. So a bill that equals its rows was counted rightly.

use super::closing::{Evidence, Told, overage_bill};
use super::service::BillingService;
use super::{BillKind, BillLine, BillStatus, IssuedBill, Totals, UsageSum};
use crate::error::{Error, Result};
use crate::id::BillId;
use crate::money::Money;
use std::collections::BTreeMap;

/// What a bill says, and what it would say if it were made again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    pub bill: BillId,
    /// `lines`, `base`, `overage`, `discount` or `total`.
    pub what: &'static str,
    pub billed: String,
    pub derived: String,
}

impl BillingService {
    /// What differs of a bill. Reads only; the usage rows of its period must not be past their retention.
    pub async fn recompute(&self, id: BillId) -> Result<Vec<Difference>> {
        let issued = self.store.bills().find(id).await?.ok_or(Error::NotFound("bill"))?;
        let zero = Money::zero(issued.bill.totals.total.currency());
        let mut differences = compare(&issued, &Totals::of(&issued.lines, zero)?);
        if issued.bill.kind == BillKind::Month && issued.bill.status != BillStatus::Void {
            let lines = self.month_again(&issued).await?;
            differences.extend(compare_lines(&issued, &lines));
        }
        Ok(differences)
    }

    /// The next bills to recompute, of a local month if one is named.
    pub async fn to_recompute(&self, month: Option<&str>, after: Option<BillId>, most: u64) -> Result<Vec<BillId>> {
        Ok(self.store.bills().walk(month.map(str::to_owned), after, most).await?)
    }

    /// The lines of a month's bill, by its usage rows.
    async fn month_again(&self, issued: &IssuedBill) -> Result<Vec<BillLine>> {
        let (account, start) = (issued.bill.account, issued.bill.period.start);
        let Some(opened) = self.store.subscriptions().find_period_at(account, start).await? else {
            return Ok(Vec::new());
        };
        let slots = [(account, start)];
        let told = by_meter(self.store.closings().usage_sums(&slots, false).await?)?;
        let open = [(account, opened)];
        let evidence = Evidence::load(&*self.store, &slots, &open).await?;
        let [(_, opened)] = &open;
        let uses = evidence.uses(&self.catalogue, (account, opened), &told);
        let draft = overage_bill(BillKind::Month, &self.catalogue, (account, opened), uses)?;
        Ok(draft.map(|draft| draft.lines).unwrap_or_default())
    }
}

/// One sum for each meter, late use included, by meter.
fn by_meter(sums: Vec<UsageSum>) -> Result<Vec<Told>> {
    let mut meters = BTreeMap::<_, Told>::new();
    for sum in sums {
        let zero = Money::zero(sum.fee.currency());
        let start = Told { meter: sum.meter.clone(), position: crate::quantity::Quantity::ZERO, fee: zero };
        let told = meters.entry(sum.meter).or_insert(start);
        told.position = told.position.saturating_add(sum.overage);
        told.fee = told.fee.checked_add(sum.fee)?;
    }
    Ok(meters.into_values().collect())
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
    let bill = issued.bill.id;
    differ
        .map(|(what, billed, derived)| Difference {
            bill,
            what,
            billed: billed.to_decimal(),
            derived: derived.to_decimal(),
        })
        .collect()
}

fn compare_lines(issued: &IssuedBill, derived: &[BillLine]) -> Option<Difference> {
    let (billed, derived) = (described(&issued.lines), described(derived));
    (billed != derived).then_some(Difference { bill: issued.bill.id, what: "lines", billed, derived })
}

/// What a line asks for: names and units that are shown may have changed since.
fn described(lines: &[BillLine]) -> String {
    let line = |line: &BillLine| {
        let used = line.used.as_ref().map(|used| format!(" {} {}", used.meter, used.quantity.as_atoms()));
        format!("{}{} {}", line.kind.name(), used.unwrap_or_default(), line.amount.to_decimal())
    };
    lines.iter().map(line).collect::<Vec<_>>().join("; ")
}
