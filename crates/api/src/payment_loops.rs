//! Background work on payments: closing what was not paid, asking providers, following refunds, comparing bills.
//! Replicas share it by leases.

use crate::loops::claim;
use crate::services::Services;
use domain::billing::MIRROR_CHUNK;
use domain::error::Result;
use domain::orders::{EXPIRE_CHUNK, POLL_CHUNK, REFUND_CHUNK};
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinHandle;
use uuid::Uuid;

/// Between two looks at what is due.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// Between two looks for a day that was not compared.
const RECONCILE_EVERY: Duration = Duration::from_mins(10);
/// Most chunks of one look, so that one kind of work does not keep the others waiting.
const MOST_CHUNKS: u32 = 20;
/// Most chunks of all that is due.
const MOST_CHUNKS_OF_ALL: u32 = 1000;

const PAYMENTS: &str = "payments";
const RECONCILE: &str = "reconcile";

pub fn start(services: &Arc<Services>) -> Vec<JoinHandle<()>> {
    vec![tokio::spawn(payment_loop(services.clone())), tokio::spawn(reconcile_loop(services.clone()))]
}

async fn payment_loop(services: Arc<Services>) {
    let holder = Uuid::now_v7();
    loop {
        if let Err(error) = look_after_payments(&services, holder).await {
            tracing::warn!(error = ?error, "payments could not be looked after; it is tried again");
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// Closes, asks and follows what is due while this replica holds the lease.
pub async fn look_after_payments(services: &Services, holder: Uuid) -> Result<()> {
    for _ in 0..MOST_CHUNKS {
        if !claim(services, PAYMENTS, holder).await? {
            return Ok(());
        }
        if !chunk(services).await? {
            return Ok(());
        }
    }
    Ok(())
}

/// Does all that is due, whoever holds the lease; what fails is left to the loop.
pub async fn round(services: &Services) -> Result<()> {
    for _ in 0..MOST_CHUNKS_OF_ALL {
        if !chunk(services).await? {
            return Ok(());
        }
    }
    Ok(())
}

/// A chunk of each kind of work; whether there may be more.
async fn chunk(services: &Services) -> Result<bool> {
    let expired = services.orders.expire_due().await?;
    let polled = services.orders.poll_due().await?;
    let followed = services.orders.follow_refunds().await?;
    let mirrored = services.recurring.look_again().await?;
    let rest = followed >= REFUND_CHUNK || mirrored >= MIRROR_CHUNK;
    Ok(expired >= EXPIRE_CHUNK || polled >= POLL_CHUNK || rest)
}

async fn reconcile_loop(services: Arc<Services>) {
    let holder = Uuid::now_v7();
    loop {
        if let Err(error) = reconcile(&services, holder).await {
            tracing::warn!(error = ?error, "reconciliation failed; it is tried again");
        }
        tokio::time::sleep(RECONCILE_EVERY).await;
    }
}

async fn reconcile(services: &Services, holder: Uuid) -> Result<()> {
    for (provider, day) in services.orders.days_to_reconcile().await? {
        if !claim(services, RECONCILE, holder).await? {
            return Ok(());
        }
        match services.orders.reconcile(provider, day).await {
            Ok(done) => {
                let (rows, settled, differences) = (done.rows, done.settled, done.differences.len());
                if settled > 0 || differences > 0 {
                    tracing::warn!(provider = provider.name(), %day, rows, settled, differences, "a day was compared");
                } else {
                    tracing::debug!(provider = provider.name(), %day, rows, "a day was compared, and agrees");
                }
            }
            Err(error) => tracing::warn!(provider = provider.name(), %day, error = ?error, "a day was not compared"),
        }
    }
    Ok(())
}
