//! Transfers outside: the customer follows an operator's words, and an operator says when the money arrived.

use async_trait::async_trait;
use chrono::NaiveDate;
use domain::orders::{
    BillRow, Closing, Notification, NotificationRefused, PayAction, PaymentProvider, PaymentState, PlaceRequest,
    Placed, ProviderError, ProviderNumber, ProviderResult, RawNotification, RefundRequest, RefundState, Reply,
};
use domain::time::Clock;
use domain::wallet::Provider;
use std::sync::Arc;

/// Stands in the instructions for the number that the customer writes on the transfer.
const NUMBER: &str = "{number}";
const AMOUNT: &str = "{amount}";

/// The provider `manual`. Nothing outside is asked: everything it says follows from what it was asked.
pub struct ManualPayments {
    /// With `{number}` and `{amount}` where those go.
    pub instructions: String,
    pub clock: Arc<dyn Clock>,
}

#[async_trait]
impl PaymentProvider for ManualPayments {
    fn provider(&self) -> Provider {
        Provider::Manual
    }

    async fn place(&self, request: &PlaceRequest) -> ProviderResult<Placed> {
        let amount = format!("{} {}", request.amount.to_decimal(), request.amount.currency());
        let words = self.instructions.replace(NUMBER, &request.number.to_string()).replace(AMOUNT, &amount);
        Ok(Placed { action: PayAction::Follow(words), reference: None })
    }

    /// Whether it arrived only an operator knows.
    async fn query(&self, _: ProviderNumber, _: Option<String>) -> ProviderResult<PaymentState> {
        Ok(PaymentState::Open)
    }

    async fn close(&self, _: ProviderNumber, _: Option<String>) -> ProviderResult<Closing> {
        Ok(Closing::Closed)
    }

    /// Whoever asks for the refund sends the money.
    async fn refund(&self, _: &RefundRequest) -> ProviderResult<RefundState> {
        Ok(RefundState::Succeeded { refunded_at: self.clock.now() })
    }

    async fn query_refund(&self, _: &RefundRequest) -> ProviderResult<RefundState> {
        Ok(RefundState::Succeeded { refunded_at: self.clock.now() })
    }

    /// Nobody sends notifications.
    fn read_notification(&self, _: &RawNotification) -> Result<Notification, NotificationRefused> {
        Err(NotificationRefused::Signature)
    }

    fn reply(&self, _: bool) -> Reply {
        Reply { status: 401, content_type: "text/plain", body: "" }
    }

    async fn daily_bill(&self, _: NaiveDate) -> ProviderResult<Vec<BillRow>> {
        Err(ProviderError::Unsupported)
    }
}
