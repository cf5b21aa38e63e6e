//! Stories told through the services, on every database.

mod committer;
mod gauges;
mod grants;
mod late;
mod periods;
mod replay;
mod seed;
mod splits;
mod statements;
mod sweep;
mod teams;
mod wide_batches;
