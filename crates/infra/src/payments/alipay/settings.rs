//! What a merchant of Alipay has, and what is wrong with it.

use super::Alipay;
use crate::payments::Surroundings;
use crate::payments::keys::{SigningKey, VerifyingKey};
use crate::payments::outside::Outside;
use domain::wallet::Provider;
use secrecy::{ExposeSecret, SecretString};

#[derive(Clone, Debug)]
pub struct AlipaySettings {
    /// `https://openapi.alipay.com/gateway.do`, or another with the same interface.
    pub base_url: String,
    pub app_id: String,
    /// The merchant's own number, `2088…`.
    pub seller_id: String,
    /// PEM, or bare Base64 as Alipay's tool writes it.
    pub app_key: SecretString,
    /// At least one; PEM or bare Base64. Alipay's, not the application's.
    pub alipay_keys: Vec<String>,
    pub notify_url: String,
}

impl Alipay {
    /// Builds the adapter; a mistake is named by its key.
    pub fn new(settings: &AlipaySettings, surroundings: Surroundings) -> Result<Self, (&'static str, &'static str)> {
        let outside = Outside::new(Provider::Alipay, &settings.base_url, surroundings.timeout);
        let app_key = SigningKey::parse(settings.app_key.expose_secret());
        let alipay_keys: Option<Vec<_>> = settings.alipay_keys.iter().map(|key| VerifyingKey::parse(key)).collect();
        for (name, value) in [("app_id", &settings.app_id), ("seller_id", &settings.seller_id)] {
            if value.is_empty() || !value.bytes().all(|byte| byte.is_ascii_digit()) {
                return Err((name, "must be digits"));
            }
        }
        Ok(Self {
            app_id: settings.app_id.clone(),
            seller_id: settings.seller_id.clone(),
            app_key: app_key.ok_or(("app_key", "must be an RSA private key of 2048 bits or more"))?,
            alipay_keys: alipay_keys
                .filter(|keys| !keys.is_empty())
                .ok_or(("alipay_keys", "must be RSA public keys of Alipay"))?,
            notify_url: settings.notify_url.clone(),
            outside: outside.map_err(|reason| ("base_url", reason))?,
            surroundings,
        })
    }
}
