//! The stage of one run: which task goes on, when an operation begins, when a process crashes, when all is looked at.

use crate::check::{self, History};
use crate::core::Running;
use crate::executor::Executor;
use crate::ops;
use crate::rng::Rng;
use crate::runner::{Outcome, Run};
use crate::script::{Act, Operation};
use crate::world::World;
use chrono::TimeDelta;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

/// Operations that are under way at the same time, at most.
const SLOTS: usize = 6;
/// Steps without an operation ending, after which a run is taken to hang.
const PATIENCE: u64 = 200_000;
/// Rounds of the loops after the last operation.
const CALM_ROUNDS: usize = 7;

pub struct Stage<'a> {
    run: &'a Run,
    world: Arc<World>,
    executor: Executor,
    rng: Rng,
    /// The operation in each slot.
    busy: [Option<Operation>; SLOTS],
    next: usize,
    digest: DefaultHasher,
    trace: Vec<String>,
    violation: Option<String>,
    quiet: u64,
    looked: u64,
    history: History,
}

impl<'a> Stage<'a> {
    pub fn new(run: &'a Run, world: Arc<World>) -> Self {
        Self {
            run,
            world,
            executor: Executor::default(),
            rng: Rng::of(run.seed, &[3]),
            busy: [None; SLOTS],
            next: 0,
            digest: DefaultHasher::new(),
            trace: Vec::new(),
            violation: None,
            quiet: 0,
            looked: 0,
            history: History::default(),
        }
    }

    pub fn play(&mut self) {
        self.play_out();
        if self.violation.is_none() {
            self.calm_down();
        }
        self.look(true);
    }

    /// Nothing fails any more, and the loops do all that is left; hours and days go by.
    fn calm_down(&mut self) {
        self.world.sim.lock().stormy = false;
        for round in 0..CALM_ROUNDS {
            let number = self.run.script.len() + round;
            let last = self.run.script.last().map_or(0, |operation| operation.number);
            let act = if round + 1 == CALM_ROUNDS { Act::Audit } else { Act::Settle };
            let operation = Operation { number: last + 1 + number, twin_of: last + 1 + number, act, dice: 0 };
            self.busy[0] = Some(operation);
            self.start(0, operation);
            self.play_out();
            // Bills are derived again when the loops have just run.
            if round + 2 < CALM_ROUNDS {
                self.world.sim.advance(TimeDelta::hours(7));
            }
        }
    }

    fn play_out(&mut self) {
        while self.violation.is_none() {
            let ready = self.executor.ready().to_vec();
            let idle = self.busy.iter().filter(|slot| slot.is_none()).count();
            let may_start = self.next < self.run.script.len() && idle > 0;
            if ready.is_empty() && !may_start {
                break;
            }
            self.world.sim.lock().counts.steps += 1;
            if may_start && (ready.is_empty() || self.rng.one_in(8)) {
                self.begin();
            } else if let Some(slot) = self.rng.pick(&ready).copied() {
                self.step(slot);
            }
            self.look(false);
        }
        if self.violation.is_none() && self.busy.iter().any(Option::is_some) {
            self.violation = Some("an operation waits for ever".to_owned());
        }
    }

    /// Starts the next operation, or lets time go on.
    fn begin(&mut self) {
        let operation = self.run.script[self.next];
        self.next += 1;
        if operation.act == Act::Advance {
            let by = leap(&mut Rng::new(operation.dice));
            self.world.sim.advance(by);
            self.trace.push(format!("#{} time goes on by {by}", operation.number));
            return;
        }
        let free: Vec<usize> = (0..SLOTS).filter(|slot| self.busy[*slot].is_none()).collect();
        if let Some(slot) = self.rng.pick(&free).copied() {
            self.busy[slot] = Some(operation);
            self.start(slot, operation);
        }
    }

    fn start(&mut self, slot: usize, operation: Operation) {
        self.world.sim.lock().running.insert(slot, Running { operation: operation.number, calls: 0 });
        self.executor.start(slot, ops::task(self.world.clone(), slot % 2, operation));
    }

    fn step(&mut self, slot: usize) {
        self.world.sim.lock().client = slot;
        let done = self.executor.run(slot);
        slot.hash(&mut self.digest);
        self.quiet += 1;
        if done && let Some(operation) = self.busy[slot].take() {
            self.quiet = 0;
            self.trace.append(&mut self.world.book().lines);
            operation.number.hash(&mut self.digest);
        }
        let crashed = self.world.sim.lock().crash.take();
        if let Some(slot) = crashed {
            self.crash(slot % 2);
        }
        if self.quiet > PATIENCE {
            self.violation = Some("nothing ends any more".to_owned());
        }
    }

    /// A process stops where it stands and is started again: clients without an answer ask again.
    fn crash(&mut self, replica: usize) {
        self.trace.push(format!("replica {replica} crashes"));
        for slot in (replica..SLOTS).step_by(2) {
            self.executor.stop(slot);
        }
        for slot in (replica..SLOTS).step_by(2) {
            if let Some(operation) = self.busy[slot] {
                let calls = self.world.sim.lock().running.get(&slot).map_or(0, |running| running.calls);
                self.start(slot, operation);
                self.world.sim.lock().running.insert(slot, Running { operation: operation.number, calls });
            }
        }
    }

    fn look(&mut self, whole: bool) {
        let (dirty, commits) = {
            let mut core = self.world.sim.lock();
            (std::mem::take(&mut core.is_dirty), core.counts.commits)
        };
        let due = whole || (dirty && commits - self.looked >= self.run.check_every);
        let seen = self.world.book().broken.pop();
        let found = seen.or_else(|| if due { check::all(&self.world, &mut self.history, whole) } else { None });
        if due {
            self.looked = commits;
        }
        if let (Some(found), None) = (found, &self.violation) {
            self.violation = Some(found);
        }
    }

    pub fn outcome(self) -> Outcome {
        let core = self.world.sim.lock();
        let mut digest = self.digest;
        (core.counts.commits, core.counts.calls, core.tables.count_rows()).hash(&mut digest);
        self.trace.hash(&mut digest);
        Outcome {
            counts: core.counts.clone(),
            injected: core.faults.injected.clone(),
            violation: self.violation,
            trace: self.trace,
            started: self.next,
            digest: digest.finish(),
            told: self.world.book().told.clone(),
        }
    }
}

/// Mostly seconds, now and then a month.
pub fn leap(rng: &mut Rng) -> TimeDelta {
    match rng.below(10) {
        0..4 => TimeDelta::seconds(rng.between(1, 120)),
        4..7 => TimeDelta::minutes(rng.between(5, 600)),
        7..9 => TimeDelta::hours(rng.between(12, 120)),
        _ => TimeDelta::days(rng.between(8, 40)),
    }
}
