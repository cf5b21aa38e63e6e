//! The port to providers that charge for a plan again and again by themselves (Stripe Billing), and its nouns.
//!
//! Events arrive in any order and more than once. Whoever mirrors a subscription takes an event as a hint and asks
//! [`SubscriptionProvider::query_subscription`] for what is true; a term is granted from its paid invoice only, for a
//! checkout that completed and an invoice that was paid are one payment.

use super::provider::{NotificationRefused, ProviderNumber, ProviderResult, RawNotification};
use crate::money::Money;
use crate::plans::Interval;
use crate::time::Period;
use crate::wallet::Provider;
use async_trait::async_trait;
use chrono::{DateTime, Utc};

/// A subscription to be asked for. Repeating the same request asks for the same checkout.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckoutRequest {
    pub number: ProviderNumber,
    /// What the customer reads, at most 120 characters.
    pub description: String,
    /// Of one seat and one interval; above zero, in whole minor units.
    pub price: Money,
    pub interval: Interval,
    /// 1 where the plan has no seats.
    pub seats: u32,
    /// The provider's customer, if this account has been one before.
    pub customer: Option<String>,
    pub email: Option<String>,
    /// Where the customer's browser goes afterwards, paid or not.
    pub return_url: String,
    /// The checkout that was made before under this number, as far as known: as long as it is open it is answered again,
    /// and once the customer went through it there is no other.
    pub before: Option<String>,
}

/// A page that waits for the customer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkout {
    /// The provider's id of it.
    pub reference: String,
    pub url: String,
}

/// Where a subscription stands at the provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProviderSubscriptionStatus {
    /// The first payment is not through.
    Incomplete,
    /// The first payment never came; final.
    IncompleteExpired,
    Trialing,
    Active,
    PastDue,
    Unpaid,
    Paused,
    /// Final.
    Cancelled,
}

/// A subscription as the provider has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProviderSubscription {
    /// The provider's id.
    pub reference: String,
    pub customer: String,
    /// Ours, given with the checkout; none for one that was made at the provider by hand.
    pub number: Option<ProviderNumber>,
    pub status: ProviderSubscriptionStatus,
    /// Of one seat.
    pub price: Money,
    pub seats: u32,
    /// The term that runs.
    pub period: Period,
    pub cancel_at_period_end: bool,
    pub ended_at: Option<DateTime<Utc>>,
}

/// One charge of a subscription.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProviderInvoice {
    /// The provider's id.
    pub reference: String,
    pub subscription: String,
    pub customer: String,
    /// Paid, or due when it was not paid.
    pub amount: Money,
    /// The term that it is for.
    pub period: Period,
    /// As far as the provider says.
    pub paid_at: Option<DateTime<Utc>>,
}

/// When a cancelled subscription ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CancelWhen {
    Now,
    AtPeriodEnd,
    /// Takes a cancellation at the period's end back.
    Never,
}

/// A message about subscriptions whose signature was right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubscriptionMessage {
    /// The provider's id of the message; the same when it is delivered again.
    pub message: String,
    pub occurred_at: DateTime<Utc>,
    pub event: SubscriptionEvent,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SubscriptionEvent {
    /// The customer went through the checkout. Whether it is paid is the invoice's to say.
    CheckedOut {
        number: ProviderNumber,
        customer: String,
        subscription: String,
    },
    /// Made, changed or ended.
    Changed(Box<ProviderSubscription>),
    Paid(ProviderInvoice),
    PaymentFailed(ProviderInvoice),
    /// Nothing about subscriptions; [`super::PaymentProvider::read_notification`] may know it.
    Other {
        kind: String,
    },
}

/// The code of a checkout that the customer went through before.
pub const CHECKED_OUT: &str = "checked_out";

/// A provider of subscriptions.
#[cfg_attr(any(test, feature = "testing"), mockall::automock)]
#[async_trait]
pub trait SubscriptionProvider: Send + Sync {
    fn provider(&self) -> Provider;

    /// Asks for a subscription. `Refused` with [`CHECKED_OUT`] when the customer went through the checkout before.
    async fn checkout(&self, request: &CheckoutRequest) -> ProviderResult<Checkout>;

    /// A page where the customer sees invoices and changes the card; it lives for minutes.
    async fn portal_link(&self, customer: &str, return_url: &str) -> ProviderResult<String>;

    /// Ends a subscription, or says when it ends; repeating it changes nothing.
    async fn cancel(&self, subscription: &str, when: CancelWhen) -> ProviderResult<ProviderSubscription>;

    /// What is true now; none if the provider does not know it.
    async fn query_subscription(&self, subscription: &str) -> ProviderResult<Option<ProviderSubscription>>;

    /// A charge of a subscription that went through; none if the provider knows no such charge.
    async fn query_charge(&self, reference: &str) -> ProviderResult<Option<ProviderInvoice>>;

    /// Verifies and reads a notification, which comes to the same address as those of payments.
    fn read_event(&self, raw: &RawNotification) -> Result<SubscriptionMessage, NotificationRefused>;
}
