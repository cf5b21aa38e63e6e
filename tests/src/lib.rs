//! What the tests share.

pub mod app;
pub mod crew;
pub mod databases;
pub mod scene;
