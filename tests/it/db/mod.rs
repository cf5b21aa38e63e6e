//! Adapters against real databases.

mod identity;
