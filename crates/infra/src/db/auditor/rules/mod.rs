//! The invariants, one file for each part of the data.

mod identity;
mod kernel;
mod ledger;
mod periods;
mod quota;
mod reservations;
mod teams;
mod usage;

use super::Invariant;

pub(super) const ALL: &[&[Invariant]] = &[
    usage::RULES,
    quota::RULES,
    periods::RULES,
    reservations::RULES,
    teams::RULES,
    ledger::RULES,
    identity::RULES,
    kernel::RULES,
];
