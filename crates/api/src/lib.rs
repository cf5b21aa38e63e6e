//! The server: settings, routes, background loops and their wiring.
//!
//! Handlers are thin: parse (`http`), call a use case through [`services::Services::run`], answer.
//! Errors are [`http::problem::ApiError`]; bodies come through [`http::body::Body`], query strings through
//! [`http::params::Params`].

pub mod admin;
pub mod billing_rounds;
pub mod caller;
pub mod cli;
mod client_address;
pub mod committer;
pub mod dispatcher;
pub mod fake_provider;
pub mod http;
mod known_callers;
pub mod loops;
mod metrics;
pub mod openapi;
pub mod payment_loops;
mod plans_check;
pub mod quota_answers;
mod request_rate;
pub mod retention;
pub mod routes;
pub mod server;
pub mod services;
pub mod settings;
pub mod wiring;
mod wiring_incentives;
mod wiring_notices;
mod wiring_payments;
mod wiring_receipts;
mod wiring_stores;

pub use plans_check::plans_check;
