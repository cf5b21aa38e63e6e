//! The database in memory beside another one: the same operations, one after the other, must be answered alike.
//!
//! Ids follow from the seed and the operation, so that answers are the same to the last digit.

use crate::core::Sim;
use crate::faults::Plan;
use crate::ops::perform;
use crate::rng::{Rng, seed_ids};
use crate::runner::{block_on, start};
use crate::script::{Act, Operation, script};
use crate::stage::leap;
use crate::world::World;
use chrono::TimeDelta;
use domain::store::Store;
use std::collections::BTreeMap;
use std::sync::Arc;

/// How often the loops do all that is left, at the end.
const CALM_ROUNDS: usize = 4;

/// What was compared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Compared {
    pub operations: usize,
    pub answers: usize,
}

fn sim() -> Arc<Sim> {
    Arc::new(Sim::new(start(), Plan::Listed(BTreeMap::new()), None))
}

/// Runs the operations of a seed over both, on the thread of the caller; the error is the first difference.
///
/// `store` is of a database that is migrated and empty.
pub async fn compare(store: Arc<dyn Store>, seed: u64, operations: usize) -> anyhow::Result<Compared> {
    let (ours, theirs) = (sim(), sim());
    seed_ids(Some(seed));
    let own = ours.clone();
    let own = Arc::new(block_on(async move { World::build(own, seed).await })??);
    seed_ids(Some(seed));
    let other = Arc::new(World::over(store, (theirs, ours), seed).await?);
    let pair = Pair { own, other };
    let mut compared = Compared::default();
    for operation in Pair::script(seed, operations) {
        seed_ids(Some(seed ^ operation.dice));
        let (this, world) = (operation, pair.own.clone());
        block_on(async move { perform(world, this).await })?;
        pair.other.book().choose_as(&pair.own.book());
        seed_ids(Some(seed ^ operation.dice));
        perform(pair.other.clone(), operation).await;
        compared.operations += 1;
        compared.answers += pair.agree(operation)?;
        pair.advance(operation);
    }
    seed_ids(None);
    Ok(compared)
}

struct Pair {
    own: Arc<World>,
    other: Arc<World>,
}

impl Pair {
    /// The operations of the seed, and what the loops do at the end.
    fn script(seed: u64, operations: usize) -> Vec<Operation> {
        let mut all = script(seed, operations);
        let calm = [Act::Settle; CALM_ROUNDS];
        for (round, act) in calm.into_iter().chain([Act::Audit, Act::Report, Act::Reseal, Act::Retain]).enumerate() {
            let number = operations + round;
            all.push(Operation { number, twin_of: number, act, dice: number as u64 });
        }
        all
    }

    /// Fails with the first answer that differs; how many there were.
    fn agree(&self, operation: Operation) -> anyhow::Result<usize> {
        let lines = |world: &World| std::mem::take(&mut world.book().lines);
        let (own, other) = (lines(&self.own), lines(&self.other));
        // Which of several lanes that are due since the same moment is served first is not said.
        let same = operation.act == Act::Deliver || own == other;
        anyhow::ensure!(same, "{operation:?} in memory: {own:#?}\nin the database: {other:#?}");
        for world in [&self.own, &self.other] {
            let broken = world.book().broken.pop();
            anyhow::ensure!(broken.is_none(), "{operation:?}: {broken:?}");
        }
        Ok(own.len())
    }

    fn advance(&self, operation: Operation) {
        let by = match operation.act {
            Act::Advance => leap(&mut Rng::new(operation.dice)),
            Act::Settle => TimeDelta::hours(5),
            _ => TimeDelta::seconds(1),
        };
        self.own.sim.advance(by);
        self.other.sim.advance(by);
    }
}
