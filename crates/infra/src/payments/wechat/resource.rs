//! The encrypted part of a notification: AES-256-GCM under the APIv3 key. Source: doc 4012071382.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// The APIv3 key, which is never printed.
pub struct ResourceKey(LessSafeKey);

impl ResourceKey {
    /// Exactly 32 characters, taken as bytes: 16 would be another cipher.
    pub fn new(text: &str) -> Option<Self> {
        UnboundKey::new(&AES_256_GCM, text.as_bytes()).ok().map(|key| Self(LessSafeKey::new(key)))
    }

    /// Opens a Base64 ciphertext whose last 16 bytes are the tag; the nonce is 12 characters, not Base64.
    pub fn open(&self, nonce: &str, associated: &str, ciphertext: &str) -> Option<Vec<u8>> {
        let nonce = Nonce::try_assume_unique_for_key(nonce.as_bytes()).ok()?;
        let mut bytes = STANDARD.decode(ciphertext).ok()?;
        let opened = self.0.open_in_place(nonce, Aad::from(associated.as_bytes()), &mut bytes).ok()?.len();
        bytes.truncate(opened);
        Some(bytes)
    }
}
