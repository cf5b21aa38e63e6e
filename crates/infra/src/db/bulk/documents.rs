//! MariaDB: what differs between rows is one JSON document, so that one text serves any number of rows, and writes to
//! several tables travel as one compound statement.

use super::conflict;
use super::filled::{Filled, Insert, IsScalar, admitted};
use chrono::{DateTime, Utc};
use sea_orm::sea_query::ArrayType;
use sea_orm::{DbBackend, Value};
use serde_json::Value as Json;

/// Rows of one document: a few hundred bytes each, of a packet of sixteen million.
pub const MAX_ROWS: usize = 4_096;

/// Whether a document can hold every value of the column.
pub fn takes(kind: &ArrayType) -> bool {
    column_type(kind).is_some()
}

/// One statement that executes the inserts in their order; the first that fails is the last.
pub fn statement(inserts: &[Insert]) -> (String, Vec<Value>) {
    admitted(inserts, |is_scalar| {
        let whole = Text::of(inserts, is_scalar);
        (whole.text, whole.values)
    })
}

/// The statement while it is written.
#[derive(Default)]
struct Text {
    text: String,
    values: Vec<Value>,
}

impl Text {
    fn of(inserts: &[Insert], is_scalar: IsScalar) -> Self {
        let mut whole = Self::default();
        let parts: Vec<String> = inserts.iter().map(|insert| whole.insert(insert, is_scalar)).collect();
        whole.text = match parts.as_slice() {
            [alone] => alone.clone(),
            several => format!("BEGIN NOT ATOMIC {}; END", several.join("; ")),
        };
        whole
    }

    fn insert(&mut self, insert: &Insert, is_scalar: IsScalar) -> String {
        let (mut chosen, mut varying) = (Vec::new(), Vec::new());
        for column in &insert.columns {
            if is_scalar(insert, column) {
                chosen.push("?".to_owned());
                self.values.push(column.values[0].clone());
            } else {
                chosen.push(taken(varying.len(), &column.kind));
                varying.push(column);
            }
        }
        let from = self.document(&varying);
        let conflict = conflict(insert.existing, &insert.table, DbBackend::MySql);
        format!("INSERT INTO {} ({}) SELECT {}{from}{conflict}", insert.table, insert.names(), chosen.join(","))
    }

    /// Where the columns come from that differ; nothing where none does, for then there is one row.
    fn document(&mut self, varying: &[&Filled]) -> String {
        let Some(first) = varying.first() else { return String::new() };
        let row = |number: usize| varying.iter().map(|column| json(&column.values[number])).collect();
        self.values.push(document((0..first.values.len()).map(row)));
        let kinds: Vec<&ArrayType> = varying.iter().map(|column| &column.kind).collect();
        format!(" FROM {}", table(&kinds))
    }
}

/// The table `given` of one document, whose columns are `v0`, `v1`, …; see [`taken`].
pub fn table(kinds: &[&ArrayType]) -> String {
    let column = |(place, kind): (usize, &&ArrayType)| {
        format!("v{place} {} PATH '$[{place}]'", column_type(kind).unwrap_or(TEXT))
    };
    let columns = kinds.iter().enumerate().map(column).collect::<Vec<_>>().join(",");
    format!("JSON_TABLE(?,'$[*]' COLUMNS({columns})) AS given")
}

/// Rows of [`json`] as the value of the parameter of [`table`].
pub fn document(rows: impl Iterator<Item = Vec<Json>>) -> Value {
    Value::from(Json::Array(rows.map(Json::Array).collect()).to_string())
}

/// Longer than any column, so that a column and not the document says what is too long.
const TEXT: &str = "LONGTEXT CHARACTER SET utf8mb4";

fn column_type(kind: &ArrayType) -> Option<&'static str> {
    match kind {
        ArrayType::Uuid => Some("CHAR(32)"),
        ArrayType::BigInt | ArrayType::Int => Some("BIGINT"),
        ArrayType::Bool => Some("TINYINT"),
        ArrayType::ChronoDateTimeUtc => Some("DATETIME(6)"),
        ArrayType::String => Some(TEXT),
        _ => None,
    }
}

/// A column of [`table`] as the database keeps such a value.
pub fn taken(place: usize, kind: &ArrayType) -> String {
    match kind {
        ArrayType::Uuid => format!("UNHEX(v{place})"),
        _ => format!("v{place}"),
    }
}

pub fn json(value: &Value) -> Json {
    match value {
        Value::Uuid(Some(id)) => Json::from(id.simple().to_string()),
        Value::BigInt(Some(number)) => Json::from(*number),
        Value::Int(Some(number)) => Json::from(*number),
        Value::Bool(Some(flag)) => Json::from(i32::from(*flag)),
        Value::ChronoDateTimeUtc(Some(time)) => Json::from(written(time)),
        Value::String(Some(text)) => Json::from(text.as_str()),
        _ => Json::Null,
    }
}

fn written(time: &DateTime<Utc>) -> String {
    time.format("%Y-%m-%d %H:%M:%S%.6f").to_string()
}

#[cfg(test)]
mod tests {
    use super::super::Existing;
    use super::*;
    use crate::db::entity::wallet::{Entity, Model};
    use uuid::Uuid;

    fn wallet(number: u128, balance: i64) -> Model {
        Model { account_id: Uuid::from_u128(number), currency: "CNY".to_owned(), balance, held: 0, entries: 7 }
    }

    fn of(rows: &[Model], existing: Existing) -> (String, Vec<Value>) {
        statement(&[Insert::of::<Entity>(rows, existing)])
    }

    #[test]
    fn what_differs_is_a_document_and_what_is_the_same_is_a_parameter() {
        let adding = Existing::Add(&["account_id", "currency"], &["balance"]);
        let (text, values) = of(&[wallet(1, i64::MAX), wallet(2, i64::MIN)], adding);
        let columns = "COLUMNS(v0 CHAR(32) PATH '$[0]',v1 BIGINT PATH '$[1]')";
        let insert = "INSERT INTO wallets (account_id,currency,balance,held,entries) SELECT UNHEX(v0),?,v1,?,?";
        let adds = "ON DUPLICATE KEY UPDATE balance=balance+VALUES(balance)";
        assert_eq!(text, format!("{insert} FROM JSON_TABLE(?,'$[*]' {columns}) AS given {adds}"));
        let document = format!("[[\"{:032x}\",{}],[\"{:032x}\",{}]]", 1, i64::MAX, 2, i64::MIN);
        assert_eq!(values, [Value::from("CNY"), Value::from(0_i64), Value::from(7_i64), Value::from(document)]);
    }

    #[test]
    fn one_row_needs_no_document_and_the_same_row_twice_is_two_rows() {
        let (text, values) = of(&[wallet(1, 5)], Existing::Fail);
        assert_eq!((text.contains("JSON_TABLE"), values.len()), (false, 5));
        let (text, values) = of(&[wallet(1, 5), wallet(1, 5)], Existing::Fail);
        assert_eq!((text.matches('?').count(), values.len()), (1, 1));
    }

    #[test]
    fn several_tables_are_one_compound_statement_in_their_order() {
        let insert = |balance| Insert::of::<Entity>(&[wallet(1, balance)], Existing::Fail);
        let (text, values) = statement(&[insert(1), insert(2)]);
        let single = "INSERT INTO wallets (account_id,currency,balance,held,entries) SELECT ?,?,?,?,?";
        assert_eq!(text, format!("BEGIN NOT ATOMIC {single}; {single}; END"));
        assert_eq!((values.len(), &values[2], &values[7]), (10, &Value::from(1_i64), &Value::from(2_i64)));
    }
}
