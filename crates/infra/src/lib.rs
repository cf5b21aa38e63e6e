//! Adapters of the domain's ports: the three databases, the clock, hashing, identity providers.

pub mod clock;
pub mod crypto;
pub mod db;
pub mod oauth;
