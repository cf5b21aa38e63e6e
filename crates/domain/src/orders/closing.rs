//! Closing orders in two steps: first no new payment is taken, then every provider that was asked is told, and only
//! when none may take money any more is the order closed.

use super::order::{CloseReason, Order};
use super::order_status::OrderStatus;
use super::service::{OrderService, OrderView, require_buyer};
use super::settling::call_off_others;
use super::telling;
use crate::accounts::Act;
use crate::actor::Actor;
use crate::error::{Error, Result};
use crate::id::OrderId;
use crate::store::{Repositories, retrying};
use chrono::{DateTime, Utc};

/// Orders closed between two looks at the clock.
pub const EXPIRE_CHUNK: u32 = 50;

impl OrderService {
    /// Closes an unpaid order. One that a provider may still take money for is `closing` when this answers.
    pub async fn close(&self, actor: &Actor, id: OrderId) -> Result<OrderView> {
        require_buyer(actor)?;
        self.visible(&*self.store, actor, id, Act::Buy).await?;
        let order = retrying!(self.store, self.begin_closing(id, CloseReason::Cancelled))?;
        match order.status {
            OrderStatus::Closing => self.call_off_attempts(&order).await,
            OrderStatus::Closed => {}
            OrderStatus::Created | OrderStatus::AwaitingDelivery | OrderStatus::Delivered => {
                return Err(Error::conflict("order_paid", "The order was paid; ask for a refund instead."));
            }
        }
        self.shown(id).await
    }

    /// Begins to close a chunk of the orders whose time is over; how many that were.
    pub async fn expire_due(&self) -> Result<u32> {
        let due = self.store.orders().due(self.clock.now(), EXPIRE_CHUNK).await?;
        let count = u32::try_from(due.len()).unwrap_or(u32::MAX);
        for (_, id) in due {
            match retrying!(self.store, self.begin_closing(id, CloseReason::Expired)) {
                Ok(order) => self.call_off_attempts(&order).await,
                Err(error) => tracing::warn!(order = %id, error = ?error, "an order could not be closed"),
            }
        }
        Ok(count)
    }

    /// The first step; an order that is not open is answered as it is.
    async fn begin_closing(&self, id: OrderId, reason: CloseReason) -> Result<Order> {
        let now = self.clock.now();
        let work = self.store.begin().await?;
        let found = work.orders().find(id).await?.ok_or(Error::NotFound("order"))?;
        work.accounts().lock(found.account).await?.ok_or(Error::NotFound("account"))?;
        let order = work.orders().find(id).await?.ok_or(Error::NotFound("order"))?;
        if order.status != OrderStatus::Created {
            return Ok(order);
        }
        let order = call_off(&*work, &order, reason, now).await?;
        work.commit().await?;
        Ok(order)
    }

    /// The second step, as far as it gets; the loop goes on with the rest.
    async fn call_off_attempts(&self, order: &Order) {
        let payments = match self.store.payments().of_orders(&[order.id]).await {
            Ok(payments) => payments,
            Err(error) => return tracing::warn!(order = %order.id, error = ?error, "attempts could not be read"),
        };
        for payment in payments.iter().filter(|payment| payment.status.is_open()) {
            if let Err(error) = self.tend(payment).await {
                tracing::warn!(payment = %payment.id, error = ?error, "a payment could not be called off");
            }
        }
    }
}

/// Lets an order that waits for its payment take none any more, in the unit of work of the caller, who holds the lock
/// on its account's row. The loop tells the providers.
pub async fn call_off(
    work: &dyn Repositories,
    order: &Order,
    reason: CloseReason,
    now: DateTime<Utc>,
) -> Result<Order> {
    let payments = work.payments().of_orders(&[order.id]).await?;
    let open = payments.iter().any(|payment| payment.status.is_open());
    let order = if open { order.closing(reason, now)? } else { order.closed(reason, now)? };
    work.orders().save(&order).await?;
    call_off_others(work, &order, now).await?;
    if !open {
        telling::order(work, &order, &["order.closed"], now).await?;
    }
    Ok(order)
}
