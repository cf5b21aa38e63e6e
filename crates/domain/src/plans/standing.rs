//! What payments, and their lack, do to a subscription.

use super::status::transition;
use super::{Choice, Subscription, SubscriptionStatus};
use crate::money::{Money, MoneyError};
use chrono::{DateTime, Utc};

impl Subscription {
    /// The change that waited for its bill begins. `worth` is the credit that the bill took in, and `paid` its total:
    /// what of the term they paid for together is what a later credit never exceeds.
    ///
    /// `None` when nothing waits.
    pub fn activate(&self, worth: Money, paid: Money, now: DateTime<Utc>) -> Result<Option<Self>, MoneyError> {
        let Self { awaiting_payment: Some(to), .. } = self else { return Ok(None) };
        let mut active = self.change_now(to.clone(), now);
        active.paid = Some(match active.paid {
            // The same term: what was paid for it before stays paid.
            Some(before) => before.checked_add(paid)?,
            None => worth.checked_add(paid)?,
        });
        if active.status == SubscriptionStatus::Pending {
            active.status = SubscriptionStatus::Active;
        }
        Ok(Some(active))
    }

    /// More was paid for the running term, or some of it went back when negative.
    pub fn with_paid(&self, amount: Money, now: DateTime<Utc>) -> Result<Self, MoneyError> {
        let before = self.paid.unwrap_or(Money::zero(amount.currency()));
        let after = before.checked_add(amount)?;
        let after = if after.nanos() < 0 { Money::zero(amount.currency()) } else { after };
        Ok(Self { paid: Some(after), updated_at: now, ..self.clone() })
    }

    /// A bill is past its due day, or unpaid for so long that consumption ends.
    #[must_use]
    pub fn owing(&self, suspended: bool, now: DateTime<Utc>) -> Self {
        use SubscriptionStatus::{Active, Cancelled, PastDue, Suspended};
        // A cancelled one that owes shows what it owes; it ends with its term all the same.
        let steps: &[SubscriptionStatus] = match (self.status, suspended) {
            (Cancelled, false) => &[Active, PastDue],
            (Cancelled, true) => &[Active, PastDue, Suspended],
            (Active, false) => &[PastDue],
            (Active, true) => &[PastDue, Suspended],
            (PastDue, true) => &[Suspended],
            _ => &[],
        };
        self.through(steps, now)
    }

    /// Nothing is owed any more.
    #[must_use]
    pub fn recovered(&self, now: DateTime<Utc>) -> Self {
        use SubscriptionStatus::{Active, Cancelled, PastDue, Suspended};
        match self.status {
            PastDue | Suspended if self.cancel_at_term_end => self.through(&[Active, Cancelled], now),
            PastDue | Suspended => self.through(&[Active], now),
            _ => self.clone(),
        }
    }

    /// The plan ends because nobody pays, and `fallback` begins. What else is owed stays owed.
    #[must_use]
    pub fn expired(&self, fallback: Choice, owes: bool, now: DateTime<Utc>) -> Self {
        use SubscriptionStatus::{Active, Expired};
        let ended = self.change_now(fallback, now);
        let ended = Self { paid: None, ..ended };
        if owes { ended } else { ended.through(&[Expired, Active], now) }
    }

    fn through(&self, steps: &[SubscriptionStatus], now: DateTime<Utc>) -> Self {
        let reached = steps.iter().try_fold(self.status, |from, to| transition(from, *to));
        match reached {
            Ok(status) if status != self.status => Self { status, updated_at: now, ..self.clone() },
            _ => self.clone(),
        }
    }
}

#[cfg(test)]
#[path = "standing_tests.rs"]
mod tests;
