//! Refunds: money on its way back to whoever paid it.
//!
//! What is refunded is taken back first (the grant's rest, the wallet's money), then the provider is asked, and when it
//! fails everything goes back where it was. Repeating a request with the same number never refunds twice.

use super::provider::{ProviderNumber, RefundState};
use crate::id::{AccountId, OrderId, PaymentId, RefundId, SuspenseId, UserId};
use crate::money::Money;
use crate::quantity::Quantity;
use chrono::{DateTime, TimeDelta, Utc};
use thiserror::Error;

/// Longest reason, in characters: what the narrowest provider takes.
pub const MAX_REASON_LENGTH: usize = 80;
/// Between two questions about a refund that the provider did not finish, from the first on; then every hour.
const CHECK_AGAIN_SECONDS: [i64; 5] = [30, 60, 300, 900, 1800];
const CHECK_LATER: TimeDelta = TimeDelta::hours(1);

/// Where a refund stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RefundStatus {
    /// Taken back here; whether the provider knows of it is not known.
    Unknown,
    /// The provider took it on.
    Processing,
    Succeeded,
    /// Will not happen; everything went back where it was.
    Failed,
    /// Stuck at the provider; an operator has to look there.
    Abnormal,
}

use RefundStatus::{Abnormal, Failed, Processing, Succeeded, Unknown};

/// Every step there is.
const EDGES: [(RefundStatus, RefundStatus); 9] = [
    (Unknown, Processing),
    (Unknown, Succeeded),
    (Unknown, Failed),
    (Unknown, Abnormal),
    (Processing, Succeeded),
    (Processing, Failed),
    (Processing, Abnormal),
    (Abnormal, Succeeded),
    (Abnormal, Failed),
];

/// A step that the state machine does not have.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("a refund that is {} cannot become {}", from.name(), to.name())]
pub struct NoSuchRefundStep {
    pub from: RefundStatus,
    pub to: RefundStatus,
}

impl RefundStatus {
    pub const ALL: [Self; 5] = [Unknown, Processing, Succeeded, Failed, Abnormal];

    pub const fn name(self) -> &'static str {
        match self {
            Unknown => "unknown",
            Processing => "processing",
            Succeeded => "succeeded",
            Failed => "failed",
            Abnormal => "abnormal",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.name() == text)
    }

    pub const fn is_over(self) -> bool {
        matches!(self, Succeeded | Failed)
    }

    /// The step to another status; to stay is not a step.
    pub fn step(self, to: Self) -> Result<Self, NoSuchRefundStep> {
        if EDGES.contains(&(self, to)) { Ok(to) } else { Err(NoSuchRefundStep { from: self, to }) }
    }

    /// What the provider's word means; `None` when it says nothing.
    pub const fn of(state: &RefundState) -> Option<Self> {
        match state {
            RefundState::NotFound => None,
            RefundState::Processing => Some(Processing),
            RefundState::Succeeded { .. } => Some(Succeeded),
            RefundState::Failed { .. } => Some(Failed),
            RefundState::Abnormal { .. } => Some(Abnormal),
        }
    }
}

/// Money on its way back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refund {
    pub id: RefundId,
    pub payment: PaymentId,
    pub order: OrderId,
    pub account: AccountId,
    /// Above zero, in whole minor units of the captured money.
    pub amount: Money,
    /// For the customer and the provider; 1 to [`MAX_REASON_LENGTH`] characters.
    pub reason: String,
    pub status: RefundStatus,
    /// What the provider said about a failure.
    pub problem: Option<String>,
    /// The operator who asked for it.
    pub operator: UserId,
    /// Set when the money was in suspense and not delivered for.
    pub suspense: Option<SuspenseId>,
    /// Whether it goes through although what it was paid for is used up; only what remains is taken back then.
    pub even_if_used: bool,
    /// What was taken back of the order's grant, and goes back when the refund fails.
    pub taken_back: Quantity,
    pub checks: u32,
    pub next_check_at: Option<DateTime<Utc>>,
    pub created_at: DateTime<Utc>,
    /// When the provider paid it back, by its own clock; when it was heard that it failed.
    pub ended_at: Option<DateTime<Utc>>,
}

impl Refund {
    /// Its number at the provider.
    pub const fn number(&self) -> ProviderNumber {
        ProviderNumber::from_uuid(self.id.as_uuid())
    }

    /// When it came to what the provider says: of money that went back the provider's own time, for it is on the bill of
    /// that day however late it is heard, and else `now`.
    pub fn time_of(&self, state: &RefundState, now: DateTime<Utc>) -> DateTime<Utc> {
        match state {
            RefundState::Succeeded { refunded_at } => (*refunded_at).max(self.created_at).min(now),
            RefundState::NotFound
            | RefundState::Processing
            | RefundState::Failed { .. }
            | RefundState::Abnormal { .. } => now,
        }
    }

    /// The refund after the provider spoke.
    pub fn heard(
        &self,
        status: RefundStatus,
        problem: Option<String>,
        now: DateTime<Utc>,
    ) -> Result<Self, NoSuchRefundStep> {
        let status = self.status.step(status)?;
        let heard = Self { status, problem, ..self.clone() };
        Ok(if status.is_over() {
            Self { ended_at: Some(now), next_check_at: None, ..heard }
        } else {
            heard.checked(now)
        })
    }

    /// The refund after the provider was asked: when to ask again.
    #[must_use]
    pub fn checked(&self, now: DateTime<Utc>) -> Self {
        let pause = CHECK_AGAIN_SECONDS.get(self.checks as usize).map_or(CHECK_LATER, |s| TimeDelta::seconds(*s));
        let next_check_at = (!self.status.is_over()).then(|| now + pause);
        Self { checks: self.checks.saturating_add(1), next_check_at, ..self.clone() }
    }
}

impl From<NoSuchRefundStep> for crate::error::Error {
    fn from(no: NoSuchRefundStep) -> Self {
        Self::conflict("conflict", format!("{no}."))
    }
}

/// How much of what was delivered goes back with `part` of `whole`: rounded up, so that all of the money takes all.
pub fn share_of(delivered: Quantity, part: Money, whole: Money) -> Quantity {
    if whole.nanos() <= 0 || part.nanos() >= whole.nanos() {
        return delivered;
    }
    let product = i128::from(delivered.as_atoms()) * i128::from(part.nanos().max(0));
    let whole = i128::from(whole.nanos());
    let share = (product + whole - 1) / whole;
    Quantity::atoms(i64::try_from(share).unwrap_or(delivered.as_atoms()).min(delivered.as_atoms()))
}

#[cfg(test)]
#[path = "refund_tests.rs"]
mod tests;
