//! Issuing bills: numbering lines, summing them, and booking what is owed. Steps of a unit of work that holds the lock
//! on the row of the bill's account.

use super::bill::month_label;
use super::charging::call_off_orders;
use super::{Bill, BillKind, BillLine, BillStatus, Chased, IssuedBill, MeterUse, Totals, spread};
use crate::error::Result;
use crate::id::{AccountId, BillId};
use crate::money::Money;
use crate::outbox::Event;
use crate::plans::{Catalogue, Choice, PlanCode};
use crate::store::Repositories;
use crate::time::Period;
use crate::wallet::{self, LedgerAccount, Transfer, TransferKind};
use chrono::{DateTime, Utc};
use serde_json::{Value, json};

/// A bill before it is issued.
#[derive(Clone, Debug)]
pub struct Draft {
    pub account: AccountId,
    pub kind: BillKind,
    pub period: Period,
    pub plan: PlanCode,
    /// Without numbers and discounts.
    pub lines: Vec<BillLine>,
    /// The meters that the lines are about.
    pub uses: Vec<MeterUse>,
    pub activates: Option<Choice>,
    /// A coupon's code and what it takes off.
    pub discount: Option<(String, Money)>,
    pub refund_of: Option<BillId>,
    pub remark: Option<String>,
}

impl Draft {
    pub fn new(account: AccountId, kind: BillKind, period: Period, plan: PlanCode, lines: Vec<BillLine>) -> Self {
        Self {
            account,
            kind,
            period,
            plan,
            lines,
            uses: Vec::new(),
            activates: None,
            discount: None,
            refund_of: None,
            remark: None,
        }
    }

    /// The bill as it is issued. One over nothing is paid at once, and so is a refund.
    pub fn compose(mut self, catalogue: &Catalogue, now: DateTime<Utc>) -> Result<IssuedBill> {
        let (id, zero) = (BillId::new(now), Money::zero(catalogue.currency));
        for (line, number) in self.lines.iter_mut().zip(1..) {
            line.number = number;
        }
        if let Some((_, discount)) = &self.discount {
            spread(*discount, &mut self.lines)?;
        }
        let totals = Totals::of(&self.lines, zero)?;
        let overages = self.uses.iter().map(|used| used.overage(id, &self.lines, catalogue.currency));
        let mut overages = overages.collect::<std::result::Result<Vec<_>, _>>()?;
        overages.sort_by(|a, b| a.used.meter.cmp(&b.used.meter));
        let settled = totals.total.is_zero() || self.kind == BillKind::Refund;
        let begins = (self.kind == BillKind::Subscription && self.activates.is_none()).then_some(self.period.start);
        let due_at = catalogue.bills.due(now, begins);
        // An order is forgotten when it is due; a debt is called to mind first.
        let chase_at = if self.activates.is_some() { due_at } else { catalogue.bills.remind(now, due_at) };
        let bill = Bill {
            id,
            account: self.account,
            kind: self.kind,
            status: if settled { BillStatus::Paid } else { BillStatus::Unpaid },
            period: self.period,
            month: month_label(self.period.start, catalogue.zone),
            plan: self.plan,
            totals,
            refunded: zero,
            refund_of: self.refund_of,
            activates: self.activates,
            coupon: self.discount.map(|(code, _)| code),
            remark: self.remark,
            issued_at: now,
            due_at,
            paid_at: settled.then_some(now),
            voided_at: None,
            chased: Chased::Issued,
            chase_at: (!settled).then_some(chase_at),
            updated_at: now,
        };
        Ok(IssuedBill { bill, lines: self.lines, overages })
    }
}

/// Stores bills, books what they ask for, and tells the accounts, whose rows are locked.
pub async fn issue(work: &dyn Repositories, bills: &[IssuedBill], now: DateTime<Utc>) -> Result<()> {
    if bills.is_empty() {
        return Ok(());
    }
    work.bills().insert(bills).await?;
    let owed = bills.iter().map(|issued| &issued.bill).filter(|bill| bill.status == BillStatus::Unpaid);
    let transfers = owed.map(|bill| {
        let sides = (LedgerAccount::Receivable, LedgerAccount::Revenue);
        Transfer::new((TransferKind::BillIssued, bill.id.to_string()), sides, bill.totals.total, now)
            .map(|transfer| transfer.about(bill.account))
    });
    let transfers = transfers.collect::<std::result::Result<Vec<_>, _>>()?;
    wallet::post(work, &transfers).await?;
    let events: Vec<Event> = bills.iter().map(|issued| told(&issued.bill, "bill.issued", now)).collect();
    Ok(work.outbox().push(&events).await?)
}

/// Takes an unpaid bill back, with what was booked for it and the use of its coupon.
pub async fn void(work: &dyn Repositories, bill: &Bill, now: DateTime<Utc>) -> Result<Bill> {
    let voided = bill.voided(now)?;
    work.bills().save(std::slice::from_ref(&voided)).await?;
    if let Some(issued) = work.ledger().find(TransferKind::BillIssued, &bill.id.to_string()).await? {
        let sides = (LedgerAccount::Revenue, LedgerAccount::Receivable);
        let back = Transfer::new((TransferKind::Reversal, issued.id.to_string()), sides, issued.amount, now)?;
        wallet::post(work, &[back.about(bill.account)]).await?;
    }
    if let Some(code) = &bill.coupon {
        work.coupons().give_back(code, now).await?;
    }
    call_off_orders(work, &voided, now).await?;
    work.outbox().push(&[told(&voided, "bill.voided", now)]).await?;
    Ok(voided)
}

/// What others hear of a bill.
pub fn told(bill: &Bill, kind: &'static str, now: DateTime<Utc>) -> Event {
    Event::new(bill.account, kind, described(bill), now)
}

/// A bill as events and the audit log show it.
pub fn described(bill: &Bill) -> Value {
    json!({
        "bill": bill.id,
        "kind": bill.kind.name(),
        "status": bill.status.name(),
        "plan": bill.plan.as_str(),
        "month": bill.month,
        "period_start": bill.period.start,
        "period_end": bill.period.end,
        "total": bill.totals.total.to_decimal(),
        "currency": bill.totals.total.currency(),
        "due_at": bill.due_at,
        "refund_of": bill.refund_of,
    })
}

#[cfg(test)]
#[path = "issuing_tests.rs"]
mod tests;
