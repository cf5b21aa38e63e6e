//! The rules of Suanpan: pure types, ports and services, without I/O.

pub mod accounts;
pub mod actor;
pub mod change;
pub mod decimal;
pub mod error;
pub mod id;
pub mod identity;
pub mod money;
pub mod page;
pub mod quantity;
pub mod store;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
pub mod text;
pub mod time;
