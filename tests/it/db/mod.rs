//! Adapters against real databases.

mod audit;
mod bulk;
mod identity;
mod ledger;
mod notices;
mod oauth;
mod plans;
mod search;
mod teams;
