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
mod subscription;
mod summary;
mod teams;
mod usage;
mod usage_events;
