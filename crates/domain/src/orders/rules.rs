//! What operators set about orders: how long they live, how much a top-up may be, where browsers come back to.

use super::provider::PaymentProvider;
use crate::error::{Error, Result};
use crate::id::PaymentId;
use crate::money::{Currency, Money};
use crate::wallet::Provider;
use chrono::{DateTime, TimeDelta, Utc};
use std::sync::Arc;

/// What holds for every order.
#[derive(Clone, Debug)]
pub struct PaymentRules {
    /// The least and the most of one top-up; both of this server's currency.
    pub top_up: (Money, Money),
    /// How long an order waits for its payment.
    pub order_life: TimeDelta,
    /// How long it waits for a transfer outside.
    pub manual_life: TimeDelta,
    /// Most notifications under a provider's name that are not believed and yet kept, in an hour: what strangers send
    /// must not fill the disk.
    pub kept_refused: u64,
    /// This server as browsers see it, with the API's path: payments come back to `…/payments/{id}/return`.
    pub public_url: String,
}

impl PaymentRules {
    pub const fn currency(&self) -> Currency {
        self.top_up.0.currency()
    }

    /// Reads a top-up: whole minor units of this server's currency, within the bounds.
    pub fn read_top_up(&self, amount: &str, currency: &str) -> Result<Money> {
        let ours = self.currency();
        if currency != ours.code() {
            return Err(Error::invalid("topup.currency", format!("must be {ours}")));
        }
        let invalid = |reason: String| Error::invalid("topup.amount", reason);
        let money = Money::parse_minor(amount, ours).map_err(|error| invalid(error.to_string()))?;
        let (least, most) = self.top_up;
        if money.nanos() < least.nanos() || money.nanos() > most.nanos() {
            return Err(invalid(format!("must be from {} to {}", least.to_decimal(), most.to_decimal())));
        }
        Ok(money)
    }

    /// When an attempt made at `now` is no longer taken.
    pub fn expiry(&self, provider: Provider, now: DateTime<Utc>) -> DateTime<Utc> {
        now + if provider == Provider::Manual { self.manual_life } else { self.order_life }
    }

    pub fn return_url(&self, payment: PaymentId) -> String {
        format!("{}/payments/{payment}/return", self.public_url)
    }
}

/// The providers that this server offers.
#[derive(Clone, Default)]
pub struct PaymentProviders(Arc<[Arc<dyn PaymentProvider>]>);

impl PaymentProviders {
    pub fn new(providers: Vec<Arc<dyn PaymentProvider>>) -> Self {
        Self(providers.into())
    }

    pub fn get(&self, provider: Provider) -> Option<&dyn PaymentProvider> {
        self.0.iter().find(|offered| offered.provider() == provider).map(AsRef::as_ref)
    }

    pub fn names(&self) -> Vec<Provider> {
        self.0.iter().map(|offered| offered.provider()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cny(text: &str) -> Money {
        Money::parse_minor(text, Currency::CNY).unwrap()
    }

    fn rules() -> PaymentRules {
        PaymentRules {
            top_up: (cny("1.00"), cny("5000.00")),
            order_life: TimeDelta::minutes(30),
            manual_life: TimeDelta::days(7),
            kept_refused: 1024,
            public_url: "https://shop.example/api/v1".to_owned(),
        }
    }

    #[test]
    fn a_top_up_is_whole_fen_within_the_bounds_and_in_the_servers_currency() {
        assert_eq!(rules().read_top_up("1.00", "CNY").unwrap(), cny("1.00"));
        assert_eq!(rules().read_top_up("5000", "CNY").unwrap(), cny("5000.00"));
        for (amount, currency) in [
            ("0.99", "CNY"),
            ("5000.01", "CNY"),
            ("1.001", "CNY"),
            ("-5", "CNY"),
            ("5", "USD"),
            ("5", "cny"),
            ("", "CNY"),
        ] {
            assert!(rules().read_top_up(amount, currency).is_err(), "{amount} {currency}");
        }
    }

    #[test]
    fn a_transfer_outside_may_take_days() {
        let now = DateTime::from_timestamp(0, 0).unwrap();
        assert_eq!(rules().expiry(Provider::WeChat, now), now + TimeDelta::minutes(30));
        assert_eq!(rules().expiry(Provider::Manual, now), now + TimeDelta::days(7));
    }
}
