//! The one binary of integration tests.

mod db;
mod flows;
mod http;
mod races;
