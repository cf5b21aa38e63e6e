//! What a merchant of WeChat Pay has, and what is wrong with it.

use super::WeChatPay;
use super::resource::ResourceKey;
use crate::payments::Surroundings;
use crate::payments::keys::{SigningKey, VerifyingKey};
use crate::payments::outside::Outside;
use domain::wallet::Provider;
use secrecy::{ExposeSecret, SecretString};

/// A public key of WeChat Pay.
#[derive(Clone, Debug)]
pub struct PlatformKey {
    /// `PUB_KEY_ID_…`
    pub serial: String,
    /// PEM.
    pub key: String,
}

#[derive(Clone, Debug)]
pub struct WeChatSettings {
    /// `https://api.mch.weixin.qq.com`, or another with the same interface.
    pub base_url: String,
    pub app_id: String,
    pub merchant_id: String,
    /// Of the merchant's certificate.
    pub merchant_serial: String,
    /// PEM.
    pub merchant_key: SecretString,
    /// The APIv3 key: 32 characters.
    pub api_v3_key: SecretString,
    /// At least one; the first is preferred.
    pub platform_keys: Vec<PlatformKey>,
    /// Where notifications go: https, without a query.
    pub notify_url: String,
}

impl WeChatPay {
    /// Builds the adapter; a mistake is named by its key.
    pub fn new(settings: &WeChatSettings, surroundings: Surroundings) -> Result<Self, (&'static str, &'static str)> {
        let outside = Outside::new(Provider::WeChat, &settings.base_url, surroundings.timeout);
        let merchant_key = SigningKey::parse(settings.merchant_key.expose_secret());
        let resource_key = ResourceKey::new(settings.api_v3_key.expose_secret());
        let mut platform_keys = std::collections::HashMap::new();
        for known in &settings.platform_keys {
            let key = VerifyingKey::parse(&known.key).ok_or(("platform_keys", "must be RSA public keys as PEM"))?;
            platform_keys.insert(known.serial.clone(), key);
        }
        let first = settings.platform_keys.first().ok_or(("platform_keys", "must hold a key"))?;
        for (name, value) in [
            ("app_id", &settings.app_id),
            ("merchant_id", &settings.merchant_id),
            ("merchant_serial", &settings.merchant_serial),
        ] {
            // They go into a header in quotes.
            if value.is_empty() || !value.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
                return Err((name, "must be letters and digits"));
            }
        }
        Ok(Self {
            app_id: settings.app_id.clone(),
            merchant_id: settings.merchant_id.clone(),
            merchant_serial: settings.merchant_serial.clone(),
            merchant_key: merchant_key
                .ok_or(("merchant_key", "must be an RSA private key of 2048 bits or more as PEM"))?,
            resource_key: resource_key.ok_or(("api_v3_key", "must have 32 characters"))?,
            platform_keys,
            preferred_key: first.serial.clone(),
            notify_url: settings.notify_url.clone(),
            outside: outside.map_err(|reason| ("base_url", reason))?,
            surroundings,
        })
    }
}
