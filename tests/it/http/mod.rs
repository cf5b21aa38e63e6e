//! The API over HTTP.

mod admin;
mod api_keys;
mod bills;
mod clock;
mod document;
mod hostile;
mod identity;
mod incentives;
mod invoices;
mod operators;
mod problems;
mod quota;
pub mod receipts;
mod replicas;
mod reports;
mod reservations;
mod retention;
mod setup;
mod subscription;
mod summary;
mod teams;
mod usage;
mod usage_events;
mod wallet;
mod webhook_keeping;
mod webhook_snippets;
mod webhooks;
