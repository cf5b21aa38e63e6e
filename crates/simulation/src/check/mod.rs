//! What must hold after every commit, whatever was interleaved and whatever failed.

mod answers;
mod bills;
mod chain;
mod history;
mod limits;
mod metering;
mod payments;
mod people;
mod provider;
mod sessions;
mod telling;
mod wallets;

pub use history::History;

use crate::core::Core;
use crate::world::World;

/// What holds for the rows by themselves.
const ALWAYS: [fn(&Core) -> Found; 23] = [
    metering::counters_are_sums_of_usage,
    metering::holds_are_open_reservations,
    metering::grants_add_up,
    limits::uses_are_paid_for,
    wallets::balances_are_sums_of_entries,
    wallets::what_is_held_is_held_for_something,
    chain::audit_is_whole,
    chain::effects_are_told_once,
    bills::bills_are_sums_of_lines,
    bills::periods_are_billed_once,
    bills::bills_are_paid_and_refunded_once,
    bills::coupons_are_counted,
    bills::invoices_are_over_what_was_paid,
    payments::ledger_accounts_are_what_is_open,
    payments::captures_are_booked_once,
    payments::orders_are_delivered_once,
    payments::refunds_stay_within_payments,
    payments::no_wallet_is_overdrawn,
    people::teams_have_one_owner_and_seats,
    people::members_add_up_to_their_team,
    people::rewards_are_given_once,
    people::key_allowances_add_up,
    chain::answers_are_of_one_request,
];

/// The first thing that is wrong; `None` when all is well. `whole` also looks at what holds only once all is quiet.
pub fn all(world: &World, history: &mut History, whole: bool) -> Option<String> {
    look(world, history, whole).err()
}

fn look(world: &World, history: &mut History, whole: bool) -> Found {
    {
        let core = world.sim.lock();
        ALWAYS.iter().try_for_each(|check| check(&core))?;
        history.follow(&core)?;
        answers::what_was_told_is_there(&core, &world.book(), whole)?;
        sessions::are_what_was_told(&core, &world.book())?;
        hold(!whole || core.locks.is_free(), || "a lock is left".to_owned())?;
    }
    telling::lanes_keep_their_order(world)?;
    provider::every_refund_is_known(world, whole)?;
    if whole {
        provider::every_capture_is_known(world)?;
        telling::all_was_told(world)?;
    }
    Ok(())
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
