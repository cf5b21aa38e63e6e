//! The three databases behind one store.

mod accounts;
mod api_keys;
mod audit;
mod bulk;
mod columns;
mod connect;
mod counters;
mod entity;
mod error;
mod grants;
mod idempotency;
mod invitations;
mod members;
mod migrate;
mod options;
mod outbox;
mod pairs;
mod plans;
mod repos;
mod sessions;
mod standings;
mod subscriptions;
mod teams;
mod throttles;
mod usage;
mod usage_sums;
mod users;
mod warnings;

pub use connect::{Database, DatabaseSettings, connect};
pub use migrate::{MigrationState, migrate_down, migrate_up, migration_status};
