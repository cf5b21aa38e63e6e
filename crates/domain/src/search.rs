//! Searching by the beginning of a name or an id: a range that an index can walk, the same on every database.

use crate::error::{Error, Result};
use crate::text::is_hidden;
use uuid::Uuid;

/// Nothing that is searched is longer.
const MAX_PREFIX_LENGTH: usize = 254;
const ID_DIGITS: usize = 32;

/// The beginning of a text that is compared byte by byte.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TextPrefix(String);

impl TextPrefix {
    /// Reads 1 to 254 visible characters.
    pub fn parse(field: &str, text: &str) -> Result<Self> {
        let length = text.chars().count();
        if length == 0 || length > MAX_PREFIX_LENGTH || text.chars().any(is_hidden) {
            return Err(Error::invalid(field, "must be 1 to 254 visible characters"));
        }
        Ok(Self(text.to_owned()))
    }

    /// The first text that begins so.
    pub fn least(&self) -> &str {
        &self.0
    }

    /// A text after all that begin so: no name holds the last of all characters.
    pub fn beyond(&self) -> String {
        format!("{}{}", self.0, char::MAX)
    }
}

/// The beginning of an id such as `usr_0198c0`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IdPrefix {
    pub least: Uuid,
    pub most: Uuid,
}

impl IdPrefix {
    /// Reads up to 32 hexadecimal digits after the prefix of the kind of id.
    pub fn parse(field: &str, text: &str, kind: &str) -> Result<Self> {
        let digits = text.strip_prefix(kind).and_then(|rest| rest.strip_prefix('_'));
        let plain = |digits: &&str| digits.len() <= ID_DIGITS && digits.bytes().all(|b| b.is_ascii_hexdigit());
        let digits = digits.filter(plain).ok_or_else(|| {
            Error::invalid(field, format!("must be {kind}_ and up to {ID_DIGITS} hexadecimal digits"))
        })?;
        let padded = |digit: &str| Uuid::try_parse(&format!("{digits}{}", digit.repeat(ID_DIGITS - digits.len())));
        let invalid = |_| Error::invalid(field, "is not the beginning of an id");
        Ok(Self { least: padded("0").map_err(invalid)?, most: padded("f").map_err(invalid)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_prefix_is_a_range_that_holds_what_begins_so_and_nothing_else() {
        let prefix = TextPrefix::parse("username", "zh").unwrap();
        let within = |name: &str| name >= prefix.least() && *name < *prefix.beyond();
        for (name, found) in
            [("zh", true), ("zhang", true), ("zh\u{10FFFE}", true), ("zi", false), ("zg", false), ("z", false)]
        {
            assert_eq!(within(name), found, "{name}");
        }
        for odd in ["", "\0", "a\u{202E}", &"x".repeat(255)] {
            assert!(TextPrefix::parse("username", odd).is_err());
        }
    }

    #[test]
    fn an_id_prefix_is_the_range_of_its_ids() {
        let range = IdPrefix::parse("id", "usr_0198c0", "usr").unwrap();
        assert_eq!(range.least.simple().to_string(), format!("0198c0{}", "0".repeat(26)));
        assert_eq!(range.most.simple().to_string(), format!("0198c0{}", "f".repeat(26)));
        assert!(IdPrefix::parse("id", "usr_", "usr").is_ok());
        for odd in ["acc_01", "usr", "usr_g", "usr_0198-", &format!("usr_{}", "0".repeat(33))] {
            assert!(IdPrefix::parse("id", odd, "usr").is_err(), "{odd}");
        }
    }
}
