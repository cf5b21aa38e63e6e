//! Stories told through the services, on every database.

mod grants;
mod late;
mod periods;
mod replay;
mod splits;
mod sweep;
