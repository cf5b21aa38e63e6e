//! Unpredictable bytes from the operating system.

use domain::error::{Error, Result};
use domain::identity::SecretSource;

pub struct OsSecrets;

impl SecretSource for OsSecrets {
    fn random(&self) -> Result<[u8; 32]> {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes).map_err(|error| {
            tracing::error!(%error, "the operating system gave no random bytes");
            Error::Unavailable
        })?;
        Ok(bytes)
    }
}
