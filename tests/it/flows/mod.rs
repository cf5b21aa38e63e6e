//! Stories told through the services, on every database.

mod committer;
mod gauges;
mod grants;
mod late;
mod periods;
mod replay;
mod reservations;
pub mod retention;
mod seed;
mod splits;
mod statements;
mod sweep;
mod wide_batches;
