//! The three databases behind one store.

mod accounts;
mod api_keys;
mod audit;
mod bulk;
mod columns;
mod connect;
mod counters;
mod debts;
mod entity;
mod error;
mod grants;
mod idempotency;
mod migrate;
mod options;
mod outbox;
mod pairs;
mod plans;
mod repos;
mod reservations;
mod sessions;
mod standings;
mod subscriptions;
mod throttles;
mod usage;
mod usage_months;
mod usage_sums;
mod users;
mod warnings;

pub use connect::{Database, DatabaseSettings, connect};
pub use migrate::{MigrationState, migrate_down, migrate_up, migration_status};
