//! Signing secrets: made here, sealed with the server's keys, opened only to sign.

use crate::crypto;
use crate::crypto::Keyring;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use domain::error::{Error, Result};
use domain::id::WebhookEndpointId;
use domain::notices::{ClearSecret, NewSecret, SealedSecret, SecretVault};
use domain::sealed::SealedColumn;
use std::sync::Arc;

/// What clear secrets begin with, as Standard Webhooks has it.
const PREFIX: &str = "whsec_";
const SECRET_BYTES: usize = 32;

pub struct WebhookVault {
    pub keys: Arc<Keyring>,
}

impl WebhookVault {
    /// The secret's bytes; `None` when no key opens it for this endpoint.
    pub(super) fn open(&self, endpoint: WebhookEndpointId, secret: &SealedSecret) -> Option<Vec<u8>> {
        self.keys.open(&secret.0, &place(endpoint)).ok()
    }
}

impl SecretVault for WebhookVault {
    fn issue(&self, endpoint: WebhookEndpointId) -> Result<NewSecret> {
        let mut bytes = [0; SECRET_BYTES];
        getrandom::fill(&mut bytes).map_err(|_| Error::Unavailable)?;
        let sealed = self.keys.seal(&bytes, &place(endpoint)).ok_or(Error::Unavailable)?;
        let clear = ClearSecret::new(format!("{PREFIX}{}", STANDARD.encode(bytes)));
        Ok(NewSecret { clear, sealed: SealedSecret(sealed) })
    }
}

fn place(endpoint: WebhookEndpointId) -> String {
    crypto::place(SealedColumn::WebhookSecret, endpoint.as_uuid())
}
