//! The names under which a user logs in, normalised so that twins collide before the unique index sees them.

use crate::text::{fold, is_hidden};
use std::fmt;

const USERNAME_LENGTH: std::ops::RangeInclusive<usize> = 3..=64;
const PHONE_DIGITS: std::ops::RangeInclusive<usize> = 6..=15;
const MAX_EMAIL_LENGTH: usize = 254;
const MAX_EMAIL_LOCAL_LENGTH: usize = 64;

macro_rules! login_name {
    ($name:ident) => {
        impl $name {
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// A name read back from storage, where it was put normalised.
            pub fn from_stored(text: String) -> Self {
                Self(text)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

/// 3 to 64 letters (of any script), digits, `_`, `.` and `-`, with at least one letter: never a phone number.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Username(String);
login_name!(Username);

impl Username {
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let name = fold(text);
        if !USERNAME_LENGTH.contains(&name.chars().count()) {
            return Err("must have 3 to 64 characters");
        }
        let allowed = |letter: char| !is_hidden(letter) && (letter.is_alphanumeric() || "_.-".contains(letter));
        if !name.chars().all(allowed) {
            return Err("may have letters, digits, '_', '.' and '-' only");
        }
        if !name.chars().any(char::is_alphabetic) {
            return Err("must contain a letter");
        }
        Ok(Self(name))
    }
}

/// An e-mail address: something, one `@`, something; at most 254 characters.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Email(String);
login_name!(Email);

impl Email {
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        const REASON: &str = "is not an e-mail address";
        let address = fold(text);
        let (local, host) = address.split_once('@').ok_or(REASON)?;
        let sized = (1..=MAX_EMAIL_LOCAL_LENGTH).contains(&local.len()) && address.len() <= MAX_EMAIL_LENGTH;
        let odd = |letter: char| letter.is_whitespace() || is_hidden(letter) || "()<>[],;:\\\"".contains(letter);
        let dotted = |part: &str| part.starts_with('.') || part.ends_with('.') || part.contains("..");
        if !sized || host.is_empty() || host.contains('@') || address.chars().any(odd) || dotted(host) {
            return Err(REASON);
        }
        Ok(Self(address))
    }
}

/// A phone number: 6 to 15 digits, with or without `+`, as in E.164.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Phone(String);
login_name!(Phone);

impl Phone {
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let number = fold(text);
        let digits = number.strip_prefix('+').unwrap_or(&number);
        if PHONE_DIGITS.contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit()) {
            Ok(Self(number))
        } else {
            Err("must be 6 to 15 digits, with or without a leading '+'")
        }
    }
}

/// What a person typed to log in. The three kinds share no text, so at most one user is meant.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Login {
    Username(Username),
    Email(Email),
    Phone(Phone),
}

impl Login {
    /// `None` when no user can have such a name.
    pub fn parse(text: &str) -> Option<Self> {
        Email::parse(text)
            .map(Self::Email)
            .or_else(|_| Phone::parse(text).map(Self::Phone))
            .or_else(|_| Username::parse(text).map(Self::Username))
            .ok()
    }

    pub fn as_str(&self) -> &str {
        match self {
            Self::Username(name) => name.as_str(),
            Self::Email(address) => address.as_str(),
            Self::Phone(number) => number.as_str(),
        }
    }

    /// The field of a user that holds it.
    pub const fn field(&self) -> &'static str {
        match self {
            Self::Username(_) => "username",
            Self::Email(_) => "email",
            Self::Phone(_) => "phone",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_username_has_three_to_sixty_four_characters_with_a_letter() {
        for name in ["abc", "张小三", "a.b-c_9", "𠮷野家", &"x".repeat(64)] {
            assert!(Username::parse(name).is_ok(), "{name}");
        }
        for name in ["ab", &"x".repeat(65), "a b c", "a@bc", "12345678", "---", "adm\u{200B}in", "a\u{202E}bc", "a\0bc"]
        {
            assert!(Username::parse(name).is_err(), "{name:?}");
        }
    }

    #[test]
    fn fullwidth_and_upper_case_twins_are_the_same_username() {
        assert_eq!(Username::parse("ＡＤＭＩＮ"), Username::parse("admin"));
        assert_eq!(Username::parse("Re\u{301}ne"), Username::parse("réne"));
    }

    #[test]
    fn an_email_has_exactly_one_at_sign_and_no_blanks() {
        assert_eq!(Email::parse("A.B@Example.COM").unwrap().as_str(), "a.b@example.com");
        for address in ["", "@", "a@", "@b", "a@b@c", "a b@c", "a@b..c", "a@.b", "a\n@b", "<a>@b", &"a".repeat(255)] {
            assert!(Email::parse(address).is_err(), "{address:?}");
        }
    }

    #[test]
    fn a_phone_number_has_six_to_fifteen_digits() {
        assert_eq!(Phone::parse("+８６13800138000").unwrap().as_str(), "+8613800138000");
        for number in ["12345", "1234567890123456", "+", "++8613800138000", "138-0013-8000", "٣٣٣٣٣٣"] {
            assert!(Phone::parse(number).is_err(), "{number}");
        }
    }

    #[test]
    fn each_login_text_means_one_field() {
        assert_eq!(Login::parse("13800138000").unwrap().field(), "phone");
        assert_eq!(Login::parse("a@b.cn").unwrap().field(), "email");
        assert_eq!(Login::parse("Zhang").unwrap().field(), "username");
        assert_eq!(Login::parse("?"), None);
    }

    proptest! {
        #[test]
        fn what_was_parsed_parses_to_itself(text in "\\PC{3,20}") {
            if let Ok(name) = Username::parse(&text) {
                prop_assert_eq!(Username::parse(name.as_str()), Ok(name));
            }
        }
    }
}
