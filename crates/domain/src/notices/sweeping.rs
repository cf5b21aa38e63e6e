//! Deleting what was told long ago.

use crate::error::Result;
use crate::store::Store;
use chrono::{DateTime, TimeDelta, Utc};

/// How long deliveries can be looked at and replayed, dead ones too.
pub const DELIVERIES_KEPT: TimeDelta = TimeDelta::days(30);
/// Events outlive their deliveries, which show and send their content.
pub const EVENTS_KEPT: TimeDelta = TimeDelta::days(37);
pub const NOTICES_KEPT: TimeDelta = TimeDelta::days(365);
/// Most rows that one transaction deletes.
const CHUNK: u32 = 500;

/// Deletes in small transactions until nothing is old; how many rows.
pub async fn sweep(store: &dyn Store, now: DateTime<Utc>) -> Result<u64> {
    let mut all = 0;
    loop {
        let work = store.begin().await?;
        let deliveries = work.deliveries().delete_older(now - DELIVERIES_KEPT, CHUNK).await?;
        let events = work.outbox().delete_fanned_out(now - EVENTS_KEPT, CHUNK).await?;
        let notices = work.notices().delete_older(now - NOTICES_KEPT, CHUNK).await?;
        work.commit().await?;
        all += deliveries + events + notices;
        if [deliveries, events, notices].iter().all(|deleted| *deleted < u64::from(CHUNK)) {
            return Ok(all);
        }
    }
}
