//! The text of a redemption code: twenty characters that are easy to type, a hundred bits that nobody guesses.
//!
//! Crockford's base 32 without I, L, O and U. Case, blanks and separators do not matter, and what looks like a digit is
//! read as one.

use crate::text::hex;
use sha2::{Digest, Sha256};
use std::fmt;
use unicode_normalization::UnicodeNormalization;

const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const CODE_LENGTH: usize = 20;
const GROUP_LENGTH: usize = 5;
const INVITE_LENGTH: usize = 8;
/// More is not looked at.
const MAX_TYPED_LENGTH: usize = 64;

/// A redemption code in its one spelling: upper case, no separators.
#[derive(Clone, PartialEq, Eq)]
pub struct CodeText(String);

impl CodeText {
    /// Reads a code as somebody typed it; `None` for what was never given out.
    pub fn parse(text: &str) -> Option<Self> {
        canonical(text, CODE_LENGTH).map(Self)
    }

    /// A new code; 100 of the 256 bits are used.
    pub fn from_random(random: [u8; 32]) -> Self {
        Self(letters(random, CODE_LENGTH))
    }

    /// In groups of five with dashes, for its holder's eyes.
    pub fn expose(&self) -> String {
        let groups: Vec<&str> =
            (0..CODE_LENGTH).step_by(GROUP_LENGTH).map(|start| &self.0[start..start + GROUP_LENGTH]).collect();
        groups.join("-")
    }

    /// The first group, by which operators recognise a code; 75 bits stay unknown.
    pub fn hint(&self) -> String {
        self.0[..GROUP_LENGTH].to_owned()
    }

    /// SHA-256 in hex: what is stored and looked up. The code has far too many bits for a list of hashes.
    pub fn digest(&self) -> String {
        hex(&Sha256::digest(self.0.as_bytes()))
    }
}

impl fmt::Debug for CodeText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CodeText(…)")
    }
}

/// The code by which a user invites others: eight characters, no secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AffCode(String);

impl AffCode {
    pub fn parse(text: &str) -> Option<Self> {
        canonical(text, INVITE_LENGTH).map(Self)
    }

    pub fn from_random(random: [u8; 32]) -> Self {
        Self(letters(random, INVITE_LENGTH))
    }

    pub fn from_stored(text: String) -> Self {
        Self(text)
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn letters(random: [u8; 32], count: usize) -> String {
    random.iter().take(count).map(|byte| char::from(ALPHABET[usize::from(byte % 32)])).collect()
}

fn canonical(text: &str, length: usize) -> Option<String> {
    if text.len() > MAX_TYPED_LENGTH {
        return None;
    }
    let typed = text.nfkc().filter(|letter| !letter.is_whitespace() && !"-_.–—".contains(*letter));
    let read: Option<String> = typed.map(digit_or_letter).collect();
    read.filter(|code| code.len() == length)
}

fn digit_or_letter(letter: char) -> Option<char> {
    let upper = match letter.to_ascii_uppercase() {
        'O' => '0',
        'I' | 'L' => '1',
        other => other,
    };
    u8::try_from(upper).ok().filter(|byte| ALPHABET.contains(byte)).map(char::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_reads_back_however_it_is_typed() {
        let mut random = [0; 32];
        random.iter_mut().zip(0..).for_each(|(byte, place)| *byte = place);
        let code = CodeText::from_random(random);
        assert_eq!(code.expose(), "01234-56789-ABCDE-FGHJK");
        for typed in [
            "01234-56789-ABCDE-FGHJK",
            "0123456789abcdefghjk",
            " o1234 5678 9ABC DEFG HJK\n",
            "OI234_56789.abcde—fghjk",
            "０１２３４５６７８９ＡＢＣＤＥＦＧＨＪＫ",
        ] {
            assert_eq!(CodeText::parse(typed), Some(code.clone()), "{typed}");
        }
    }

    #[test]
    fn what_was_never_given_out_is_no_code() {
        for typed in ["", "0123456789ABCDEFGHJ", "0123456789ABCDEFGHJKM", "U123456789ABCDEFGHJK", "\0", "密", "%"] {
            assert_eq!(CodeText::parse(typed), None, "{typed}");
        }
        assert_eq!(CodeText::parse(&"0".repeat(1_000_000)), None);
    }

    #[test]
    fn every_byte_makes_a_letter_and_all_letters_are_equally_likely() {
        let made: Vec<String> = (0..=255).map(|byte| letters([byte; 32], 1)).collect();
        for letter in ALPHABET {
            let text = char::from(*letter).to_string();
            assert_eq!(made.iter().filter(|made| **made == text).count(), 8);
            assert_eq!(canonical(&text, 1), Some(text));
        }
    }

    #[test]
    fn a_code_is_not_printed() {
        assert_eq!(format!("{:?}", CodeText::from_random([7; 32])), "CodeText(…)");
    }

    #[test]
    fn an_invite_has_eight_letters_and_reads_back() {
        let code = AffCode::from_random([13; 32]);
        assert_eq!(code.as_str(), "DDDDDDDD");
        assert_eq!(AffCode::parse(" dddd-dddd "), Some(code));
        assert_eq!(AffCode::parse("DDDDDDD"), None);
    }
}
