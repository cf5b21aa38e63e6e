//! Stripe: Checkout for single payments and for subscriptions, refunds, webhooks, the customer portal.
//!
//! Every POST has an `Idempotency-Key` made of our own number, and the version of the interface is pinned. A Checkout
//! session lives for Stripe's default of a day; that it ends when the order does is `close`'s doing, for an `expires_at`
//! within 30 minutes is refused and a repetition with another one is too.

mod amounts;
mod bill;
mod calls;
mod checkout;
mod events;
mod invoices;
mod refunds;
mod settings;
mod signature;
mod subscriptions;

pub use settings::StripeSettings;
#[cfg(test)]
pub use signature::verify as verify_signature;

use super::Surroundings;
use super::outside::Outside;
use async_trait::async_trait;
use chrono::NaiveDate;
use domain::orders::{
    BillRow, CancelWhen, Checkout, CheckoutRequest, Closing, Notification, NotificationRefused, PayMethod,
    PaymentProvider, PaymentState, PlaceRequest, Placed, ProviderError, ProviderInvoice, ProviderNumber,
    ProviderResult, ProviderSubscription, RawNotification, RefundRequest, RefundState, Reply, SubscriptionMessage,
    SubscriptionProvider,
};
use domain::wallet::Provider;
use secrecy::SecretString;
use std::fmt;

pub struct Stripe {
    secret_key: SecretString,
    /// Several while the endpoint's secret is changed.
    webhook_secrets: Vec<SecretString>,
    /// Where a browser goes that came with no address of its own.
    return_url: String,
    /// Whether the key moves real money.
    live: bool,
    outside: Outside,
    surroundings: Surroundings,
}

/// Only what is public.
impl fmt::Debug for Stripe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stripe").field("live", &self.live).finish_non_exhaustive()
    }
}

#[async_trait]
impl PaymentProvider for Stripe {
    fn provider(&self) -> Provider {
        Provider::Stripe
    }

    async fn place(&self, request: &PlaceRequest) -> ProviderResult<Placed> {
        match request.method {
            PayMethod::Default => self.place_session(request).await,
            PayMethod::Page => Err(ProviderError::Unsupported),
        }
    }

    async fn query(&self, number: ProviderNumber, reference: Option<String>) -> ProviderResult<PaymentState> {
        self.query_session(number, reference).await
    }

    async fn close(&self, number: ProviderNumber, reference: Option<String>) -> ProviderResult<Closing> {
        self.expire_session(number, reference).await
    }

    async fn refund(&self, request: &RefundRequest) -> ProviderResult<RefundState> {
        self.ask_for_refund(request).await
    }

    async fn query_refund(&self, request: &RefundRequest) -> ProviderResult<RefundState> {
        self.find_refund(request).await
    }

    fn read_notification(&self, raw: &RawNotification) -> Result<Notification, NotificationRefused> {
        self.verified_notification(raw)
    }

    fn reply(&self, accepted: bool) -> Reply {
        Reply { status: if accepted { 200 } else { 400 }, content_type: "text/plain", body: "" }
    }

    async fn daily_bill(&self, day: NaiveDate) -> ProviderResult<Vec<BillRow>> {
        self.balance_transactions(day).await
    }
}

#[async_trait]
impl SubscriptionProvider for Stripe {
    fn provider(&self) -> Provider {
        Provider::Stripe
    }

    async fn checkout(&self, request: &CheckoutRequest) -> ProviderResult<Checkout> {
        self.subscription_session(request).await
    }

    async fn portal_link(&self, customer: &str, return_url: &str) -> ProviderResult<String> {
        self.portal_session(customer, return_url).await
    }

    async fn cancel(&self, subscription: &str, when: CancelWhen) -> ProviderResult<ProviderSubscription> {
        self.end_subscription(subscription, when).await
    }

    async fn query_subscription(&self, subscription: &str) -> ProviderResult<Option<ProviderSubscription>> {
        self.fetch_subscription(subscription).await
    }

    async fn query_charge(&self, reference: &str) -> ProviderResult<Option<ProviderInvoice>> {
        self.fetch_charge(reference).await
    }

    fn read_event(&self, raw: &RawNotification) -> Result<SubscriptionMessage, NotificationRefused> {
        self.verified_event(raw)
    }
}
