//! The trade bill of a day: an address that lives for half a minute, behind it a zip of tables in GBK.

use super::Alipay;
use super::gateway::is;
use crate::payments::amount::{fee_yuan, unsigned_yuan};
use crate::payments::bill::{Columns, Row};
use crate::payments::outside::{MAX_BILL_BYTES, base_url};
use crate::payments::time::from_beijing;
use chrono::NaiveDate;
use domain::orders::{BillRow, BillRowKind, ProviderResult};
use encoding_rs::GBK;
use serde::Deserialize;
use serde_json::json;
use std::io::{Cursor, Read};
use zip::ZipArchive;

const NO_BILL: [&str; 2] = ["isp.bill_not_exist", "BIZ.BILL_NOT_EXIST"];
/// Part of the name of the table with sums, which is not read.
const SUMS: &str = "汇总";
/// Files in the zip.
const MAX_FILES: usize = 8;
/// Before it is unpacked the file has at most `MAX_BILL_BYTES`.
const MAX_UNPACKED_BYTES: u64 = 512 * 1024 * 1024;

#[derive(Deserialize)]
struct Location {
    bill_download_url: String,
}

impl Alipay {
    pub(super) async fn trade_bill(&self, day: NaiveDate) -> ProviderResult<Vec<BillRow>> {
        let content = json!({ "bill_type": "trade", "bill_date": day.to_string() });
        let location: Location = match self.call("alipay.data.dataservice.bill.downloadurl.query", &content).await {
            Ok(location) => location,
            Err(error) if is(&error, &NO_BILL) => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        // The address was signed; what it leads to is as safe as TLS.
        let url = base_url(&location.bill_download_url).map_err(|reason| self.outside.untrusted(reason))?;
        let answer = self.outside.ask(self.outside.client().get(url), MAX_BILL_BYTES).await?;
        if !answer.status.is_success() {
            return Err(self.outside.untrusted("the bill's download is no success"));
        }
        unpack(answer.body)
            .and_then(|text| parse(&text))
            .ok_or_else(|| self.outside.untrusted("the bill cannot be read"))
    }
}

/// The table of trades, as text.
fn unpack(bytes: Vec<u8>) -> Option<String> {
    let mut archive = ZipArchive::new(Cursor::new(bytes)).ok()?;
    if archive.len() > MAX_FILES {
        return None;
    }
    for place in 0..archive.len() {
        let file = archive.by_index(place).ok()?;
        // Names are in GBK too, unless the file says that they are UTF-8.
        let (name, _, _) = GBK.decode(file.name_raw());
        if name.contains(SUMS) || file.name().is_ok_and(|name| name.contains(SUMS)) {
            continue;
        }
        let mut table = Vec::new();
        file.take(MAX_UNPACKED_BYTES + 1).read_to_end(&mut table).ok()?;
        if table.len() as u64 > MAX_UNPACKED_BYTES {
            return None;
        }
        return GBK.decode_without_bom_handling_and_without_replacement(&table).map(std::borrow::Cow::into_owned);
    }
    None
}

/// Lines with `#` are remarks; the first other line has the names. `None` when a row is none that we understand.
fn parse(text: &str) -> Option<Vec<BillRow>> {
    let mut lines = text.lines().filter(|line| !line.starts_with('#') && !line.trim().is_empty());
    let columns = Columns::new(lines.next()?.split(','), "商品名称");
    lines.map(|line| columns.row(line.split(',').collect()).and_then(|row| row_of(&row))).collect()
}

fn row_of(row: &Row) -> Option<BillRow> {
    let (kind, number) = match row.get("业务类型")? {
        "交易" => (BillRowKind::Payment, row.get("商户订单号")?),
        "退款" => (BillRowKind::Refund, row.get("退款批次号/请求号")?),
        _ => return None,
    };
    Some(BillRow {
        kind,
        number: number.to_owned(),
        transaction: row.get("支付宝交易号")?.to_owned(),
        amount: unsigned_yuan(row.get("订单金额（元）")?)?,
        fee: row.get("服务费（元）").and_then(fee_yuan),
        at: from_beijing(row.get("完成时间")?)?,
    })
}
