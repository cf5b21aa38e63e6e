//! The codes by which the configuration, requests and rows name a meter or a plan.

use std::borrow::Borrow;
use std::fmt;
use std::sync::Arc;

/// Longest code, in bytes.
const MAX_LENGTH: usize = 32;

/// `[a-z][a-z0-9_]{0,31}`
fn is_code(text: &str) -> bool {
    let tail = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    text.len() <= MAX_LENGTH && text.starts_with(|first: char| first.is_ascii_lowercase()) && text.bytes().all(tail)
}

/// Declares code types; shared text, so that a clone on the hot path copies a pointer.
macro_rules! code {
    ($($(#[$note:meta])* $name:ident, $what:literal;)+) => {$(
        $(#[$note])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(Arc<str>);

        impl $name {
            /// `[a-z][a-z0-9_]{0,31}`
            pub fn parse(text: &str) -> Option<Self> {
                is_code(text).then(|| Self(text.into()))
            }

            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = String;
            fn try_from(text: String) -> Result<Self, String> {
                Self::parse(&text).ok_or_else(|| format!("{text} is not a {} code", $what))
            }
        }

        impl From<$name> for String {
            fn from(code: $name) -> Self {
                code.as_str().to_owned()
            }
        }

        /// Maps keyed by codes are searched by text; both order alike.
        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                self.as_str()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    )+};
}

code! {
    /// A meter's code, such as `words`.
    MeterCode, "meter";
    /// A plan's code, such as `professional`.
    PlanCode, "plan";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_a_lower_case_word_of_at_most_32_bytes() {
        let longest = format!("a{}", "9".repeat(31));
        for good in ["a", "words", "gpt_4o", "x_", longest.as_str()] {
            assert!(MeterCode::parse(good).is_some(), "{good}");
        }
        let too_long = format!("{longest}0");
        for bad in ["", "1a", "_a", "Words", "wör", "a-b", "a b", "a.b", too_long.as_str()] {
            assert!(PlanCode::parse(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn a_code_is_read_from_json_only_when_it_is_one() {
        assert_eq!(serde_json::from_str::<PlanCode>("\"free\"").unwrap().as_str(), "free");
        assert!(serde_json::from_str::<PlanCode>("\"Free\"").is_err());
    }
}
