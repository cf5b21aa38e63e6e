//! The dispatcher: events out of the outbox, then deliveries out of the house, until it is told to stop.
//!
//! Every replica runs one. What they could fight about is claimed in the database.

use crate::services::Services;
use domain::error::Result;
use domain::notices::{Claimed, Room, Served};
use metrics::{counter, gauge};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

/// Between two looks for something to do, when there was nothing.
const IDLE: Duration = Duration::from_millis(500);
/// After something was done: what comes meanwhile is claimed and written together.
const BREATH: Duration = Duration::from_millis(25);
/// After the database failed.
const PAUSE: Duration = Duration::from_secs(2);
/// Most lanes that are worked on at once.
const LANES: usize = 32;
/// Of these, most whose last attempt failed: a crowd of endpoints that hang leaves room for the others.
const FAILING_LANES: usize = 8;

/// Running fan-out and couriers.
pub struct Dispatcher {
    stop: watch::Sender<bool>,
    tasks: Vec<JoinHandle<()>>,
}

impl Dispatcher {
    pub fn start(services: &Arc<Services>) -> Self {
        let (stop, stopped) = watch::channel(false);
        let tasks = vec![
            tokio::spawn(fan_out(services.clone(), stopped.clone())),
            tokio::spawn(deliver(services.clone(), stopped)),
        ];
        Self { stop, tasks }
    }

    /// Claims nothing more, lets running turns end for at most so long, and gives up the rest: their leases run out
    /// and another replica repeats them.
    pub async fn stop(self, patience: Duration) {
        self.stop.send_replace(true);
        let aborts: Vec<_> = self.tasks.iter().map(JoinHandle::abort_handle).collect();
        let ended = futures_util::future::join_all(self.tasks);
        if tokio::time::timeout(patience, ended).await.is_err() {
            tracing::warn!("deliveries were cut off; they are repeated");
            aborts.iter().for_each(tokio::task::AbortHandle::abort);
        }
    }
}

/// Waits, unless it is time to stop; whether to go on.
async fn goes_on(stopped: &mut watch::Receiver<bool>, pause: Duration) -> bool {
    if *stopped.borrow() {
        return false;
    }
    // An error means that nobody can say stop any more.
    match tokio::time::timeout(pause, stopped.changed()).await {
        Err(_) => true,
        Ok(changed) => changed.is_ok() && !*stopped.borrow(),
    }
}

async fn fan_out(services: Arc<Services>, mut stopped: watch::Receiver<bool>) {
    loop {
        let pause = match services.run(|all| async move { all.fan_out.round().await }).await {
            Ok(0) => IDLE,
            Ok(events) => {
                counter!("suanpan_events_fanned_out_total").increment(events as u64);
                BREATH
            }
            Err(error) => {
                tracing::warn!(error = ?error, "events were not fanned out; it is tried again");
                PAUSE
            }
        };
        if !goes_on(&mut stopped, pause).await {
            return;
        }
    }
}

async fn deliver(services: Arc<Services>, mut stopped: watch::Receiver<bool>) {
    let mut turns = Turns::default();
    loop {
        let claimed = match turns.claim(&services).await {
            Ok(claimed) => claimed,
            Err(error) => {
                tracing::warn!(error = ?error, "no deliveries were claimed; it is tried again");
                if !goes_on(&mut stopped, PAUSE).await {
                    break;
                }
                continue;
            }
        };
        let idle = claimed == 0 && turns.running.is_empty();
        if idle {
            if !goes_on(&mut stopped, IDLE).await {
                break;
            }
        } else {
            // A turn that ends makes room at once; new work is looked for all the same.
            let ended = tokio::time::timeout(IDLE, turns.running.join_next()).await;
            turns.note(ended.ok().flatten());
            if !goes_on(&mut stopped, BREATH).await {
                break;
            }
            while let Some(ended) = turns.running.try_join_next() {
                turns.note(Some(ended));
            }
        }
    }
    while let Some(ended) = turns.running.join_next().await {
        turns.note(Some(ended));
    }
}

type Ended = std::result::Result<(bool, Result<Served>), tokio::task::JoinError>;

/// The turns that run.
#[derive(Default)]
struct Turns {
    running: JoinSet<(bool, Result<Served>)>,
    failing: usize,
}

impl Turns {
    /// Claims as many lanes as there is room for and starts their turns; how many.
    async fn claim(&mut self, services: &Arc<Services>) -> Result<usize> {
        let free = LANES - self.running.len().min(LANES);
        let failing = FAILING_LANES.saturating_sub(self.failing).min(free);
        let room = Room { healthy: narrow(free - failing), failing: narrow(failing) };
        if free == 0 {
            return Ok(0);
        }
        let claimed = services.run(move |all| async move { all.courier.claim(room).await }).await?;
        let count = claimed.len();
        for lane in claimed {
            self.start(services, lane);
        }
        gauge!("suanpan_delivery_lanes_active").set(f64::from(narrow(self.running.len())));
        Ok(count)
    }

    fn start(&mut self, services: &Arc<Services>, claimed: Claimed) {
        let failing = claimed.lane.failures > 0;
        self.failing += usize::from(failing);
        let services = services.clone();
        self.running.spawn(async move {
            let kind = claimed.lane.kind.as_str();
            let served = services.run(move |all| async move { all.courier.serve(claimed).await }).await;
            if let Ok(served) = &served {
                let count = |outcome: &'static str, count: u32| {
                    counter!("suanpan_deliveries_total", "kind" => kind, "outcome" => outcome).increment(count.into());
                };
                count("delivered", served.delivered);
                count("failed", served.failed);
            }
            (failing, served)
        });
    }

    fn note(&mut self, ended: Option<Ended>) {
        match ended {
            Some(Ok((failing, served))) => {
                self.failing -= usize::from(failing);
                if let Err(error) = served {
                    tracing::warn!(error = ?error, "a turn was not noted; its deliveries are repeated");
                }
            }
            Some(Err(error)) => tracing::error!(%error, "a turn broke off; its deliveries are repeated"),
            None => {}
        }
    }
}

fn narrow(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}
