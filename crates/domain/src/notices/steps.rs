//! Steps that several use cases share: putting a delivery back into its lane.

use super::delivery::{Delivery, DeliveryStatus};
use crate::error::{Error, Result};
use crate::store::Repositories;
use chrono::{DateTime, Utc};

/// Puts a delivery back, with all attempts before it. The account of the delivery is locked by the caller.
pub(super) async fn put_back(work: &dyn Repositories, delivery: Delivery, now: DateTime<Utc>) -> Result<Delivery> {
    if delivery.status == DeliveryStatus::Waiting {
        return Err(Error::conflict("conflict", "The delivery waits already."));
    }
    if work.outbox().find(&[delivery.event]).await?.is_empty() {
        return Err(Error::conflict("conflict", "The event is no longer kept."));
    }
    if let Some(endpoint) = delivery.endpoint() {
        let endpoint = work.webhooks().find(endpoint).await?;
        let endpoint = endpoint.ok_or(Error::conflict("conflict", "The endpoint was deleted."))?;
        if !endpoint.is_enabled() {
            return Err(Error::conflict("conflict", "The endpoint is disabled; enable it first."));
        }
    }
    let delivery = delivery.replayed();
    work.deliveries().save(std::slice::from_ref(&delivery)).await?;
    work.lanes().wake(&[delivery.lane], now).await?;
    Ok(delivery)
}
