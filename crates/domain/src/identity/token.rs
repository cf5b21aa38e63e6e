//! Bearer tokens: opaque, 256 random bits, of which only the SHA-256 is kept.

use crate::text::hex;
use sha2::{Digest, Sha256};
use std::fmt::{self};

/// Characters of a token that are kept for display: `sk-` and seven more.
const PREFIX_LENGTH: usize = 10;
const RANDOM_BYTES: usize = 32;

/// What a token opens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenKind {
    Session,
    ApiKey,
    /// Makes the first root.
    SetUp,
    /// Names a log-in under way at an identity provider.
    OAuthState,
    /// Kept by the browser that began such a log-in.
    OAuthBrowser,
    /// Is given for a session once, after such a log-in.
    OAuthCode,
}

impl TokenKind {
    const fn prefix(self) -> &'static str {
        match self {
            Self::Session => "ses-",
            Self::ApiKey => "sk-",
            Self::SetUp => "setup-",
            // Letters and digits only, for that is all some providers hand back.
            Self::OAuthState => "ost",
            Self::OAuthBrowser => "obr-",
            Self::OAuthCode => "oac-",
        }
    }
}

/// A token in clear text: given out once and never stored.
#[derive(Clone, PartialEq, Eq)]
pub struct Token {
    kind: TokenKind,
    text: String,
}

impl Token {
    pub fn from_random(kind: TokenKind, random: [u8; RANDOM_BYTES]) -> Self {
        Self { kind, text: format!("{}{}", kind.prefix(), hex(&random)) }
    }

    /// Reads a bearer token, of a session or a key; `None` for anything that was never given out.
    pub fn parse(text: &str) -> Option<Self> {
        [TokenKind::Session, TokenKind::ApiKey].into_iter().find_map(|kind| Self::parse_as(kind, text))
    }

    /// Reads a token of one kind.
    pub fn parse_as(kind: TokenKind, text: &str) -> Option<Self> {
        let digits = text.strip_prefix(kind.prefix())?;
        let valid = digits.len() == 2 * RANDOM_BYTES && digits.bytes().all(is_hex_digit);
        valid.then(|| Self { kind, text: text.to_owned() })
    }

    pub const fn kind(&self) -> TokenKind {
        self.kind
    }

    /// The text for its owner's eyes.
    pub fn expose(&self) -> &str {
        &self.text
    }

    /// The first characters, by which the owner recognises it.
    pub fn prefix(&self) -> String {
        self.text.chars().take(PREFIX_LENGTH).collect()
    }

    pub fn hash(&self) -> TokenHash {
        TokenHash(Sha256::digest(self.text.as_bytes()).into())
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

/// The SHA-256 of a token: what is stored and looked up.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct TokenHash([u8; 32]);

impl TokenHash {
    /// 64 lower-case hexadecimal digits.
    pub fn to_hex(self) -> String {
        hex(&self.0)
    }

    pub fn from_hex(text: &str) -> Option<Self> {
        if text.len() != 64 || !text.bytes().all(is_hex_digit) {
            return None;
        }
        let mut bytes = [0; 32];
        for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks(2)) {
            *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
        }
        Some(Self(bytes))
    }
}

impl fmt::Debug for TokenHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenHash(…)")
    }
}

fn is_hex_digit(byte: u8) -> bool {
    matches!(byte, b'0'..=b'9' | b'a'..=b'f')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_reads_back_as_its_own_kind() {
        for kind in [TokenKind::Session, TokenKind::ApiKey] {
            let token = Token::from_random(kind, [7; 32]);
            let read = Token::parse(token.expose()).unwrap();
            assert_eq!((read.kind(), read.hash()), (kind, token.hash()));
            assert_eq!(TokenHash::from_hex(&token.hash().to_hex()), Some(token.hash()));
        }
    }

    #[test]
    fn what_is_for_one_purpose_is_no_bearer_token() {
        for kind in [TokenKind::SetUp, TokenKind::OAuthState, TokenKind::OAuthBrowser, TokenKind::OAuthCode] {
            let token = Token::from_random(kind, [7; 32]);
            assert_eq!(Token::parse(token.expose()), None);
            assert_eq!(Token::parse_as(kind, token.expose()), Some(token));
        }
    }

    #[test]
    fn what_was_never_given_out_is_no_token() {
        let token = Token::from_random(TokenKind::ApiKey, [7; 32]);
        let upper = token.expose().to_uppercase();
        let long = format!("{}0", token.expose());
        for text in ["", "sk-", "sk-07", &upper, &long, &token.expose()[1..], "sk-密", &"x".repeat(70_000)] {
            assert_eq!(Token::parse(text), None);
        }
    }

    #[test]
    fn only_the_prefix_of_a_token_is_shown() {
        let token = Token::from_random(TokenKind::ApiKey, [0xab; 32]);
        assert_eq!(token.prefix(), "sk-abababa");
        assert_eq!(format!("{token:?} {:?}", token.hash()), "Token(…) TokenHash(…)");
    }
}
