//! The rules of Suanpan: pure types, ports and services, without I/O.
//!
//! | where is the rule for … | file |
//! |---|---|
//! | reading and writing decimals | `decimal` |
//! | money and its one rounding | `money` |
//! | periods, day-31 anchors, DST | `time` |
//! | what a consume costs and whether it fits | `metering::decide` |
//! | counters, gauges, grants | `quota::counter`, `quota::grant` |
//! | what a reservation holds, and how it ends | `metering::holding`, `metering::reservation` |
//! | which usage rows may be deleted | `metering::month` |
//! | when a warning fires | `quota::warning` |
//! | retries when units of work collide | `store::Retry` |

pub mod accounts;
pub mod actor;
pub mod audit;
pub mod change;
pub mod decimal;
pub mod error;
pub mod id;
pub mod idempotency;
pub mod identity;
pub mod metering;
pub mod money;
pub mod options;
pub mod outbox;
pub mod page;
pub mod plans;
pub mod quantity;
pub mod quota;
pub mod store;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
pub mod text;
pub mod time;
