//! Adapters against real databases.

mod identity;
mod plans;
mod teams;
