//! The number of a Chinese identity card: eighteen characters, of which the last one checks the others.
//!
//! Source: GB 11643-1999 for the form and the check character (ISO 7064 MOD 11-2), GB/T 2260 for the provinces. The
//! residence permits of people from Hong Kong, Macao and Taiwan have numbers of the same form. Whether the number was
//! given out, and to whom, only the police know.

use crate::text::is_hidden;
use chrono::{Datelike, NaiveDate};
use std::fmt;
use unicode_normalization::UnicodeNormalization;

const LENGTH: usize = 18;
const MAX_TYPED_LENGTH: usize = 128;
/// Nobody alive was born before.
const FIRST_YEAR: i32 = 1900;
const WEIGHTS: [u32; 17] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
const CHECK_CHARACTERS: &[u8; 11] = b"10X98765432";
/// The first two digits: provinces, and 81 to 83 for the residence permits.
const PROVINCES: [&str; 34] = [
    "11", "12", "13", "14", "15", "21", "22", "23", "31", "32", "33", "34", "35", "36", "37", "41", "42", "43", "44",
    "45", "46", "50", "51", "52", "53", "54", "61", "62", "63", "64", "65", "81", "82", "83",
];

/// A number that may be one: eighteen ASCII characters, `X` in upper case.
#[derive(Clone, PartialEq, Eq)]
pub struct IdNumber(String);

impl IdNumber {
    /// Reads a number as somebody typed it; `today` bounds the day of birth. The reason never repeats the number.
    pub fn parse(text: &str, today: NaiveDate) -> Result<Self, &'static str> {
        let text = text.trim();
        if text.len() > MAX_TYPED_LENGTH || text.chars().any(is_hidden) {
            return Err(FORM);
        }
        let number = text.nfkc().collect::<String>().to_ascii_uppercase();
        let digits = number.bytes().take(LENGTH - 1).all(|byte| byte.is_ascii_digit());
        if number.len() != LENGTH || !digits || !number.is_ascii() {
            return Err(FORM);
        }
        if number.as_bytes()[LENGTH - 1] != check_character(&number) {
            return Err("is mistyped: its last character does not fit the others");
        }
        if !PROVINCES.contains(&&number[..2]) {
            return Err("begins with no province");
        }
        let born = birth(&number).ok_or("holds no day of birth")?;
        if born.year() < FIRST_YEAR || born > today {
            return Err("holds no day of birth of somebody alive");
        }
        Ok(Self(number))
    }

    /// A number read back from where it was kept.
    pub fn from_stored(text: String) -> Self {
        Self(text)
    }

    /// The number for those who may see it.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// The first and the last character, and stars.
    pub fn masked(&self) -> String {
        let ends = (self.0.get(..1).unwrap_or_default(), self.0.get(LENGTH - 1..).unwrap_or_default());
        format!("{}{}{}", ends.0, "*".repeat(LENGTH - 2), ends.1)
    }
}

const FORM: &str = "must be the 18 characters of an identity card: 17 digits, and a digit or X";

impl fmt::Debug for IdNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("IdNumber(…)")
    }
}

fn check_character(number: &str) -> u8 {
    let digits = number.bytes().map(|byte| u32::from(byte - b'0'));
    let sum: u32 = digits.zip(WEIGHTS).map(|(digit, weight)| digit * weight).sum();
    CHECK_CHARACTERS[(sum % 11) as usize]
}

fn birth(number: &str) -> Option<NaiveDate> {
    let part = |from: usize, to: usize| number[from..to].parse::<u32>().ok();
    NaiveDate::from_ymd_opt(i32::try_from(part(6, 10)?).ok()?, part(10, 12)?, part(12, 14)?)
}

#[cfg(test)]
#[path = "id_number_tests.rs"]
mod tests;
