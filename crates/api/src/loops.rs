//! Background loops: the same use cases as requests, on a timer. Replicas share them by leases.

use crate::billing_rounds;
use crate::payment_loops;
use crate::retention::{self, Upkeep};
use crate::services::Services;
use crate::wiring::TEST_CLOCK_OPTION;
use chrono::{DateTime, TimeDelta, Utc};
use domain::actor::Actor;
use domain::audit::AuditEvent;
use domain::error::{Error, Result};
use domain::metering::{EXPIRE_CHUNK, RolledOver};
use domain::notices;
use domain::time::Clock;
use infra::clock::{SystemClock, TestClock};
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinHandle;
use uuid::Uuid;

/// Between two looks for periods that ended.
const ROLL_OVER_EVERY: Duration = Duration::from_secs(10);
/// Between two looks at what other replicas set the test clock to.
const CLOCK_EVERY: Duration = Duration::from_secs(1);
/// Between two looks at the options: with the request under way, every replica follows within five seconds.
const OPTIONS_EVERY: Duration = Duration::from_secs(2);
const LEASE: TimeDelta = TimeDelta::seconds(30);
const ROLL_OVER: &str = "roll_over";

/// Between two looks for reservations whose time is over.
const EXPIRE_EVERY: Duration = Duration::from_secs(2);
const EXPIRE: &str = "expire_reservations";
/// Between two looks at the months of usage rows.
const RETENTION_EVERY: Duration = Duration::from_hours(1);
/// After a look that failed.
const RETENTION_AGAIN: Duration = Duration::from_mins(1);

/// Between two sweeps of what expired.
const SWEEP_EVERY: Duration = Duration::from_mins(10);
/// A throttle that did not fail for so long says nothing any more.
const THROTTLE_KEPT: TimeDelta = TimeDelta::days(1);

/// How long an idempotency key answers with its first answer.
const ANSWERS_KEPT: TimeDelta = TimeDelta::days(7);

/// Starts every loop; they end with the runtime.
pub fn start(services: &Arc<Services>) -> Vec<JoinHandle<()>> {
    let mut tasks = vec![
        tokio::spawn(roll_over_loop(services.clone())),
        tokio::spawn(expire_loop(services.clone())),
        tokio::spawn(sweep_loop(services.clone())),
        tokio::spawn(retention_loop(services.clone())),
        tokio::spawn(options_loop(services.clone())),
        tokio::spawn(billing_loop(services.clone())),
    ];
    tasks.extend(payment_loops::start(services));
    if let Some(clock) = services.test_clock.clone() {
        tasks.push(tokio::spawn(clock_loop(services.clone(), clock)));
    }
    tasks
}

async fn roll_over_loop(services: Arc<Services>) {
    let holder = Uuid::now_v7();
    tracing::info!(%holder, lease = ROLL_OVER, "periods are rolled over by whoever holds the lease");
    loop {
        match roll_over(&services, holder).await {
            Ok(0) => {}
            Ok(accounts) => tracing::info!(accounts, "periods rolled over"),
            Err(error) => tracing::warn!(error = ?error, "roll-over failed; it is tried again"),
        }
        tokio::time::sleep(ROLL_OVER_EVERY).await;
    }
}

async fn expire_loop(services: Arc<Services>) {
    let holder = Uuid::now_v7();
    loop {
        match expire(&services, holder).await {
            Ok(0) => {}
            Ok(reservations) => tracing::info!(reservations, "reservations expired"),
            Err(error) => tracing::warn!(error = ?error, "expiring reservations failed; it is tried again"),
        }
        tokio::time::sleep(EXPIRE_EVERY).await;
    }
}

/// Expires every reservation whose time is over while this replica holds the lease.
async fn expire(services: &Services, holder: Uuid) -> Result<u64> {
    let (mut done, mut failed) = (0, 0);
    while claim(services, EXPIRE, holder).await? {
        let (ended, stuck) = services.expire_due(failed).await?;
        (done, failed) = (done + ended, failed + stuck);
        if ended + stuck < EXPIRE_CHUNK {
            break;
        }
    }
    Ok(done)
}

async fn retention_loop(services: Arc<Services>) {
    let holder = Uuid::now_v7();
    loop {
        let pause = match retention::upkeep(&services, holder, |step| tracing::info!("usage rows: {step}")).await {
            Ok(Upkeep::Done(_) | Upkeep::Busy) => RETENTION_EVERY,
            Err(error) => {
                tracing::warn!(error = ?error, "the upkeep of usage rows failed; it is tried again");
                RETENTION_AGAIN
            }
        };
        tokio::time::sleep(pause).await;
    }
}

async fn billing_loop(services: Arc<Services>) {
    let holder = Uuid::now_v7();
    loop {
        match billing_rounds::round(&services, Some(holder)).await {
            Ok(progress) if progress.done == 0 => {}
            Ok(progress) => tracing::info!(done = progress.done, failed = progress.failed, "billed"),
            Err(error) => tracing::warn!(error = ?error, "billing failed; it is tried again"),
        }
        tokio::time::sleep(billing_rounds::EVERY).await;
    }
}

async fn sweep_loop(services: Arc<Services>) {
    loop {
        if let Err(error) = sweep(&services).await {
            tracing::warn!(error = ?error, "a sweep failed; it is tried again");
        }
        tokio::time::sleep(SWEEP_EVERY).await;
    }
}

/// Deletes sessions, throttles, log-ins under way and idempotent answers that are over, and what was told long ago. Two
/// replicas may do so at once; the second finds nothing.
pub async fn sweep(services: &Services) -> Result<()> {
    let now = services.clock.now();
    let work = services.store.begin().await?;
    let sessions = work.sessions().delete_expired(now).await?;
    let throttles = work.throttles().delete_stale(now - THROTTLE_KEPT).await?;
    let flows = work.oauth_flows().delete_expired(now).await?;
    let answers = work.idempotency().delete_older_than(now - ANSWERS_KEPT).await?;
    work.commit().await?;
    let told = notices::sweep(&*services.store, now).await?;
    tracing::debug!(sessions, throttles, flows, answers, told, "swept");
    Ok(())
}

/// Rolls over every due account while this replica holds the lease.
async fn roll_over(services: &Services, holder: Uuid) -> Result<u64> {
    let mut all = RolledOver::default();
    while claim(services, ROLL_OVER, holder).await? {
        let rolled = services.metering.roll_over_due(all.failed).await?;
        all = RolledOver { done: all.done + rolled.done, failed: all.failed + rolled.failed };
        if rolled == RolledOver::default() {
            break;
        }
    }
    Ok(all.done)
}

/// Leases are kept in the system's time, whatever a test clock says.
pub(crate) async fn claim(services: &Services, lease: &str, holder: Uuid) -> Result<bool> {
    claim_for(services, lease, holder, LEASE).await
}

/// Gives the lease back before it ends.
pub(crate) async fn release(services: &Services, lease: &str, holder: Uuid) -> Result<()> {
    claim_for(services, lease, holder, TimeDelta::zero()).await.map(drop)
}

async fn claim_for(services: &Services, lease: &str, holder: Uuid, length: TimeDelta) -> Result<bool> {
    let now = SystemClock.now();
    let work = services.store.begin().await?;
    let claimed = work.leases().claim(lease, holder, now, now + length).await?;
    work.commit().await?;
    Ok(claimed)
}

/// Follows the options that operators changed on any replica: one look-up by primary key.
async fn options_loop(services: Arc<Services>) {
    loop {
        match services.options.follow().await {
            Ok(true) => tracing::info!("the options were changed"),
            Ok(false) => {}
            Err(error) => tracing::warn!(error = ?error, "the options could not be read; they stay as they are"),
        }
        tokio::time::sleep(OPTIONS_EVERY).await;
    }
}

/// Moves the test clock, tells the other replicas, and does the background work of the new time.
pub async fn advance_clock(services: &Services, actor: &Actor, clock: &TestClock, to: DateTime<Utc>) -> Result<()> {
    if to <= clock.now() {
        return Err(Error::invalid("to", "must be later than the test clock's time"));
    }
    if to - SystemClock.now() > TimeDelta::days(366 * 50) {
        return Err(Error::invalid("to", "must be within fifty years"));
    }
    let work = services.store.begin().await?;
    work.options()
        .set(
            TEST_CLOCK_OPTION,
            &(to - SystemClock.now()).num_microseconds().unwrap_or(0).to_string(),
            SystemClock.now(),
        )
        .await?;
    let event = AuditEvent::by(actor, "test_clock.advance", "test_clock", clock.now()).with(json!({ "to": to }));
    work.audit().append(&event).await?;
    work.commit().await?;
    clock.advance(to);
    expire_all(services).await?;
    let mut failed = 0;
    loop {
        let rolled = services.metering.roll_over_due(failed).await?;
        failed += rolled.failed;
        if rolled == RolledOver::default() {
            break;
        }
    }
    billing_rounds::round(services, None).await?;
    payment_loops::round(services).await
}

/// Expires every reservation whose time is over, whoever holds the lease.
async fn expire_all(services: &Services) -> Result<()> {
    let mut failed = 0;
    loop {
        let (ended, stuck) = services.expire_due(failed).await?;
        failed += stuck;
        if ended + stuck < EXPIRE_CHUNK {
            return Ok(());
        }
    }
}

/// Follows the offset that any replica stored.
pub async fn follow_clock(services: &Services, clock: &TestClock) -> Result<()> {
    let stored = services.store.options().find(TEST_CLOCK_OPTION).await?;
    if let Some(micros) = stored.and_then(|text| text.parse().ok()) {
        clock.advance(SystemClock.now() + TimeDelta::microseconds(micros));
    }
    Ok(())
}

async fn clock_loop(services: Arc<Services>, clock: Arc<TestClock>) {
    loop {
        if let Err(error) = follow_clock(&services, &clock).await {
            tracing::warn!(error = ?error, "the test clock could not be read");
        }
        tokio::time::sleep(CLOCK_EVERY).await;
    }
}
