//! Orders, queries, closing and refunds.

use super::door::{enter, refuse, signed};
use super::notification::{refund_json, tell_refunded, trade_json};
use crate::book::{Kind, Refund, RefundStanding, Refusal, Standing, Trade};
use crate::shared::{RefundManner, Shared};
use actix_web::web::{Bytes, Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use chrono::{DateTime, TimeDelta, Utc};
use serde::Deserialize;
use serde_json::json;

const ORDER_DAYS: i64 = 7;
const MAX_REFUND_DAYS: i64 = 365;

#[derive(Deserialize)]
struct Amount {
    total: i64,
    #[serde(default)]
    refund: i64,
    #[serde(default = "cny")]
    currency: String,
}

fn cny() -> String {
    "CNY".to_owned()
}

#[derive(Deserialize)]
struct Order {
    appid: String,
    mchid: String,
    description: String,
    out_trade_no: String,
    #[serde(default)]
    time_expire: Option<DateTime<Utc>>,
    notify_url: String,
    amount: Amount,
}

#[derive(Deserialize)]
struct RefundOrder {
    #[serde(default)]
    transaction_id: Option<String>,
    #[serde(default)]
    out_trade_no: Option<String>,
    out_refund_no: String,
    #[serde(default)]
    reason: String,
    #[serde(default)]
    notify_url: Option<String>,
    amount: Amount,
}

fn parameter(message: &str) -> HttpResponse {
    refuse(400, "PARAM_ERROR", message)
}

pub async fn native(shared: Data<Shared>, request: HttpRequest, body: Bytes) -> HttpResponse {
    if let Err(refused) = enter(&shared, &request, &body) {
        return *refused;
    }
    let Ok(order) = serde_json::from_slice::<Order>(&body) else { return parameter("请求参数不符合要求") };
    if let Some(reason) = fault_of(&shared, &order) {
        return parameter(reason);
    }
    let now = shared.now();
    let number = order.out_trade_no.clone();
    let serial = shared.book().next_number();
    let trade = Trade {
        kind: Kind::WeChat,
        number: number.clone(),
        amount: order.amount.total,
        currency: order.amount.currency,
        subject: order.description,
        notify_url: Some(order.notify_url),
        return_url: None,
        fingerprint: String::from_utf8_lossy(&body).into_owned(),
        standing: Standing::Waiting,
        transaction: format!("42000{:08}{serial:015}", now.timestamp() % 100_000_000),
        seen: false,
        created: now,
        expires: order.time_expire.unwrap_or(now + TimeDelta::days(ORDER_DAYS)),
        paid_at: None,
    };
    // Copied, for no lock is held while the keys are.
    let placed = shared.book().place(trade).map(|_| ());
    match placed {
        Ok(()) => signed(&shared, &request, 200, Some(&json!({ "code_url": shared.pay_page(Kind::WeChat, &number) }))),
        Err(Refusal::AlreadyPaid) => refuse(400, "ORDER_PAID", "该订单已支付"),
        Err(Refusal::AlreadyClosed) => refuse(400, "ORDER_CLOSED", "订单已关闭"),
        Err(_) => refuse(400, "INVALID_REQUEST", "请求重入时,参数与首次请求时不一致"),
    }
}

fn fault_of(shared: &Shared, order: &Order) -> Option<&'static str> {
    let keys = shared.keys();
    let plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-|*".contains(&byte));
    if order.appid != keys.merchant.wechat_app_id || order.mchid != keys.merchant.wechat_merchant_id {
        Some("appid和mchid不匹配")
    } else if !(6..=32).contains(&order.out_trade_no.len()) || !plain(&order.out_trade_no) {
        Some("out_trade_no")
    } else if order.amount.total < 1 || order.amount.currency != "CNY" {
        Some("amount")
    } else if order.description.is_empty() || order.description.chars().count() > 127 {
        Some("description")
    } else if order.notify_url.contains('?') || order.notify_url.len() > 255 {
        Some("notify_url")
    } else {
        None
    }
}

pub async fn query(shared: Data<Shared>, request: HttpRequest, number: Path<String>) -> HttpResponse {
    if let Err(refused) = enter(&shared, &request, b"") {
        return *refused;
    }
    let trade = shared.book().trade(Kind::WeChat, &number).cloned();
    shown(&shared, &request, trade)
}

pub async fn query_by_transaction(shared: Data<Shared>, request: HttpRequest, id: Path<String>) -> HttpResponse {
    if let Err(refused) = enter(&shared, &request, b"") {
        return *refused;
    }
    let found = shared.book().trades(Kind::WeChat).find(|trade| trade.transaction == *id).cloned();
    // Unpaid ones have no number of WeChat Pay's.
    shown(&shared, &request, found.filter(|trade| trade.standing == Standing::Paid))
}

fn shown(shared: &Shared, request: &HttpRequest, trade: Option<Trade>) -> HttpResponse {
    match trade {
        Some(trade) => signed(shared, request, 200, Some(&trade_json(shared, &trade))),
        None => refuse(404, "ORDER_NOT_EXIST", "订单不存在"),
    }
}

pub async fn close(shared: Data<Shared>, request: HttpRequest, body: Bytes, number: Path<String>) -> HttpResponse {
    if let Err(refused) = enter(&shared, &request, &body) {
        return *refused;
    }
    let closed = shared.book().close(Kind::WeChat, &number);
    match closed {
        // Closing again is closing.
        Ok(()) | Err(Refusal::AlreadyClosed) => signed(&shared, &request, 204, None),
        Err(Refusal::AlreadyPaid) => refuse(400, "ORDER_PAID", "该订单已支付"),
        Err(_) => refuse(404, "ORDER_NOT_EXIST", "订单不存在"),
    }
}

pub async fn refund(shared: Data<Shared>, request: HttpRequest, body: Bytes) -> HttpResponse {
    if let Err(refused) = enter(&shared, &request, &body) {
        return *refused;
    }
    let Ok(order) = serde_json::from_slice::<RefundOrder>(&body) else {
        return parameter("请求参数不符合要求");
    };
    let made = make_refund(&shared, order);
    match made {
        Ok((refund, new)) => {
            if new && refund.standing == RefundStanding::Succeeded {
                tell_refunded(&shared.clone().into_inner(), &refund);
            }
            let shown = refund_json(&shared, &refund, "status", new);
            signed(&shared, &request, 200, Some(&shown))
        }
        Err(Refusal::NotFound) => refuse(404, "RESOURCE_NOT_EXISTS", "订单不存在"),
        Err(Refusal::NotPaid) => refuse(403, "TRADE_OVERDUE", "订单未支付或已过期"),
        Err(Refusal::TooMuch) => refuse(403, "NOT_ENOUGH", "可退金额不足"),
        Err(_) => refuse(400, "INVALID_REQUEST", "订单金额或退款金额与之前请求不一致"),
    }
}

fn make_refund(shared: &Shared, order: RefundOrder) -> Result<(Refund, bool), Refusal> {
    let (now, manner) = (shared.now(), shared.manners().refunds);
    let mut book = shared.book();
    let wanted = |trade: &&Trade| {
        Some(&trade.transaction) == order.transaction_id.as_ref() || Some(&trade.number) == order.out_trade_no.as_ref()
    };
    let trade = book.trades(Kind::WeChat).find(wanted).cloned().ok_or(Refusal::NotFound)?;
    let late = trade.paid_at.is_some_and(|paid_at| now - paid_at > TimeDelta::days(MAX_REFUND_DAYS));
    if late {
        return Err(Refusal::NotPaid);
    }
    if order.amount.total != trade.amount {
        return Err(Refusal::Different);
    }
    let serial = book.next_number();
    book.refund(Refund {
        kind: Kind::WeChat,
        number: order.out_refund_no,
        trade: trade.number,
        amount: order.amount.refund,
        standing: match manner {
            RefundManner::Succeed => RefundStanding::Succeeded,
            RefundManner::Stuck => RefundStanding::Processing,
            RefundManner::Abnormal => RefundStanding::Abnormal,
        },
        transaction: format!("50300{serial:023}"),
        reason: order.reason,
        notify_url: order.notify_url.or(trade.notify_url),
        at: now,
    })
}

pub async fn query_refund(shared: Data<Shared>, request: HttpRequest, number: Path<String>) -> HttpResponse {
    if let Err(refused) = enter(&shared, &request, b"") {
        return *refused;
    }
    let found = shared.book().refund_of(Kind::WeChat, &number).cloned();
    match found {
        Some(refund) => signed(&shared, &request, 200, Some(&refund_json(&shared, &refund, "status", false))),
        None => refuse(404, "RESOURCE_NOT_EXISTS", "退款单不存在"),
    }
}
