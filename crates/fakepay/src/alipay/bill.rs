//! The bill of a day: a zip of two tables in GBK.

use super::calls::{beijing, yuan};
use crate::book::{Kind, Refund, RefundStanding, Trade};
use crate::shared::Shared;
use actix_web::HttpResponse;
use actix_web::web::{Data, Query};
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use encoding_rs::GBK;
use serde::Deserialize;
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::io::{Cursor, Write};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

const COLUMNS: &str = "支付宝交易号,商户订单号,业务类型,商品名称,创建时间,完成时间,门店编号,门店名称,操作员,终端号,对方账户,订单金额（元）,\
                       商家实收（元）,支付宝红包（元）,集分宝（元）,支付宝优惠（元）,商家优惠（元）,券核销金额（元）,券名称,商家红包消费金额（元）,\
                       卡消费金额（元）,退款批次号/请求号,服务费（元）,分润（元）,备注";

#[derive(Deserialize)]
pub struct Asked {
    bill_date: NaiveDate,
}

fn day_of(time: DateTime<Utc>) -> NaiveDate {
    (time.naive_utc() + TimeDelta::hours(8)).date()
}

/// Where the bill is; none on a day on which nothing happened.
pub fn location(shared: &Shared, kind: &str, date: &str) -> Result<Value, &'static str> {
    let day: NaiveDate = date.parse().map_err(|_| "isv.invalid-arguments")?;
    if kind != "trade" {
        return Err("isv.invalid-arguments");
    }
    table(shared, day).ok_or("isp.bill_not_exist")?;
    Ok(json!({ "bill_download_url": format!("{}/alipay/bill?bill_date={day}", shared.base) }))
}

pub async fn download(shared: Data<Shared>, asked: Query<Asked>) -> HttpResponse {
    let packed = table(&shared, asked.bill_date).and_then(|table| pack(&table).ok());
    match packed {
        Some(packed) => HttpResponse::Ok().content_type("application/zip").body(packed),
        None => HttpResponse::NotFound().finish(),
    }
}

fn pack(table: &str) -> Result<Vec<u8>, Box<dyn std::error::Error>> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default();
    zip.start_file("20880000000000010156_业务明细(汇总).csv", options)?;
    zip.write_all(&GBK.encode("#支付宝业务汇总查询\r\n").0)?;
    zip.start_file("20880000000000010156_业务明细.csv", options)?;
    zip.write_all(&GBK.encode(table).0)?;
    Ok(zip.finish()?.into_inner())
}

fn table(shared: &Shared, day: NaiveDate) -> Option<String> {
    let book = shared.book();
    let mut rows = String::new();
    for trade in book.trades(Kind::Alipay) {
        if let Some(at) = trade.paid_at.filter(|at| day_of(*at) == day) {
            row(&mut rows, trade, at, None);
        }
    }
    let refunds = book.refunds(Kind::Alipay).filter(|refund| refund.standing == RefundStanding::Succeeded);
    for refund in refunds.filter(|refund| day_of(refund.at) == day) {
        if let Some(trade) = book.trade(Kind::Alipay, &refund.trade) {
            row(&mut rows, trade, refund.at, Some(refund));
        }
    }
    let head = "#支付宝业务明细查询\r\n#账号：[20880000000000010156]\r\n#-----------业务明细列表----------\r\n";
    let foot = "#-----------业务明细列表结束----------\r\n";
    (!rows.is_empty()).then(|| format!("{head}{COLUMNS}\r\n{rows}{foot}"))
}

fn row(rows: &mut String, trade: &Trade, at: DateTime<Utc>, refund: Option<&Refund>) {
    let (kind, amount, number) = match refund {
        Some(refund) => ("退款", format!("-{}", yuan(refund.amount)), refund.number.as_str()),
        None => ("交易", yuan(trade.amount), ""),
    };
    let (created, finished) = (beijing(trade.created), beijing(at));
    // Fields are padded with tabs, so that spreadsheets take numbers for text. Writing to a string does not fail.
    let _ = write!(
        rows,
        "{}\t,{}\t,{kind},{},{created},{finished},,,,,fak***@example.com,{amount},{amount},0.00,0.00,0.00,0.00,0.00,,\
         0.00,0.00,{number}\t,0.00,0.00,\r\n",
        trade.transaction, trade.number, trade.subject
    );
}
