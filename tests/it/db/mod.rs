//! Adapters against real databases.

mod identity;
mod notices;
mod plans;
