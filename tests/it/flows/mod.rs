//! Stories told through the services, on every database.

mod committer;
mod gauges;
mod grants;
mod late;
mod periods;
mod replay;
mod splits;
mod wide_batches;
