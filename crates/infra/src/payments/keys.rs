//! RSA keys of merchants and providers: RSASSA-PKCS1-v1_5 with SHA-256, which WeChat Pay and Alipay both sign with.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, RsaKeyPair};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::fmt;

/// No key has so many characters.
const MAX_KEY_CHARACTERS: usize = 16 * 1024;

/// A merchant's private key; it is never printed.
pub struct SigningKey(RsaKeyPair);

/// A provider's public key.
pub struct VerifyingKey(ParsedPublicKey);

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningKey([REDACTED])")
    }
}

impl fmt::Debug for VerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("VerifyingKey")
    }
}

impl SigningKey {
    /// Reads PKCS#8 or PKCS#1, as PEM or as the bare Base64 that Alipay's tools write. At least 2048 bits.
    pub fn parse(text: &str) -> Option<Self> {
        let der = der_of(text)?;
        RsaKeyPair::from_pkcs8(&der).or_else(|_| RsaKeyPair::from_der(&der)).ok().map(Self)
    }

    /// The signature in Base64; `None` only when the library fails.
    pub fn sign(&self, message: &[u8]) -> Option<String> {
        let mut signature = vec![0; self.0.public_modulus_len()];
        self.0.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature).ok()?;
        Some(STANDARD.encode(signature))
    }
}

impl VerifyingKey {
    /// Reads a SubjectPublicKeyInfo or an RSAPublicKey, as PEM or as bare Base64.
    pub fn parse(text: &str) -> Option<Self> {
        ParsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, der_of(text)?).ok().map(Self)
    }

    /// Whether a Base64 signature is this key's over the message.
    pub fn verifies(&self, message: &[u8], signature: &str) -> bool {
        STANDARD.decode(signature).is_ok_and(|bytes| self.0.verify_sig(message, &bytes).is_ok())
    }
}

/// The bytes between the lines of a PEM, or of bare Base64.
fn der_of(text: &str) -> Option<Vec<u8>> {
    if text.len() > MAX_KEY_CHARACTERS {
        return None;
    }
    let lines = text.lines().map(str::trim).filter(|line| !line.starts_with("-----"));
    STANDARD.decode(lines.collect::<String>()).ok().filter(|der| !der.is_empty())
}
