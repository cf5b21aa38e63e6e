//! Stripe's smallest units, which are not always the currency's. Source: docs.stripe.com/currencies.

use crate::payments::amount::{from_minor, to_minor};
use domain::money::{Currency, Money};

const NO_DECIMALS: [&str; 16] =
    ["BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA", "PYG", "RWF", "UGX", "VND", "VUV", "XAF", "XOF", "XPF"];
const THREE_DECIMALS: [&str; 5] = ["BHD", "JOD", "KWD", "OMR", "TND"];
/// Without decimals in life and with two, always 00, in Stripe's interface.
const WHOLE_WITH_TWO: [&str; 2] = ["ISK", "UGX"];

fn decimals(currency: Currency) -> u8 {
    let code = currency.code();
    if WHOLE_WITH_TWO.contains(&code) {
        2
    } else if NO_DECIMALS.contains(&code) {
        0
    } else if THREE_DECIMALS.contains(&code) {
        3
    } else {
        2
    }
}

/// `None` when the amount cannot be charged: nothing, or a part that Stripe does not take. Three-decimal amounts end
/// in 0, for card networks know two.
pub fn to_stripe(amount: Money) -> Option<i64> {
    let currency = amount.currency();
    let units = to_minor(amount, decimals(currency)).filter(|units| *units > 0)?;
    let code = currency.code();
    let coarse = match code {
        _ if THREE_DECIMALS.contains(&code) => 10,
        _ if WHOLE_WITH_TWO.contains(&code) => 100,
        _ => 1,
    };
    (units % coarse == 0).then_some(units)
}

/// Reads an amount and a lower-case currency.
pub fn from_stripe(units: i64, currency: &str) -> Option<Money> {
    let currency = Currency::parse(&currency.to_ascii_uppercase())?;
    from_minor(units, currency, decimals(currency))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn units(amount: &str, currency: &str) -> Option<i64> {
        to_stripe(Money::parse(amount, Currency::parse(currency).unwrap()).unwrap())
    }

    #[test]
    fn each_currency_has_its_own_unit() {
        assert_eq!(units("12.34", "USD"), Some(1234));
        assert_eq!(units("500", "JPY"), Some(500));
        assert_eq!(units("5.120", "KWD"), Some(5120));
        assert_eq!(units("500", "UGX"), Some(50_000));
        assert_eq!(units("500", "ISK"), Some(50_000));
        for (amount, currency) in [("5.123", "KWD"), ("0.5", "JPY"), ("0.001", "USD"), ("0", "USD"), ("1.5", "ISK")] {
            assert_eq!(units(amount, currency), None, "{amount} {currency}");
        }
    }

    #[test]
    fn what_is_read_is_what_was_written() {
        for (amount, currency) in [("12.34", "USD"), ("500", "JPY"), ("5.120", "KWD"), ("500", "UGX"), ("7", "MGA")] {
            let money = Money::parse(amount, Currency::parse(currency).unwrap()).unwrap();
            assert_eq!(from_stripe(to_stripe(money).unwrap(), &currency.to_lowercase()), Some(money));
        }
        assert_eq!(from_stripe(i64::MAX, "jpy"), None);
    }
}
