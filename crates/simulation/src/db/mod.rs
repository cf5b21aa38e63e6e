//! A database in memory: READ COMMITTED with row locks, waiting, deadlocks and unique indexes, as PostgreSQL has them.

mod locks;
mod table;
mod tables;
mod versions;

pub use locks::{LockKey, Locks};
pub use table::{Answer, Cx, Stop, Table, hash};
pub use tables::{Closed, LaneRow, Membering, SlotKey, Tables};
pub use versions::{OUTSIDE, TxId};
