//! Amounts and quantities, beside a model that says the grammar anew.

use super::engine::Inputs;
use domain::decimal::{format_scaled, parse_scaled};

/// The grammar and its value, slowly and obviously; `None` is no decimal of this scale.
fn model(text: &str, scale: u8) -> Option<i128> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let mut parts = digits.split('.');
    let (whole, fraction) = (parts.next()?, parts.next());
    let plain = |part: &str| !part.is_empty() && part.chars().all(|letter: char| letter.is_ascii_digit());
    let well_formed = plain(whole) && fraction.is_none_or(plain) && parts.next().is_none();
    if !well_formed || (whole != "0" && whole.starts_with('0')) {
        return None;
    }
    let fraction = fraction.unwrap_or_default();
    let missing = usize::from(scale).checked_sub(fraction.len())?;
    let value: i128 = format!("{whole}{fraction}{}", "0".repeat(missing)).parse().ok()?;
    let negative = text.starts_with('-');
    let fits = value <= i128::from(i64::MAX) && !(negative && value == 0);
    fits.then_some(if negative { -value } else { value })
}

#[test]
fn fuzz_decimals() {
    let mut accepted = 0;
    for input in Inputs::of("decimals", 20_000) {
        let text = String::from_utf8_lossy(&input);
        for scale in [0, 2, 3, 9, 18] {
            let read = parse_scaled(&text, scale);
            assert_eq!(read.as_ref().ok().map(|value| i128::from(*value)), model(&text, scale), "{text:?} at {scale}");
            if let Ok(value) = read {
                accepted += 1;
                let written = format_scaled(value, scale, 0);
                assert_eq!(parse_scaled(&written, scale), Ok(value), "{text:?} was written as {written:?}");
            }
        }
    }
    assert!(accepted > 1_000, "enough was accepted for the model to matter: {accepted}");
}
