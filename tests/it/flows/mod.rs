//! Stories told through the services, on every database.

mod committer;
mod gauges;
mod grants;
mod late;
mod periods;
mod replay;
pub mod retention;
mod seed;
mod splits;
mod sweep;
mod wide_batches;
