//! What orders keep: products, orders, payment attempts, refunds, suspended money, messages and differences.

use super::charge::Charge;
use super::message::{MessageOutcome, PaymentMessage};
use super::order::Order;
use super::order_status::OrderStatus;
use super::payment::Payment;
use super::payment_status::PaymentStatus;
use super::product::Product;
use super::reconciliation::{Difference, DifferenceStatus};
use super::refund::{Refund, RefundStatus};
use super::suspense::{SuspenseItem, SuspenseStatus};
use crate::id::{AccountId, DifferenceId, OrderId, PaymentId, PaymentMessageId, ProductId, RefundId, SuspenseId};
use crate::money::Money;
use crate::page::{Page, PageRequest};
use crate::store::StoreResult;
use crate::wallet::Provider;
use async_trait::async_trait;
use chrono::{DateTime, NaiveDate, Utc};
use uuid::Uuid;

/// Products on sale, and those that were.
#[cfg_attr(any(test, feature = "testing"), mockall::automock)]
#[async_trait]
pub trait ProductRepository: Send + Sync {
    async fn find(&self, id: ProductId) -> StoreResult<Option<Product>>;

    async fn find_by_code(&self, code: &str) -> StoreResult<Option<Product>>;

    /// A second product of the same code is `StoreError::Duplicate`.
    async fn insert(&self, product: &Product) -> StoreResult<()>;

    async fn save(&self, product: &Product) -> StoreResult<()>;

    /// Up to `limit` products on sale, by `sort`, then code.
    async fn on_sale(&self, limit: u32) -> StoreResult<Vec<Product>>;

    /// All products, newest first.
    async fn list(&self, page: PageRequest) -> StoreResult<Page<Product>>;
}

/// Which orders operators look for; whatever is `None` does not matter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OrderFilter {
    pub account: Option<AccountId>,
    pub status: Option<OrderStatus>,
}

/// Orders. Whoever writes one holds the lock on its account's row.
#[cfg_attr(any(test, feature = "testing"), mockall::automock)]
#[async_trait]
pub trait OrderRepository: Send + Sync {
    /// By its own id, whosever it is: for operators, and for payments that name their order.
    async fn find(&self, id: OrderId) -> StoreResult<Option<Order>>;

    async fn insert(&self, order: &Order) -> StoreResult<()>;

    async fn save(&self, order: &Order) -> StoreResult<()>;

    /// How many orders of the account may still be paid.
    async fn count_open(&self, account: AccountId) -> StoreResult<u64>;

    /// The account's orders for a bill, by the uuid of its id, oldest first.
    async fn of_bill(&self, account: AccountId, bill: Uuid) -> StoreResult<Vec<Order>>;

    /// Up to `limit` orders that wait for a payment and whose time is over, the oldest first.
    async fn due(&self, now: DateTime<Utc>, limit: u32) -> StoreResult<Vec<(AccountId, OrderId)>>;

    /// Newest first.
    async fn list(&self, filter: &OrderFilter, page: PageRequest) -> StoreResult<Page<Order>>;
}

/// Which payments operators look for; whatever is `None` does not matter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PaymentFilter {
    pub account: Option<AccountId>,
    pub provider: Option<Provider>,
    pub status: Option<PaymentStatus>,
}

/// Payment attempts. Whoever writes one holds the lock on its account's row, but for the claim of a poll.
#[cfg_attr(any(test, feature = "testing"), mockall::automock)]
#[async_trait]
pub trait PaymentRepository: Send + Sync {
    async fn find(&self, id: PaymentId) -> StoreResult<Option<Payment>>;

    /// A second one with the same provider and transaction is `StoreError::Duplicate`.
    async fn insert(&self, payment: &Payment) -> StoreResult<()>;

    /// Stores everything of it but what is being refunded, which [`Self::reserve`] alone raises.
    async fn save(&self, payment: &Payment) -> StoreResult<()>;

    /// The attempts of these orders, oldest first.
    async fn of_orders(&self, orders: &[OrderId]) -> StoreResult<Vec<Payment>>;

    /// Adds to what is being refunded while that stays within what came in, by one conditional UPDATE; takes away when
    /// `amount` is negative. False when it would be too much.
    async fn reserve(&self, id: PaymentId, amount: Money, now: DateTime<Utc>) -> StoreResult<bool>;

    /// Up to `limit` attempts whose provider is to be asked, the most urgent first.
    async fn due(&self, now: DateTime<Utc>, limit: u32) -> StoreResult<Vec<Payment>>;

    /// Moves the next question to `until` by one conditional UPDATE; false when somebody else asks.
    async fn claim(&self, payment: &Payment, until: DateTime<Utc>) -> StoreResult<bool>;

    /// Newest first.
    async fn list(&self, filter: &PaymentFilter, page: PageRequest) -> StoreResult<Page<Payment>>;

    /// Up to `limit` payments of a provider whose money came in in `[from, until)`, by id after `after`.
    async fn captured_between(
        &self,
        provider: Provider,
        span: (DateTime<Utc>, DateTime<Utc>),
        after: Option<PaymentId>,
        limit: u32,
    ) -> StoreResult<Vec<Payment>>;
}

/// Refunds. Whoever writes one holds the lock on its account's row.
#[cfg_attr(any(test, feature = "testing"), mockall::automock)]
#[async_trait]
pub trait RefundRepository: Send + Sync {
    async fn find(&self, id: RefundId) -> StoreResult<Option<Refund>>;

    async fn insert(&self, refund: &Refund) -> StoreResult<()>;

    async fn save(&self, refund: &Refund) -> StoreResult<()>;

    /// The refunds of these payments, oldest first.
    async fn of_payments(&self, payments: &[PaymentId]) -> StoreResult<Vec<Refund>>;

    /// Up to `limit` refunds whose provider is to be asked.
    async fn due(&self, now: DateTime<Utc>, limit: u32) -> StoreResult<Vec<Refund>>;

    /// Newest first.
    async fn list(&self, status: Option<RefundStatus>, page: PageRequest) -> StoreResult<Page<Refund>>;

    /// Up to `limit` refunds that succeeded in `[from, until)`, by id after `after`.
    async fn succeeded_between(
        &self,
        span: (DateTime<Utc>, DateTime<Utc>),
        after: Option<RefundId>,
        limit: u32,
    ) -> StoreResult<Vec<Refund>>;
}

/// Suspended money. Whoever writes an item holds the lock on its account's row.
#[cfg_attr(any(test, feature = "testing"), mockall::automock)]
#[async_trait]
pub trait SuspenseRepository: Send + Sync {
    async fn find(&self, id: SuspenseId) -> StoreResult<Option<SuspenseItem>>;

    /// The item of a capture.
    async fn find_capture(&self, payment: PaymentId, transaction: &str) -> StoreResult<Option<SuspenseItem>>;

    /// A second item of the same payment and transaction is `StoreError::Duplicate`.
    async fn insert(&self, item: &SuspenseItem) -> StoreResult<()>;

    async fn save(&self, item: &SuspenseItem) -> StoreResult<()>;

    /// Newest first.
    async fn list(&self, status: Option<SuspenseStatus>, page: PageRequest) -> StoreResult<Page<SuspenseItem>>;
}

/// Providers' messages.
#[cfg_attr(any(test, feature = "testing"), mockall::automock)]
#[async_trait]
pub trait PaymentMessageRepository: Send + Sync {
    async fn find_by_message(&self, provider: Provider, message: &str) -> StoreResult<Option<PaymentMessage>>;

    /// A second one of the same provider and message is `StoreError::Duplicate`.
    async fn insert(&self, message: &PaymentMessage) -> StoreResult<()>;

    /// How many of a provider have a key that begins so and ends with a hash in hexadecimal digits.
    async fn count_hashed(&self, provider: Provider, beginning: &str) -> StoreResult<u64>;

    async fn conclude(&self, id: PaymentMessageId, outcome: MessageOutcome, now: DateTime<Utc>) -> StoreResult<()>;

    /// Newest first, without their bodies where `outcome` names none.
    async fn list(&self, outcome: Option<MessageOutcome>, page: PageRequest) -> StoreResult<Page<PaymentMessage>>;
}

/// Charges that providers made by themselves. Whoever writes one holds the lock on its account's row.
#[cfg_attr(any(test, feature = "testing"), mockall::automock)]
#[async_trait]
pub trait ChargeRepository: Send + Sync {
    /// A second one of the same provider and reference is `StoreError::Duplicate`.
    async fn insert(&self, charge: &Charge) -> StoreResult<()>;

    async fn find(&self, provider: Provider, reference: &str) -> StoreResult<Option<Charge>>;

    /// Up to `limit` charges of a provider in `[from, until)` by its own time, by reference after `after`.
    async fn charged_between(
        &self,
        provider: Provider,
        span: (DateTime<Utc>, DateTime<Utc>),
        after: Option<String>,
        limit: u32,
    ) -> StoreResult<Vec<Charge>>;
}

/// What reconciliation found.
#[cfg_attr(any(test, feature = "testing"), mockall::automock)]
#[async_trait]
pub trait ReconciliationRepository: Send + Sync {
    async fn find(&self, id: DifferenceId) -> StoreResult<Option<Difference>>;

    /// A second one of the same provider, day, class and number is `StoreError::Duplicate`.
    async fn insert(&self, difference: &Difference) -> StoreResult<()>;

    async fn save(&self, difference: &Difference) -> StoreResult<()>;

    /// All differences of a provider's day.
    async fn of_day(&self, provider: Provider, day: NaiveDate) -> StoreResult<Vec<Difference>>;

    /// Newest first.
    async fn list(&self, status: Option<DifferenceStatus>, page: PageRequest) -> StoreResult<Page<Difference>>;

    /// Notes that the provider's day was compared.
    async fn finish_day(&self, provider: Provider, day: NaiveDate, now: DateTime<Utc>) -> StoreResult<()>;

    async fn is_finished(&self, provider: Provider, day: NaiveDate) -> StoreResult<bool>;
}
