//! What the tests share.

pub mod app;
pub mod auditor;
pub mod bills;
mod blueprint;
pub mod crew;
pub mod databases;
pub mod identity_provider;
pub mod mailbox;
pub mod money;
pub mod payments;
mod plans;
pub mod receiver;
pub mod scene;
pub mod scripted_provider;
