//! What later contexts add to a payment: how a purpose is delivered, what else happens when somebody paid, and how a charge
//! is collected that nobody told us of.

use super::order::{Order, Purpose};
use super::refund::Refund;
use crate::error::Result;
use crate::id::AccountId;
use crate::money::Money;
use crate::quantity::Quantity;
use crate::store::Repositories;
use crate::wallet::Provider;
use async_trait::async_trait;
use chrono::{DateTime, Utc};

/// Delivers what orders of one purpose are for.
///
/// Everything here joins the unit of work of the payment, which holds the lock on the order's account, and commits
/// nothing. The money of an order lies on `LedgerAccount::Suspense` when it is delivered, and `order.amount` of it has
/// to be moved on; a refund's money has to be moved to `LedgerAccount::Refund`, and back when it fails.
///
/// An error by meaning (`Conflict`, `Invalid`, `NotFound`, …) says that it cannot be delivered: the unit is undone, and
/// the money is suspended for an operator to decide. It must be the same when it is asked again.
#[async_trait]
pub trait Delivery: Send + Sync {
    fn handles(&self, purpose: &Purpose) -> bool;

    /// Delivers the order, which is `awaiting_delivery` and names the payment in `paid_by`; called once per order.
    async fn deliver(&self, work: &dyn Repositories, order: &Order, now: DateTime<Utc>) -> Result<()>;

    /// Takes back what belongs to the refund's part of the order, and says how much of a grant that was. An error by
    /// meaning refuses the refund.
    async fn take_back(
        &self,
        work: &dyn Repositories,
        order: &Order,
        refund: &Refund,
        now: DateTime<Utc>,
    ) -> Result<Quantity>;

    /// The refund arrived: what was taken back stays so.
    async fn went_back(
        &self,
        _work: &dyn Repositories,
        _order: &Order,
        _refund: &Refund,
        _now: DateTime<Utc>,
    ) -> Result<()> {
        Ok(())
    }

    /// The refund failed: gives back what was taken.
    async fn give_back(
        &self,
        work: &dyn Repositories,
        order: &Order,
        refund: &Refund,
        now: DateTime<Utc>,
    ) -> Result<()>;
}

/// Hears in the settling unit of work, after the delivery, that an account paid. Called once per delivered order.
#[async_trait]
pub trait PaidHook: Send + Sync {
    async fn paid(&self, work: &dyn Repositories, account: AccountId, amount: Money, now: DateTime<Utc>) -> Result<()>;
}

/// Collects charges of subscriptions of which no message came.
#[async_trait]
pub trait ChargeCollector: Send + Sync {
    /// Asks the provider for the charge; whether it is one of ours and was collected by this.
    async fn catch_up(&self, provider: Provider, reference: &str) -> Result<bool>;
}
