//! Failures that are injected: which one at which call of which operation follows from the seed, or from a list.

use crate::rng::Rng;
use std::collections::{BTreeMap, BTreeSet};

/// A call of a port: the operation of the script, and the how-manyeth of its calls.
pub type Place = (usize, u32);

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// The database does not answer; the unit of work is gone.
    Unavailable,
    /// Another unit of work was in the way.
    Contended,
    /// A commit fails, and nothing of it is there.
    CommitFails,
    /// A commit is done, and its answer is lost: nobody knows.
    CommitUnknown,
    /// The process stops where it stands.
    Crash,
}

impl Fault {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unavailable => "unavailable",
            Self::Contended => "contended",
            Self::CommitFails => "commit failed",
            Self::CommitUnknown => "commit outcome unknown",
            Self::Crash => "crash",
        }
    }
}

/// Where failures come from.
#[derive(Clone, Debug)]
pub enum Plan {
    /// About one call in `rare`, one commit in `at_commit`.
    Seeded { seed: u64, rare: u64, at_commit: u64 },
    /// Exactly these.
    Listed(BTreeMap<Place, Fault>),
}

/// What was injected so far.
#[derive(Debug)]
pub struct Faults {
    plan: Plan,
    pub injected: BTreeMap<Place, Fault>,
    /// Calls that a crash interrupted once: they are not interrupted again when the operation is repeated.
    crashed: BTreeSet<usize>,
}

impl Faults {
    pub fn new(plan: Plan) -> Self {
        Self { plan, injected: BTreeMap::new(), crashed: BTreeSet::new() }
    }

    /// The failure of a call, if it has one.
    pub fn at(&mut self, place: Place, is_commit: bool) -> Option<Fault> {
        let fault = match &self.plan {
            Plan::Listed(listed) => listed.get(&place).copied(),
            Plan::Seeded { seed, rare, at_commit } => {
                drawn(*seed, place, if is_commit { *at_commit } else { *rare }, is_commit)
            }
        }?;
        if fault == Fault::Crash && !self.crashed.insert(place.0) {
            return None;
        }
        self.injected.insert(place, fault);
        Some(fault)
    }
}

fn drawn(seed: u64, (operation, call): Place, rare: u64, is_commit: bool) -> Option<Fault> {
    let mut rng = Rng::of(seed, &[2, operation as u64, u64::from(call)]);
    if !rng.one_in(rare) {
        return None;
    }
    Some(match (is_commit, rng.below(10)) {
        (true, 0..4) => Fault::CommitUnknown,
        (true, 4..7) => Fault::CommitFails,
        (false, 0..4) => Fault::Unavailable,
        (true, 7) | (false, 4..9) => Fault::Contended,
        _ => Fault::Crash,
    })
}
