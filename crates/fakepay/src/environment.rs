//! The settings that point a server at the fake, as its environment has them.

use crate::server::FakePay;

/// What settings of payments begin with.
const PREFIX: &str = "SUANPAN__PAYMENTS";

impl FakePay {
    /// `SUANPAN__PAYMENTS__…` and values; the secrets in it are the fake's own.
    pub fn environment(&self) -> Vec<(String, String)> {
        let keys = self.shared.keys();
        let merchant = &keys.merchant;
        let base = self.base().to_owned();
        let mut all = vec![
            ("WECHAT__ENABLED", "true".to_owned()),
            ("WECHAT__BASE_URL", base),
            ("WECHAT__APP_ID", merchant.wechat_app_id.clone()),
            ("WECHAT__MERCHANT_ID", merchant.wechat_merchant_id.clone()),
            ("WECHAT__MERCHANT_SERIAL", merchant.wechat_merchant_serial.clone()),
            ("WECHAT__MERCHANT_KEY", keys.wechat_merchant.private_pem.clone()),
            ("WECHAT__API_V3_KEY", merchant.wechat_api_v3_key.clone()),
        ];
        if let Some((serial, key)) = keys.wechat_platform.last() {
            all.push(("WECHAT__PLATFORM_KEY_ID", serial.clone()));
            all.push(("WECHAT__PLATFORM_KEY", key.public_pem.clone()));
        }
        all.extend([
            ("ALIPAY__ENABLED", "true".to_owned()),
            ("ALIPAY__BASE_URL", format!("{}/gateway.do", self.base())),
            ("ALIPAY__APP_ID", merchant.alipay_app_id.clone()),
            ("ALIPAY__SELLER_ID", merchant.alipay_seller_id.clone()),
            ("ALIPAY__APP_KEY", keys.alipay_app.private_pem.clone()),
            ("ALIPAY__ALIPAY_KEY", keys.alipay.public_pem.clone()),
            ("STRIPE__ENABLED", "true".to_owned()),
            ("STRIPE__BASE_URL", self.base().to_owned()),
            ("STRIPE__SECRET_KEY", merchant.stripe_secret_key.clone()),
            ("STRIPE__WEBHOOK_SECRETS", keys.stripe_webhook_secrets.join(",")),
        ]);
        all.into_iter().map(|(name, value)| (format!("{PREFIX}__{name}"), value)).collect()
    }
}
