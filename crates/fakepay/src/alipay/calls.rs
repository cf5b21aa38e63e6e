//! The methods of the gateway.

use super::bill;
use super::door::{Parameters, enter, failure, get, parameters, refuse, signed, success};
use super::notification::tell_refunded;
use crate::book::{Book, Kind, Refund, RefundStanding, Refusal, Standing, Trade};
use crate::shared::{RefundManner, Shared};
use actix_web::web::{Bytes, Data};
use actix_web::{HttpRequest, HttpResponse};
use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};
use serde::Deserialize;
use serde_json::{Value, json};

/// An order that names no end ends after so many days.
const ORDER_DAYS: i64 = 15;
const MAX_NUMBER: usize = 64;
/// 100 000 000 yuan in fen.
const MAX_FEN: i64 = 10_000_000_000;

/// Every field of every method's `biz_content` that is looked at.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Content {
    out_trade_no: String,
    trade_no: String,
    total_amount: Value,
    subject: String,
    time_expire: Option<String>,
    out_request_no: String,
    refund_amount: Value,
    refund_reason: String,
    bill_type: String,
    bill_date: String,
}

pub fn yuan(fen: i64) -> String {
    format!("{}.{:02}", fen / 100, fen % 100)
}

/// Yuan with at most two decimals, as a string or a number.
fn fen(value: &Value) -> Option<i64> {
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let (whole, part) = text.split_once('.').unwrap_or((&text, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if part.len() > 2 || whole.is_empty() || whole.len() > 9 || !digits(whole) || !digits(part) {
        return None;
    }
    let fen = whole.parse::<i64>().ok()? * 100 + format!("{part:0<2}").parse::<i64>().ok()?;
    (1..=MAX_FEN).contains(&fen).then_some(fen)
}

pub fn beijing(time: DateTime<Utc>) -> String {
    (time.naive_utc() + TimeDelta::hours(8)).format("%Y-%m-%d %H:%M:%S").to_string()
}

fn from_beijing(text: &str) -> Option<DateTime<Utc>> {
    let local = NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S").ok()?;
    Some((local - TimeDelta::hours(8)).and_utc())
}

pub async fn gateway(shared: Data<Shared>, request: HttpRequest, body: Bytes) -> HttpResponse {
    let parameters = parameters(request.query_string(), &body);
    let method = get(&parameters, "method").to_owned();
    if let Err(wrong) = enter(&shared, &parameters) {
        return refuse(&method, &wrong);
    }
    let Ok(content) = serde_json::from_str::<Content>(get(&parameters, "biz_content")) else {
        return signed(&shared, &method, &failure("ACQ.INVALID_PARAMETER"));
    };
    let node = match method.as_str() {
        "alipay.trade.precreate" => precreate(&shared, &parameters, content),
        "alipay.trade.query" => query(&shared, &content),
        "alipay.trade.close" => close(&shared, &content),
        "alipay.trade.refund" => refund(&shared, &content),
        "alipay.trade.fastpay.refund.query" => query_refund(&shared, &content),
        "alipay.data.dataservice.bill.downloadurl.query" => {
            bill::location(&shared, &content.bill_type, &content.bill_date)
        }
        _ => Err("isv.invalid-method"),
    };
    signed(&shared, &method, &node.map_or_else(failure, success))
}

/// The page of `alipay.trade.page.pay`: the customer's browser brings the order.
pub async fn browser(shared: Data<Shared>, request: HttpRequest) -> HttpResponse {
    let parameters = parameters(request.query_string(), b"");
    if get(&parameters, "method") != "alipay.trade.page.pay" {
        return HttpResponse::BadRequest().finish();
    }
    if let Err(wrong) = enter(&shared, &parameters) {
        return refuse("alipay.trade.page.pay", &wrong);
    }
    let content = serde_json::from_str::<Content>(get(&parameters, "biz_content")).unwrap_or_default();
    let number = content.out_trade_no.clone();
    match place(&shared, &parameters, content) {
        Ok(()) => {
            let page = shared.pay_page(Kind::Alipay, &number);
            HttpResponse::Found().insert_header(("location", page)).finish()
        }
        Err(code) => HttpResponse::Conflict().content_type("text/plain").body(code),
    }
}

fn place(shared: &Shared, parameters: &Parameters, content: Content) -> Result<(), &'static str> {
    let amount = fen(&content.total_amount).ok_or("ACQ.TOTAL_FEE_EXCEED")?;
    let plain = content.out_trade_no.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    let length = (1..=MAX_NUMBER).contains(&content.out_trade_no.len());
    if !plain || !length || content.subject.is_empty() {
        return Err("ACQ.INVALID_PARAMETER");
    }
    let now = shared.now();
    let expires = content.time_expire.as_deref().and_then(from_beijing);
    let given = |name: &str| Some(get(parameters, name).to_owned()).filter(|text| !text.is_empty());
    let mut book = shared.book();
    let serial = book.next_number();
    let placed = book.place(Trade {
        kind: Kind::Alipay,
        number: content.out_trade_no,
        amount,
        currency: "CNY".to_owned(),
        subject: content.subject,
        notify_url: given("notify_url"),
        return_url: given("return_url"),
        fingerprint: get(parameters, "biz_content").to_owned(),
        standing: Standing::Waiting,
        transaction: format!("{}{serial:020}", now.format("%Y%m%d")),
        seen: false,
        created: now,
        expires: expires.unwrap_or(now + TimeDelta::days(ORDER_DAYS)),
        paid_at: None,
    });
    match placed {
        Ok(_) => Ok(()),
        Err(Refusal::AlreadyPaid) => Err("ACQ.TRADE_HAS_SUCCESS"),
        Err(Refusal::AlreadyClosed) => Err("ACQ.TRADE_HAS_CLOSE"),
        Err(_) => Err("ACQ.CONTEXT_INCONSISTENT"),
    }
}

type Node = Result<Value, &'static str>;

fn precreate(shared: &Shared, parameters: &Parameters, content: Content) -> Node {
    let number = content.out_trade_no.clone();
    place(shared, parameters, content)?;
    Ok(json!({ "out_trade_no": number, "qr_code": shared.pay_page(Kind::Alipay, &number) }))
}

/// A trade that a customer has seen; before that Alipay knows none.
fn seen<'b>(book: &'b Book, content: &Content) -> Result<&'b Trade, &'static str> {
    let by_number = book.trade(Kind::Alipay, &content.out_trade_no);
    let found = by_number.or_else(|| book.trades(Kind::Alipay).find(|trade| trade.transaction == content.trade_no));
    found.filter(|trade| trade.seen).ok_or("ACQ.TRADE_NOT_EXIST")
}

fn query(shared: &Shared, content: &Content) -> Node {
    let book = shared.book();
    let trade = seen(&book, content)?;
    let refunded = book.refunded(Kind::Alipay, &trade.number);
    let status = match trade.standing {
        Standing::Waiting => "WAIT_BUYER_PAY",
        Standing::Paid if refunded < trade.amount => "TRADE_SUCCESS",
        Standing::Paid | Standing::Closed | Standing::Failed => "TRADE_CLOSED",
    };
    let mut node = json!({
        "out_trade_no": trade.number, "trade_no": trade.transaction, "trade_status": status,
        "total_amount": yuan(trade.amount), "buyer_logon_id": "fak***@example.com",
    });
    if let Some(paid_at) = trade.paid_at {
        node["send_pay_date"] = json!(beijing(paid_at));
    }
    Ok(node)
}

fn close(shared: &Shared, content: &Content) -> Node {
    let mut book = shared.book();
    let (number, transaction) = seen(&book, content).map(|trade| (trade.number.clone(), trade.transaction.clone()))?;
    match book.close(Kind::Alipay, &number) {
        Ok(()) => Ok(json!({ "out_trade_no": number, "trade_no": transaction })),
        Err(Refusal::AlreadyPaid) => Err("ACQ.TRADE_HAS_SUCCESS"),
        Err(_) => Err("ACQ.TRADE_STATUS_ERROR"),
    }
}

fn refund(shared: &Data<Shared>, content: &Content) -> Node {
    let amount = fen(&content.refund_amount).ok_or("ACQ.INVALID_PARAMETER")?;
    let (now, manner) = (shared.now(), shared.manners().refunds);
    let mut book = shared.book();
    let trade = seen(&book, content)?.clone();
    // Without a number of its own a refund can be made once.
    let number = Some(&content.out_request_no).filter(|number| !number.is_empty()).unwrap_or(&trade.number);
    let made = book.refund(Refund {
        kind: Kind::Alipay,
        number: number.clone(),
        trade: trade.number.clone(),
        amount,
        standing: if manner == RefundManner::Succeed { RefundStanding::Succeeded } else { RefundStanding::Processing },
        transaction: trade.transaction.clone(),
        reason: content.refund_reason.clone(),
        notify_url: trade.notify_url.clone(),
        at: now,
    });
    let total = book.refunded(Kind::Alipay, &trade.number);
    drop(book);
    let (made, new) = made.map_err(|refusal| match refusal {
        Refusal::TooMuch => "ACQ.REFUND_AMT_NOT_EQUAL_TOTAL",
        Refusal::Different => "ACQ.DISCORDANT_REPEAT_REQUEST",
        _ => "ACQ.TRADE_STATUS_ERROR",
    })?;
    let moved = new && made.standing == RefundStanding::Succeeded;
    if moved {
        tell_refunded(&shared.clone().into_inner(), &made);
    }
    Ok(json!({
        "out_trade_no": trade.number, "trade_no": trade.transaction, "fund_change": if moved { "Y" } else { "N" },
        "refund_fee": yuan(total), "gmt_refund_pay": beijing(made.at),
    }))
}

fn query_refund(shared: &Shared, content: &Content) -> Node {
    let book = shared.book();
    let trade = seen(&book, content)?;
    let found = book.refund_of(Kind::Alipay, &content.out_request_no).filter(|refund| refund.trade == trade.number);
    let Some(refund) = found.filter(|refund| refund.standing == RefundStanding::Succeeded) else {
        return Ok(json!({}));
    };
    Ok(json!({
        "out_trade_no": trade.number, "trade_no": trade.transaction, "out_request_no": refund.number,
        "refund_amount": yuan(refund.amount), "total_amount": yuan(trade.amount), "refund_status": "REFUND_SUCCESS",
        "gmt_refund_pay": beijing(refund.at),
    }))
}
