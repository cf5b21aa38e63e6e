//! What Alipay signs: parameters sorted by their names, joined with `=` and `&`, as bytes.

use super::Alipay;

/// The content of a request's signature: everything that is not empty, `sign_type` too, but not `sign`.
pub fn sign_content(parameters: &[(&str, String)]) -> String {
    let mut pairs: Vec<_> = parameters.iter().filter(|(name, value)| *name != "sign" && !value.is_empty()).collect();
    pairs.sort();
    pairs.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&")
}

/// The content of a notification's signature: everything that came, but neither `sign` nor `sign_type`.
pub fn notification_content(pairs: &[(Vec<u8>, Vec<u8>)]) -> Vec<u8> {
    let unsigned: [&[u8]; 2] = [b"sign", b"sign_type"];
    let mut pairs: Vec<_> = pairs.iter().filter(|(name, _)| !unsigned.contains(&name.as_slice())).collect();
    pairs.sort();
    let joined: Vec<Vec<u8>> = pairs.iter().map(|(name, value)| [name.as_slice(), b"=", value].concat()).collect();
    joined.join(&b'&')
}

impl Alipay {
    /// Whether one of Alipay's keys made the signature.
    pub(super) fn verifies(&self, message: &[u8], signature: &str) -> bool {
        self.alipay_keys.iter().any(|key| key.verifies(message, signature))
    }
}
