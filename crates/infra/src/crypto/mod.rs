//! Cryptography behind the ports: password hashes, unpredictable bytes, encryption at rest.

mod keyring;
mod password;
mod secrets;

pub use keyring::{Keyring, Unreadable};
pub use password::{Argon2Hasher, Cost};
pub use secrets::OsSecrets;
