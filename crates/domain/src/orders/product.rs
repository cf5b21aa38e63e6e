//! What is on sale besides plans: packs of quota, at a price.
//!
//! Source: the shop's `openai_product`.

use crate::id::ProductId;
use crate::money::Money;
use crate::plans::MeterCode;
use crate::quantity::Quantity;
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

/// Longest code, in bytes.
pub const MAX_CODE_BYTES: usize = 64;
/// Longest name, in characters; it is what the customer reads at the provider.
pub const MAX_NAME_LENGTH: usize = 64;
/// Longest description, in characters.
pub const MAX_DESCRIPTION_LENGTH: usize = 512;
/// Most days that a pack is good for: a hundred years.
pub const MAX_VALID_DAYS: u32 = 36_500;

/// Quota as it is delivered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pack {
    pub meter: MeterCode,
    /// Above zero.
    pub quantity: Quantity,
    /// Models it may be used for; `None` is any.
    pub models: Option<Vec<String>>,
    /// Days after the delivery, 1 to [`MAX_VALID_DAYS`]; `None` never expires.
    pub valid_days: Option<u32>,
}

impl Pack {
    /// When a pack that is delivered at `now` is gone.
    pub fn expires_at(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        self.valid_days.map(|days| now + TimeDelta::days(i64::from(days)))
    }
}

/// Something on sale.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Product {
    pub id: ProductId,
    /// Unique; 1 to [`MAX_CODE_BYTES`] of `a-z 0-9 _ -`.
    pub code: String,
    pub name: String,
    pub description: Option<String>,
    pub pack: Pack,
    /// Above zero, in whole minor units.
    pub price: Money,
    /// Lower is shown first.
    pub sort: i32,
    /// Whether it can be ordered.
    pub enabled: bool,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

impl Product {
    /// What an order keeps of it: a change of the product changes no order.
    pub fn snapshot(&self) -> SoldProduct {
        SoldProduct { id: self.id, code: self.code.clone(), name: self.name.clone(), pack: self.pack.clone() }
    }

    pub fn is_code(text: &str) -> bool {
        let word = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_-".contains(&byte);
        (1..=MAX_CODE_BYTES).contains(&text.len()) && text.bytes().all(word)
    }
}

/// A product as it was when it was ordered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SoldProduct {
    pub id: ProductId,
    pub code: String,
    pub name: String,
    pub pack: Pack,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_a_short_word_of_lower_case_letters_digits_and_dashes() {
        let longest = "a".repeat(MAX_CODE_BYTES);
        for good in ["1", "gpt-4_pack", longest.as_str()] {
            assert!(Product::is_code(good), "{good}");
        }
        for bad in ["", "Pack", "a b", "a/b", "包", &format!("{longest}a")] {
            assert!(!Product::is_code(bad), "{bad}");
        }
    }

    #[test]
    fn a_pack_is_gone_so_many_days_after_its_delivery() {
        let now = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let pack = |valid_days| Pack {
            meter: MeterCode::parse("words").unwrap(),
            quantity: Quantity::atoms(1),
            models: None,
            valid_days,
        };
        assert_eq!(pack(Some(30)).expires_at(now), Some(now + TimeDelta::days(30)));
        assert_eq!(pack(None).expires_at(now), None);
    }
}
