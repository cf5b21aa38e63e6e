//! What one joins a team with: the team's six digits, which are easy to say, or an invitation's long code.

use crate::text::hex;
use std::fmt;

pub const INVITE_CODE_DIGITS: usize = 6;
/// How many codes of six digits there are.
const CODES: u32 = 1_000_000;
/// Letters of an invitation's code: 128 random bits in hex.
const SECRET_LENGTH: usize = 32;

/// A code as somebody presents it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum InviteCode {
    /// Six decimal digits. Guessable: it only lets one ask, and asking is throttled.
    Team(String),
    /// 32 hexadecimal digits, good for one person.
    Invitation(String),
}

impl InviteCode {
    /// Reads a code; blanks around it do not matter. `None` for what was never given out.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        if text.len() == INVITE_CODE_DIGITS && text.bytes().all(|byte| byte.is_ascii_digit()) {
            return Some(Self::Team(text.to_owned()));
        }
        let secret = text.len() == SECRET_LENGTH && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        secret.then(|| Self::Invitation(text.to_owned()))
    }
}

impl fmt::Debug for InviteCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("InviteCode(…)")
    }
}

/// Eight team codes made of 32 random bytes, of which the first free one is taken.
pub(super) fn team_codes(random: [u8; 32]) -> Vec<String> {
    let of = |bytes: &[u8]| u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]) % CODES;
    random.chunks_exact(4).map(|bytes| format!("{:0width$}", of(bytes), width = INVITE_CODE_DIGITS)).collect()
}

/// An invitation's code made of 32 random bytes.
pub(super) fn invitation_code(random: [u8; 32]) -> String {
    hex(&random[..SECRET_LENGTH / 2])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn six_digits_are_a_teams_code_and_thirty_two_hex_digits_an_invitations() {
        assert_eq!(InviteCode::parse(" 004217 "), Some(InviteCode::Team("004217".to_owned())));
        let secret = "00112233445566778899aabbccddeeff";
        assert_eq!(InviteCode::parse(secret), Some(InviteCode::Invitation(secret.to_owned())));
        for text in ["", "12345", "1234567", "12345a", "１２３４５６", &secret.to_uppercase(), &secret[1..]] {
            assert_eq!(InviteCode::parse(text), None, "{text}");
        }
    }

    #[test]
    fn random_bytes_make_codes_of_exactly_six_digits_that_read_back() {
        for byte in 0..=255_u8 {
            let mut random = [byte; 32];
            random[0] = byte.wrapping_mul(7);
            let codes = team_codes(random);
            assert_eq!(codes.len(), 8);
            assert!(codes.iter().all(|code| matches!(InviteCode::parse(code), Some(InviteCode::Team(_)))));
            let secret = invitation_code(random);
            assert_eq!(InviteCode::parse(&secret), Some(InviteCode::Invitation(secret)));
        }
        assert_eq!(team_codes([0; 32])[0], "000000");
    }

    #[test]
    fn a_code_is_not_printed() {
        assert_eq!(format!("{:?}", InviteCode::Team("123456".to_owned())), "InviteCode(…)");
    }
}
