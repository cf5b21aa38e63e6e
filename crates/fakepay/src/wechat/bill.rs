//! The trade bill: a table whose fields begin with backticks, and its hash.

use super::door::{enter, refuse, signed};
use crate::book::{Kind, Refund, RefundStanding, Trade};
use crate::keys::sha1;
use crate::shared::Shared;
use actix_web::web::{Data, Query};
use actix_web::{HttpRequest, HttpResponse};
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use serde::Deserialize;
use serde_json::json;
use std::fmt::Write;

const COLUMNS: &str = "交易时间,公众账号ID,商户号,特约商户号,设备号,微信订单号,商户订单号,用户标识,交易类型,交易状态,付款银行,货币种类,\
                       应结订单金额,代金券金额,微信退款单号,商户退款单号,退款金额,充值券退款金额,退款类型,退款状态,商品名称,商户数据包,手续费,费率,\
                       订单金额,申请退款金额,费率备注";
const SUMS: &str = "总交易单数,应结订单总金额,退款总金额,充值券退款总金额,手续费总金额,订单总金额,申请退款总金额";

#[derive(Deserialize)]
pub struct Asked {
    bill_date: NaiveDate,
}

pub fn local(time: DateTime<Utc>) -> chrono::NaiveDateTime {
    time.naive_utc() + TimeDelta::hours(8)
}

pub async fn trade_bill(shared: Data<Shared>, request: HttpRequest, asked: Query<Asked>) -> HttpResponse {
    if let Err(refused) = enter(&shared, &request, b"") {
        return *refused;
    }
    let Some(bill) = write(&shared, asked.bill_date) else {
        return refuse(400, "NO_STATEMENT_EXIST", "账单文件不存在");
    };
    let url = format!("{}/v3/billdownload/file?bill_date={}", shared.base, asked.bill_date);
    let answer = json!({ "hash_type": "SHA1", "hash_value": sha1(bill.as_bytes()), "download_url": url });
    signed(&shared, &request, 200, Some(&answer))
}

pub async fn download(shared: Data<Shared>, request: HttpRequest, asked: Query<Asked>) -> HttpResponse {
    if let Err(refused) = enter(&shared, &request, b"") {
        return *refused;
    }
    HttpResponse::Ok().content_type("text/plain").body(write(&shared, asked.bill_date).unwrap_or_default())
}

fn yuan(fen: i64) -> String {
    format!("{}.{:02}", fen / 100, fen % 100)
}

/// `None` on a day on which nothing happened.
fn write(shared: &Shared, day: NaiveDate) -> Option<String> {
    let keys = shared.keys();
    let book = shared.book();
    let merchant = &keys.merchant;
    let mut text = format!("{COLUMNS}\r\n");
    let (mut rows, mut paid, mut given) = (0, 0, 0);
    let mut line = |trade: &Trade, at: DateTime<Utc>, refund: Option<&Refund>| {
        let (total, back) = refund.map_or((trade.amount, 0), |refund| (0, refund.amount));
        (rows, paid, given) = (rows + 1, paid + total, given + back);
        let time = local(at).format("%Y-%m-%d %H:%M:%S").to_string();
        let fields: [&str; 27] = [
            &time,
            &merchant.wechat_app_id,
            &merchant.wechat_merchant_id,
            "0",
            "",
            &trade.transaction,
            &trade.number,
            "oFake",
            "NATIVE",
            if refund.is_some() { "REFUND" } else { "SUCCESS" },
            "OTHERS",
            "CNY",
            &yuan(total),
            "0.00",
            refund.map_or("0", |refund| &refund.transaction),
            refund.map_or("0", |refund| &refund.number),
            &yuan(back),
            "0.00",
            if refund.is_some() { "ORIGINAL" } else { "" },
            if refund.is_some() { "SUCCESS" } else { "" },
            &trade.subject,
            "",
            &fee(total, back),
            "0.60%",
            &yuan(total),
            &yuan(back),
            "",
        ];
        // Writing to a string does not fail.
        let _ = write!(text, "`{}\r\n", fields.join(",`"));
    };
    for trade in book.trades(Kind::WeChat) {
        if let Some(at) = trade.paid_at.filter(|at| local(*at).date() == day) {
            line(trade, at, None);
        }
    }
    let refunds = book.refunds(Kind::WeChat).filter(|refund| refund.standing == RefundStanding::Succeeded);
    for refund in refunds.filter(|refund| local(refund.at).date() == day) {
        if let Some(trade) = book.trade(Kind::WeChat, &refund.trade) {
            line(trade, refund.at, Some(refund));
        }
    }
    if rows == 0 {
        return None;
    }
    let (paid, given) = (yuan(paid), yuan(given));
    Some(format!("{text}{SUMS}\r\n`{rows},`{paid},`{given},`0.00,`0.00000,`{paid},`{given}\r\n"))
}

/// 0.6 % with five decimals; given back with a refund.
fn fee(total: i64, back: i64) -> String {
    let of = |fen: i64| format!("{}.{:05}", fen * 6 / 100_000, fen * 6 % 100_000);
    if back > 0 { format!("-{}", of(back)) } else { of(total) }
}
