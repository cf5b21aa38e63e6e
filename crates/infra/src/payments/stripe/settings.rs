//! What a merchant of Stripe has, and what is wrong with it.

use super::Stripe;
use crate::payments::Surroundings;
use crate::payments::outside::Outside;
use domain::wallet::Provider;
use secrecy::{ExposeSecret, SecretString};

#[derive(Clone, Debug)]
pub struct StripeSettings {
    /// `https://api.stripe.com`, or another with the same interface.
    pub base_url: String,
    /// `sk_…` or `rk_…`
    pub secret_key: SecretString,
    /// `whsec_…`, at least one.
    pub webhook_secrets: Vec<SecretString>,
    /// Where customers come back to.
    pub return_url: String,
}

impl Stripe {
    /// Builds the adapter; a mistake is named by its key.
    pub fn new(settings: &StripeSettings, surroundings: Surroundings) -> Result<Self, (&'static str, &'static str)> {
        let outside = Outside::new(Provider::Stripe, &settings.base_url, surroundings.timeout);
        let key = settings.secret_key.expose_secret();
        let printable = |text: &str| text.bytes().all(|byte| byte.is_ascii_graphic());
        if !(key.starts_with("sk_") || key.starts_with("rk_")) || !printable(key) {
            return Err(("secret_key", "must begin with sk_ or rk_"));
        }
        let secrets = &settings.webhook_secrets;
        // An empty secret is one that everybody knows.
        if secrets.is_empty() || secrets.iter().any(|secret| !secret.expose_secret().starts_with("whsec_")) {
            return Err(("webhook_secrets", "must hold secrets that begin with whsec_"));
        }
        Ok(Self {
            live: key.contains("_live_"),
            secret_key: settings.secret_key.clone(),
            webhook_secrets: secrets.clone(),
            return_url: settings.return_url.clone(),
            outside: outside.map_err(|reason| ("base_url", reason))?,
            surroundings,
        })
    }
}
