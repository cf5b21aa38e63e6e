//! Bills: what an account owes for a period. An issued bill's amounts never change; corrections are refund bills.
//!
//! Amounts are whole minor units. `total = base + overage − discount`, and each of the three is the sum of its lines,
//! in the same unit of work that writes the lines: what kg-recharge's triggers wanted, on every database.

use super::line::{BillLine, BillOverage, LineKind};
use crate::error::Error;
use crate::id::{AccountId, BillId};
use crate::money::{Money, MoneyError};
use crate::plans::{Choice, MeterCode, PlanCode};
use crate::quantity::Quantity;
use crate::time::Period;
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

/// What a bill is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BillKind {
    /// The fee of a term, in advance: a purchase, the rest of an upgraded term, or a renewal.
    Subscription,
    /// What a quota period that ended costs beyond its allowance.
    Month,
    /// The same for a period that is still open, once its fee passed a configured amount.
    Overage,
    /// Money that goes back of a bill that was paid.
    Refund,
}

impl BillKind {
    pub const ALL: [Self; 4] = [Self::Subscription, Self::Month, Self::Overage, Self::Refund];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Subscription => "subscription",
            Self::Month => "month",
            Self::Overage => "overage",
            Self::Refund => "refund",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == text)
    }
}

/// Where a bill stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BillStatus {
    Unpaid,
    Paid,
    /// Taken back before it was paid; nothing is owed on it.
    Void,
}

impl BillStatus {
    pub const ALL: [Self; 3] = [Self::Unpaid, Self::Paid, Self::Void];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Unpaid => "unpaid",
            Self::Paid => "paid",
            Self::Void => "void",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.name() == text)
    }
}

/// How far an unpaid bill has been chased.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Chased {
    /// Issued; a reminder comes before it is due.
    Issued,
    Reminded,
    /// Past due: so is the subscription.
    PastDue,
    /// The subscription is suspended.
    Suspended,
    /// Nothing more is done about it; it is still owed.
    GivenUp,
}

impl Chased {
    pub const ALL: [Self; 5] = [Self::Issued, Self::Reminded, Self::PastDue, Self::Suspended, Self::GivenUp];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Issued => "issued",
            Self::Reminded => "reminded",
            Self::PastDue => "past_due",
            Self::Suspended => "suspended",
            Self::GivenUp => "given_up",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|stage| stage.name() == text)
    }
}

/// The sums of a bill; whole minor units of one currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totals {
    /// Terms' fees less credits for what is left of others.
    pub base: Money,
    pub overage: Money,
    /// Not negative, and never above base and overage together.
    pub discount: Money,
    /// `base + overage − discount`; never negative.
    pub total: Money,
}

impl Totals {
    /// The sums of the lines.
    pub fn of(lines: &[BillLine], zero: Money) -> Result<Self, MoneyError> {
        let (mut base, mut overage, mut discount) = (zero, zero, zero);
        for line in lines {
            let part = if line.kind.is_overage() { &mut overage } else { &mut base };
            *part = part.checked_add(line.amount)?;
            discount = discount.checked_add(line.discount)?;
        }
        let total = base.checked_add(overage)?.checked_sub(discount)?;
        Ok(Self { base, overage, discount, total })
    }

    /// `base + overage`.
    pub fn subtotal(&self) -> Result<Money, MoneyError> {
        self.base.checked_add(self.overage)
    }
}

/// A bill without its lines.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bill {
    pub id: BillId,
    pub account: AccountId,
    pub kind: BillKind,
    pub status: BillStatus,
    /// What it is for: a term or the rest of one, a quota period or a part of one.
    pub period: Period,
    /// The local month in which the period began, `2026-11`.
    pub month: String,
    pub plan: PlanCode,
    pub totals: Totals,
    /// Of this bill, by refund bills; at most `totals.total`.
    pub refunded: Money,
    /// The bill that a refund bill gives back of.
    pub refund_of: Option<BillId>,
    /// What begins once it is paid.
    pub activates: Option<Choice>,
    /// The code of the coupon that gave the discount.
    pub coupon: Option<String>,
    pub remark: Option<String>,
    pub issued_at: DateTime<Utc>,
    pub due_at: DateTime<Utc>,
    pub paid_at: Option<DateTime<Utc>>,
    pub voided_at: Option<DateTime<Utc>>,
    pub chased: Chased,
    /// When it is chased next; `None` when there is nothing to do.
    pub chase_at: Option<DateTime<Utc>>,
    pub updated_at: DateTime<Utc>,
}

/// A bill with everything that was issued with it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IssuedBill {
    pub bill: Bill,
    /// In the order of their numbers.
    pub lines: Vec<BillLine>,
    /// One for each meter with overage, by meter.
    pub overages: Vec<BillOverage>,
}

impl IssuedBill {
    /// How much of a meter it asks for that belongs to a period that was closed when it came.
    pub fn late(&self, meter: &MeterCode) -> Quantity {
        let late = self.lines.iter().filter(|line| line.kind == LineKind::Adjustment);
        let used = late.filter_map(|line| line.used.as_ref()).filter(|used| used.meter == *meter);
        used.fold(Quantity::ZERO, |all, used| all.saturating_add(used.quantity))
    }
}

impl Bill {
    /// Whether the account owes it; an order that was never paid is no debt.
    pub fn is_debt(&self) -> bool {
        self.status == BillStatus::Unpaid && self.activates.is_none() && self.kind != BillKind::Refund
    }

    /// What makes the bill the only one of its kind for its period, as long as it is not void.
    pub fn live_key(&self) -> Option<String> {
        match (self.status, self.kind) {
            (BillStatus::Void, _) => None,
            // A bill may be refunded in several parts.
            (_, BillKind::Refund) => Some(self.id.to_string()),
            _ => Some(self.period.start.timestamp_micros().to_string()),
        }
    }

    /// What of it may still go back.
    pub fn refundable(&self) -> Result<Money, MoneyError> {
        match (self.status, self.kind) {
            (_, BillKind::Refund) | (BillStatus::Unpaid | BillStatus::Void, _) => {
                Ok(Money::zero(self.totals.total.currency()))
            }
            (BillStatus::Paid, _) => self.totals.total.checked_sub(self.refunded),
        }
    }

    /// The bill once a customer paid it: a refund bill is paid by nobody but its provider.
    pub fn paid_for(&self, now: DateTime<Utc>) -> Result<Self, Error> {
        match self.kind {
            BillKind::Refund => Err(Error::conflict("bill_refund", "A refund is not paid by a customer.")),
            BillKind::Subscription | BillKind::Month | BillKind::Overage => self.paid(now),
        }
    }

    /// The bill once it is paid.
    pub fn paid(&self, now: DateTime<Utc>) -> Result<Self, Error> {
        match self.status {
            BillStatus::Unpaid => Ok(Self {
                status: BillStatus::Paid,
                paid_at: Some(now),
                chase_at: None,
                updated_at: now,
                ..self.clone()
            }),
            BillStatus::Paid => Err(Error::conflict("bill_paid", "The bill is paid.")),
            BillStatus::Void => Err(Error::conflict("bill_void", "The bill was taken back; nothing is owed on it.")),
        }
    }

    /// The bill taken back.
    pub fn voided(&self, now: DateTime<Utc>) -> Result<Self, Error> {
        match self.status {
            BillStatus::Unpaid => Ok(Self {
                status: BillStatus::Void,
                voided_at: Some(now),
                chase_at: None,
                updated_at: now,
                ..self.clone()
            }),
            BillStatus::Paid => Err(Error::conflict("bill_paid", "A bill that is paid is refunded, not voided.")),
            BillStatus::Void => Err(Error::conflict("bill_void", "The bill was taken back before.")),
        }
    }
}

/// The local month of a time, as bills are grouped by it: `2026-11`.
pub fn month_label(time: DateTime<Utc>, zone: Tz) -> String {
    time.with_timezone(&zone).format("%Y-%m").to_string()
}
