//! Payment providers in `payments`: what a merchant has with each, as texts or files of texts, and the adapters of it.

use super::sections::{Profile, digits_or_text, secret, secrets};
use domain::orders::{PaymentProvider, SubscriptionProvider};
use infra::clock::SystemClock;
use infra::crypto::OsSecrets;
use infra::payments::alipay::{Alipay, AlipaySettings};
use infra::payments::stripe::{Stripe, StripeSettings};
use infra::payments::wechat::{PlatformKey, WeChatPay, WeChatSettings};
use infra::payments::{Surroundings, TIMEOUT, base_url, is_loopback};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use std::sync::Arc;

/// A value that begins with it names the file that holds it.
const FILE: &str = "file:";

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WeChat {
    pub base_url: String,
    pub app_id: String,
    #[serde(deserialize_with = "digits_or_text")]
    pub merchant_id: String,
    #[serde(deserialize_with = "digits_or_text")]
    pub merchant_serial: String,
    #[serde(deserialize_with = "secret")]
    pub merchant_key: SecretString,
    #[serde(deserialize_with = "secret")]
    pub api_v3_key: SecretString,
    pub platform_keys: Vec<WeChatKey>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WeChatKey {
    pub serial: String,
    pub key: String,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename = "alipay", deny_unknown_fields)]
pub struct AlipaySection {
    pub base_url: String,
    #[serde(deserialize_with = "digits_or_text")]
    pub app_id: String,
    #[serde(deserialize_with = "digits_or_text")]
    pub seller_id: String,
    #[serde(deserialize_with = "secret")]
    pub app_key: SecretString,
    pub alipay_keys: Vec<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StripeSection {
    pub base_url: String,
    #[serde(deserialize_with = "secret")]
    pub secret_key: SecretString,
    #[serde(deserialize_with = "secrets")]
    pub webhook_secrets: Vec<SecretString>,
    /// Where customers come back to whose order names no place.
    pub return_url: Option<String>,
}

/// The providers that are reached over the network; a section whose id is empty is not offered.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Online {
    pub wechat: WeChat,
    pub alipay: AlipaySection,
    pub stripe: StripeSection,
    /// This server as providers see it, without a path; none is `oauth.public_url`.
    pub notify_url: Option<String>,
}

type Built = Result<Arc<dyn PaymentProvider>, (&'static str, String)>;

impl Online {
    pub fn offers_wechat(&self) -> bool {
        !self.wechat.app_id.is_empty()
    }

    pub fn offers_alipay(&self) -> bool {
        !self.alipay.app_id.is_empty()
    }

    pub fn offers_stripe(&self) -> bool {
        !self.stripe.secret_key.expose_secret().is_empty()
    }

    /// The adapters of what is offered; a mistake names its key.
    pub fn build(&self, public_url: &str) -> Result<Vec<Arc<dyn PaymentProvider>>, String> {
        let at = self.notify_url.as_deref().unwrap_or(public_url).trim_end_matches('/').to_owned();
        let notify = |provider: &str| format!("{at}{}/webhooks/{provider}", crate::openapi::BASE);
        let built: [(&str, Option<Built>); 3] = [
            ("wechat", self.offers_wechat().then(|| self.wechat.build(notify("wechat")))),
            ("alipay", self.offers_alipay().then(|| self.alipay.build(notify("alipay")))),
            ("stripe", self.offers_stripe().then(|| self.stripe.build(public_url))),
        ];
        let mut providers = Vec::new();
        for (name, adapter) in built {
            if let Some(adapter) = adapter {
                providers.push(adapter.map_err(|(key, reason)| format!("payments.online.{name}.{key}: {reason}"))?);
            }
        }
        Ok(providers)
    }

    /// The one that charges by itself, where it is offered.
    pub fn build_recurring(&self, public_url: &str) -> Result<Option<Arc<dyn SubscriptionProvider>>, String> {
        if !self.offers_stripe() {
            return Ok(None);
        }
        let made = self.stripe.adapter(public_url);
        let made = made.map_err(|(key, reason)| format!("payments.online.stripe.{key}: {reason}"))?;
        Ok(Some(Arc::new(made)))
    }

    /// Everything wrong, then what production refuses.
    pub(super) fn check(&self, public_url: &str, profile: Profile) -> Vec<String> {
        let mut mistakes: Vec<String> = self.build(public_url).err().into_iter().collect();
        let told = self.notify_url.as_deref().unwrap_or(public_url);
        let told_over_https = told.starts_with("https://");
        if profile == Profile::Production && (self.offers_wechat() || self.offers_alipay()) && !told_over_https {
            mistakes.push("payments.online.notify_url: must begin with https: in production".to_owned());
        }
        let reached = [
            ("wechat", &self.wechat.base_url, self.offers_wechat()),
            ("alipay", &self.alipay.base_url, self.offers_alipay()),
            ("stripe", &self.stripe.base_url, self.offers_stripe()),
        ];
        let here = |text: &str| base_url(text).is_ok_and(|url| is_loopback(&url));
        for (name, base, offered) in reached {
            if profile == Profile::Production && offered && here(base) {
                mistakes.push(format!("payments.online.{name}.base_url: must not be this machine in production"));
            }
        }
        mistakes
    }
}

impl WeChat {
    fn build(&self, notify_url: String) -> Built {
        let key = |known: &WeChatKey| {
            let key = read(&known.key).map_err(|reason| ("platform_keys", reason))?;
            Ok(PlatformKey { serial: known.serial.clone(), key })
        };
        let settings = WeChatSettings {
            base_url: self.base_url.clone(),
            app_id: self.app_id.clone(),
            merchant_id: self.merchant_id.clone(),
            merchant_serial: self.merchant_serial.clone(),
            merchant_key: read_secret(&self.merchant_key, "merchant_key")?,
            api_v3_key: read_secret(&self.api_v3_key, "api_v3_key")?,
            platform_keys: self.platform_keys.iter().map(key).collect::<Result<_, _>>()?,
            notify_url,
        };
        offered(WeChatPay::new(&settings, surroundings()))
    }
}

impl AlipaySection {
    fn build(&self, notify_url: String) -> Built {
        let key = |text: &String| read(text).map_err(|reason| ("alipay_keys", reason));
        let settings = AlipaySettings {
            base_url: self.base_url.clone(),
            app_id: self.app_id.clone(),
            seller_id: self.seller_id.clone(),
            app_key: read_secret(&self.app_key, "app_key")?,
            alipay_keys: self.alipay_keys.iter().map(key).collect::<Result<_, _>>()?,
            notify_url,
        };
        offered(Alipay::new(&settings, surroundings()))
    }
}

impl StripeSection {
    fn build(&self, public_url: &str) -> Built {
        Ok(Arc::new(self.adapter(public_url)?))
    }

    fn adapter(&self, public_url: &str) -> Result<Stripe, (&'static str, String)> {
        let settings = StripeSettings {
            base_url: self.base_url.clone(),
            secret_key: read_secret(&self.secret_key, "secret_key")?,
            webhook_secrets: self.webhook_secrets.clone(),
            return_url: self.return_url.clone().unwrap_or_else(|| public_url.to_owned()),
        };
        Stripe::new(&settings, surroundings()).map_err(|(key, reason)| (key, reason.to_owned()))
    }
}

fn offered<P: PaymentProvider + 'static>(made: Result<P, (&'static str, &'static str)>) -> Built {
    let made = made.map_err(|(key, reason)| (key, reason.to_owned()))?;
    Ok(Arc::new(made))
}

/// The world outside lives in real time, whatever a test clock says.
fn surroundings() -> Surroundings {
    Surroundings { clock: Arc::new(SystemClock), random: Arc::new(OsSecrets), timeout: TIMEOUT }
}

fn read(text: &str) -> Result<String, String> {
    match text.strip_prefix(FILE) {
        Some(path) => std::fs::read_to_string(path).map_err(|error| format!("{path}: {error}")),
        None => Ok(text.to_owned()),
    }
}

fn read_secret(secret: &SecretString, key: &'static str) -> Result<SecretString, (&'static str, String)> {
    let text = read(secret.expose_secret()).map_err(|reason| (key, reason))?;
    Ok(SecretString::from(text.trim().to_owned()))
}

#[cfg(test)]
#[path = "providers_tests.rs"]
mod tests;
