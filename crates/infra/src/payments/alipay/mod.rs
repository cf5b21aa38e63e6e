//! Alipay by the gateway `gateway.do` with RSA2: a QR code (`alipay.trade.precreate`) or a page (`alipay.trade.page.pay`).
//!
//! Answers are verified over the very characters that Alipay signed. Source: the rules of alipay-easysdk's `Signer` and
//! of `AlipaySignature.rsaCheckV1`.

mod answer;
mod bill;
mod calls;
mod gateway;
mod notification;
mod refunds;
mod settings;
mod signature;

pub use settings::AlipaySettings;
pub use signature::sign_content;

use super::Surroundings;
use super::keys::{SigningKey, VerifyingKey};
use super::outside::Outside;
use async_trait::async_trait;
use chrono::NaiveDate;
use domain::orders::{
    BillRow, Closing, Notification, NotificationRefused, PayMethod, PaymentProvider, PaymentState, PlaceRequest,
    Placed, ProviderNumber, ProviderResult, RawNotification, RefundRequest, RefundState, Reply,
};
use domain::wallet::Provider;
use std::fmt;

pub struct Alipay {
    app_id: String,
    seller_id: String,
    app_key: SigningKey,
    /// Several while Alipay's key is changed.
    alipay_keys: Vec<VerifyingKey>,
    notify_url: String,
    outside: Outside,
    surroundings: Surroundings,
}

/// Only what is public.
impl fmt::Debug for Alipay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Alipay").field("app_id", &self.app_id).finish_non_exhaustive()
    }
}

#[async_trait]
impl PaymentProvider for Alipay {
    fn provider(&self) -> Provider {
        Provider::Alipay
    }

    async fn place(&self, request: &PlaceRequest) -> ProviderResult<Placed> {
        match request.method {
            PayMethod::Default => self.precreate(request).await,
            PayMethod::Page => self.page(request),
        }
    }

    async fn query(&self, number: ProviderNumber, _: Option<String>) -> ProviderResult<PaymentState> {
        self.query_trade(number).await
    }

    async fn close(&self, number: ProviderNumber, _: Option<String>) -> ProviderResult<Closing> {
        self.close_trade(number).await
    }

    async fn refund(&self, request: &RefundRequest) -> ProviderResult<RefundState> {
        self.ask_for_refund(request).await
    }

    async fn query_refund(&self, request: &RefundRequest) -> ProviderResult<RefundState> {
        self.refund_by_number(request).await
    }

    /// Alipay repeats a notification for a day and says no time by which it is void.
    fn read_notification(&self, raw: &RawNotification) -> Result<Notification, NotificationRefused> {
        self.verified_notification(raw)
    }

    fn reply(&self, accepted: bool) -> Reply {
        // Only this word stops the repetitions; the status says nothing to Alipay.
        let (status, body) = if accepted { (200, "success") } else { (400, "fail") };
        Reply { status, content_type: "text/plain", body }
    }

    async fn daily_bill(&self, day: NaiveDate) -> ProviderResult<Vec<BillRow>> {
        self.trade_bill(day).await
    }
}
