//! Asking for payments, querying and closing them.

use super::Alipay;
use super::gateway::is;
use crate::payments::amount::{to_minor, yuan};
use crate::payments::outside::cut;
use crate::payments::time::{from_beijing, to_beijing};
use domain::money::{Currency, Money};
use domain::orders::{
    Capture, Closing, PayAction, PaymentState, PlaceRequest, Placed, ProviderError, ProviderNumber, ProviderResult,
};
use serde::Deserialize;
use serde_json::{Value, json};

pub const NOT_THERE: [&str; 1] = ["ACQ.TRADE_NOT_EXIST"];
const PAID: [&str; 2] = ["ACQ.TRADE_HAS_SUCCESS", "ACQ.TRADE_HAS_FINISHED"];
/// Paid or closed; a query tells which.
const IN_ANOTHER_STATE: [&str; 1] = ["ACQ.TRADE_STATUS_ERROR"];
const CLOSED: [&str; 1] = ["ACQ.TRADE_HAS_CLOSE"];

#[derive(Deserialize)]
struct Precreated {
    out_trade_no: String,
    qr_code: String,
}

#[derive(Deserialize)]
struct Trade {
    out_trade_no: String,
    #[serde(default)]
    trade_no: String,
    trade_status: String,
    #[serde(default)]
    total_amount: String,
    #[serde(default)]
    send_pay_date: Option<String>,
}

#[derive(Deserialize)]
struct Closed {}

impl Alipay {
    pub(super) async fn precreate(&self, request: &PlaceRequest) -> ProviderResult<Placed> {
        let made: Precreated = self.call("alipay.trade.precreate", &order(request)?).await?;
        if made.out_trade_no != request.number.to_string() {
            return Err(self.outside.untrusted("the answer is about another payment"));
        }
        Ok(Placed { action: PayAction::ScanQr(made.qr_code), reference: None })
    }

    /// Nothing is sent: the customer's browser brings the signed order to Alipay.
    pub(super) fn page(&self, request: &PlaceRequest) -> ProviderResult<Placed> {
        let mut content = order(request)?;
        content["product_code"] = json!("FAST_INSTANT_TRADE_PAY");
        let parameters = self.signed("alipay.trade.page.pay", &content, request.return_url.as_deref())?;
        Ok(Placed { action: PayAction::Open(self.address(&parameters).to_string()), reference: None })
    }

    pub(super) async fn query_trade(&self, number: ProviderNumber) -> ProviderResult<PaymentState> {
        let content = json!({ "out_trade_no": number.to_string() });
        match self.call::<Trade>("alipay.trade.query", &content).await {
            Ok(trade) if trade.out_trade_no == number.to_string() => {
                state_of(trade).ok_or_else(|| self.outside.untrusted("the payment's state is none we know"))
            }
            Ok(_) => Err(self.outside.untrusted("the answer is about another payment")),
            Err(error) if is(&error, &NOT_THERE) => Ok(PaymentState::NotFound),
            Err(error) => Err(error),
        }
    }

    pub(super) async fn close_trade(&self, number: ProviderNumber) -> ProviderResult<Closing> {
        let content = json!({ "out_trade_no": number.to_string() });
        match self.call::<Closed>("alipay.trade.close", &content).await {
            Ok(Closed {}) => Ok(Closing::Closed),
            Err(error) if is(&error, &CLOSED) => Ok(Closing::Closed),
            Err(error) if is(&error, &PAID) => Ok(Closing::Paid),
            Err(error) if is(&error, &NOT_THERE) => Ok(Closing::NotFound),
            Err(error) if is(&error, &IN_ANOTHER_STATE) => match self.query_trade(number).await? {
                PaymentState::Captured(_) => Ok(Closing::Paid),
                PaymentState::Closed => Ok(Closing::Closed),
                _ => Err(error),
            },
            Err(error) => Err(error),
        }
    }
}

fn order(request: &PlaceRequest) -> ProviderResult<Value> {
    Ok(json!({
        "out_trade_no": request.number.to_string(),
        "total_amount": amount(request.amount)?,
        "subject": cut(&request.description, 120),
        "time_expire": to_beijing(request.expires_at),
    }))
}

/// Yuan with two decimals; Alipay takes no other currency here.
pub fn amount(amount: Money) -> ProviderResult<String> {
    let whole = amount.currency() == Currency::CNY && amount.is_positive() && to_minor(amount, 2).is_some();
    if whole { Ok(amount.to_decimal()) } else { Err(ProviderError::Unsupported) }
}

fn state_of(trade: Trade) -> Option<PaymentState> {
    let paid_at = trade.send_pay_date.as_deref().and_then(from_beijing);
    match (trade.trade_status.as_str(), paid_at) {
        ("WAIT_BUYER_PAY", _) => Some(PaymentState::Open),
        // Closed and paid before is refunded in full.
        ("TRADE_SUCCESS" | "TRADE_FINISHED" | "TRADE_CLOSED", Some(captured_at)) => {
            Some(PaymentState::Captured(Capture {
                transaction: Some(trade.trade_no).filter(|id| !id.is_empty() && id.len() <= 128)?,
                amount: yuan(&trade.total_amount)?,
                captured_at,
                // It is the answer to a query of our app about our number.
                payee_is_ours: true,
            }))
        }
        ("TRADE_CLOSED", None) => Some(PaymentState::Closed),
        _ => None,
    }
}
