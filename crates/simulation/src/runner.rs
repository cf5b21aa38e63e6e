//! One run of the simulation: what it is of, and what became of it.

use crate::core::{Counts, Sim};
use crate::defect::Defect;
use crate::executor::Executor;
use crate::faults::{Fault, Place, Plan};
use crate::rng::seed_ids;
use crate::script::{Operation, script};
use crate::stage::Stage;
use crate::world::World;
use chrono::{DateTime, Utc};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What is run.
#[derive(Clone, Debug)]
pub struct Run {
    pub seed: u64,
    pub script: Vec<Operation>,
    pub faults: Plan,
    pub defect: Option<Defect>,
    /// Commits between two looks at everything.
    pub check_every: u64,
}

/// What became of it.
#[derive(Debug, Default)]
pub struct Outcome {
    pub counts: Counts,
    pub injected: BTreeMap<Place, Fault>,
    /// The first thing that was wrong.
    pub violation: Option<String>,
    /// What was done, in the order of the ends.
    pub trace: Vec<String>,
    /// The same for the same run.
    pub digest: u64,
    /// How many operations were started.
    pub started: usize,
    /// How many answers clients got, by kind.
    pub told: BTreeMap<&'static str, u64>,
}

/// The start of simulated time: a month whose end is not far.
pub fn start() -> DateTime<Utc> {
    DateTime::from_timestamp(1_769_500_000, 0).unwrap_or(DateTime::UNIX_EPOCH)
}

impl Run {
    /// The run of a seed, with the failures that it draws.
    pub fn seeded(seed: u64, operations: usize) -> Self {
        let faults = Plan::Seeded { seed, rare: 150, at_commit: 25 };
        Self { seed, script: script(seed, operations), faults, defect: None, check_every: 1 }
    }

    pub fn go(&self) -> anyhow::Result<Outcome> {
        seed_ids(Some(self.seed));
        let sim = Arc::new(Sim::new(start(), self.faults.clone(), self.defect));
        let world = Arc::new(block_on(World::build(sim.clone(), self.seed))??);
        sim.lock().stormy = true;
        let mut stage = Stage::new(self, world);
        stage.play();
        seed_ids(None);
        Ok(stage.outcome())
    }
}

/// Runs what nothing can be in the way of.
pub fn block_on<T: Send + 'static>(future: impl Future<Output = T> + Send + 'static) -> anyhow::Result<T> {
    let cell = Arc::new(std::sync::Mutex::new(None));
    let (mut executor, put) = (Executor::default(), cell.clone());
    executor.start(
        0,
        Box::pin(async move {
            let value = future.await;
            *put.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(value);
        }),
    );
    while executor.ready().first() == Some(&0) {
        executor.run(0);
    }
    let value = cell.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take();
    value.ok_or_else(|| anyhow::anyhow!("the world could not be made"))
}
