//! What WeChat Pay says, as types, and what it means to us.

use super::WeChatPay;
use crate::payments::amount::from_minor;
use crate::payments::time::from_rfc3339;
use domain::money::{Currency, Money};
use domain::orders::{Capture, PaymentState, RefundState};
use serde::Deserialize;

/// CNY is counted in fen.
pub const DECIMALS: u8 = 2;

#[derive(Deserialize)]
pub struct Amount {
    pub total: i64,
    #[serde(default)]
    pub currency: Option<String>,
}

impl Amount {
    fn money(&self) -> Option<Money> {
        let currency = self.currency.as_deref().map_or(Some(Currency::CNY), Currency::parse)?;
        from_minor(self.total, currency, DECIMALS)
    }
}

/// A payment, as a query answers it and a notification brings it.
#[derive(Deserialize)]
pub struct Trade {
    pub appid: String,
    pub mchid: String,
    pub out_trade_no: String,
    #[serde(default)]
    pub transaction_id: Option<String>,
    pub trade_state: String,
    #[serde(default)]
    pub success_time: Option<String>,
    #[serde(default)]
    pub amount: Option<Amount>,
}

/// A refund; notifications name its state otherwise than answers.
#[derive(Deserialize)]
pub struct Refund {
    pub out_refund_no: String,
    #[serde(alias = "refund_status")]
    pub status: String,
    #[serde(default)]
    pub success_time: Option<String>,
}

#[derive(Deserialize)]
pub struct Failure {
    pub code: String,
    #[serde(default)]
    pub message: String,
}

impl WeChatPay {
    /// `None` when something is missing that a payment of this state has.
    pub(super) fn state_of(&self, trade: &Trade) -> Option<PaymentState> {
        match trade.trade_state.as_str() {
            "NOTPAY" | "USERPAYING" | "ACCEPT" => Some(PaymentState::Open),
            // REFUND says that it was paid and that there is a refund of some of it.
            "SUCCESS" | "REFUND" => Some(PaymentState::Captured(Capture {
                transaction: trade.transaction_id.clone().filter(|id| !id.is_empty() && id.len() <= 128)?,
                amount: trade.amount.as_ref()?.money()?,
                captured_at: from_rfc3339(trade.success_time.as_deref()?)?,
                payee_is_ours: trade.appid == self.app_id && trade.mchid == self.merchant_id,
            })),
            "CLOSED" | "REVOKED" => Some(PaymentState::Closed),
            "PAYERROR" => Some(PaymentState::Failed),
            _ => None,
        }
    }
}

impl Refund {
    pub fn state(&self) -> Option<RefundState> {
        match self.status.as_str() {
            "PROCESSING" => Some(RefundState::Processing),
            "SUCCESS" => self
                .success_time
                .as_deref()
                .and_then(from_rfc3339)
                .map(|refunded_at| RefundState::Succeeded { refunded_at }),
            "CLOSED" => Some(RefundState::Failed { reason: "the refund was closed".to_owned() }),
            "ABNORMAL" => {
                Some(RefundState::Abnormal { reason: "the customer's card or account takes nothing".to_owned() })
            }
            _ => None,
        }
    }
}
