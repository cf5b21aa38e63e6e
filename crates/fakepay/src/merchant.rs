//! The one merchant of the fake, and everything that it must be told to be one.

use crate::keys::{Rsa, token};
use std::sync::Arc;

/// What the fake signs and is signed to with.
pub struct Keys {
    pub merchant: Merchant,
    /// The merchant's own keys, which the real providers would know the public half of.
    pub wechat_merchant: Rsa,
    pub alipay_app: Rsa,
    /// WeChat Pay's, oldest first; the last signs notifications.
    pub wechat_platform: Vec<(String, Arc<Rsa>)>,
    pub alipay: Arc<Rsa>,
    /// Newest last; all of them sign while a secret is changed.
    pub stripe_webhook_secrets: Vec<String>,
    /// A stranger's.
    pub forger: Arc<Rsa>,
}

/// What is public, and the shared secrets.
#[derive(Clone)]
pub struct Merchant {
    pub wechat_app_id: String,
    pub wechat_merchant_id: String,
    pub wechat_merchant_serial: String,
    pub wechat_api_v3_key: String,
    pub alipay_app_id: String,
    pub alipay_seller_id: String,
    pub stripe_secret_key: String,
}

impl Keys {
    pub fn generate() -> anyhow::Result<Self> {
        let merchant = Merchant {
            wechat_app_id: "wxfa4e000000000001".to_owned(),
            wechat_merchant_id: "1900000001".to_owned(),
            wechat_merchant_serial: token(40).to_uppercase(),
            wechat_api_v3_key: token(32),
            alipay_app_id: "2021000000000001".to_owned(),
            alipay_seller_id: "2088000000000001".to_owned(),
            stripe_secret_key: format!("sk_test_{}", token(32)),
        };
        let platform = (platform_serial(1), Arc::new(Rsa::generate()?));
        Ok(Self {
            merchant,
            wechat_merchant: Rsa::generate()?,
            alipay_app: Rsa::generate()?,
            wechat_platform: vec![platform],
            alipay: Arc::new(Rsa::generate()?),
            stripe_webhook_secrets: vec![format!("whsec_{}", token(32))],
            forger: Arc::new(Rsa::generate()?),
        })
    }
}

pub fn platform_serial(number: usize) -> String {
    format!("PUB_KEY_ID_0119000000012026{number:016}")
}
