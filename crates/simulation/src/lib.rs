//! A deterministic simulation of the domain: one thread, one seed, every interleaving and failure that it draws.
//!
//! `db` is a database in memory, `repos` are the ports over it, `executor` decides who goes on, `faults` what fails.

pub mod core;
pub mod db;
pub mod defect;
pub mod executor;
pub mod faults;
pub mod repos;
pub mod rng;

mod catalogue;
mod check;
mod doubles;
mod ledger_of_answers;
mod ops;
mod provider;
mod replica;
pub mod runner;
pub mod script;
pub mod shrink;
mod world;
