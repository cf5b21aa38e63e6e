//! Passwords and their hashes; neither is ever printed.

use std::fmt;
use unicode_normalization::UnicodeNormalization;

const PASSWORD_LENGTH: std::ops::RangeInclusive<usize> = 8..=128;

/// A password in clear text, in the form (NFKC) in which it is hashed.
#[derive(Clone, PartialEq, Eq)]
pub struct Password(String);

impl Password {
    /// A password that somebody chooses: 8 to 128 characters, no controls.
    pub fn choose(text: &str) -> Result<Self, &'static str> {
        if !PASSWORD_LENGTH.contains(&text.chars().count()) {
            return Err("must have 8 to 128 characters");
        }
        if text.chars().any(char::is_control) {
            return Err("must not contain control characters");
        }
        Ok(Self::presented(text))
    }

    /// A password that somebody presents: any text, for it may only be right or wrong.
    pub fn presented(text: &str) -> Self {
        Self(text.chars().take(*PASSWORD_LENGTH.end() + 1).nfkc().collect())
    }

    /// For the hasher only.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(…)")
    }
}

/// A password hash in PHC form (`$argon2id$…`).
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash(String);

impl PasswordHash {
    pub fn from_phc(text: String) -> Self {
        Self(text)
    }

    /// For the hasher and storage only.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chosen_password_has_8_to_128_characters() {
        assert!(Password::choose("1234567").is_err());
        assert!(Password::choose("12345678").is_ok());
        assert!(Password::choose(&"密".repeat(128)).is_ok());
        assert!(Password::choose(&"密".repeat(129)).is_err());
        assert!(Password::choose("1234567\0").is_err());
    }

    #[test]
    fn a_password_never_prints() {
        let password = Password::choose("correct horse").unwrap();
        let hash = PasswordHash::from_phc("$argon2id$secret".to_owned());
        assert!(!format!("{password:?}{hash:?}").contains("horse"));
        assert!(!format!("{hash:?}").contains("secret"));
    }

    #[test]
    fn a_cut_password_is_not_the_one_it_was_cut_from() {
        let longest = Password::choose(&"x".repeat(128)).unwrap();
        assert_ne!(Password::presented(&"x".repeat(200)), longest);
    }
}
