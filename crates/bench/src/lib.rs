//! What the benchmarks and the fault experiments share: databases of their own, the server as a child process, and
//! clients.

pub mod client;
pub mod customers;
pub mod database;
pub mod figures;
pub mod load;
pub mod process;
