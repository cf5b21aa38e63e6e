//! Amounts as providers write them: integers of the smallest unit, or decimals of the unit.

use domain::money::{Currency, Money, SCALE};

/// Whole minor units of the currency, 0 or more; `None` for a fraction of one.
pub fn to_minor(amount: Money, decimals: u8) -> Option<i64> {
    let step = 10_i64.checked_pow(u32::from(SCALE.checked_sub(decimals)?))?;
    (amount.nanos() >= 0 && amount.nanos() % step == 0).then(|| amount.nanos() / step)
}

pub fn from_minor(minor: i64, currency: Currency, decimals: u8) -> Option<Money> {
    let step = 10_i64.checked_pow(u32::from(SCALE.checked_sub(decimals)?))?;
    minor.checked_mul(step).map(|nanos| Money::from_nanos(nanos, currency))
}

/// Reads `12.34` yuan, whole fen.
pub fn yuan(text: &str) -> Option<Money> {
    Money::parse_minor(text.trim(), Currency::CNY).ok().filter(|amount| amount.nanos() >= 0)
}

/// Reads `-12.34` of a bill without its sign.
pub fn unsigned_yuan(text: &str) -> Option<Money> {
    yuan(text.trim().trim_start_matches('-'))
}

/// Reads a fee of a bill, which may have parts of a fen, without its sign.
pub fn fee_yuan(text: &str) -> Option<Money> {
    Money::parse(text.trim().trim_start_matches('-'), Currency::CNY).ok()
}
