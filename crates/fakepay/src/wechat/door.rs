//! Who may call, and answers that are signed.

use crate::shared::Shared;
use actix_web::http::StatusCode;
use actix_web::http::header::{ACCEPT, AUTHORIZATION, USER_AGENT};
use actix_web::{HttpRequest, HttpResponse};
use serde_json::{Value, json};
use std::collections::HashMap;

const SCHEME: &str = "WECHATPAY2-SHA256-RSA2048 ";
const TOLERANCE_SECONDS: u64 = 300;

/// Refusals are not signed.
pub fn refuse(status: u16, code: &str, message: &str) -> HttpResponse {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST);
    HttpResponse::build(status).json(json!({ "code": code, "message": message }))
}

fn header<'r>(request: &'r HttpRequest, name: &str) -> &'r str {
    request.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

/// Checks the signature over what was really sent.
pub fn enter(shared: &Shared, request: &HttpRequest, body: &[u8]) -> Result<(), Box<HttpResponse>> {
    if header(request, ACCEPT.as_str()).is_empty() || header(request, USER_AGENT.as_str()).is_empty() {
        return Err(Box::new(refuse(400, "INVALID_REQUEST", "Http头缺少Accept或User-Agent")));
    }
    let wrong = |message: &str| Box::new(refuse(401, "SIGN_ERROR", message));
    let authorization = header(request, AUTHORIZATION.as_str());
    let fields = authorization.strip_prefix(SCHEME).and_then(fields).ok_or_else(|| wrong("Authorization不合法"))?;
    let field = |name: &str| fields.get(name).copied().unwrap_or_default();
    let keys = shared.keys();
    if field("mchid") != keys.merchant.wechat_merchant_id || field("serial_no") != keys.merchant.wechat_merchant_serial
    {
        return Err(wrong("商户号或证书序列号不正确"));
    }
    let timestamp: i64 = field("timestamp").parse().map_err(|_| wrong("timestamp不合法"))?;
    if shared.now().timestamp().abs_diff(timestamp) > TOLERANCE_SECONDS {
        return Err(wrong("签名时间与当前时间相差超过5分钟"));
    }
    let target = request.uri().path_and_query().map_or("/", |target| target.as_str());
    let mut message = format!("{}\n{target}\n{timestamp}\n{}\n", request.method(), field("nonce_str")).into_bytes();
    message.extend_from_slice(body);
    message.push(b'\n');
    let right = !field("nonce_str").is_empty() && keys.wechat_merchant.verifies(&message, field("signature"));
    if right { Ok(()) } else { Err(wrong("签名错误")) }
}

/// `name="value"` five times, in any order.
fn fields(text: &str) -> Option<HashMap<&str, &str>> {
    let pairs = text.split(',').map(|pair| {
        let (name, value) = pair.split_once('=')?;
        Some((name, value.strip_prefix('"')?.strip_suffix('"')?))
    });
    pairs.collect::<Option<HashMap<_, _>>>().filter(|fields| fields.len() == 5)
}

/// An answer signed by the key that the merchant wishes, or the newest.
pub fn signed(shared: &Shared, request: &HttpRequest, status: u16, body: Option<&Value>) -> HttpResponse {
    let keys = shared.keys();
    let wished = header(request, "wechatpay-serial");
    let of_wish = keys.wechat_platform.iter().find(|(serial, _)| serial == wished);
    let Some((serial, key)) = of_wish.or(keys.wechat_platform.last()) else {
        return HttpResponse::InternalServerError().finish();
    };
    let body = body.map(Value::to_string).unwrap_or_default();
    let (timestamp, nonce) = (shared.now().timestamp().to_string(), crate::keys::token(32));
    let signature = key.sign(format!("{timestamp}\n{nonce}\n{body}\n").as_bytes());
    HttpResponse::build(StatusCode::from_u16(status).unwrap_or(StatusCode::OK))
        .insert_header(("Wechatpay-Timestamp", timestamp))
        .insert_header(("Wechatpay-Nonce", nonce))
        .insert_header(("Wechatpay-Serial", serial.clone()))
        .insert_header(("Wechatpay-Signature", signature))
        .insert_header(("Wechatpay-Signature-Type", "WECHATPAY2-SHA256-RSA2048"))
        .content_type("application/json")
        .body(body)
}
