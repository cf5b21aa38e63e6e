//! Stories told through the services, on every database.

mod bills;
mod committer;
mod encryption;
mod gauges;
mod grants;
mod interim;
mod late;
mod letters;
mod mail;
mod notices;
mod notices_load;
mod periods;
mod recompute;
mod replay;
mod reservations;
pub mod retention;
mod seed;
mod splits;
mod statements;
mod sweep;
mod teams;
pub mod wallet;
mod wide_batches;
mod year;
mod zz3d;
