//! The rules of Suanpan: pure types, ports and services, without I/O.
//!
//! | where is the rule for … | file |
//! |---|---|
//! | reading and writing decimals | `decimal` |
//! | money and its one rounding | `money` |
//! | periods, day-31 anchors, DST | `time` |
//! | what a role may do on an account | `accounts::rights` |
//! | who is a member, and since when | `teams::member` |
//! | what a member's allocation lets through | `metering::member_books` |
//! | what a consume costs and whether it fits | `metering::decide` |
//! | counters, gauges, grants | `quota::counter`, `quota::grant` |
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
pub mod teams;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
pub mod text;
pub mod time;
