//! The three databases behind one store.

mod audit;
mod columns;
mod connect;
mod counters;
mod entity;
mod error;
mod grants;
mod idempotency;
mod migrate;
mod options;
mod outbox;
mod plans;
mod repos;
mod subscriptions;
mod usage;
mod usage_sums;
mod warnings;

pub use connect::{Database, DatabaseSettings, connect};
pub use migrate::{MigrationState, migrate_down, migrate_up, migration_status};
