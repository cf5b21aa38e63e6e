//! Making an order and its payment attempts: written and committed first, then asked for at the provider.
//!
//! An attempt begins as `unknown` and stays so until the provider's answer is stored. Whoever finds one asks again with
//! the same number, which every provider takes for the same payment.

use super::order::{Order, Purpose};
use super::order_status::OrderStatus;
use super::payment::Payment;
use super::payment_status::PaymentStatus;
use super::provider::{PayMethod, PaymentState, PlaceRequest, Placed, ProviderError};
use super::service::OrderService;
use super::settling::{self, Fact};
use crate::accounts::AccountStatus;
use crate::error::{Error, LimitKind, Result};
use crate::id::{AccountId, OrderId, PaymentId, UserId};
use crate::money::Money;
use crate::store::{Repositories, retrying};
use crate::wallet::Provider;
use chrono::{DateTime, TimeDelta, Utc};

/// Orders of an account that wait for a payment.
const MAX_OPEN_ORDERS: u64 = 20;
/// Attempts at one order.
const MAX_ATTEMPTS: usize = 10;
/// What providers take of a description, in characters.
const MAX_DESCRIPTION_LENGTH: usize = 120;
/// A caller who died before the provider was asked is followed by the loop after this time.
const ASK_AFTER: TimeDelta = TimeDelta::seconds(20);

/// An order before it has an id.
#[derive(Clone, Debug)]
pub struct Draft {
    pub account: AccountId,
    pub user: UserId,
    pub purpose: Purpose,
    /// Above zero, in whole minor units.
    pub amount: Money,
    pub description: String,
    pub provider: Provider,
    pub method: PayMethod,
}

/// An order and the attempt at it that the customer makes now.
#[derive(Clone, Debug)]
pub struct Attempt {
    pub order: Order,
    pub payment: Payment,
}

impl OrderService {
    /// Writes an order and its first attempt, in the unit of work of the caller, who holds the lock on the account's row.
    /// After its commit the caller asks the provider by [`Self::place`]; if that never happens, the loop does.
    pub async fn begin(&self, work: &dyn Repositories, draft: Draft, now: DateTime<Utc>) -> Result<Attempt> {
        if work.orders().count_open(draft.account).await? >= MAX_OPEN_ORDERS {
            return Err(Error::conflict("conflict", "Twenty orders wait for their payment; pay or close one first."));
        }
        let order = Order {
            id: OrderId::new(now),
            account: draft.account,
            user: draft.user,
            purpose: draft.purpose,
            amount: draft.amount,
            description: draft.description.chars().take(MAX_DESCRIPTION_LENGTH).collect(),
            status: OrderStatus::Created,
            paid_by: None,
            close_reason: None,
            expires_at: self.rules.expiry(draft.provider, now),
            delivered_at: None,
            closed_at: None,
            created_at: now,
            updated_at: now,
        };
        work.orders().insert(&order).await?;
        let payment = self.attempt(work, &order, (draft.provider, draft.method), now).await?;
        Ok(Attempt { order, payment })
    }

    /// Writes another attempt at an order, in the unit of work of the caller, who holds the lock on its account's row.
    pub async fn attempt(
        &self,
        work: &dyn Repositories,
        order: &Order,
        (provider, method): (Provider, PayMethod),
        now: DateTime<Utc>,
    ) -> Result<Payment> {
        if self.providers.get(provider).is_none() {
            return Err(Error::invalid("provider", "is not offered here"));
        }
        let account = work.accounts().find(order.account).await?.ok_or(Error::NotFound("account"))?;
        if account.status == AccountStatus::Frozen {
            return Err(Error::Barred(LimitKind::AccountStatus));
        }
        if order.status != OrderStatus::Created || order.expires_at <= now {
            return Err(Error::conflict("order_closed", "The order takes no payment any more."));
        }
        let others = work.payments().of_orders(&[order.id]).await?;
        if others.iter().any(|other| other.status == PaymentStatus::Unknown) {
            let detail = "What became of the last payment is not known yet; try again in a minute.";
            return Err(Error::conflict("payment_unknown", detail));
        }
        if others.len() >= MAX_ATTEMPTS {
            return Err(Error::conflict("conflict", "Ten payments were tried; make a new order."));
        }
        let none = Money::zero(order.amount.currency());
        let payment = Payment {
            id: PaymentId::new(now),
            order: order.id,
            account: order.account,
            provider,
            method,
            status: PaymentStatus::Unknown,
            amount: order.amount,
            captured: None,
            transaction: None,
            reference: None,
            action: None,
            refunding: none,
            refunded: none,
            expires_at: self.rules.expiry(provider, now).max(order.expires_at),
            paid_at: None,
            polls: 0,
            next_poll_at: Some(now + ASK_AFTER),
            polled_at: None,
            created_at: now,
            updated_at: now,
        };
        work.payments().insert(&payment).await?;
        if payment.expires_at > order.expires_at {
            work.orders().save(&Order { expires_at: payment.expires_at, ..order.clone() }).await?;
        }
        Ok(payment)
    }

    /// Asks the provider for an attempt whose answer is not stored; answers the attempt as it is then.
    pub async fn place(&self, id: PaymentId) -> Result<Attempt> {
        let asked = self.checkout(id).await?;
        if asked.payment.status != PaymentStatus::Unknown || asked.order.status != OrderStatus::Created {
            return Ok(asked);
        }
        let provider = self.providers.get(asked.payment.provider).ok_or(Error::Unavailable)?;
        let request = self.request(&asked);
        match provider.place(&request).await {
            Ok(placed) => {
                retrying!(self.store, self.keep_answer(id, &placed))?;
            }
            Err(ProviderError::Unavailable | ProviderError::Unknown) => {
                tracing::warn!(payment = %id, provider = asked.payment.provider.name(), "the provider gave no answer");
            }
            Err(ProviderError::Refused { code, message }) => {
                tracing::warn!(payment = %id, code, message, "the provider refused a payment");
                self.refused(&asked.payment).await?;
            }
            Err(ProviderError::Unsupported) => self.refused(&asked.payment).await?,
        }
        self.checkout(id).await
    }

    fn request(&self, asked: &Attempt) -> PlaceRequest {
        PlaceRequest {
            number: asked.payment.number(),
            method: asked.payment.method,
            amount: asked.payment.amount,
            description: asked.order.description.clone(),
            expires_at: asked.payment.expires_at,
            return_url: Some(self.rules.return_url(asked.payment.id)),
        }
    }

    /// A refusal may mean that it was paid before: what holds is what the provider answers to a query.
    async fn refused(&self, payment: &Payment) -> Result<()> {
        let provider = self.providers.get(payment.provider).ok_or(Error::Unavailable)?;
        let state = match provider.query(payment.number(), payment.reference.clone()).await {
            Ok(PaymentState::NotFound | PaymentState::Open) => PaymentState::Failed,
            Ok(state) => state,
            // Without an answer it stays unknown, and is asked for again.
            Err(_) => return Ok(()),
        };
        let fact = Fact { payment: payment.id, provider: payment.provider, state };
        self.apply(&fact).await.map(drop)
    }

    async fn keep_answer(&self, id: PaymentId, placed: &Placed) -> Result<()> {
        let now = self.clock.now();
        let work = self.store.begin().await?;
        let counter = settling::lock(&*work, id, now).await?.ok_or(Error::NotFound("payment"))?;
        work.payments().save(&counter.payment.placed(placed.clone(), now)).await?;
        Ok(work.commit().await?)
    }

    pub(super) async fn checkout(&self, id: PaymentId) -> Result<Attempt> {
        let payment = self.store.payments().find(id).await?.ok_or(Error::NotFound("payment"))?;
        let order = self.store.orders().find(payment.order).await?.ok_or(Error::NotFound("order"))?;
        Ok(Attempt { order, payment })
    }
}
