//! Our books against a provider's daily bill, both ways, and what differs.
//!
//! A bill's day is the provider's own; a payment just before its midnight may carry our next day's time. So a payment
//! of ours is missing there only when neither its day's bill nor the two beside it have it.

use super::charge::Charge;
use super::payment::Payment;
use super::payment_status::PaymentStatus;
use super::provider::{BillRow, BillRowKind, ProviderNumber};
use super::refund::{Refund, RefundStatus};
use crate::id::{DifferenceId, PaymentId, RefundId, UserId};
use crate::money::Money;
use crate::wallet::Provider;
use chrono::{DateTime, NaiveDate, Utc};
use std::collections::{BTreeMap, BTreeSet};

/// Longest number of a bill's row that is kept, in characters.
const MAX_NUMBER_LENGTH: usize = 128;

/// How the two differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DifferenceClass {
    /// The bill has a number that we never gave out.
    UnknownNumber,
    /// The bill has a payment that came in, and we have it without money; or a charge that we did not collect.
    PaymentMissingHere,
    /// We have money that the bill does not have.
    PaymentMissingThere,
    PaymentAmount,
    /// The bill has a second capture of a number.
    PaymentTwice,
    /// The bill has a refund that we do not have, or not as done.
    RefundMissingHere,
    RefundMissingThere,
    RefundAmount,
}

impl DifferenceClass {
    pub const ALL: [Self; 8] = [
        Self::UnknownNumber,
        Self::PaymentMissingHere,
        Self::PaymentMissingThere,
        Self::PaymentAmount,
        Self::PaymentTwice,
        Self::RefundMissingHere,
        Self::RefundMissingThere,
        Self::RefundAmount,
    ];

    pub const fn name(self) -> &'static str {
        match self {
            Self::UnknownNumber => "unknown_number",
            Self::PaymentMissingHere => "payment_missing_here",
            Self::PaymentMissingThere => "payment_missing_there",
            Self::PaymentAmount => "payment_amount",
            Self::PaymentTwice => "payment_twice",
            Self::RefundMissingHere => "refund_missing_here",
            Self::RefundMissingThere => "refund_missing_there",
            Self::RefundAmount => "refund_amount",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|class| class.name() == text)
    }
}

/// What became of a difference.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DifferenceStatus {
    Open,
    /// An operator knows why, and nothing is to be done.
    Explained,
    /// It is no more: by settling it here, or by an operator.
    Resolved,
}

impl DifferenceStatus {
    pub const ALL: [Self; 3] = [Self::Open, Self::Explained, Self::Resolved];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Explained => "explained",
            Self::Resolved => "resolved",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.name() == text)
    }
}

/// Something on which a provider's bill and our books differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    pub id: DifferenceId,
    pub provider: Provider,
    pub day: NaiveDate,
    pub class: DifferenceClass,
    /// As the bill has it; for what is missing there, ours.
    pub number: String,
    /// The provider's number of the capture or refund, as far as known.
    pub transaction: String,
    pub ours: Option<Money>,
    pub theirs: Option<Money>,
    pub status: DifferenceStatus,
    pub note: Option<String>,
    pub resolved_by: Option<UserId>,
    pub created_at: DateTime<Utc>,
    pub resolved_at: Option<DateTime<Utc>>,
}

/// A difference before it has an id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    pub class: DifferenceClass,
    pub number: String,
    pub transaction: String,
    pub ours: Option<Money>,
    pub theirs: Option<Money>,
}

/// Our side: what the bill's numbers name, and what came in and went out on its day.
#[derive(Clone, Debug, Default)]
pub struct OurSide {
    pub payments: BTreeMap<PaymentId, Payment>,
    pub refunds: BTreeMap<RefundId, Refund>,
    /// By the provider's id.
    pub charges: BTreeMap<String, Charge>,
    /// Payments, refunds and charges of the day itself, which some bill must have.
    pub payments_of_day: BTreeSet<PaymentId>,
    pub refunds_of_day: BTreeSet<RefundId>,
    pub charges_of_day: BTreeSet<String>,
}

/// Compares a day's bill with our side; `beside` are the rows of the days before and after.
pub fn compare(bill: &[BillRow], beside: &[BillRow], ours: &OurSide) -> Vec<Found> {
    let mut found = Vec::new();
    let mut seen: BTreeMap<(BillRowKind, &str), &str> = BTreeMap::new();
    for row in bill {
        let mut twice = || {
            let before = seen.insert((row.kind, row.number.as_str()), &row.transaction);
            let twice = before.is_some_and(|transaction| transaction != row.transaction);
            twice.then(|| difference(DifferenceClass::PaymentTwice, row, None))
        };
        found.extend(match row.kind {
            BillRowKind::Payment => match known_capture(row, ours) {
                Some(own) if own == row.transaction => payment_difference(row, ours),
                Some(_) => Some(difference(DifferenceClass::PaymentTwice, row, None)),
                None => twice().or_else(|| payment_difference(row, ours)),
            },
            BillRowKind::Charge => twice().or_else(|| charge_difference(row, ours)),
            BillRowKind::Refund => refund_difference(row, ours),
        });
    }
    let named: BTreeSet<(BillRowKind, &str)> =
        bill.iter().chain(beside).map(|row| (row.kind, row.number.as_str())).collect();
    found.extend(missing_there(ours, &named));
    found
}

/// The capture that we have under the row's number, which may be on the bill of another day.
fn known_capture<'a>(row: &BillRow, ours: &'a OurSide) -> Option<&'a str> {
    let own = payment_of(row, ours)?.transaction.as_deref();
    own.filter(|own| !own.is_empty() && !row.transaction.is_empty())
}

fn payment_of<'a>(row: &BillRow, ours: &'a OurSide) -> Option<&'a Payment> {
    ours.payments.get(&PaymentId::from_uuid(id_of(row)?.as_uuid()))
}

fn payment_difference(row: &BillRow, ours: &OurSide) -> Option<Found> {
    let Some(payment) = payment_of(row, ours) else {
        return Some(difference(DifferenceClass::UnknownNumber, row, None));
    };
    match payment.captured {
        None => Some(difference(DifferenceClass::PaymentMissingHere, row, Some(payment.amount))),
        Some(captured) if captured != row.amount => {
            Some(difference(DifferenceClass::PaymentAmount, row, Some(captured)))
        }
        Some(_) => None,
    }
}

fn charge_difference(row: &BillRow, ours: &OurSide) -> Option<Found> {
    match ours.charges.get(&row.number) {
        None => Some(difference(DifferenceClass::PaymentMissingHere, row, None)),
        Some(charge) if charge.amount != row.amount => {
            Some(difference(DifferenceClass::PaymentAmount, row, Some(charge.amount)))
        }
        Some(_) => None,
    }
}

fn refund_difference(row: &BillRow, ours: &OurSide) -> Option<Found> {
    let refund = id_of(row).and_then(|number| ours.refunds.get(&RefundId::from_uuid(number.as_uuid())));
    let Some(refund) = refund else { return Some(difference(DifferenceClass::UnknownNumber, row, None)) };
    if refund.status != RefundStatus::Succeeded {
        return Some(difference(DifferenceClass::RefundMissingHere, row, Some(refund.amount)));
    }
    (refund.amount != row.amount).then(|| difference(DifferenceClass::RefundAmount, row, Some(refund.amount)))
}

fn missing_there(ours: &OurSide, named: &BTreeSet<(BillRowKind, &str)>) -> Vec<Found> {
    let missing = |class, number: String, transaction: Option<&String>, amount: Option<Money>| Found {
        class,
        number,
        transaction: transaction.cloned().unwrap_or_default(),
        ours: amount,
        theirs: None,
    };
    let is_named = |kind, number: &str| named.contains(&(kind, number));
    let payments = ours.payments_of_day.iter().filter_map(|id| ours.payments.get(id));
    let payments = payments.filter(|payment| payment.status != PaymentStatus::Unknown);
    let payments = payments.filter(|payment| !is_named(BillRowKind::Payment, &payment.number().to_string()));
    let refunds = ours.refunds_of_day.iter().filter_map(|id| ours.refunds.get(id));
    let refunds = refunds.filter(|refund| !is_named(BillRowKind::Refund, &refund.number().to_string()));
    let charges = ours.charges_of_day.iter().filter_map(|reference| ours.charges.get(reference));
    let charges = charges.filter(|charge| !is_named(BillRowKind::Charge, &charge.reference));
    let payments = payments.map(|payment| {
        let class = DifferenceClass::PaymentMissingThere;
        missing(class, payment.number().to_string(), payment.transaction.as_ref(), payment.captured)
    });
    let charges = charges.map(|charge| {
        missing(DifferenceClass::PaymentMissingThere, charge.reference.clone(), None, Some(charge.amount))
    });
    let class = DifferenceClass::RefundMissingThere;
    let refunds = refunds.map(|refund| missing(class, refund.number().to_string(), None, Some(refund.amount)));
    payments.chain(charges).chain(refunds).collect()
}

fn id_of(row: &BillRow) -> Option<ProviderNumber> {
    ProviderNumber::parse(&row.number)
}

fn difference(class: DifferenceClass, row: &BillRow, ours: Option<Money>) -> Found {
    Found { class, number: kept(&row.number), transaction: kept(&row.transaction), ours, theirs: Some(row.amount) }
}

/// As much of a foreign text as the column takes; PostgreSQL takes no NUL.
fn kept(text: &str) -> String {
    text.chars().filter(|letter| *letter != '\0').take(MAX_NUMBER_LENGTH).collect()
}

#[cfg(test)]
#[path = "reconciliation_tests.rs"]
mod tests;
