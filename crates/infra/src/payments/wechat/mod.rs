//! WeChat Pay, API v3, Native: the customer scans a QR code.
//!
//! Public-key mode only: answers and notifications are verified by keys that are known by their serial, several at once
//! while WeChat Pay changes over. Source: pay.weixin.qq.com/doc/v3/merchant, 4012365336 (requests), 4013053420
//! (answers), 4012071382 (notifications).

mod bill;
mod calls;
mod messages;
mod notification;
mod resource;
mod settings;
mod signature;

pub use settings::{PlatformKey, WeChatSettings};
#[cfg(test)]
pub use signature::request_message;

use super::Surroundings;
use super::keys::{SigningKey, VerifyingKey};
use super::outside::Outside;
use async_trait::async_trait;
use chrono::NaiveDate;
use domain::orders::{
    BillRow, Closing, Notification, NotificationRefused, PaymentProvider, PaymentState, PlaceRequest, Placed,
    ProviderNumber, ProviderResult, RawNotification, RefundRequest, RefundState, Reply,
};
use domain::wallet::Provider;
pub(super) use resource::ResourceKey;
use std::collections::HashMap;
use std::fmt;

pub struct WeChatPay {
    app_id: String,
    merchant_id: String,
    merchant_serial: String,
    merchant_key: SigningKey,
    resource_key: ResourceKey,
    /// By serial.
    platform_keys: HashMap<String, VerifyingKey>,
    /// The key by which answers are wished to be signed.
    preferred_key: String,
    notify_url: String,
    outside: Outside,
    surroundings: Surroundings,
}

/// Only what is public.
impl fmt::Debug for WeChatPay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WeChatPay").field("merchant_id", &self.merchant_id).finish_non_exhaustive()
    }
}

#[async_trait]
impl PaymentProvider for WeChatPay {
    fn provider(&self) -> Provider {
        Provider::WeChat
    }

    async fn place(&self, request: &PlaceRequest) -> ProviderResult<Placed> {
        self.place_native(request).await
    }

    async fn query(&self, number: ProviderNumber, _: Option<String>) -> ProviderResult<PaymentState> {
        self.query_by_number(number).await
    }

    async fn close(&self, number: ProviderNumber, _: Option<String>) -> ProviderResult<Closing> {
        self.close_unpaid(number).await
    }

    async fn refund(&self, request: &RefundRequest) -> ProviderResult<RefundState> {
        self.ask_for_refund(request).await
    }

    async fn query_refund(&self, request: &RefundRequest) -> ProviderResult<RefundState> {
        self.refund_by_number(request).await
    }

    fn read_notification(&self, raw: &RawNotification) -> Result<Notification, NotificationRefused> {
        self.verified_notification(raw)
    }

    fn reply(&self, accepted: bool) -> Reply {
        if accepted {
            return Reply { status: 204, content_type: "application/json", body: "" };
        }
        Reply { status: 400, content_type: "application/json", body: r#"{"code":"FAIL","message":"not accepted"}"# }
    }

    async fn daily_bill(&self, day: NaiveDate) -> ProviderResult<Vec<BillRow>> {
        self.trade_bill(day).await
    }
}
