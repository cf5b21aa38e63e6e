//! What every route shares: reading requests, answering, errors, ids of requests.

pub mod amount;
pub mod answers;
pub mod body;
pub mod csv;
pub mod idempotency;
pub mod intake;
pub mod object;
pub mod paging;
pub mod params;
pub mod problem;
pub mod request_id;
pub mod time;
mod unique_keys;
