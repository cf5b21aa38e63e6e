//! The API over HTTP.

mod admin;
mod api_keys;
mod clock;
mod document;
mod hostile;
mod identity;
mod problems;
mod quota;
mod replicas;
mod reservations;
mod retention;
mod subscription;
mod summary;
mod usage;
mod usage_events;
