//! Adapters against real databases.

mod audit;
mod identity;
mod oauth;
mod plans;
mod search;
