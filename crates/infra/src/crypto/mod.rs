//! Cryptography behind the ports: password hashes, unpredictable bytes, encryption at rest.

mod keyring;
mod password;
mod secrets;
mod vaults;

pub use keyring::{Keyring, Unreadable};
pub use password::{Argon2Hasher, Cost};
pub use secrets::OsSecrets;
pub use vaults::{IndexKey, SealedIdentities, place};
