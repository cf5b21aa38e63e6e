//! Columns to domain values and back. A value that the domain does not know is corruption, said by name.

use domain::money::Currency;
use domain::plans::{MeterCode, Percent};
use domain::store::{StoreError, StoreResult};
use sea_orm::sea_query::ExprTrait;
use sea_orm::{ColumnTrait, Condition, DbBackend, Value};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;
use uuid::Uuid;

/// Most bound values of one statement: SQLite's limit is the lowest, 32 766.
const MAX_BINDS: usize = 30_000;
/// Most accounts that one statement names one by one.
const MAX_ACCOUNTS: usize = 256;
/// Most values looked up by one statement; padding at most doubles them.
const MAX_VALUES: usize = 8_192;
/// Most rows of one INSERT; larger ones gain nothing.
const MAX_ROWS: usize = 512;

/// Rows of `columns` values that fit in one statement.
pub fn rows_per_statement(columns: usize) -> usize {
    (MAX_BINDS / columns.max(1)).max(1)
}

/// Splits rows of `columns` values into chunks whose sizes are powers of two.
///
/// Every size is a statement text of its own, which the server parses and plans once; batches of any size
/// then come from a handful of prepared statements instead of one each.
pub fn statement_chunks<T>(rows: &[T], columns: usize) -> impl Iterator<Item = &[T]> {
    let most = largest_power(rows_per_statement(columns).min(MAX_ROWS));
    let mut rest = rows;
    std::iter::from_fn(move || {
        let size = largest_power(rest.len().min(most));
        let (chunk, after) = rest.split_at_checked(size)?;
        rest = after;
        (!chunk.is_empty()).then_some(chunk)
    })
}

/// Repeats the last value until the count is a power of two: the same set, in one of a few statement texts.
pub fn padded<T: Clone>(mut values: Vec<T>) -> Vec<T> {
    if let Some(last) = values.last().cloned() {
        values.resize(values.len().next_power_of_two(), last);
    }
    values
}

/// Conditions that together name every pair of account and value, each small enough for one statement.
///
/// SQLite takes expressions 1 000 deep, and each `OR` is one more.
pub fn any_of_accounts<A, V, T>(
    backend: DbBackend,
    pairs: impl IntoIterator<Item = (Uuid, T)>,
    (account_column, value_column): (A, V),
) -> Vec<Condition>
where
    A: ColumnTrait,
    V: ColumnTrait,
    T: Into<Value> + Clone,
{
    if backend == DbBackend::Postgres {
        let pairs: Vec<_> = pairs.into_iter().collect();
        return any_pair(&pairs, account_column, value_column);
    }
    let mut by_account: BTreeMap<Uuid, Vec<T>> = BTreeMap::new();
    for (account, value) in pairs {
        by_account.entry(account).or_default().push(value);
    }
    let groups: Vec<(Uuid, &[T])> = by_account
        .iter()
        .flat_map(|(account, values)| values.chunks(MAX_VALUES).map(|chunk| (*account, chunk)))
        .collect();
    statement_groups(&groups)
        .map(|groups| {
            groups.iter().fold(Condition::any(), |any, (account, values)| {
                let own = account_column.eq(*account).and(value_column.is_in(padded(values.to_vec())));
                any.add(own)
            })
        })
        .collect()
}

/// One `OR` a pair. PostgreSQL would look up `account = … AND value IN (…)` by the account alone and read all of its
/// rows, as long as it takes the table to be small; pair by pair it can only use the whole index.
fn any_pair<A, V, T>(pairs: &[(Uuid, T)], account_column: A, value_column: V) -> Vec<Condition>
where
    A: ColumnTrait,
    V: ColumnTrait,
    T: Into<Value> + Clone,
{
    let any = |chunk: &[(Uuid, T)]| {
        padded(chunk.to_vec()).into_iter().fold(Condition::any(), |any, (account, value)| {
            any.add(account_column.eq(account).and(value_column.eq(value)))
        })
    };
    pairs.chunks(MAX_ACCOUNTS).map(any).collect()
}

/// Splits groups so that no statement has too many of them or of their values.
fn statement_groups<'a, T>(groups: &'a [(Uuid, &'a [T])]) -> impl Iterator<Item = Vec<(Uuid, &'a [T])>> {
    groups
        .chunk_by({
            let (mut accounts, mut values) = (1, 0);
            move |before, next| {
                accounts += 1;
                values += before.1.len();
                let fits = accounts <= MAX_ACCOUNTS && values + next.1.len() <= MAX_VALUES;
                if !fits {
                    (accounts, values) = (1, 0);
                }
                fits
            }
        })
        .map(|chunk| {
            let mut chunk = chunk.to_vec();
            // Padded with one value of the last account, so that few statement texts serve all batches.
            if let Some((account, values)) = chunk.last().copied() {
                chunk.resize(chunk.len().next_power_of_two(), (account, &values[..1]));
            }
            chunk
        })
}

/// The largest power of two up to `count`; 0 for none.
fn largest_power(count: usize) -> usize {
    if count == 0 { 0 } else { 1 << count.ilog2() }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_are_powers_of_two_and_hold_every_row_once() {
        for total in [0_usize, 1, 2, 3, 100, 511, 512, 513, 2_000] {
            let rows: Vec<usize> = (0..total).collect();
            let chunks: Vec<&[usize]> = statement_chunks(&rows, 22).collect();
            assert_eq!(chunks.concat(), rows);
            assert!(chunks.iter().all(|chunk| chunk.len().is_power_of_two() && chunk.len() <= MAX_ROWS));
        }
    }

    #[test]
    fn padding_keeps_the_set() {
        assert_eq!(padded(vec![1, 2, 3]), [1, 2, 3, 3]);
        assert_eq!(padded(vec![1, 2]), [1, 2]);
        assert!(padded(Vec::<i32>::new()).is_empty());
    }
}
