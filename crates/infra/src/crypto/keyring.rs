//! Encryption of secrets that must be readable again: ChaCha20-Poly1305 under a named key, bound to its place.
//!
//! A sealed text is `v1.<key>.<base64 of nonce and ciphertext>`. The place (table, column and row) is authenticated:
//! a ciphertext that is copied to another row does not open there. The first key seals, every key opens, so that a
//! new key can be put before the old ones at any time.

use aws_lc_rs::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::fmt;

const VERSION: &str = "v1";
const KEY_BYTES: usize = 32;
const MAX_NAME_LENGTH: usize = 16;
/// What development encrypts with when no key is set: no secret at all.
const DEVELOPMENT_KEY: [u8; KEY_BYTES] = *b"suanpan development key, public!";

/// A sealed text that does not open: another key, another place, or damage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unreadable;

/// The server's keys.
pub struct Keyring {
    keys: Vec<(String, LessSafeKey)>,
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.keys.iter().map(|(name, _)| name)).finish()
    }
}

impl Keyring {
    /// Reads keys, the sealing one first, each `name:base64 of 32 bytes`. The reason never repeats a key.
    pub fn parse<'a>(texts: impl IntoIterator<Item = &'a str>) -> Result<Self, &'static str> {
        let mut keys: Vec<(String, LessSafeKey)> = Vec::new();
        for text in texts {
            let (name, encoded) = text.split_once(':').ok_or("each must be NAME:BASE64")?;
            let named = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
            if !(1..=MAX_NAME_LENGTH).contains(&name.len()) || !name.bytes().all(named) {
                return Err("a key's name must be 1 to 16 of a-z and 0-9");
            }
            if keys.iter().any(|(other, _)| other == name) {
                return Err("two keys have the same name");
            }
            let bytes = STANDARD.decode(encoded.trim()).map_err(|_| "a key must be base64")?;
            keys.push((name.to_owned(), key(&bytes).ok_or("a key must have 32 bytes")?));
        }
        if keys.is_empty() { Err("there must be a key") } else { Ok(Self { keys }) }
    }

    /// The key that everybody knows.
    pub fn development() -> Self {
        Self { keys: key(&DEVELOPMENT_KEY).map(|key| ("development".to_owned(), key)).into_iter().collect() }
    }

    /// Without keys nothing is sealed and nothing opens.
    pub const fn without_keys() -> Self {
        Self { keys: Vec::new() }
    }

    /// What every text begins with that is sealed from now on; `None` without keys.
    pub fn prefix(&self) -> Option<String> {
        self.keys.first().map(|(name, _)| format!("{VERSION}.{name}."))
    }

    /// Whether the key is there that a text was sealed with.
    pub fn knows(&self, sealed: &str) -> bool {
        let name = sealed.strip_prefix(VERSION).and_then(|rest| rest.strip_prefix('.')?.split('.').next());
        name.is_some_and(|name| self.keys.iter().any(|(known, _)| known == name))
    }

    /// Encrypts for one place, such as `webhook_endpoints.secret:whe_…`; `None` when there is no randomness.
    pub fn seal(&self, clear: &[u8], place: &str) -> Option<String> {
        let (name, key) = self.keys.first()?;
        let mut nonce = [0; NONCE_LEN];
        getrandom::fill(&mut nonce).ok()?;
        let mut bytes = clear.to_vec();
        let aad = Aad::from(bound(name, place));
        let tag = key.seal_in_place_separate_tag(Nonce::assume_unique_for_key(nonce), aad, &mut bytes).ok()?;
        let sealed = [&nonce[..], &bytes, tag.as_ref()].concat();
        Some(format!("{VERSION}.{name}.{}", STANDARD.encode(sealed)))
    }

    /// Decrypts what was sealed for this place.
    pub fn open(&self, sealed: &str, place: &str) -> Result<Vec<u8>, Unreadable> {
        let mut parts = sealed.splitn(3, '.');
        let (Some(VERSION), Some(name), Some(encoded)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(Unreadable);
        };
        let (_, key) = self.keys.iter().find(|(known, _)| known == name).ok_or(Unreadable)?;
        let mut bytes = STANDARD.decode(encoded).map_err(|_| Unreadable)?;
        if bytes.len() < NONCE_LEN {
            return Err(Unreadable);
        }
        let mut sealed = bytes.split_off(NONCE_LEN);
        let nonce = Nonce::try_assume_unique_for_key(&bytes).map_err(|_| Unreadable)?;
        let clear = key.open_in_place(nonce, Aad::from(bound(name, place)), &mut sealed).map_err(|_| Unreadable)?;
        Ok(clear.to_vec())
    }
}

fn key(bytes: &[u8]) -> Option<LessSafeKey> {
    UnboundKey::new(&CHACHA20_POLY1305, bytes).ok().map(LessSafeKey::new)
}

fn bound(name: &str, place: &str) -> String {
    format!("{VERSION}|{name}|{place}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(name: &str, fill: u8) -> String {
        format!("{name}:{}", STANDARD.encode([fill; 32]))
    }

    fn ring(texts: &[&str]) -> Keyring {
        Keyring::parse(texts.iter().copied()).unwrap()
    }

    #[test]
    fn what_is_sealed_opens_at_its_place_only_and_never_looks_the_same() {
        let ring = ring(&[&text("a", 1)]);
        let (one, two) = (ring.seal(b"secret", "t.c:1").unwrap(), ring.seal(b"secret", "t.c:1").unwrap());
        assert_ne!(one, two);
        assert_eq!(ring.open(&one, "t.c:1").unwrap(), b"secret");
        assert_eq!(ring.open(&one, "t.c:2"), Err(Unreadable));
        assert_eq!(ring.open(&one, "t.d:1"), Err(Unreadable));
    }

    #[test]
    fn a_new_key_seals_while_the_old_one_still_opens() {
        let old = ring(&[&text("a", 1)]);
        let sealed = old.seal(b"secret", "p").unwrap();
        let both = ring(&[&text("b", 2), &text("a", 1)]);
        assert_eq!(both.open(&sealed, "p").unwrap(), b"secret");
        assert!(both.seal(b"x", "p").unwrap().starts_with("v1.b."));
        assert_eq!(ring(&[&text("b", 2)]).open(&sealed, "p"), Err(Unreadable));
        // The same name over other bytes.
        assert_eq!(ring(&[&text("a", 9)]).open(&sealed, "p"), Err(Unreadable));
    }

    #[test]
    fn damage_is_noticed() {
        let ring = ring(&[&text("a", 1)]);
        let sealed = ring.seal(b"secret", "p").unwrap();
        for damaged in ["", "v1", "v1.a", "v1.a.", "v2.a.AAAA", "v1.a.AAAA", "v1.a.%%%", &sealed[..sealed.len() - 4]] {
            assert_eq!(ring.open(damaged, "p"), Err(Unreadable), "{damaged}");
        }
    }

    #[test]
    fn mistakes_in_keys_are_named_and_keys_are_never_printed() {
        for texts in [vec![], vec!["x".to_owned()], vec!["a:!".into()], vec!["a:AAAA".into()], vec![text("A", 1)]] {
            assert!(Keyring::parse(texts.iter().map(String::as_str)).is_err(), "{texts:?}");
        }
        assert!(Keyring::parse([text("a", 1).as_str(), text("a", 2).as_str()]).is_err());
        assert_eq!(format!("{:?}", ring(&[&text("a", 1)])), r#"["a"]"#);
        assert!(Keyring::development().seal(b"x", "p").is_some());
    }
}
