//! `suanpan seed`: demo users on three plans, made through the services so that every rule holds.
//!
//! Everything is dated ten days back, so that the demo's periods are under way. Secrets are random and
//! shown once; a development server keeps them (`cli::demo`).

use super::admin::said;
use super::say;
use super::seed_people::Seeding;
use crate::services::Services;
use crate::settings::Settings;
use crate::wiring::{database_settings, wire_at};
use chrono::TimeDelta;
use domain::store::StoreError;
use domain::time::Clock;
use infra::clock::{ShiftedClock, SystemClock};
use infra::db::migrate_up;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

const SEEDING_LEASE: &str = "seed";
const LEASE: TimeDelta = TimeDelta::seconds(15);
/// Between two looks whether another process has finished seeding.
const POLL: Duration = Duration::from_millis(200);
/// How long ago the demo's subscriptions began.
const AGE: TimeDelta = TimeDelta::days(10);
/// The option that says how far seeding came, so that one that was killed goes on at the next start.
const PROGRESS_OPTION: &str = "demo_seed";
pub(super) const BEGUN: &str = "begun";
const DONE: &str = "done";

pub async fn seed_command(settings: &Settings, json: bool) -> anyhow::Result<()> {
    migrate_up(&database_settings(settings)).await?;
    let object = seed(settings).await?;
    if json {
        say(&object);
    } else if object["created"] == json!(true) {
        say(serde_json::to_string_pretty(&object)?);
    } else {
        say("The demo users are there already; nothing was changed.");
    }
    Ok(())
}

/// Makes what is missing of the demo; the second run of a complete one changes nothing.
pub async fn seed(settings: &Settings) -> anyhow::Result<Value> {
    let past = wire_at(settings, Arc::new(ShiftedClock::back(SystemClock.now(), AGE))).await?;
    let today = wire_at(settings, Arc::new(SystemClock)).await?;
    past.plans.publish().await.map_err(said)?;
    let seeding = Seeding { past, today };
    if !may_seed(&seeding.today).await? {
        return seeding.found().await;
    }
    mark(&seeding.past, BEGUN).await?;
    let object = seeding.complete().await?;
    mark(&seeding.past, DONE).await?;
    Ok(object)
}

/// Waits for the right to seed, which one process has at a time; false when the demo is complete.
///
/// The right of a process that was killed ends with its lease, and the next one goes on.
async fn may_seed(services: &Services) -> anyhow::Result<bool> {
    let holder = Uuid::now_v7();
    loop {
        if progress(services).await?.as_deref() == Some(DONE) {
            return Ok(false);
        }
        let now = SystemClock.now();
        let claim = async {
            let work = services.store.begin().await?;
            let claimed = work.leases().claim(SEEDING_LEASE, holder, now, now + LEASE).await?;
            work.commit().await?;
            Ok(claimed)
        };
        match claim.await {
            Ok(true) => return Ok(true),
            // Contended, or inserted by another in the same moment: look again.
            Ok(false) | Err(StoreError::Contended | StoreError::Duplicate) => tokio::time::sleep(POLL).await,
            Err(error) => return Err(said(error.into())),
        }
    }
}

/// How far an earlier run came.
pub(super) async fn progress(services: &Services) -> anyhow::Result<Option<String>> {
    services.store.options().find(PROGRESS_OPTION).await.map_err(|error| said(error.into()))
}

async fn mark(services: &Services, progress: &str) -> anyhow::Result<()> {
    let write = async {
        let work = services.store.begin().await?;
        work.options().set(PROGRESS_OPTION, progress, SystemClock.now()).await?;
        work.commit().await
    };
    write.await.map_err(|error| said(error.into()))
}
