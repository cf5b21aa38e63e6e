//! The buyer's tax id on an invoice. A wrong check digit warns and is not refused: there are real codes that fail it.
//!
//! Source: GB 32100-2015, unified social credit codes: 18 characters of an alphabet of 31, the last of which is a check
//! over the others with the weights `3^(i-1) mod 31`. Older ids have 15 digits, some have 20 characters.

use crate::error::{Error, Result};

/// A character's value is its place; I, O, S, V and Z are not in it.
const ALPHABET: &[u8; 31] = b"0123456789ABCDEFGHJKLMNPQRTUWXY";
const CODE_LENGTH: usize = 18;
/// Tax ids from before the unified code.
const OLD_LENGTHS: [usize; 2] = [15, 20];

/// A tax id of a known length, in capitals and without blanks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaxId(String);

/// What looks wrong about a tax id that is taken all the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TaxIdDoubt {
    /// The last character of a unified code is not the check of the others.
    CheckDigit,
    /// A unified code has a letter that is not in its alphabet: I, O, S, V or Z.
    Alphabet,
    /// It is of the kind from before 2015.
    OldKind,
}

impl TaxIdDoubt {
    pub const fn name(self) -> &'static str {
        match self {
            Self::CheckDigit => "tax_id_check_digit",
            Self::Alphabet => "tax_id_alphabet",
            Self::OldKind => "tax_id_old_kind",
        }
    }
}

impl TaxId {
    /// Reads a tax id: 15, 18 or 20 letters and digits, in which blanks do not count.
    pub fn parse(text: &str) -> Result<Self> {
        let id: String = text.chars().filter(|letter| *letter != ' ').collect::<String>().to_ascii_uppercase();
        let known = id.len() == CODE_LENGTH || OLD_LENGTHS.contains(&id.len());
        if !id.bytes().all(|byte| byte.is_ascii_alphanumeric()) || !known {
            return Err(Error::invalid("tax_id", "must be 18 letters and digits, or an old id of 15 or 20"));
        }
        Ok(Self(id))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What somebody should look at before an invoice is made out; `None` when nothing looks wrong.
    pub fn doubt(&self) -> Option<TaxIdDoubt> {
        if self.0.len() != CODE_LENGTH {
            return Some(TaxIdDoubt::OldKind);
        }
        let values: Option<Vec<usize>> = self.0.bytes().map(value).collect();
        let Some(values) = values else { return Some(TaxIdDoubt::Alphabet) };
        (values[CODE_LENGTH - 1] != check(&values[..CODE_LENGTH - 1])).then_some(TaxIdDoubt::CheckDigit)
    }
}

fn value(byte: u8) -> Option<usize> {
    ALPHABET.iter().position(|letter| *letter == byte)
}

/// `(31 - sum mod 31) mod 31`; the second `mod`, which many copies of the rule forget, makes 0 of a remainder of 0.
fn check(values: &[usize]) -> usize {
    let (sum, _) = values.iter().fold((0, 1), |(sum, weight), value| (sum + value * weight, weight * 3 % 31));
    (31 - sum % 31) % 31
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn doubt(text: &str) -> Option<TaxIdDoubt> {
        TaxId::parse(text).unwrap().doubt()
    }

    #[test]
    fn real_codes_and_the_edges_of_the_remainder_raise_no_doubt() {
        for code in [
            "91350100M000100Y43",
            "9144030071526726XG",
            "91330100799655058B",
            "91440300708461136T",
            "91110108551385082Q",
            "911101066976941872",
            "91110000802100433B",
            "91110108MA00000070",
            "91110108MA0000197Y",
        ] {
            assert_eq!(doubt(code), None, "{code}");
        }
    }

    #[test]
    fn a_wrong_check_digit_warns_and_is_taken() {
        assert_eq!(doubt("91350211M0000XUF46"), Some(TaxIdDoubt::CheckDigit));
        assert_eq!(doubt("91310115MA1H8R7C6D"), Some(TaxIdDoubt::CheckDigit));
        assert_eq!(doubt("91350100M000100Y4I"), Some(TaxIdDoubt::Alphabet));
    }

    #[test]
    fn old_ids_are_known_and_other_lengths_are_refused() {
        assert_eq!(doubt("110108600011111"), Some(TaxIdDoubt::OldKind));
        assert_eq!(doubt("11010819800101123401"), Some(TaxIdDoubt::OldKind));
        for text in
            ["", "91350100M000100Y4", "91350100M000100Y433", "９1350100M000100Y43", "91350100M000100Y4-", "税号"]
        {
            assert!(TaxId::parse(text).is_err(), "{text}");
        }
        assert_eq!(TaxId::parse(" 91350100m000100y43 ").unwrap().as_str(), "91350100M000100Y43");
    }

    proptest! {
        /// The weights are powers of three, none of which is 0 modulo 31: the check sees every single mistake.
        #[test]
        fn every_mistake_in_one_character_is_seen(place in 0_usize..18, other in 0_usize..31) {
            let mut code = *b"91350100M000100Y43";
            prop_assume!(code[place] != ALPHABET[other]);
            code[place] = ALPHABET[other];
            prop_assert_eq!(doubt(std::str::from_utf8(&code).unwrap()), Some(TaxIdDoubt::CheckDigit));
        }
    }
}
