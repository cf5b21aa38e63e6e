//! Refunds: one per `out_request_no`, however often it is asked for.

use super::Alipay;
use super::calls::{NOT_THERE, amount};
use super::gateway::is;
use crate::payments::outside::cut;
use crate::payments::time::from_beijing;
use domain::orders::{ProviderResult, RefundRequest, RefundState};
use serde::Deserialize;
use serde_json::json;

const REFUNDED: &str = "REFUND_SUCCESS";

#[derive(Deserialize)]
struct Refunded {
    out_trade_no: String,
    /// Whether this very call moved money.
    #[serde(default)]
    fund_change: String,
    #[serde(default)]
    gmt_refund_pay: Option<String>,
}

#[derive(Deserialize)]
struct Found {
    #[serde(default)]
    out_request_no: String,
    /// Left out for a refund that did not happen.
    #[serde(default)]
    refund_status: String,
    #[serde(default)]
    gmt_refund_pay: Option<String>,
}

impl Alipay {
    pub(super) async fn ask_for_refund(&self, request: &RefundRequest) -> ProviderResult<RefundState> {
        let content = json!({
            "out_trade_no": request.payment.to_string(),
            "out_request_no": request.number.to_string(),
            "refund_amount": amount(request.amount)?,
            "refund_reason": cut(&request.reason, 80),
        });
        let refunded: Refunded = self.call("alipay.trade.refund", &content).await?;
        if refunded.out_trade_no != request.payment.to_string() {
            return Err(self.outside.untrusted("the answer is about another payment"));
        }
        if refunded.fund_change == "Y" {
            return Ok(self.succeeded(refunded.gmt_refund_pay.as_deref()));
        }
        // A repetition, or one that is still under way: only the query says which.
        match self.refund_by_number(request).await? {
            RefundState::NotFound => Ok(RefundState::Processing),
            state => Ok(state),
        }
    }

    pub(super) async fn refund_by_number(&self, request: &RefundRequest) -> ProviderResult<RefundState> {
        let content = json!({
            "out_trade_no": request.payment.to_string(),
            "out_request_no": request.number.to_string(),
            "query_options": ["gmt_refund_pay"],
        });
        match self.call::<Found>("alipay.trade.fastpay.refund.query", &content).await {
            Ok(found) if found.refund_status == REFUNDED => {
                if found.out_request_no != request.number.to_string() {
                    return Err(self.outside.untrusted("the answer is about another refund"));
                }
                Ok(self.succeeded(found.gmt_refund_pay.as_deref()))
            }
            // The query worked and found no refund of that number that happened.
            Ok(_) => Ok(RefundState::NotFound),
            Err(error) if is(&error, &NOT_THERE) => Ok(RefundState::NotFound),
            Err(error) => Err(error),
        }
    }

    fn succeeded(&self, at: Option<&str>) -> RefundState {
        let refunded_at = at.and_then(from_beijing).unwrap_or_else(|| self.surroundings.clock.now());
        RefundState::Succeeded { refunded_at }
    }
}
