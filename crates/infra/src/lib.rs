//! Adapters of the domain's ports: the three databases, the clock, hashing.

pub mod clock;
pub mod crypto;
pub mod db;
