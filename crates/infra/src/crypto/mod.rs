//! Cryptography behind the ports: password hashes and unpredictable bytes.

mod password;
mod secrets;

pub use password::{Argon2Hasher, Cost};
pub use secrets::OsSecrets;
