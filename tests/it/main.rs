//! The one binary of integration tests.

mod db;
mod layers;
mod seed_map;
