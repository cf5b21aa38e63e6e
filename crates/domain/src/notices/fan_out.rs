//! From the outbox to notices and deliveries: each event becomes rows for everybody who shall hear of it.

use super::delivery::{Delivery, DeliveryStatus};
use super::endpoint::WebhookEndpoint;
use super::lane::Lane;
use super::letter::is_mailed;
use super::notice::Notice;
use super::topic::TEST_EVENT;
use crate::error::Result;
use crate::id::{AccountId, DeliveryId, LaneId, OutboxId};
use crate::outbox::StoredEvent;
use crate::store::{Repositories, Store, StoreError, retrying};
use crate::time::Clock;
use chrono::{DateTime, Utc};
use std::collections::BTreeSet;
use std::sync::Arc;
use uuid::Uuid;

/// Most events of one transaction.
const CHUNK: u32 = 256;
/// Whose row keeps two replicas from fanning out at once.
const LEASE_NAME: &str = "fan_out";

pub struct FanOut {
    pub store: Arc<dyn Store>,
    pub clock: Arc<dyn Clock>,
    /// Whether events are mailed.
    pub mail: bool,
    /// This process.
    pub holder: Uuid,
}

impl FanOut {
    /// Fans out one chunk of events; how many. Fewer than a chunk means that nothing is left.
    pub async fn round(&self) -> Result<usize> {
        if self.store.outbox().waiting(1).await?.is_empty() {
            return Ok(0);
        }
        retrying!(self.store, self.chunk())
    }

    /// The lease ends with the transaction, but its row stays locked until the commit: chunks never overlap, so
    /// every event is fanned out once and in its account's order, whichever replica does it.
    async fn chunk(&self) -> Result<usize> {
        let now = self.clock.now();
        let work = self.store.begin().await?;
        if !work.leases().claim(LEASE_NAME, self.holder, now, now).await? {
            return Ok(0);
        }
        let events = work.outbox().waiting(CHUNK).await?;
        if events.is_empty() {
            return Ok(0);
        }
        let deliveries = self.deliveries(&*work, &events, now).await?;
        let notices: Vec<Notice> = events.iter().filter_map(Notice::of).collect();
        work.notices().insert(&notices).await?;
        work.deliveries().insert(&deliveries).await?;
        let lanes: BTreeSet<LaneId> = deliveries.iter().map(|delivery| delivery.lane).collect();
        work.lanes().wake(&lanes.into_iter().collect::<Vec<_>>(), now).await?;
        let ids: Vec<OutboxId> = events.iter().map(|event| event.id).collect();
        if work.outbox().mark_fanned_out(&ids, now).await? != ids.len() as u64 {
            return Err(StoreError::Contended.into());
        }
        work.commit().await?;
        Ok(ids.len())
    }

    async fn deliveries(
        &self,
        work: &dyn Repositories,
        events: &[StoredEvent],
        now: DateTime<Utc>,
    ) -> Result<Vec<Delivery>> {
        let accounts: BTreeSet<AccountId> = events.iter().map(|event| event.account).collect();
        let endpoints = work.webhooks().of_accounts(&accounts.into_iter().collect::<Vec<_>>()).await?;
        let mut all = Vec::new();
        for event in events {
            let hearing = endpoints.iter().filter(|endpoint| is_told(endpoint, event));
            all.extend(hearing.map(|endpoint| deliver(event, &Lane::of_endpoint(event.account, endpoint.id), now)));
        }
        if self.mail {
            all.extend(self.mails(work, events, now).await?);
        }
        Ok(all)
    }

    /// Mails, and lanes for accounts that got none before.
    async fn mails(
        &self,
        work: &dyn Repositories,
        events: &[StoredEvent],
        now: DateTime<Utc>,
    ) -> Result<Vec<Delivery>> {
        let mailed: Vec<&StoredEvent> = events.iter().filter(|event| is_mailed(event)).collect();
        let accounts: BTreeSet<AccountId> = mailed.iter().map(|event| event.account).collect();
        let lanes: Vec<Lane> = accounts.into_iter().map(Lane::of_mail).collect();
        let there = work.lanes().existing(&lanes.iter().map(|lane| lane.id).collect::<Vec<_>>()).await?;
        let new: Vec<Lane> = lanes.into_iter().filter(|lane| !there.contains(&lane.id)).collect();
        work.lanes().open(&new).await?;
        Ok(mailed.into_iter().map(|event| deliver(event, &Lane::of_mail(event.account), now)).collect())
    }
}

/// A trial is told to the endpoint that it tries; anything else to those of the account that listen.
fn is_told(endpoint: &WebhookEndpoint, event: &StoredEvent) -> bool {
    if endpoint.account != event.account {
        return false;
    }
    if event.kind == TEST_EVENT {
        return endpoint.is_enabled() && event.payload["endpoint"].as_str() == Some(&endpoint.id.to_string());
    }
    endpoint.hears(&event.kind)
}

fn deliver(event: &StoredEvent, lane: &Lane, now: DateTime<Utc>) -> Delivery {
    Delivery {
        id: DeliveryId::new(now),
        lane: lane.id,
        account: event.account,
        position: event.position,
        event: event.id,
        kind: event.kind.clone(),
        status: DeliveryStatus::Waiting,
        attempts: 0,
        response_code: None,
        failure: None,
        created_at: now,
        attempted_at: None,
    }
}

#[cfg(test)]
#[path = "fan_out_tests.rs"]
mod tests;
