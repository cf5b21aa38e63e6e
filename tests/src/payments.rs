//! A fake payment provider on a free port, and the adapters that speak to it.
#![expect(clippy::unwrap_used, clippy::missing_panics_doc, reason = "a test whose provider cannot be set up fails")]

use chrono::{TimeDelta, Utc};
use domain::money::{Currency, Money};
use domain::orders::{
    PayMethod, PaymentProvider, PaymentState, PlaceRequest, ProviderNumber, RawNotification, RefundRequest,
};
use domain::time::Clock;
use fakepay::{Delivery, FakePay, Keys, Kind, Manners, Options};
use infra::clock::SystemClock;
use infra::crypto::OsSecrets;
use infra::payments::Surroundings;
use infra::payments::alipay::{Alipay, AlipaySettings};
use infra::payments::stripe::{Stripe, StripeSettings};
use infra::payments::wechat::{PlatformKey, WeChatPay, WeChatSettings};
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

pub const KINDS: [Kind; 3] = [Kind::WeChat, Kind::Alipay, Kind::Stripe];
/// Short, so that a test of a late answer is short too.
pub const TIMEOUT: Duration = Duration::from_millis(1500);

/// A fake that keeps its notifications until a test takes them.
pub fn fake() -> FakePay {
    let manners = Manners {
        deliver: false,
        stripe_webhook_url: Some("http://127.0.0.1:9/webhooks/stripe".to_owned()),
        ..Manners::default()
    };
    let keys = Keys::generate().unwrap();
    FakePay::start(Options { port: 0, clock: Arc::new(SystemClock), keys, manners }).unwrap()
}

fn surroundings() -> Surroundings {
    Surroundings { clock: Arc::new(SystemClock), random: Arc::new(OsSecrets), timeout: TIMEOUT }
}

/// The notification address that adapters name; nobody listens there.
const NOTIFY_URL: &str = "http://127.0.0.1:9/webhooks";

pub fn wechat(fake: &FakePay) -> WeChatPay {
    let keys = fake.shared.keys();
    let merchant = &keys.merchant;
    let platform = keys.wechat_platform.iter();
    let settings = WeChatSettings {
        base_url: fake.base().to_owned(),
        app_id: merchant.wechat_app_id.clone(),
        merchant_id: merchant.wechat_merchant_id.clone(),
        merchant_serial: merchant.wechat_merchant_serial.clone(),
        merchant_key: keys.wechat_merchant.private_pem.clone().into(),
        api_v3_key: merchant.wechat_api_v3_key.clone().into(),
        platform_keys: platform
            .map(|(serial, key)| PlatformKey { serial: serial.clone(), key: key.public_pem.clone() })
            .collect(),
        notify_url: NOTIFY_URL.to_owned(),
    };
    WeChatPay::new(&settings, surroundings()).unwrap()
}

pub fn alipay(fake: &FakePay) -> Alipay {
    let keys = fake.shared.keys();
    let settings = AlipaySettings {
        base_url: format!("{}/gateway.do", fake.base()),
        app_id: keys.merchant.alipay_app_id.clone(),
        seller_id: keys.merchant.alipay_seller_id.clone(),
        app_key: keys.alipay_app.private_pem.clone().into(),
        alipay_keys: vec![keys.alipay.public_pem.clone()],
        notify_url: NOTIFY_URL.to_owned(),
    };
    Alipay::new(&settings, surroundings()).unwrap()
}

pub fn stripe(fake: &FakePay) -> Stripe {
    let keys = fake.shared.keys();
    let settings = StripeSettings {
        base_url: fake.base().to_owned(),
        secret_key: keys.merchant.stripe_secret_key.clone().into(),
        webhook_secrets: keys.stripe_webhook_secrets.iter().map(|secret| secret.clone().into()).collect(),
        return_url: "https://shop.example/paid".to_owned(),
    };
    Stripe::new(&settings, surroundings()).unwrap()
}

/// The adapter of a kind, knowing the keys that the fake has now.
pub fn adapter(fake: &FakePay, kind: Kind) -> Box<dyn PaymentProvider> {
    match kind {
        Kind::WeChat => Box::new(wechat(fake)),
        Kind::Alipay => Box::new(alipay(fake)),
        Kind::Stripe => Box::new(stripe(fake)),
    }
}

pub fn yuan(text: &str) -> Money {
    Money::parse_minor(text, Currency::CNY).unwrap()
}

/// A new order of ten yuan.
pub fn order() -> PlaceRequest {
    PlaceRequest {
        number: ProviderNumber::from_uuid(Uuid::now_v7()),
        method: PayMethod::Default,
        amount: yuan("10.00"),
        description: "一百次调用, 一个月".to_owned(),
        expires_at: SystemClock.now() + TimeDelta::hours(1),
        return_url: Some("https://shop.example/back".to_owned()),
    }
}

/// A refund of a paid order.
#[expect(clippy::panic, reason = "an order that is not paid has no refund")]
pub fn refund_of(order: &PlaceRequest, state: &PaymentState, amount: &str) -> RefundRequest {
    let PaymentState::Captured(capture) = state else { panic!("not paid: {state:?}") };
    RefundRequest {
        number: ProviderNumber::from_uuid(Uuid::now_v7()),
        payment: order.number,
        transaction: capture.transaction.clone(),
        amount: yuan(amount),
        paid: order.amount,
        reason: "不想要了".to_owned(),
    }
}

/// A delivery as the server's route would hand it on.
pub fn raw(delivery: Delivery) -> RawNotification {
    RawNotification { headers: delivery.headers, body: delivery.body }
}

/// The provider's day that it is now.
pub fn today(kind: Kind) -> chrono::NaiveDate {
    let ahead = if kind == Kind::Stripe { TimeDelta::zero() } else { TimeDelta::hours(8) };
    (SystemClock.now() + ahead).with_timezone(&Utc).date_naive()
}
