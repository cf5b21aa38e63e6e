//! A deterministic simulation of the domain: one thread, one seed, every interleaving and failure that it draws.
//!
//! `db` is a database in memory, `repos` are the ports over it, `executor` decides who goes on, `faults` what fails.

pub mod core;
pub mod db;
pub mod defect;
pub mod differential;
pub mod executor;
pub mod faults;
pub mod repos;
pub mod rng;

pub mod catalogue;
mod check;
pub mod doubles;
pub mod ledger_of_answers;
mod ops;
pub mod provider;
pub mod replica;
pub mod runner;
pub mod script;
pub mod shrink;
mod stage;
pub mod world;
