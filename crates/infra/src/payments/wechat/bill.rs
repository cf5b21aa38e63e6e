//! The trade bill of a day. Its download is unsigned; the signed answer before it says the file's hash.

use super::WeChatPay;
use crate::payments::amount::{fee_yuan, unsigned_yuan};
use crate::payments::bill::{Columns, Row};
use crate::payments::outside::MAX_BILL_BYTES;
use crate::payments::time::from_beijing;
use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use chrono::NaiveDate;
use domain::orders::{BillRow, BillRowKind, ProviderError, ProviderResult};
use reqwest::Url;
use serde::Deserialize;
use std::fmt::Write;

const NO_BILL: [&str; 2] = ["NO_STATEMENT_EXIST", "NOT_FOUND"];
/// Every field of a row begins with a backtick, so that spreadsheets take numbers for text.
const SEPARATOR: &str = ",`";

#[derive(Deserialize)]
struct Location {
    hash_type: String,
    hash_value: String,
    download_url: String,
}

impl WeChatPay {
    pub(super) async fn trade_bill(&self, day: NaiveDate) -> ProviderResult<Vec<BillRow>> {
        let path = format!("/v3/bill/tradebill?bill_date={day}&bill_type=ALL");
        let location: Location = match self.get(&path).await {
            Ok(location) => location,
            Err(ProviderError::Refused { code, .. }) if NO_BILL.contains(&code.as_str()) => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        // Only the path of it: our signature goes to the host that we know and to no other.
        let url = Url::parse(&location.download_url).ok();
        let url = url.ok_or_else(|| self.outside.untrusted("the bill's address is no URL"))?;
        let path = url.query().map_or_else(|| url.path().to_owned(), |query| format!("{}?{query}", url.path()));
        let answer = self.send("GET", &path, None, MAX_BILL_BYTES).await?;
        if !answer.status.is_success() {
            return Err(self.failure(&answer));
        }
        if location.hash_type != "SHA1" || !location.hash_value.eq_ignore_ascii_case(&sha1(&answer.body)) {
            return Err(self.outside.untrusted("the bill is not the one whose hash was signed"));
        }
        let rows = std::str::from_utf8(&answer.body).ok().and_then(parse);
        rows.ok_or_else(|| self.outside.untrusted("the bill cannot be read"))
    }
}

fn sha1(bytes: &[u8]) -> String {
    let mut text = String::new();
    for byte in digest(&SHA1_FOR_LEGACY_USE_ONLY, bytes).as_ref() {
        // Writing to a string does not fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// A line of names, rows, and two lines with sums. `None` when a row is none that we understand: a bill that is read in
/// part is worse than one that is not read.
fn parse(text: &str) -> Option<Vec<BillRow>> {
    let mut lines = text.trim_start_matches('\u{feff}').lines();
    let columns = Columns::new(lines.next()?.split(','), "商品名称");
    let rows = lines.take_while(|line| line.starts_with('`'));
    let mut found = Vec::new();
    for line in rows {
        let row = columns.row(line.trim_start_matches('`').split(SEPARATOR).collect())?;
        match row.get("交易状态")? {
            "SUCCESS" => found.push(payment(&row)?),
            "REFUND" => found.push(refund(&row)?),
            // Of codes that a cashier scans.
            "REVOKED" => {}
            _ => return None,
        }
    }
    Some(found)
}

fn payment(row: &Row) -> Option<BillRow> {
    let amount = row.get("订单金额").or_else(|| row.get("应结订单金额"))?;
    row_of(row, BillRowKind::Payment, row.get("商户订单号")?, amount)
}

fn refund(row: &Row) -> Option<BillRow> {
    let amount = row.get("申请退款金额").or_else(|| row.get("退款金额"))?;
    row_of(row, BillRowKind::Refund, row.get("商户退款单号")?, amount)
}

fn row_of(row: &Row, kind: BillRowKind, number: &str, amount: &str) -> Option<BillRow> {
    Some(BillRow {
        kind,
        number: number.to_owned(),
        transaction: row.get("微信订单号")?.to_owned(),
        amount: unsigned_yuan(amount)?,
        fee: row.get("手续费").and_then(fee_yuan),
        at: from_beijing(row.get("交易时间")?)?,
    })
}
