//! What all simulated processes share: the database, the clock, the failures, and what was counted.

use crate::db::{Answer, Cx, LockKey, Locks, OUTSIDE, Stop, Tables, TxId};
use crate::defect::Defect;
use crate::executor::Yield;
use crate::faults::{Fault, Faults, Plan};
use chrono::{DateTime, TimeDelta, Utc};
use domain::store::{StoreError, StoreResult};
use domain::time::Clock;
use std::collections::BTreeMap;
use std::future::poll_fn;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::Poll;

/// The operation that a client is about, and how many calls it has made.
#[derive(Clone, Copy, Debug, Default)]
pub struct Running {
    pub operation: usize,
    pub calls: u32,
}

/// What was counted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub steps: u64,
    pub calls: u64,
    pub commits: u64,
    pub deadlocks: u64,
    pub waits: u64,
}

pub struct Core {
    pub tables: Tables,
    pub locks: Locks,
    pub now: DateTime<Utc>,
    pub faults: Faults,
    pub counts: Counts,
    pub defect: Option<Defect>,
    /// By client.
    pub running: BTreeMap<usize, Running>,
    /// The client whose task runs.
    pub client: usize,
    /// A client whose process stops where it stands.
    pub crash: Option<usize>,
    /// Units of work that may have written were committed since the checks looked.
    pub is_dirty: bool,
    last: TxId,
    pub position: i64,
    /// Failures are injected only while this is set.
    pub stormy: bool,
}

pub struct Sim(Mutex<Core>);

impl Sim {
    pub fn new(start: DateTime<Utc>, plan: Plan, defect: Option<Defect>) -> Self {
        Self(Mutex::new(Core {
            tables: Tables::default(),
            locks: Locks::default(),
            now: start,
            faults: Faults::new(plan),
            counts: Counts::default(),
            defect,
            running: BTreeMap::new(),
            client: 0,
            crash: None,
            is_dirty: false,
            last: OUTSIDE,
            position: 0,
            stormy: false,
        }))
    }

    pub fn lock(&self) -> MutexGuard<'_, Core> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn begin(&self) -> TxId {
        let mut core = self.lock();
        core.last += 1;
        core.last
    }

    /// What the unit of work wrote becomes everybody's, or nobody's; its locks are free.
    pub fn end(&self, tx: TxId, commit: bool) {
        let mut core = self.lock();
        let kept = match core.defect {
            Some(Defect::LoseCommit) => commit && !tx.is_multiple_of(97),
            Some(Defect::KeepRolledBack) => commit || tx.is_multiple_of(7),
            _ => commit,
        };
        core.tables.settle(tx, kept);
        core.locks.release(tx);
        if commit {
            core.counts.commits += 1;
            core.is_dirty = true;
        }
    }

    /// A call of a port begins: others may go first, and it may fail.
    pub async fn enter(&self, is_commit: bool) -> Option<Fault> {
        Yield::default().await;
        let fault = {
            let mut core = self.lock();
            core.counts.calls += 1;
            let client = core.client;
            let running = core.running.entry(client).or_default();
            running.calls += 1;
            let place = (running.operation, running.calls);
            let fault = if core.stormy { core.faults.at(place, is_commit) } else { None };
            if fault == Some(Fault::Crash) {
                core.crash = Some(client);
            }
            fault
        };
        if fault == Some(Fault::Crash) {
            // Whoever runs the tasks drops this one before it is asked again.
            std::future::pending::<()>().await;
        }
        fault
    }

    /// Runs a statement, again from its start whenever it had to wait for a lock.
    pub async fn statement<T>(
        &self,
        tx: TxId,
        mut run: impl FnMut(&mut Tables, &mut Cx<'_>) -> Answer<T>,
    ) -> StoreResult<T> {
        loop {
            match self.attempt(tx, &mut run) {
                Ok(answer) => return Ok(answer),
                Err(Stop::Failed(error)) => return Err(error),
                Err(Stop::Wait(key)) => self.wait(key).await,
            }
        }
    }

    fn attempt<T>(&self, tx: TxId, run: &mut impl FnMut(&mut Tables, &mut Cx<'_>) -> Answer<T>) -> Answer<T> {
        let mut core = self.lock();
        let Core { tables, locks, defect, counts, position, .. } = &mut *core;
        let answer = run(tables, &mut Cx { tx, locks, defect: *defect, position });
        match &answer {
            Err(Stop::Wait(_)) => counts.waits += 1,
            Err(Stop::Failed(StoreError::Contended)) => counts.deadlocks += 1,
            _ => {}
        }
        answer
    }

    async fn wait(&self, key: LockKey) {
        let mut parked = false;
        poll_fn(|context| {
            if std::mem::replace(&mut parked, true) {
                return Poll::Ready(());
            }
            self.lock().locks.park(key, context.waker().clone());
            Poll::Pending
        })
        .await;
    }

    pub fn advance(&self, by: TimeDelta) {
        self.lock().now += by;
    }
}

/// The time of the simulation.
impl Clock for Sim {
    fn now(&self) -> DateTime<Utc> {
        self.lock().now
    }
}
