//! Money: integers of 10⁻⁹ of a currency's unit, with checked arithmetic.
//!
//! Nanos because usage is priced below the fen (a token costs 150 n$); bills and payments are whole
//! minor units and are rounded by [`Money::round_half_away_to_minor`], the only rounding there is.

use crate::decimal::{self, DecimalError};
use serde::{Deserialize, Serialize};
use std::fmt;
use thiserror::Error;

/// Decimals of [`Money`]: it counts `10^-SCALE` of the currency's unit.
pub const SCALE: u8 = 9;

/// An ISO 4217 currency code.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Currency([u8; 3]);

/// Currencies without, and with three, decimals (ISO 4217 table A.1); all others here have two.
const NO_DECIMALS: [&[u8; 3]; 10] = [b"JPY", b"KRW", b"VND", b"CLP", b"ISK", b"PYG", b"UGX", b"XAF", b"XOF", b"XPF"];
const THREE_DECIMALS: [&[u8; 3]; 6] = [b"BHD", b"IQD", b"JOD", b"KWD", b"OMR", b"TND"];

impl Currency {
    /// Chinese yuan, the default of the default configuration.
    pub const CNY: Self = Self(*b"CNY");

    /// Three upper-case ASCII letters.
    pub fn parse(code: &str) -> Option<Self> {
        let bytes: [u8; 3] = code.as_bytes().try_into().ok()?;
        bytes.iter().all(u8::is_ascii_uppercase).then_some(Self(bytes))
    }

    pub fn code(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or("???")
    }

    /// Decimals of the minor unit: 2 for CNY (fen), 0 for JPY.
    pub fn decimals(self) -> u8 {
        if NO_DECIMALS.contains(&&self.0) {
            0
        } else if THREE_DECIMALS.contains(&&self.0) {
            3
        } else {
            2
        }
    }

    /// How many nanos make one minor unit.
    pub fn nanos_per_minor(self) -> i64 {
        10_i64.pow(u32::from(SCALE - self.decimals()))
    }
}

impl TryFrom<String> for Currency {
    type Error = String;
    fn try_from(code: String) -> Result<Self, String> {
        Self::parse(&code).ok_or_else(|| format!("{code} is not a currency code"))
    }
}

impl From<Currency> for String {
    fn from(currency: Currency) -> Self {
        currency.code().to_owned()
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// Why two amounts do not make a third.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum MoneyError {
    #[error("amounts of different currencies do not add")]
    CurrencyMismatch,
    #[error("the amount is too large")]
    Overflow,
}

/// An amount in nanos (10⁻⁹) of its currency's unit; about ±9.2 · 10⁹ units at most.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Money {
    nanos: i64,
    currency: Currency,
}

impl Money {
    pub const fn from_nanos(nanos: i64, currency: Currency) -> Self {
        Self { nanos, currency }
    }

    pub const fn zero(currency: Currency) -> Self {
        Self { nanos: 0, currency }
    }

    /// Reads a decimal amount with up to nine decimals.
    pub fn parse(text: &str, currency: Currency) -> Result<Self, DecimalError> {
        decimal::parse_scaled(text, SCALE).map(|nanos| Self { nanos, currency })
    }

    /// Reads a decimal amount in whole minor units: what can be billed and paid.
    pub fn parse_minor(text: &str, currency: Currency) -> Result<Self, DecimalError> {
        decimal::parse_scaled(text, currency.decimals())?
            .checked_mul(currency.nanos_per_minor())
            .map(|nanos| Self { nanos, currency })
            .ok_or(DecimalError::TooLarge)
    }

    pub const fn nanos(self) -> i64 {
        self.nanos
    }

    pub const fn currency(self) -> Currency {
        self.currency
    }

    pub const fn is_zero(self) -> bool {
        self.nanos == 0
    }

    pub const fn is_positive(self) -> bool {
        self.nanos > 0
    }

    pub fn checked_add(self, other: Self) -> Result<Self, MoneyError> {
        self.combine(other, i64::checked_add)
    }

    pub fn checked_sub(self, other: Self) -> Result<Self, MoneyError> {
        self.combine(other, i64::checked_sub)
    }

    /// Rounds to whole minor units, halves away from zero: the rule for every bill line.
    pub fn round_half_away_to_minor(self) -> Result<Self, MoneyError> {
        let step = i128::from(self.currency.nanos_per_minor());
        let nanos = i128::from(self.nanos);
        let half = step / 2 * nanos.signum();
        let rounded = (nanos + half) / step * step;
        i64::try_from(rounded).map(|nanos| Self { nanos, ..self }).map_err(|_| MoneyError::Overflow)
    }

    /// The decimal amount without its currency, at least with the currency's own decimals.
    pub fn to_decimal(self) -> String {
        decimal::format_scaled(self.nanos, SCALE, self.currency.decimals())
    }

    fn combine(self, other: Self, op: fn(i64, i64) -> Option<i64>) -> Result<Self, MoneyError> {
        if self.currency != other.currency {
            return Err(MoneyError::CurrencyMismatch);
        }
        let nanos = op(self.nanos, other.nanos).ok_or(MoneyError::Overflow)?;
        Ok(Self { nanos, ..self })
    }
}

impl fmt::Debug for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.to_decimal(), self.currency)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn cny(text: &str) -> Money {
        Money::parse(text, Currency::CNY).unwrap()
    }

    #[test]
    fn half_a_fen_rounds_away_from_zero() {
        assert_eq!(cny("0.005").round_half_away_to_minor(), Ok(cny("0.01")));
        assert_eq!(cny("0.004999999").round_half_away_to_minor(), Ok(cny("0")));
        assert_eq!(cny("-0.005").round_half_away_to_minor(), Ok(cny("-0.01")));
    }

    #[test]
    fn yen_has_no_decimals_and_dinar_three() {
        let yen = Currency::parse("JPY").unwrap();
        assert_eq!(Money::parse_minor("5.1", yen), Err(DecimalError::TooPrecise(0)));
        assert_eq!(Money::parse_minor("5", yen).unwrap().to_decimal(), "5");
        assert_eq!(Money::parse_minor("5.125", Currency::parse("KWD").unwrap()).unwrap().to_decimal(), "5.125");
    }

    #[test]
    fn two_currencies_never_add_and_overflow_is_an_error() {
        let usd = Money::zero(Currency::parse("USD").unwrap());
        assert_eq!(cny("1").checked_add(usd), Err(MoneyError::CurrencyMismatch));
        let most = Money::from_nanos(i64::MAX, Currency::CNY);
        assert_eq!(most.checked_add(cny("0.000000001")), Err(MoneyError::Overflow));
    }

    proptest! {
        #[test]
        fn rounding_moves_by_at_most_half_a_minor_unit(nanos in -4_000_000_000_000_000_000_i64..4_000_000_000_000_000_000) {
            let rounded = Money::from_nanos(nanos, Currency::CNY).round_half_away_to_minor().unwrap();
            prop_assert_eq!(rounded.nanos() % 10_000_000, 0);
            prop_assert!((rounded.nanos() - nanos).abs() <= 5_000_000);
        }
    }
}
