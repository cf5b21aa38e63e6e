//! Subscriptions and quotes as the API shows them.

use super::bills::BillDetail;
use chrono::{DateTime, NaiveDate, Utc};
use domain::id::AccountId;
use domain::money::Currency;
use domain::plans::{
    ChangeKind, Choice, Effective, Interval, PlanVersion, Quote, QuoteLine, Subscribed, Subscription,
    SubscriptionStatus, SubscriptionView as View,
};
use domain::time::{Period, local_day};
use serde::Serialize;
use utoipa::ToSchema;

/// From `start` up to, and not including, `end`.
#[derive(Debug, Serialize, ToSchema)]
pub struct PeriodView {
    #[schema(value_type = String, format = DateTime)]
    pub start: DateTime<Utc>,
    #[schema(value_type = String, format = DateTime)]
    pub end: DateTime<Utc>,
}

impl From<Period> for PeriodView {
    fn from(period: Period) -> Self {
        Self { start: period.start, end: period.end }
    }
}

#[derive(Serialize, ToSchema)]
pub struct SubscriptionView {
    #[schema(value_type = String, example = "acc_0198c0ffee007000800000000000abcd")]
    pub account: AccountId,
    #[schema(example = "professional")]
    pub plan: String,
    /// The version of the plan that was sold.
    pub version: i32,
    /// `pending`, `active`, `past_due`, `suspended`, `cancelled` or `expired`.
    #[schema(example = "active")]
    pub status: &'static str,
    /// `month` or `year`: how long a paid term is.
    #[schema(example = "month")]
    pub interval: &'static str,
    pub seats: u32,
    /// The quota period that is open; always a month.
    pub period: PeriodView,
    /// What is paid for at once: one or twelve quota periods.
    pub term: PeriodView,
    /// The local day on which the open period ends.
    #[schema(value_type = String, format = Date)]
    pub quota_reset_date: NaiveDate,
    pub selected_ai_model: Option<String>,
    /// What follows when the term ends.
    pub scheduled_change: Option<ChangeView>,
    /// What begins once its bill is paid.
    pub awaiting_payment: Option<ChangeView>,
    /// Whether bills are paid from the account's balance as they are issued.
    pub auto_pay: bool,
    /// Whether the subscription ends with its term; it may be resumed until then.
    pub cancel_at_term_end: bool,
    #[schema(value_type = String, format = DateTime)]
    pub started_at: DateTime<Utc>,
    #[schema(value_type = Option<String>, format = DateTime)]
    pub cancelled_at: Option<DateTime<Utc>>,
}

/// A plan that is to come.
#[derive(Serialize, ToSchema)]
pub struct ChangeView {
    pub plan: String,
    pub interval: &'static str,
    pub seats: u32,
    /// Null when it depends on a payment.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub effective_at: Option<DateTime<Utc>>,
}

impl ChangeView {
    fn new(choice: &Choice, effective_at: Option<DateTime<Utc>>) -> Self {
        Self { plan: choice.plan.to_string(), interval: choice.interval.name(), seats: choice.seats, effective_at }
    }
}

impl SubscriptionView {
    fn of(subscription: Subscription, shown: &Choice, version: &PlanVersion, status: SubscriptionStatus) -> Self {
        let term_end = Some(subscription.term.end);
        Self {
            account: subscription.account,
            plan: shown.plan.to_string(),
            version: version.number,
            status: status.name(),
            interval: shown.interval.name(),
            seats: shown.seats,
            quota_reset_date: local_day(subscription.period.end, subscription.zone),
            period: subscription.period.into(),
            term: subscription.term.into(),
            scheduled_change: subscription.scheduled.as_ref().map(|choice| ChangeView::new(choice, term_end)),
            awaiting_payment: subscription.awaiting_payment.as_ref().map(|choice| ChangeView::new(choice, None)),
            selected_ai_model: subscription.selected_ai_model,
            auto_pay: subscription.auto_pay,
            cancel_at_term_end: subscription.cancel_at_term_end,
            started_at: subscription.started_at,
            cancelled_at: subscription.cancelled_at,
        }
    }
}

impl From<View> for SubscriptionView {
    fn from(view: View) -> Self {
        let (chosen, status) = (view.subscription.chosen.clone(), view.subscription.status);
        Self::of(view.subscription, &chosen, &view.version, status)
    }
}

/// What subscribing did.
#[derive(Serialize, ToSchema)]
pub struct SubscribedView {
    /// The plan asked for, `pending` until it is paid; the running one when the change comes later.
    pub subscription: SubscriptionView,
    pub quote: QuoteView,
    /// What has to be paid for the change to begin; null when nothing is due today.
    pub bill: Option<BillDetail>,
}

impl SubscribedView {
    pub fn new(done: Subscribed, bill: Option<BillDetail>) -> Self {
        let (running, status) = (done.subscription.chosen.clone(), done.subscription.status);
        let subscription = match done.subscription.awaiting_payment.clone() {
            Some(waiting) => {
                SubscriptionView::of(done.subscription, &waiting, &done.version, SubscriptionStatus::Pending)
            }
            None => SubscriptionView::of(done.subscription, &running, &done.running, status),
        };
        Self { subscription, quote: QuoteView::from(done.quote), bill }
    }
}

/// What a change means and costs.
#[derive(Serialize, ToSchema)]
pub struct QuoteView {
    /// `upgrade`, `downgrade` or `same`.
    #[schema(example = "upgrade")]
    pub kind: &'static str,
    /// When the change begins; null is at once, or when what is due is paid.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub effective_at: Option<DateTime<Utc>>,
    /// Credit for the rest of the old term and the charge for the new one, prorated by the second.
    pub lines: Vec<QuoteLineView>,
    #[schema(example = "49.50")]
    pub amount_due: String,
    #[schema(value_type = String, example = "CNY")]
    pub currency: Currency,
}

#[derive(Serialize, ToSchema)]
pub struct QuoteLineView {
    /// `credit` or `charge`.
    #[schema(example = "charge")]
    pub kind: &'static str,
    pub plan: String,
    pub interval: &'static str,
    pub seats: u32,
    /// The part of the term that the line is for.
    pub period: PeriodView,
    /// Negative for a credit.
    #[schema(example = "-49.50")]
    pub amount: String,
}

impl From<QuoteLine> for QuoteLineView {
    fn from(line: QuoteLine) -> Self {
        Self {
            kind: if line.amount.nanos() < 0 { "credit" } else { "charge" },
            plan: line.choice.plan.to_string(),
            interval: line.choice.interval.name(),
            seats: line.choice.seats,
            period: line.period.into(),
            amount: line.amount.to_decimal(),
        }
    }
}

impl From<Quote> for QuoteView {
    fn from(quote: Quote) -> Self {
        Self {
            kind: match quote.kind {
                ChangeKind::Upgrade => "upgrade",
                ChangeKind::Downgrade => "downgrade",
                ChangeKind::Same => "same",
            },
            effective_at: match quote.effective {
                Effective::Now => None,
                Effective::TermEnd(end) => Some(end),
            },
            amount_due: quote.due.to_decimal(),
            currency: quote.due.currency(),
            lines: quote.lines.into_iter().map(QuoteLineView::from).collect(),
        }
    }
}

/// Reads the interval of a request.
pub fn read_interval(word: Option<&str>) -> domain::error::Result<Option<Interval>> {
    let read =
        |word| Interval::parse(word).ok_or_else(|| domain::error::Error::invalid("interval", "is month or year"));
    word.map(read).transpose()
}
