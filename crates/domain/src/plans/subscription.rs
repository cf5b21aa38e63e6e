//! One account's subscription: the plan it chose, its paid term, and the quota period that is open.
//!
//! Quota periods are monthly from the anchor day, on yearly plans too; a term is one or twelve of them.
//! The anchor never moves while the account is subscribed, so that boundaries stay where they were.

use super::status::{NoSuchTransition, SubscriptionStatus, transition};
use super::{Interval, PlanCode};
use crate::id::{AccountId, PlanVersionId, SubscriptionId};
use crate::money::Money;
use crate::time::{Cycle, Period, local_day};
use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

/// Most periods that one [`Subscription::advance`] opens: a hundred years.
pub const MAX_PERIODS_PER_ADVANCE: usize = 1200;

/// What is subscribed to. The version is the one that was sold, whatever the catalogue says since.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Choice {
    pub version: PlanVersionId,
    pub plan: PlanCode,
    pub interval: Interval,
    pub seats: u32,
}

/// One account's subscription; every account has exactly one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subscription {
    pub id: SubscriptionId,
    pub account: AccountId,
    pub chosen: Choice,
    pub status: SubscriptionStatus,
    /// The local day on which boundaries fall, clamped to shorter months.
    pub anchor: NaiveDate,
    pub zone: Tz,
    /// What is paid for at once: one or twelve quota periods.
    pub term: Period,
    /// What was paid for the term; `None` for one that came without a bill, which is worth no credit.
    pub paid: Option<Money>,
    /// The monthly quota period that is open.
    pub period: Period,
    /// Until when periods have been billed; `None` before the first close.
    pub closed_until: Option<DateTime<Utc>>,
    pub selected_ai_model: Option<String>,
    /// What follows when the term ends.
    pub scheduled: Option<Choice>,
    /// What begins once its bill is paid.
    pub awaiting_payment: Option<Choice>,
    pub cancel_at_term_end: bool,
    /// Whether bills are paid from the wallet as they are issued.
    pub auto_pay: bool,
    pub started_at: DateTime<Utc>,
    pub cancelled_at: Option<DateTime<Utc>>,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

/// A quota period and the promises that hold in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenedPeriod {
    pub period: Period,
    pub version: PlanVersionId,
    pub plan: PlanCode,
    pub seats: u32,
    pub interval: Interval,
}

/// A subscription brought up to date.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Advance {
    pub subscription: Subscription,
    /// Every period that began, in order; none when there was nothing to do.
    pub opened: Vec<OpenedPeriod>,
    /// Every term that began, with what it is for.
    pub terms: Vec<(Choice, Period)>,
}

impl Subscription {
    /// A subscription that begins on the local day of `now`.
    pub fn begin(account: AccountId, chosen: Choice, zone: Tz, now: DateTime<Utc>) -> Self {
        let anchor = local_day(now, zone);
        Self {
            id: SubscriptionId::new(now),
            account,
            status: SubscriptionStatus::Active,
            anchor,
            zone,
            term: span(anchor, zone, now, chosen.interval.months()),
            paid: None,
            period: span(anchor, zone, now, 1),
            closed_until: None,
            selected_ai_model: None,
            scheduled: None,
            awaiting_payment: None,
            cancel_at_term_end: false,
            auto_pay: false,
            started_at: now,
            cancelled_at: None,
            created_at: now,
            updated_at: now,
            chosen,
        }
    }

    /// The open period with the promises that hold in it.
    pub fn open_period(&self) -> OpenedPeriod {
        OpenedPeriod {
            period: self.period,
            version: self.chosen.version,
            plan: self.chosen.plan.clone(),
            seats: self.chosen.seats,
            interval: self.chosen.interval,
        }
    }

    /// Opens every period that has begun by `now`, one by one, at most [`MAX_PERIODS_PER_ADVANCE`].
    ///
    /// At the term's end a cancelled or expired subscription falls back to `fallback`, a scheduled
    /// change begins, and any other renews. Debts do not end with a plan: what is past due or suspended
    /// stays so on the fallback.
    pub fn advance(&self, now: DateTime<Utc>, fallback: &Choice) -> Advance {
        let mut subscription = self.clone();
        let (mut opened, mut terms) = (Vec::new(), Vec::new());
        while now >= subscription.period.end && opened.len() < MAX_PERIODS_PER_ADVANCE {
            let ended = subscription.term;
            subscription.roll_over(fallback);
            opened.push(subscription.open_period());
            if subscription.term != ended {
                terms.push((subscription.chosen.clone(), subscription.term));
            }
        }
        if !opened.is_empty() {
            subscription.updated_at = now;
        }
        Advance { subscription, opened, terms }
    }

    /// The subscription on another plan at once. Another interval starts its term with the open period.
    #[must_use]
    pub fn change_now(&self, to: Choice, now: DateTime<Utc>) -> Self {
        let term = self.term_after(&to);
        let paid = self.paid.filter(|_| term == self.term);
        let mut changed = Self { term, paid, chosen: to, scheduled: None, awaiting_payment: None, ..self.clone() };
        changed.revive();
        changed.updated_at = now;
        changed
    }

    /// The subscription with a change that begins when the term ends; a pending cancellation is taken back.
    #[must_use]
    pub fn change_at_term_end(&self, to: Choice, now: DateTime<Utc>) -> Self {
        let mut changed = Self { scheduled: Some(to), awaiting_payment: None, updated_at: now, ..self.clone() };
        changed.revive();
        changed
    }

    /// The subscription with a change that begins when its bill is paid; until then nothing changes.
    #[must_use]
    pub fn change_when_paid(&self, to: Choice, now: DateTime<Utc>) -> Self {
        Self { awaiting_payment: Some(to), updated_at: now, ..self.clone() }
    }

    /// The subscription without the changes that it waits for.
    #[must_use]
    pub fn keep(&self, now: DateTime<Utc>) -> Self {
        Self { scheduled: None, awaiting_payment: None, updated_at: now, ..self.clone() }
    }

    /// Ends the subscription with its term. What is unpaid stays unpaid: only an active subscription
    /// shows as cancelled, or cancelling and resuming would be a way out of a suspension.
    pub fn cancel(&self, now: DateTime<Utc>) -> Result<Self, NoSuchTransition> {
        let status = match self.status {
            SubscriptionStatus::PastDue | SubscriptionStatus::Suspended if !self.cancel_at_term_end => self.status,
            status => transition(status, SubscriptionStatus::Cancelled)?,
        };
        let cancelled_at = Some(now);
        Ok(Self { status, cancel_at_term_end: true, cancelled_at, updated_at: now, ..self.clone() })
    }

    /// Takes a cancellation back, until the term ends.
    pub fn resume(&self, now: DateTime<Utc>) -> Result<Self, NoSuchTransition> {
        if !self.cancel_at_term_end {
            return Err(NoSuchTransition { from: self.status, to: SubscriptionStatus::Active });
        }
        let mut resumed = Self { updated_at: now, ..self.clone() };
        resumed.revive();
        Ok(resumed)
    }

    /// The term that `to` would have if it began now.
    pub fn term_after(&self, to: &Choice) -> Period {
        if to.interval == self.chosen.interval {
            self.term
        } else {
            span(self.anchor, self.zone, self.period.start, to.interval.months())
        }
    }

    /// What follows when the term ends and it is renewed.
    pub fn next_term(&self) -> (Choice, Period) {
        let choice = self.scheduled.as_ref().unwrap_or(&self.chosen).clone();
        let term = span(self.anchor, self.zone, self.term.end, choice.interval.months());
        (choice, term)
    }

    fn roll_over(&mut self, fallback: &Choice) {
        let boundary = self.period.end;
        if boundary >= self.term.end {
            self.end_term(fallback);
            self.term = span(self.anchor, self.zone, boundary, self.chosen.interval.months());
            self.paid = None;
        }
        self.period = span(self.anchor, self.zone, boundary, 1);
    }

    fn end_term(&mut self, fallback: &Choice) {
        use SubscriptionStatus::{Cancelled, Expired, Pending};
        if self.cancel_at_term_end || matches!(self.status, Cancelled | Expired | Pending) {
            self.chosen = fallback.clone();
            self.scheduled = None;
            self.revive();
        } else if let Some(scheduled) = self.scheduled.take() {
            self.chosen = scheduled;
        }
    }

    /// No longer ending; active unless something is unpaid.
    fn revive(&mut self) {
        self.cancel_at_term_end = false;
        self.cancelled_at = None;
        if !matches!(self.status, SubscriptionStatus::PastDue | SubscriptionStatus::Suspended) {
            self.status = SubscriptionStatus::Active;
        }
    }
}

/// `months` monthly periods, the first of which contains `at`; endless past the calendar's range.
fn span(anchor: NaiveDate, zone: Tz, at: DateTime<Utc>, months: u32) -> Period {
    let cycle = Cycle { anchor, months: 1, zone };
    cycle.periods_at(at, months).unwrap_or(Period { start: at, end: DateTime::<Utc>::MAX_UTC })
}

#[cfg(test)]
#[path = "subscription_tests.rs"]
mod tests;
