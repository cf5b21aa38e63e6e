//! Stories told through the services, on every database.

mod grants;
mod late;
mod periods;
mod replay;
mod seed;
mod splits;
mod sweep;
