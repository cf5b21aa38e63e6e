//! Misbehaving on command: what the next answers do wrong.

use crate::book::Kind;
use crate::shared::Shared;
use actix_web::body::{BoxBody, MessageBody, to_bytes};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::middleware::Next;
use actix_web::web::{Bytes, Data};
use actix_web::{Error, HttpResponse};
use futures_util::stream;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Longer than any answer that an adapter reads.
const HUGE: usize = 70 * 1024 * 1024;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Misdeed {
    /// The connection breaks and nothing was done.
    DropBefore,
    /// The work is done and the connection breaks.
    DropAfter,
    /// 503, and nothing was done.
    ErrorBefore,
    /// The work is done and the answer is 500.
    ErrorAfter,
    /// The answer comes late, by so many milliseconds; the work is done first.
    Delay(u64),
    /// 429.
    TooMany,
    /// 302 to somewhere else.
    Redirect,
    /// The answer is no JSON.
    Garbage,
    /// Half of the answer, whole as far as HTTP is concerned.
    Truncated,
    Huge,
    /// One character of the answer is another after it was signed.
    Tampered,
    /// The signature is left out.
    Unsigned,
    /// Signed with another nonce than the one that is said.
    WrongNonce,
    /// A key that nobody knows.
    WrongSerial,
    /// Signed by the key that is named, long ago.
    Old,
    /// The signed part twice, the second one forged (Alipay).
    DuplicateNode,
}

/// What goes wrong, where, and how often.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Fault {
    pub kind: Kind,
    /// Part of the call's method and address, such as `POST /v1/refunds` or `alipay.trade.refund`; empty is every call.
    #[serde(default)]
    pub at: String,
    pub misdeed: Misdeed,
    #[serde(default = "once")]
    pub times: u32,
}

fn once() -> u32 {
    1
}

impl Fault {
    pub fn once(kind: Kind, at: &str, misdeed: Misdeed) -> Self {
        Self { kind, at: at.to_owned(), misdeed, times: 1 }
    }
}

/// Takes the first fault that is meant for a call.
pub fn take(faults: &mut Vec<Fault>, kind: Kind, target: &str) -> Option<Misdeed> {
    let place = faults.iter().position(|fault| fault.kind == kind && target.contains(&fault.at))?;
    let fault = faults.get_mut(place)?;
    let misdeed = fault.misdeed;
    fault.times = fault.times.saturating_sub(1);
    if fault.times == 0 {
        faults.remove(place);
    }
    Some(misdeed)
}

fn kind_of(path: &str) -> Option<Kind> {
    match path {
        path if path.starts_with("/v3/") => Some(Kind::WeChat),
        path if path.starts_with("/gateway.do") || path.starts_with("/alipay/") => Some(Kind::Alipay),
        path if path.starts_with("/v1/") => Some(Kind::Stripe),
        _ => None,
    }
}

/// Around every call of a provider's protocol.
pub async fn misbehave(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let target = format!("{} {}", request.method(), request.uri());
    let shared = request.app_data::<Data<Shared>>().cloned();
    let misdeed = kind_of(request.path()).zip(shared).and_then(|(kind, shared)| shared.misdeed(kind, &target));
    match misdeed {
        Some(Misdeed::DropBefore) => return Ok(request.into_response(broken())),
        Some(Misdeed::ErrorBefore) => return Ok(request.into_response(HttpResponse::ServiceUnavailable().finish())),
        Some(Misdeed::TooMany) => {
            let said = r#"{"code":"FREQUENCY_LIMITED","message":"","error":{"type":"rate_limit_error"}}"#;
            return Ok(request.into_response(HttpResponse::TooManyRequests().body(said)));
        }
        _ => {}
    }
    let response = next.call(request).await?.map_into_boxed_body();
    match misdeed {
        None => Ok(response),
        Some(Misdeed::Delay(millis)) => {
            tokio::time::sleep(Duration::from_millis(millis)).await;
            Ok(response)
        }
        Some(misdeed) => spoil(response, misdeed).await,
    }
}

/// A head, the beginning of a body, and no end.
fn broken() -> HttpResponse {
    let parts: [Result<Bytes, std::io::Error>; 2] =
        [Ok(Bytes::from_static(b"{")), Err(std::io::Error::other("dropped on command"))];
    HttpResponse::Ok().streaming(stream::iter(parts))
}

async fn spoil(response: ServiceResponse<BoxBody>, misdeed: Misdeed) -> Result<ServiceResponse<BoxBody>, Error> {
    let (request, response) = response.into_parts();
    let (mut response, body) = response.into_parts();
    let body = to_bytes(body).await.unwrap_or_default();
    let text = String::from_utf8_lossy(&body).into_owned();
    let changed = match misdeed {
        Misdeed::DropAfter => return Ok(ServiceResponse::new(request, broken())),
        Misdeed::ErrorAfter => {
            *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
            r#"{"code":"SYSTEM_ERROR","message":"","error":{"type":"api_error"}}"#.to_owned()
        }
        Misdeed::Redirect => {
            *response.status_mut() = StatusCode::FOUND;
            set(&mut response, "location", "/elsewhere");
            String::new()
        }
        Misdeed::Garbage => "<html>".to_owned(),
        Misdeed::Truncated => text.chars().take(text.chars().count() / 2).collect(),
        Misdeed::Huge => "x".repeat(HUGE),
        Misdeed::Tampered => tampered(&text),
        Misdeed::Unsigned => {
            response.headers_mut().remove("wechatpay-signature");
            text.find(",\"sign\":").map_or(text.clone(), |place| format!("{}}}", &text[..place]))
        }
        Misdeed::WrongNonce => {
            set(&mut response, "wechatpay-nonce", "another");
            text
        }
        Misdeed::WrongSerial => {
            set(&mut response, "wechatpay-serial", "PUB_KEY_ID_9");
            text
        }
        Misdeed::Old => {
            set(&mut response, "wechatpay-timestamp", "1554208460");
            text
        }
        Misdeed::DuplicateNode => duplicated(&text),
        _ => text,
    };
    Ok(ServiceResponse::new(request, response.set_body(changed).map_into_boxed_body()))
}

fn set(response: &mut HttpResponse<()>, name: &'static str, value: &'static str) {
    response.headers_mut().insert(HeaderName::from_static(name), HeaderValue::from_static(value));
}

/// Another digit somewhere, or another character at the end.
fn tampered(text: &str) -> String {
    match text.find(|character: char| character.is_ascii_digit()) {
        Some(place) => {
            let other = if text.as_bytes()[place] == b'7' { "8" } else { "7" };
            format!("{}{other}{}", &text[..place], &text[place + 1..])
        }
        None => format!("{text} "),
    }
}

/// `{"x_response":REAL,…}` with a forged `x_response` behind it.
fn duplicated(text: &str) -> String {
    let name = text.split('"').nth(1).unwrap_or_default();
    let forged = format!(r#","{name}":{{"code":"10000","msg":"Success","trade_status":"TRADE_SUCCESS"}}}}"#);
    text.strip_suffix('}').map_or_else(|| text.to_owned(), |rest| rest.to_owned() + &forged)
}
