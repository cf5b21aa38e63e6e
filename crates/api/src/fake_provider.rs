//! The fake provider of the development profile: who has no merchant account can pay an order all the same.

use crate::openapi::BASE;
use crate::settings::{Online, Profile, Settings, WeChatKey};
use anyhow::Context;
use fakepay::{FakePay, Keys, Manners, Options};
use infra::clock::SystemClock;
use secrecy::SecretString;
use std::sync::Arc;

/// Whether nobody real is offered and the profile allows a fake.
fn is_wanted(settings: &Settings) -> bool {
    let online = &settings.payments.online;
    let real = online.offers_wechat() || online.offers_alipay() || online.offers_stripe();
    settings.profile == Profile::Development && settings.payments.fake.enabled && !real
}

/// Starts the fake and offers it in the settings; it stops when dropped.
pub fn start(settings: &mut Settings) -> anyhow::Result<Option<FakePay>> {
    if !is_wanted(settings) {
        return Ok(None);
    }
    let here = address(settings);
    let stripe_webhook_url = Some(format!("{here}{BASE}/webhooks/stripe"));
    let manners = Manners { stripe_webhook_url, ..Manners::default() };
    let keys = Keys::generate().context("the fake provider has no keys")?;
    let port = settings.payments.fake.port;
    let fake = match FakePay::start(Options { port, clock: Arc::new(SystemClock), keys, manners }) {
        Ok(fake) => fake,
        Err(error) => {
            tracing::warn!(error = %error, "no fake provider: orders can be paid by transfer only, where that is enabled");
            return Ok(None);
        }
    };
    offer(&fake, here, &mut settings.payments.online);
    Ok(Some(fake))
}

/// This server as its own machine sees it; a port that is not chosen yet is not known here.
fn address(settings: &Settings) -> String {
    match settings.server.port {
        0 => settings.oauth.public_url.trim_end_matches('/').to_owned(),
        port => format!("http://127.0.0.1:{port}"),
    }
}

/// Makes the settings those of the fake's one merchant.
pub fn offer(fake: &FakePay, notify_url: String, online: &mut Online) {
    let keys = fake.shared.keys();
    let merchant = &keys.merchant;
    let known = |(serial, key): &(String, Arc<fakepay::keys::Rsa>)| WeChatKey {
        serial: serial.clone(),
        key: key.public_pem.clone(),
    };
    online.notify_url = Some(notify_url);
    fake.base().clone_into(&mut online.wechat.base_url);
    online.wechat.app_id.clone_from(&merchant.wechat_app_id);
    online.wechat.merchant_id.clone_from(&merchant.wechat_merchant_id);
    online.wechat.merchant_serial.clone_from(&merchant.wechat_merchant_serial);
    online.wechat.merchant_key = SecretString::from(keys.wechat_merchant.private_pem.clone());
    online.wechat.api_v3_key = SecretString::from(merchant.wechat_api_v3_key.clone());
    online.wechat.platform_keys = keys.wechat_platform.iter().map(known).collect();
    online.alipay.base_url = format!("{}/gateway.do", fake.base());
    online.alipay.app_id.clone_from(&merchant.alipay_app_id);
    online.alipay.seller_id.clone_from(&merchant.alipay_seller_id);
    online.alipay.app_key = SecretString::from(keys.alipay_app.private_pem.clone());
    online.alipay.alipay_keys = vec![keys.alipay.public_pem.clone()];
    fake.base().clone_into(&mut online.stripe.base_url);
    online.stripe.secret_key = SecretString::from(merchant.stripe_secret_key.clone());
    online.stripe.webhook_secrets = keys.stripe_webhook_secrets.iter().cloned().map(SecretString::from).collect();
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(environment: &[(&str, &str)]) -> Settings {
        let owned = environment.iter().map(|(key, value)| (format!("SUANPAN__{key}"), (*value).to_owned()));
        Settings::load(None, owned.collect::<Vec<_>>()).unwrap()
    }

    #[test]
    fn only_development_without_a_real_provider_gets_a_fake_one() {
        assert!(is_wanted(&settings(&[])));
        assert!(!is_wanted(&settings(&[("PAYMENTS__FAKE__ENABLED", "false")])));
        let real = [
            ("PAYMENTS__ONLINE__STRIPE__SECRET_KEY", "sk_test_x"),
            ("PAYMENTS__ONLINE__STRIPE__WEBHOOK_SECRETS", "whsec_x"),
        ];
        assert!(!is_wanted(&settings(&real)));
    }

    #[test]
    fn production_never_starts_it() {
        let key = ("SECURITY__ENCRYPTION_KEYS", "a:MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=");
        let mut production = settings(&[("PROFILE", "production"), ("PAYMENTS__FAKE__ENABLED", "true"), key]);
        assert!(start(&mut production).unwrap().is_none());
        assert!(!production.payments.online.offers_wechat());
    }
}
