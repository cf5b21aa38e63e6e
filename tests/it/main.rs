//! The one binary of integration tests.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod auditor;
mod contracts;
mod db;
mod flows;
mod http;
mod layers;
mod oauth;
mod online;
mod payments;
mod races;
mod replicas;
mod roles;
mod seed_map;
