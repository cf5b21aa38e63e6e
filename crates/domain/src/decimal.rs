//! The one decimal grammar: how amounts and quantities are read from text and written back.
//!
//! Strict on purpose: no exponent, sign `+`, separators, leading zeros, blanks or digits other than
//! ASCII, and never more decimals than the scale. Nothing is rounded silently.

use thiserror::Error;

/// Why a text is not a decimal of the wanted scale.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum DecimalError {
    #[error("must be a plain decimal number such as 12.50")]
    Malformed,
    #[error("has too many decimals: at most {0} are allowed")]
    TooPrecise(u8),
    #[error("is too large")]
    TooLarge,
}

/// Reads `text` as an integer count of `10^-scale`. `scale` is 0 to 18.
pub fn parse_scaled(text: &str, scale: u8) -> Result<i64, DecimalError> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (whole, fraction) = match digits.split_once('.') {
        Some((whole, fraction)) if !fraction.is_empty() => (whole, fraction),
        Some(_) => return Err(DecimalError::Malformed),
        None => (digits, ""),
    };
    let leading_zero = whole.len() > 1 && whole.starts_with('0');
    if whole.is_empty() || leading_zero || !is_digits(whole) || !is_digits(fraction) {
        return Err(DecimalError::Malformed);
    }
    if fraction.len() > usize::from(scale) {
        return Err(DecimalError::TooPrecise(scale));
    }
    let padding = usize::from(scale) - fraction.len();
    let magnitude = whole
        .bytes()
        .chain(fraction.bytes())
        .chain(std::iter::repeat_n(b'0', padding))
        .try_fold(0_i64, |sum, digit| sum.checked_mul(10)?.checked_add(i64::from(digit - b'0')))
        .ok_or(DecimalError::TooLarge)?;
    if negative && magnitude == 0 {
        return Err(DecimalError::Malformed);
    }
    Ok(if negative { -magnitude } else { magnitude })
}

/// Writes `value · 10^-scale` with at least `least` decimals and no trailing zeros beyond them.
pub fn format_scaled(value: impl Into<i128>, scale: u8, least: u8) -> String {
    let value: i128 = value.into();
    let digits = format!("{:0width$}", value.unsigned_abs(), width = usize::from(scale) + 1);
    let (whole, fraction) = digits.split_at(digits.len() - usize::from(scale));
    let kept = fraction.trim_end_matches('0').len().max(usize::from(least.min(scale)));
    let sign = if value < 0 { "-" } else { "" };
    match &fraction[..kept] {
        "" => format!("{sign}{whole}"),
        fraction => format!("{sign}{whole}.{fraction}"),
    }
}

fn is_digits(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn plain_decimals_are_read_to_the_scale() {
        assert_eq!(parse_scaled("12.5", 2), Ok(1250));
        assert_eq!(parse_scaled("0", 0), Ok(0));
        assert_eq!(parse_scaled("-3.001", 3), Ok(-3001));
        assert_eq!(parse_scaled("9223372036854775807", 0), Ok(i64::MAX));
    }

    #[test]
    fn everything_outside_the_grammar_is_malformed() {
        for text in [
            "", "-", ".5", "5.", "1e3", "1_000", "+5", " 5", "5 ", "1,000", "0x10", "NaN", "٣", "５", "-0", "00", "01",
            "--1", "1.2.3", "Infinity", "-0.00",
        ] {
            assert_eq!(parse_scaled(text, 9), Err(DecimalError::Malformed), "{text}");
        }
    }

    #[test]
    fn precision_and_size_are_bounded() {
        assert_eq!(parse_scaled("1.001", 2), Err(DecimalError::TooPrecise(2)));
        assert_eq!(parse_scaled("9223372036854775808", 0), Err(DecimalError::TooLarge));
        assert_eq!(parse_scaled("9223372036.854775808", 9), Err(DecimalError::TooLarge));
    }

    #[test]
    fn trailing_zeros_are_kept_only_up_to_the_least() {
        assert_eq!(format_scaled(250_000_000, 9, 2), "0.25");
        assert_eq!(format_scaled(0, 9, 2), "0.00");
        assert_eq!(format_scaled(150, 9, 2), "0.00000015");
        assert_eq!(format_scaled(-1500, 3, 0), "-1.5");
        assert_eq!(format_scaled(1_500_000, 0, 0), "1500000");
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(value in (i64::MIN + 1)..i64::MAX, scale in 0_u8..=18, least in 0_u8..=4) {
            prop_assert_eq!(parse_scaled(&format_scaled(value, scale, least), scale), Ok(value));
        }
    }
}
