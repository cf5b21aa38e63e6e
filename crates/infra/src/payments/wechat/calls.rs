//! Calls to WeChat Pay: signed, and believed only when the answer is.

use super::WeChatPay;
use super::messages::{DECIMALS, Failure, Refund, Trade};
use crate::payments::amount::to_minor;
use crate::payments::outside::{Answer, MAX_ANSWER_BYTES, cut};
use crate::payments::time::to_rfc3339_beijing;
use domain::money::Currency;
use domain::orders::{
    Closing, PayAction, PaymentState, PlaceRequest, Placed, ProviderError, ProviderNumber, ProviderResult,
    RefundRequest, RefundState,
};
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// Names of errors changed between versions of the interface.
const PAID: [&str; 2] = ["ORDER_PAID", "ORDERPAID"];
const CLOSED: [&str; 2] = ["ORDER_CLOSED", "ORDERCLOSED"];
const UNKNOWN_ORDER: [&str; 2] = ["ORDER_NOT_EXIST", "ORDERNOTEXIST"];
const UNKNOWN_REFUND: [&str; 2] = ["RESOURCE_NOT_EXISTS", "REFUND_NOT_EXIST"];
/// The provider did nothing and may do it later.
const LATER: [&str; 3] = ["FREQUENCY_LIMITED", "RATELIMIT_EXCEEDED", "FREQUENCY_LIMIT_EXCEED"];

#[derive(Deserialize)]
struct Native {
    code_url: String,
}

impl WeChatPay {
    pub(super) async fn place_native(&self, request: &PlaceRequest) -> ProviderResult<Placed> {
        let total = fen(request.amount)?;
        let body = json!({
            "appid": self.app_id,
            "mchid": self.merchant_id,
            "description": cut(&request.description, 120),
            "out_trade_no": request.number.to_string(),
            "time_expire": to_rfc3339_beijing(request.expires_at),
            "notify_url": self.notify_url,
            "amount": { "total": total, "currency": "CNY" },
        });
        let native: Native = self.post("/v3/pay/transactions/native", &body).await?;
        Ok(Placed { action: PayAction::ScanQr(native.code_url), reference: None })
    }

    pub(super) async fn query_by_number(&self, number: ProviderNumber) -> ProviderResult<PaymentState> {
        let path = format!("/v3/pay/transactions/out-trade-no/{number}?mchid={}", self.merchant_id);
        match self.get::<Trade>(&path).await {
            Ok(trade) if trade.out_trade_no == number.to_string() => {
                self.state_of(&trade).ok_or_else(|| self.outside.untrusted("the payment's state is none we know"))
            }
            Ok(_) => Err(self.outside.untrusted("the answer is about another payment")),
            Err(error) if is(&error, &UNKNOWN_ORDER) => Ok(PaymentState::NotFound),
            Err(error) => Err(error),
        }
    }

    pub(super) async fn close_unpaid(&self, number: ProviderNumber) -> ProviderResult<Closing> {
        let path = format!("/v3/pay/transactions/out-trade-no/{number}/close");
        let body = json!({ "mchid": self.merchant_id });
        match self.call("POST", &path, Some(&body)).await {
            Ok(_) => Ok(Closing::Closed),
            Err(error) if is(&error, &CLOSED) => Ok(Closing::Closed),
            Err(error) if is(&error, &PAID) => Ok(Closing::Paid),
            Err(error) if is(&error, &UNKNOWN_ORDER) => Ok(Closing::NotFound),
            Err(error) => Err(error),
        }
    }

    pub(super) async fn ask_for_refund(&self, request: &RefundRequest) -> ProviderResult<RefundState> {
        let body = json!({
            "transaction_id": request.transaction,
            "out_refund_no": request.number.to_string(),
            "reason": cut(&request.reason, 80),
            "notify_url": self.notify_url,
            "amount": { "refund": fen(request.amount)?, "total": fen(request.paid)?, "currency": "CNY" },
        });
        let refund = self.post("/v3/refund/domestic/refunds", &body).await?;
        self.refund_state(request, &refund)
    }

    pub(super) async fn refund_by_number(&self, request: &RefundRequest) -> ProviderResult<RefundState> {
        match self.get(&format!("/v3/refund/domestic/refunds/{}", request.number)).await {
            Ok(refund) => self.refund_state(request, &refund),
            Err(error) if is(&error, &UNKNOWN_REFUND) => Ok(RefundState::NotFound),
            Err(error) => Err(error),
        }
    }

    fn refund_state(&self, request: &RefundRequest, refund: &Refund) -> ProviderResult<RefundState> {
        if refund.out_refund_no != request.number.to_string() {
            return Err(self.outside.untrusted("the answer is about another refund"));
        }
        refund.state().ok_or_else(|| self.outside.untrusted("the refund's state is none we know"))
    }

    async fn post<T: DeserializeOwned>(&self, path: &str, body: &Value) -> ProviderResult<T> {
        self.read(&self.call("POST", path, Some(body)).await?)
    }

    pub(super) async fn get<T: DeserializeOwned>(&self, path: &str) -> ProviderResult<T> {
        self.read(&self.call("GET", path, None).await?)
    }

    fn read<T: DeserializeOwned>(&self, answer: &Answer) -> ProviderResult<T> {
        serde_json::from_slice(&answer.body).map_err(|_| self.outside.untrusted("the signed answer cannot be read"))
    }

    /// One signed call, and its verified answer.
    async fn call(&self, method: &str, path: &str, body: Option<&Value>) -> ProviderResult<Answer> {
        let answer = self.send(method, path, body, MAX_ANSWER_BYTES).await?;
        if !answer.status.is_success() {
            return Err(self.failure(&answer));
        }
        let now = self.surroundings.clock.now().timestamp();
        let verified = self.verify(|name| answer.header(name), &answer.body, now);
        verified.map_err(|_| self.outside.untrusted("the answer's signature is missing, wrong or old"))?;
        Ok(answer)
    }

    pub(super) async fn send(
        &self,
        method: &str,
        path: &str,
        body: Option<&Value>,
        most_bytes: usize,
    ) -> ProviderResult<Answer> {
        let url = self.outside.at(path)?;
        // What is signed is what is sent, also where the URL's writing of the path differs from ours.
        let sent = url.query().map_or_else(|| url.path().to_owned(), |query| format!("{}?{query}", url.path()));
        let text = body.map(Value::to_string).unwrap_or_default();
        let authorization = self.authorization(method, &sent, &text);
        let authorization = authorization.ok_or_else(|| self.outside.unavailable("a request could not be signed"))?;
        let client = self.outside.client();
        let mut request = if body.is_some() { client.post(url) } else { client.get(url) };
        request = request
            .header(AUTHORIZATION, authorization)
            .header(ACCEPT, "application/json")
            .header("Wechatpay-Serial", &self.preferred_key);
        if body.is_some() {
            request = request.header(CONTENT_TYPE, "application/json").body(text);
        }
        self.outside.ask(request, most_bytes).await
    }

    /// Refusals carry no signature. Whatever a server error says, the work may have been done.
    pub(super) fn failure(&self, answer: &Answer) -> ProviderError {
        let said: Option<Failure> = serde_json::from_slice(&answer.body).ok();
        match said {
            Some(said) if answer.status.is_client_error() => {
                if answer.status.as_u16() == 429 || LATER.contains(&said.code.as_str()) {
                    return self.outside.unavailable("too many calls");
                }
                self.outside.refused(&said.code, &said.message)
            }
            _ => self.outside.untrusted("the answer is no success and no refusal"),
        }
    }
}

fn is(error: &ProviderError, codes: &[&str]) -> bool {
    matches!(error, ProviderError::Refused { code, .. } if codes.contains(&code.as_str()))
}

/// WeChat Pay Native is paid in yuan only.
fn fen(amount: domain::money::Money) -> ProviderResult<i64> {
    let positive = amount.currency() == Currency::CNY && amount.is_positive();
    to_minor(amount, DECIMALS).filter(|_| positive).ok_or(ProviderError::Unsupported)
}
