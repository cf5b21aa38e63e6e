//! Payment attempts: one request for money at one provider. An order has as many as it needs.

use super::payment_status::{NoSuchPaymentStep, PaymentStatus, step};
use super::provider::{Capture, PayAction, PayMethod, Placed, ProviderNumber};
use crate::id::{AccountId, OrderId, PaymentId};
use crate::money::{Money, MoneyError};
use crate::wallet::Provider;
use chrono::{DateTime, TimeDelta, Utc};

/// After which time of an attempt's life the provider is asked again; then every [`POLL_LATER`].
/// Source: WeChat Pay's recommended plan of queries.
const POLL_PLAN_SECONDS: [i64; 7] = [5, 30, 60, 180, 300, 600, 1800];
const POLL_LATER: TimeDelta = TimeDelta::minutes(30);
/// Between two questions while an order closes or the outcome of a call is unknown.
const POLL_URGENT: TimeDelta = TimeDelta::seconds(30);

/// One request for money at one provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payment {
    pub id: PaymentId,
    pub order: OrderId,
    pub account: AccountId,
    pub provider: Provider,
    pub method: PayMethod,
    pub status: PaymentStatus,
    /// What was asked for.
    pub amount: Money,
    /// What came in, as the provider said it: another amount or currency is possible, and then it settled nothing.
    pub captured: Option<Money>,
    /// The provider's number of the capture.
    pub transaction: Option<String>,
    /// The provider's id of the request, where it has one.
    pub reference: Option<String>,
    pub action: Option<PayAction>,
    /// What refunds took or may still take of what came in; at most `captured`. Zero without a capture.
    pub refunding: Money,
    /// What was paid back for certain; at most `refunding`.
    pub refunded: Money,
    /// When the provider stops taking it.
    pub expires_at: DateTime<Utc>,
    /// When the provider said that it was paid.
    pub paid_at: Option<DateTime<Utc>>,
    /// How often the provider was asked about it.
    pub polls: u32,
    /// When the provider is asked next; `None` when nothing is open.
    pub next_poll_at: Option<DateTime<Utc>>,
    pub polled_at: Option<DateTime<Utc>>,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

impl Payment {
    /// Its number at the provider.
    pub const fn number(&self) -> ProviderNumber {
        ProviderNumber::from_uuid(self.id.as_uuid())
    }

    /// The provider waits for the customer. An attempt that went on meanwhile only learns its action.
    #[must_use]
    pub fn placed(&self, placed: Placed, now: DateTime<Utc>) -> Self {
        let status = step(self.status, PaymentStatus::Pending).unwrap_or(self.status);
        let reference = placed.reference.or_else(|| self.reference.clone());
        let known = Self { status, reference, action: Some(placed.action), updated_at: now, ..self.clone() };
        Self { next_poll_at: known.poll_after(now, false), ..known }
    }

    /// Money came in.
    pub fn captured(&self, capture: &Capture, now: DateTime<Utc>) -> Result<Self, NoSuchPaymentStep> {
        let status = step(self.status, PaymentStatus::Paid)?;
        let none = Money::zero(capture.amount.currency());
        Ok(Self {
            captured: Some(capture.amount),
            transaction: Some(capture.transaction.clone()),
            paid_at: Some(capture.captured_at),
            refunding: none,
            refunded: none,
            ..self.ended(status, now)
        })
    }

    /// No money comes: it failed or was cancelled.
    pub fn without_money(&self, status: PaymentStatus, now: DateTime<Utc>) -> Result<Self, NoSuchPaymentStep> {
        Ok(self.ended(step(self.status, status)?, now))
    }

    /// A refund came through.
    pub fn paid_back(&self, amount: Money, now: DateTime<Utc>) -> Result<Self, MoneyError> {
        let refunded = self.refunded.checked_add(amount)?;
        let whole = self.captured.is_some_and(|captured| refunded.nanos() >= captured.nanos());
        let status = if whole { PaymentStatus::Refunded } else { PaymentStatus::PartiallyRefunded };
        Ok(Self { status, refunded, updated_at: now, ..self.clone() })
    }

    /// The attempt after the provider was asked and nothing had changed.
    #[must_use]
    pub fn polled(&self, urgent: bool, now: DateTime<Utc>) -> Self {
        let asked = Self { polls: self.polls.saturating_add(1), polled_at: Some(now), ..self.clone() };
        Self { next_poll_at: asked.poll_after(now, urgent), ..asked }
    }

    /// When the provider is asked next, counted from the attempt's making.
    fn poll_after(&self, now: DateTime<Utc>, urgent: bool) -> Option<DateTime<Utc>> {
        if !self.status.is_open() {
            return None;
        }
        if urgent || self.status == PaymentStatus::Unknown {
            return Some(now + POLL_URGENT);
        }
        let planned = POLL_PLAN_SECONDS.iter().map(|seconds| self.created_at + TimeDelta::seconds(*seconds));
        Some(planned.into_iter().find(|at| *at > now).unwrap_or(now + POLL_LATER))
    }

    fn ended(&self, status: PaymentStatus, now: DateTime<Utc>) -> Self {
        Self { status, next_poll_at: None, updated_at: now, ..self.clone() }
    }
}

impl From<NoSuchPaymentStep> for crate::error::Error {
    fn from(no: NoSuchPaymentStep) -> Self {
        Self::conflict("conflict", format!("{no}."))
    }
}

#[cfg(test)]
#[path = "payment_tests.rs"]
mod tests;
