//! Sums over months for operators: each report is one statement or two, grouped by the database.

use super::columns::{corrupt, currency, hex, meter, read_wide, wide_sum};
use super::error::store_error;
use super::repos::Repos;
use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use domain::billing::{Cell, EarnedSum, IssuedSum, Months, OverageRow, OwedSum, Place, ReportRepository, ReturnedSum};
use domain::store::StoreResult;
use domain::wallet::TransferKind;
use sea_orm::{ConnectionTrait, DbBackend, QueryResult, Statement, Value};
use std::fmt::Write;
use uuid::Uuid;

/// Ids begin with the time of their row, which was asked for a moment before or after.
const NEAR: TimeDelta = TimeDelta::days(1);

const ISSUED: &str = "SELECT {month b.issued_at} AS place, b.currency AS currency, {sum b.base_nanos as base}, \
     {sum b.overage_nanos as overage}, {sum b.discount_nanos as discount} FROM billing_records b \
     WHERE b.kind <> 'refund' AND {within b.issued_at} AND {near b.id} GROUP BY place, b.currency";

const EARNED: &str = "SELECT {month t.booked_at} AS place, t.currency AS currency, t.kind AS kind, \
      CASE WHEN t.to_code = 'revenue' THEN t.from_code ELSE t.to_code END AS side, \
      {sum CASE WHEN t.to_code = 'revenue' THEN t.amount ELSE -t.amount END as amount} FROM ledger_transfers t \
     WHERE 'revenue' IN (t.from_code, t.to_code) AND {within t.booked_at} AND {near t.id} \
     GROUP BY place, t.currency, t.kind, side";

const OVERAGE: &str = "SELECT {month b.issued_at} AS place, b.currency AS currency, o.meter AS meter, \
      COUNT(*) AS bills, {sum o.quantity as quantity}, {sum o.fee_nanos as fee} \
     FROM billing_records b JOIN billing_overages o ON o.bill_id = b.id \
     WHERE b.status <> 'void' AND {within b.issued_at} AND {near b.id} GROUP BY place, b.currency, o.meter";

/// Bills that were open at some time since the months began: those that are, and those that were settled since. What
/// goes back is never owed by a customer, also while it is under way.
const OWED: &str = "SELECT u.currency AS currency, {month u.issued_at} AS place, {month u.due_at} AS due, \
      CASE WHEN u.settled_at IS NULL THEN NULL ELSE {month u.settled_at} END AS settled, u.how AS how, \
      {sum u.amount as amount} \
     FROM (SELECT currency, issued_at, due_at, paid_at AS settled_at, 'unpaid' AS how, total_nanos AS amount \
       FROM billing_records WHERE kind <> 'refund' AND status = 'unpaid' \
      UNION ALL SELECT currency, issued_at, due_at, voided_at, 'void', total_nanos \
       FROM billing_records WHERE kind <> 'refund' AND status = 'void' AND {since voided_at} \
      UNION ALL SELECT b.currency, b.issued_at, b.due_at, p.paid_at, 'paid', b.total_nanos \
       FROM billing_payments p JOIN billing_records b ON b.id = p.bill_id \
       WHERE b.kind <> 'refund' AND b.status = 'paid' AND {since p.paid_at} AND {near since p.id}) u \
     GROUP BY u.currency, place, due, settled, u.how";

/// What goes back of a bill has a refund bill, with the digits of the refund at the provider if one was asked.
const RETURNED: &str = "SELECT {month t.booked_at} AS place, t.currency AS currency, t.to_code AS side, \
      CASE WHEN b.id IS NULL THEN 'order' ELSE 'bill' END AS of_what, COUNT(*) AS refunds, {sum t.amount as amount} \
     FROM ledger_transfers t LEFT JOIN billing_records b ON b.account_id = t.account_id AND b.kind = 'refund' \
      AND t.reference IN (CONCAT('bil_', {hex b.id}), CONCAT('rfd_', {hex b.id})) \
     WHERE t.kind = 'refunded' AND {within t.booked_at} AND {near t.id} \
     GROUP BY place, t.currency, t.to_code, of_what";

#[async_trait]
impl<C: ConnectionTrait + Send + Sync> ReportRepository for Repos<C> {
    async fn issued(&self, months: &Months) -> StoreResult<Vec<IssuedSum>> {
        let read = |row: &QueryResult| {
            let [base, overage, discount] = ["base", "overage", "discount"].map(|name| read_wide(row, name));
            Ok(IssuedSum { cell: cell(row, "billing_records")?, base: base?, overage: overage?, discount: discount? })
        };
        ask(&self.conn, ISSUED, months).await?.iter().map(read).collect()
    }

    async fn earned(&self, months: &Months) -> StoreResult<Vec<EarnedSum>> {
        let read = |row: &QueryResult| {
            let kind = TransferKind::parse(&text(row, "kind")?).ok_or(corrupt("ledger_transfers", "kind"))?;
            let owed = text(row, "side")? == "receivable";
            Ok(EarnedSum { cell: cell(row, "ledger_transfers")?, kind, owed, amount: read_wide(row, "amount")? })
        };
        ask(&self.conn, EARNED, months).await?.iter().map(read).collect()
    }

    async fn overage(&self, months: &Months) -> StoreResult<Vec<OverageRow>> {
        let read = |row: &QueryResult| {
            Ok(OverageRow {
                cell: cell(row, "billing_records")?,
                meter: meter(&text(row, "meter")?, "billing_overages")?,
                bills: number(row, "bills")?,
                quantity: read_wide(row, "quantity")?,
                fee: read_wide(row, "fee")?,
            })
        };
        ask(&self.conn, OVERAGE, months).await?.iter().map(read).collect()
    }

    async fn owed(&self, months: &Months) -> StoreResult<Vec<OwedSum>> {
        let place = |number: i64| place(number, months.len());
        let read = |row: &QueryResult| {
            let settled: Option<i64> = row.try_get("", "settled").map_err(store_error)?;
            let paid = text(row, "how")? == "paid";
            Ok(OwedSum {
                currency: currency(&text(row, "currency")?, "billing_records")?,
                issued: place(number(row, "place")?),
                due: place(number(row, "due")?),
                settled: settled.map(|settled| (place(settled), paid)),
                amount: read_wide(row, "amount")?,
            })
        };
        ask(&self.conn, OWED, months).await?.iter().map(read).collect()
    }

    async fn returned(&self, months: &Months) -> StoreResult<Vec<ReturnedSum>> {
        let read = |row: &QueryResult| {
            Ok(ReturnedSum {
                cell: cell(row, "ledger_transfers")?,
                of_bill: text(row, "of_what")? == "bill",
                to_wallet: text(row, "side")? == "wallet",
                count: number(row, "refunds")?,
                amount: read_wide(row, "amount")?,
            })
        };
        ask(&self.conn, RETURNED, months).await?.iter().map(read).collect()
    }
}

fn cell(row: &QueryResult, table: &'static str) -> StoreResult<Cell> {
    let place = usize::try_from(number(row, "place")?).map_err(|_| corrupt(table, "issued_at"))?;
    Ok((place, currency(&text(row, "currency")?, table)?))
}

fn place(number: i64, months: usize) -> Place {
    match usize::try_from(number) {
        Err(_) => Place::Before,
        Ok(place) if place >= months => Place::After,
        Ok(place) => Place::In(place),
    }
}

fn text(row: &QueryResult, name: &str) -> StoreResult<String> {
    row.try_get("", name).map_err(store_error)
}

fn number(row: &QueryResult, name: &str) -> StoreResult<i64> {
    row.try_get("", name).map_err(store_error)
}

async fn ask<C: ConnectionTrait>(conn: &C, sql: &str, months: &Months) -> StoreResult<Vec<QueryResult>> {
    let statement = render(conn.get_database_backend(), sql, months);
    conn.query_all_raw(statement).await.map_err(store_error)
}

/// The statement with its marks as bound values.
///
/// `{month a}` is the place of the month in which a time lies: -1 before them and their number after them. `{within a}`
/// and `{since a}` bound a time, `{near a}` and `{near since a}` the id of a row of about then. `{sum a as b}` is a sum
/// that [`read_wide`] reads, `{hex a}` the digits of an id.
fn render(backend: DbBackend, sql: &str, months: &Months) -> Statement {
    let mut writer = Writer { backend, text: String::with_capacity(sql.len() * 2), values: Vec::new() };
    let mut rest = sql;
    while let Some((before, mark, after)) = next_mark(rest) {
        writer.text.push_str(before);
        let (word, of) = mark.split_once(' ').unwrap_or_default();
        match (word, of.strip_prefix("since ")) {
            ("month", _) => writer.month(of, months),
            ("sum", _) => {
                let (column, name) = of.rsplit_once(" as ").unwrap_or_default();
                writer.text.push_str(&wide_sum(backend, column, name));
            }
            ("hex", _) => writer.text.push_str(&hex(backend, of)),
            ("near", Some(id)) => writer.bound(id, first_id(months.start() - NEAR), None),
            ("near", None) => writer.bound(of, first_id(months.start() - NEAR), Some(first_id(months.end() + NEAR))),
            ("since", _) => writer.bound(of, months.start(), None),
            _ => writer.bound(of, months.start(), Some(months.end())),
        }
        rest = after;
    }
    writer.text.push_str(rest);
    Statement::from_sql_and_values(backend, writer.text, writer.values)
}

struct Writer {
    backend: DbBackend,
    text: String,
    values: Vec<Value>,
}

impl Writer {
    fn bind(&mut self, value: impl Into<Value>) {
        self.values.push(value.into());
        match self.backend {
            DbBackend::Postgres => {
                let _ = write!(self.text, "${}", self.values.len());
            }
            _ => self.text.push('?'),
        }
    }

    fn month(&mut self, column: &str, months: &Months) {
        self.text.push_str("CAST(CASE");
        for (place, bound) in (-1..).zip(months.bounds()) {
            let _ = write!(self.text, " WHEN {column} < ");
            self.bind(*bound);
            let _ = write!(self.text, " THEN {place}");
        }
        let integer = if self.backend == DbBackend::MySql { "SIGNED" } else { "BIGINT" };
        let _ = write!(self.text, " ELSE {} END AS {integer})", months.len());
    }

    fn bound<V: Into<Value>>(&mut self, column: &str, from: V, to: Option<V>) {
        let _ = write!(self.text, "{column} >= ");
        self.bind(from);
        if let Some(to) = to {
            let _ = write!(self.text, " AND {column} < ");
            self.bind(to);
        }
    }
}

/// Below every id of a row made since then.
fn first_id(time: DateTime<Utc>) -> Uuid {
    let millis = u128::try_from(time.timestamp_millis()).unwrap_or_default();
    Uuid::from_u128(millis << 80)
}

fn next_mark(text: &str) -> Option<(&str, &str, &str)> {
    let (before, rest) = text.split_once('{')?;
    let (mark, after) = rest.split_once('}')?;
    Some((before, mark, after))
}
