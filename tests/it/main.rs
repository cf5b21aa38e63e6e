//! The one binary of integration tests.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod access;
mod auditor;
mod backup;
mod contracts;
mod db;
mod deploy;
mod drivers;
mod flows;
mod fuzz;
mod http;
mod layers;
mod oauth;
mod online;
mod payments;
mod races;
mod replicas;
mod roles;
mod security;
mod seed_map;
