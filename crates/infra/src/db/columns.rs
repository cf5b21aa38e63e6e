//! Columns to domain values and back. A value that the domain does not know is corruption, said by name.

use super::error::store_error;
use domain::money::Currency;
use domain::plans::{MeterCode, Percent};
use domain::store::{StoreError, StoreResult};
use sea_orm::sea_query::extension::postgres::PgFunc;
use sea_orm::sea_query::{ArrayType, Expr, ExprTrait};
use sea_orm::{ColumnTrait, DbBackend, QueryResult, Value};
use serde::Serialize;
use serde::de::DeserializeOwned;
use uuid::Uuid;

/// Most bound values of one statement: SQLite's limit is the lowest, 32 766.
const MAX_BINDS: usize = 30_000;

/// Rows of `columns` values that fit in one statement.
pub fn rows_per_statement(columns: usize) -> usize {
    (MAX_BINDS / columns.max(1)).max(1)
}

/// Repeats the last value until the count is a power of two: the same set, in one of a few statement texts.
pub fn padded<T: Clone>(mut values: Vec<T>) -> Vec<T> {
    if let Some(last) = values.last().cloned() {
        values.resize(values.len().next_power_of_two(), last);
    }
    values
}

/// Rows whose column is one of the ids, from one statement text on PostgreSQL and from few elsewhere.
pub fn one_of(backend: DbBackend, column: impl ColumnTrait, ids: Vec<Uuid>) -> Expr {
    if backend == DbBackend::Postgres {
        let ids = ids.into_iter().map(Value::from).collect();
        let array = Value::Array(ArrayType::Uuid, Some(Box::new(ids)));
        return column.into_expr().eq(PgFunc::any(Expr::val(array)));
    }
    column.is_in(padded(ids))
}

pub fn corrupt(table: &'static str, column: &'static str) -> StoreError {
    StoreError::Corrupt { table, column }
}

pub fn currency(code: &str, table: &'static str) -> StoreResult<Currency> {
    Currency::parse(code).ok_or(corrupt(table, "currency"))
}

pub fn meter(code: &str, table: &'static str) -> StoreResult<MeterCode> {
    MeterCode::parse(code).ok_or(corrupt(table, "meter"))
}

/// Percents as `80,100`.
pub fn percents(text: &str, table: &'static str, column: &'static str) -> StoreResult<Vec<Percent>> {
    let read = |word: &str| word.parse().ok().and_then(Percent::new).ok_or(corrupt(table, column));
    text.split(',').filter(|word| !word.is_empty()).map(read).collect()
}

pub fn percents_text(percents: &[Percent]) -> String {
    percents.iter().map(|percent| percent.get().to_string()).collect::<Vec<_>>().join(",")
}

pub fn from_json<T: DeserializeOwned>(text: &str, table: &'static str, column: &'static str) -> StoreResult<T> {
    serde_json::from_str(text).map_err(|_| corrupt(table, column))
}

pub fn to_json<T: Serialize>(value: &T, table: &'static str, column: &'static str) -> StoreResult<String> {
    serde_json::to_string(value).map_err(|_| corrupt(table, column))
}

/// `SUM(column)` as a 64-bit integer; PostgreSQL and MySQL answer a decimal otherwise.
pub fn sum(backend: DbBackend, column: &str) -> String {
    match backend {
        DbBackend::Postgres => format!("CAST(SUM({column}) AS BIGINT)"),
        DbBackend::MySql => format!("CAST(SUM({column}) AS SIGNED)"),
        _ => format!("SUM({column})"),
    }
}

/// Sums are taken in two halves, so that those of a whole book pass 64 bits on no database.
const HALF: i64 = 1_000_000_000;

/// The 32 digits of an id.
pub fn hex(backend: DbBackend, column: &str) -> String {
    match backend {
        DbBackend::Postgres => format!("REPLACE(CAST({column} AS TEXT), '-', '')"),
        _ => format!("LOWER(HEX({column}))"),
    }
}

/// `SUM(column)` beyond 64 bits, in two columns that [`read_wide`] reads by the same name.
pub fn wide_sum(backend: DbBackend, column: &str, name: &str) -> String {
    let divided = if backend == DbBackend::MySql { "DIV" } else { "/" };
    let whole = sum(backend, &format!("({column}) {divided} {HALF}"));
    let rest = sum(backend, &format!("({column}) % {HALF}"));
    format!("{whole} AS {name}_wholes, {rest} AS {name}_rests")
}

pub fn read_wide(row: &QueryResult, name: &str) -> StoreResult<i128> {
    let part = |half: &str| row.try_get::<i64>("", &format!("{name}_{half}")).map(i128::from).map_err(store_error);
    Ok(part("wholes")? * i128::from(HALF) + part("rests")?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn padding_keeps_the_set() {
        assert_eq!(padded(vec![1, 2, 3]), [1, 2, 3, 3]);
        assert_eq!(padded(vec![1, 2]), [1, 2]);
        assert!(padded(Vec::<i32>::new()).is_empty());
    }
}
