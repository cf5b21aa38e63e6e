//! Adapters against real databases.

mod audit;
mod identity;
mod oauth;
mod notices;
mod plans;
mod search;
