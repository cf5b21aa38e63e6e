//! The upkeep of usage rows, for the loop and the command line: months ahead are made, old ones are deleted.

use crate::loops::{claim, release};
use crate::services::Services;
use domain::error::Result;
use domain::metering::{Month, Removed};
use std::fmt;
use uuid::Uuid;

/// The lease: one process at a time deletes.
const RETENTION: &str = "retention";

/// One thing that was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    Created(Month),
    Removed(Removed),
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Created(month) => write!(f, "created {month}"),
            Self::Removed(Removed::Month(month)) => write!(f, "deleted {month}"),
            Self::Removed(Removed::Rows(account, rows)) => write!(f, "deleted {rows} rows of {account}"),
        }
    }
}

/// What one round came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Upkeep {
    Done(Vec<Step>),
    /// Another process is at it.
    Busy,
}

/// Does what there is to do, and tells of each step as soon as it is committed.
pub async fn upkeep(services: &Services, holder: Uuid, mut tell: impl FnMut(&Step)) -> Result<Upkeep> {
    if !claim(services, RETENTION, holder).await? {
        return Ok(Upkeep::Busy);
    }
    let mut done: Vec<Step> = services.retention.create_ahead().await?.into_iter().map(Step::Created).collect();
    done.iter().for_each(&mut tell);
    if let Some(first_kept) = services.retention.first_kept().await? {
        let mut last = None;
        // The lease is renewed before each step, and whoever lost it stops.
        while claim(services, RETENTION, holder).await? {
            last = services.retention.remove_next(first_kept, last).await?;
            let Some(removed) = last else { break };
            tell(&Step::Removed(removed));
            done.push(Step::Removed(removed));
        }
    }
    release(services, RETENTION, holder).await?;
    Ok(Upkeep::Done(done))
}
