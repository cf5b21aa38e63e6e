//! What must hold after every commit, whatever was interleaved and whatever failed.

mod answers;
mod chain;
mod metering;
mod wallets;

use crate::core::Core;
use crate::world::World;

/// The first thing that is wrong; `None` when all is well. `whole` also looks at what holds only once all is quiet.
pub fn all(world: &World, whole: bool) -> Option<String> {
    let core = world.sim.lock();
    let checks: [fn(&Core) -> Found; 8] = [
        metering::counters_are_sums_of_usage,
        metering::holds_are_open_reservations,
        metering::grants_add_up,
        metering::limits_hold,
        wallets::balances_are_sums_of_entries,
        wallets::what_is_held_is_held_for_something,
        chain::audit_is_whole,
        chain::effects_are_told_once,
    ];
    let found = checks.iter().try_for_each(|check| check(&core));
    let found = found.and_then(|()| answers::what_was_told_is_there(&core, &world.book(), whole));
    let found = found.and_then(|()| if whole && !core.locks.is_free() { Err("a lock is left".into()) } else { Ok(()) });
    found.err()
}

/// Fine, or what is wrong.
pub type Found = Result<(), String>;

/// Fails with what is wrong unless the two are equal.
pub fn same<T: PartialEq + std::fmt::Debug>(found: &T, wanted: &T, what: impl FnOnce() -> String) -> Found {
    if found == wanted { Ok(()) } else { Err(format!("{}: is {found:?}, should be {wanted:?}", what())) }
}

pub fn hold(holds: bool, what: impl FnOnce() -> String) -> Found {
    if holds { Ok(()) } else { Err(what()) }
}
