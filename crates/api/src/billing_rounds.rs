//! The rounds of billing: renewals, interim bills, chasing, closing, until nothing is left to do.

use crate::loops;
use crate::services::Services;
use chrono::{DateTime, Utc};
use domain::actor::Actor;
use domain::billing::{CloseWish, Progress};
use domain::error::{Error, Result};
use domain::metering::{Month, RolledOver};
use domain::time::{Period, day_start};
use std::time::Duration;
use uuid::Uuid;

/// Between two looks for what is to be billed.
pub const EVERY: Duration = Duration::from_mins(1);
const LEASE: &str = "billing";
/// Stages that one bill can go through in one round, when time was moved a long way.
const MAX_STAGES: u64 = 8;

/// A part of a round.
#[derive(Clone, Copy)]
enum Work {
    Renew,
    Interim,
    Chase,
    Close(CloseWish),
}

impl Work {
    async fn chunk(self, services: &Services, skip: u64) -> Result<Progress> {
        match self {
            Self::Renew => services.billing.renew_due(skip).await,
            Self::Interim => services.billing.bill_interim_due(skip).await,
            Self::Chase => services.billing.chase_due(skip).await,
            Self::Close(wish) => services.billing.close_due(wish, skip).await,
        }
    }
}

/// Does all that is due while this replica holds the lease; how much that was. Without a holder nobody is asked: two
/// at the same time come to the same.
pub async fn round(services: &Services, holder: Option<Uuid>) -> Result<Progress> {
    let mut done = all_of(services, holder, Work::Renew).await?;
    done = done.and(all_of(services, holder, Work::Interim).await?);
    for _ in 0..MAX_STAGES {
        let chased = all_of(services, holder, Work::Chase).await?;
        done = done.and(chased);
        if chased.done == 0 {
            break;
        }
    }
    let closed = all_of(services, holder, Work::Close(services.billing.due_periods())).await?;
    Ok(done.and(closed))
}

/// For operators: closes every period that ended, of a month and before when one is named.
pub async fn close_now(services: &Services, actor: &Actor, month: Option<&str>) -> Result<Progress> {
    let wish = close_wish(services, month)?;
    let done = close_all(services, wish, |_| {}).await?;
    services.billing.note_close(actor, month, done).await?;
    Ok(done)
}

/// The periods that ended by now, and began in the local month or before it.
pub fn close_wish(services: &Services, month: Option<&str>) -> Result<CloseWish> {
    let began_before = month.map(|text| month_end(services, text)).transpose()?;
    Ok(CloseWish { until: services.clock.now(), began_before })
}

/// Closes until nothing is left, and tells after each chunk how many periods were closed so far.
pub async fn close_all(services: &Services, wish: CloseWish, mut tell: impl FnMut(u64)) -> Result<Progress> {
    let mut failed = 0;
    loop {
        let rolled = services.metering.roll_over_due(failed).await?;
        failed += rolled.failed;
        if rolled == RolledOver::default() {
            break;
        }
    }
    let mut all = Progress::default();
    loop {
        let closed = services.billing.close_due(wish, all.failed).await?;
        all = all.and(closed);
        if closed == Progress::default() {
            return Ok(all);
        }
        tell(all.done);
    }
}

fn month_end(services: &Services, text: &str) -> Result<DateTime<Utc>> {
    Ok(local_month(services, text)?.end)
}

/// A month in the billing time zone, such as `2026-11`.
pub fn local_month(services: &Services, text: &str) -> Result<Period> {
    let month: Month = text.parse().map_err(|_| Error::invalid("month", "is not a month such as 2026-11"))?;
    let begins = |month: Month| day_start(month.first_day(), services.catalogue.zone);
    Ok(Period { start: begins(month), end: begins(month.next()) })
}

/// Chunks until one finds nothing.
async fn all_of(services: &Services, holder: Option<Uuid>, work: Work) -> Result<Progress> {
    let mut all = Progress::default();
    loop {
        if let Some(holder) = holder
            && !loops::claim(services, LEASE, holder).await?
        {
            return Ok(all);
        }
        let done = work.chunk(services, all.failed).await?;
        all = all.and(done);
        if done == Progress::default() {
            return Ok(all);
        }
    }
}
