//! The rules of Suanpan: pure types, ports and services, without I/O.

pub mod actor;
pub mod decimal;
pub mod error;
pub mod id;
pub mod money;
pub mod page;
pub mod plans;
pub mod quantity;
pub mod store;
pub mod time;
