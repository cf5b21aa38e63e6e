//! Writing many rows of a table with one statement, from few statement texts.
//!
//! On PostgreSQL a column is one array, or one parameter where all rows agree, so that one text serves any number of
//! rows, and the writes to several tables travel as one statement. Elsewhere every value is bound; the number of rows is part of the text there, and
//! [`grid`] keeps the texts few.

use super::error::store_error;
use chrono::DateTime;
use domain::store::StoreResult;
use sea_orm::sea_query::ArrayType;
use sea_orm::{ColumnTrait, ConnectionTrait, DbBackend, EntityTrait, Iden, Iterable, ModelTrait, Statement, Value};
use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Mutex, PoisonError};

/// Most bound values of one statement: SQLite's limit is the lowest, 32 766.
const MAX_BINDS: usize = 30_000;
/// Up to here every number of rows has a text of its own; above, multiples of it and a rest.
const GRID: usize = 128;
/// Different texts on PostgreSQL, each prepared once on every connection.
const MAX_TEXTS: usize = 128;

/// What happens to a row whose key exists.
#[derive(Clone, Copy)]
pub enum Existing {
    /// The statement fails with `StoreError::Duplicate`.
    Fail,
    /// These columns of the key's row take the new values.
    Replace(&'static [&'static str], &'static [&'static str]),
    /// The new values are added to these columns of the key's row.
    Add(&'static [&'static str], &'static [&'static str]),
}

/// Inserts the rows, as few statements as the limit on bound values allows.
pub async fn insert<E: EntityTrait>(
    conn: &impl ConnectionTrait,
    rows: &[E::Model],
    existing: Existing,
) -> StoreResult<()> {
    let backend = conn.get_database_backend();
    if backend == DbBackend::Postgres {
        let mut together = Together::default();
        together.insert::<E>(rows, existing);
        return together.execute(conn).await;
    }
    for chunk in grid(rows, E::Column::iter().count()) {
        let (text, values) = bound::<E>(chunk, existing, backend);
        execute(conn, backend, text, values).await?;
    }
    Ok(())
}

/// PostgreSQL only: inserts into several tables that travel as one statement.
#[derive(Default)]
pub struct Together {
    inserts: Vec<Insert>,
}

struct Insert {
    table: String,
    columns: Vec<Filled>,
    existing: Existing,
}

/// A column with its value in each row.
struct Filled {
    name: String,
    kind: ArrayType,
    nullable: bool,
    values: Vec<Value>,
}

impl Filled {
    fn is_constant(&self) -> bool {
        self.values.iter().all(|value| *value == self.values[0])
    }

    fn array(&self) -> Value {
        let nothing = self.nullable.then(|| nothing_of(&self.kind));
        let values = self.values.iter().map(|value| or_nothing(value, nothing.as_ref())).collect();
        Value::Array(self.kind.clone(), Some(Box::new(values)))
    }

    fn chosen(&self) -> String {
        if self.nullable { format!("NULLIF({},{})", self.name, nothing_of(&self.kind).1) } else { self.name.clone() }
    }
}

impl Together {
    /// Adds rows of a table that no other part writes to.
    pub fn insert<E: EntityTrait>(&mut self, rows: &[E::Model], existing: Existing) {
        if rows.is_empty() {
            return;
        }
        let filled = |column: E::Column| Filled {
            name: column.unquoted().to_owned(),
            kind: E::Model::get_value_type(column),
            nullable: column.def().is_null(),
            values: rows.iter().map(|row| row.get(column)).collect(),
        };
        let table = E::default().table_name().to_owned();
        self.inserts.push(Insert { table, columns: E::Column::iter().map(filled).collect(), existing });
    }

    pub async fn execute(self, conn: &impl ConnectionTrait) -> StoreResult<()> {
        if self.inserts.is_empty() {
            return Ok(());
        }
        let mut whole = Text::of(&self.inserts, Filled::is_constant);
        if !is_admitted(&whole.text) {
            whole = Text::of(&self.inserts, |_| false);
        }
        execute(conn, DbBackend::Postgres, whole.text, whole.values).await
    }
}

/// A column that has one value in all rows costs a parameter instead of an array; which ones do makes the text.
/// Most batches are alike, and for the others, so that texts stay few, everything is an array.
fn is_admitted(text: &str) -> bool {
    static TEXTS: Mutex<BTreeSet<u64>> = Mutex::new(BTreeSet::new());
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    let hash = hasher.finish();
    let mut texts = TEXTS.lock().unwrap_or_else(PoisonError::into_inner);
    texts.contains(&hash) || (texts.len() < MAX_TEXTS && texts.insert(hash))
}

/// The statement while it is written.
#[derive(Default)]
struct Text {
    text: String,
    values: Vec<Value>,
}

impl Text {
    fn of(inserts: &[Insert], is_scalar: impl Fn(&Filled) -> bool) -> Self {
        let mut whole = Self::default();
        let mut parts: Vec<String> = inserts.iter().map(|insert| whole.insert(insert, &is_scalar)).collect();
        let last = parts.pop().unwrap_or_default();
        let named: Vec<String> =
            parts.iter().enumerate().map(|(index, part)| format!("part_{index} AS ({part})")).collect();
        whole.text = if named.is_empty() { last } else { format!("WITH {} {last}", named.join(",")) };
        whole
    }

    fn insert(&mut self, insert: &Insert, is_scalar: impl Fn(&Filled) -> bool) -> String {
        let (mut chosen, mut arrays, mut given) = (Vec::new(), Vec::new(), Vec::new());
        for column in &insert.columns {
            let kind = type_name(&column.kind);
            if is_scalar(column) {
                chosen.push(format!("${}::{kind}", self.parameter(column.values[0].clone())));
                continue;
            }
            arrays.push(format!("${}::{kind}[]", self.parameter(column.array())));
            chosen.push(column.chosen());
            given.push(column.name.as_str());
        }
        let names = insert.columns.iter().map(|column| column.name.as_str()).collect::<Vec<_>>().join(",");
        let from = if arrays.is_empty() {
            String::new()
        } else {
            format!(" FROM UNNEST({}) AS rows({})", arrays.join(","), given.join(","))
        };
        let conflict = conflict(insert.existing, &insert.table, DbBackend::Postgres);
        format!("INSERT INTO {} ({names}) SELECT {}{from}{conflict}", insert.table, chosen.join(","))
    }

    /// The number of the parameter; an array that two tables share travels once.
    fn parameter(&mut self, value: Value) -> usize {
        let shared = matches!(value, Value::Array(..)).then(|| self.values.iter().position(|known| *known == value));
        shared.flatten().unwrap_or_else(|| {
            self.values.push(value);
            self.values.len() - 1
        }) + 1
    }
}

async fn execute(conn: &impl ConnectionTrait, backend: DbBackend, text: String, values: Vec<Value>) -> StoreResult<()> {
    let statement = Statement::from_sql_and_values(backend, text, values);
    conn.execute_raw(statement).await.map(drop).map_err(store_error)
}

/// One placeholder for each value of each row.
fn bound<E: EntityTrait>(rows: &[E::Model], existing: Existing, backend: DbBackend) -> (String, Vec<Value>) {
    let table = E::default().table_name().to_owned();
    let names: Vec<String> = E::Column::iter().map(|column| column.unquoted().to_owned()).collect();
    let row = format!("({})", vec!["?"; names.len()].join(","));
    let text = format!(
        "INSERT INTO {table} ({}) VALUES {}{}",
        names.join(","),
        vec![row.as_str(); rows.len()].join(","),
        conflict(existing, &table, backend)
    );
    let values = rows.iter().flat_map(|row| E::Column::iter().map(|column| row.get(column))).collect();
    (text, values)
}

fn conflict(existing: Existing, table: &str, backend: DbBackend) -> String {
    let (key, columns, adds) = match existing {
        Existing::Fail => return String::new(),
        Existing::Replace(key, columns) => (key, columns, false),
        Existing::Add(key, columns) => (key, columns, true),
    };
    let set = |column: &&str| match (backend, adds) {
        (DbBackend::MySql, false) => format!("{column}=VALUES({column})"),
        (DbBackend::MySql, true) => format!("{column}={column}+VALUES({column})"),
        (_, false) => format!("{column}=excluded.{column}"),
        (_, true) => format!("{column}={table}.{column}+excluded.{column}"),
    };
    let sets = columns.iter().map(set).collect::<Vec<_>>().join(",");
    match backend {
        DbBackend::MySql => format!(" ON DUPLICATE KEY UPDATE {sets}"),
        _ => format!(" ON CONFLICT ({}) DO UPDATE SET {sets}", key.join(",")),
    }
}

/// The longest run of rows on the grid, and then the rest, each within the limit on bound values.
fn grid<T>(rows: &[T], columns: usize) -> impl Iterator<Item = &[T]> {
    let most = (MAX_BINDS / columns.max(1) / GRID).max(1) * GRID;
    let mut rest = rows;
    std::iter::from_fn(move || {
        let size = if rest.len() <= GRID { rest.len() } else { (rest.len() / GRID * GRID).min(most) };
        let (chunk, after) = rest.split_at_checked(size)?;
        rest = after;
        (!chunk.is_empty()).then_some(chunk)
    })
}

fn type_name(kind: &ArrayType) -> &'static str {
    match kind {
        ArrayType::Uuid => "uuid",
        ArrayType::BigInt => "bigint",
        ArrayType::Int => "integer",
        ArrayType::Bool => "boolean",
        ArrayType::ChronoDateTimeUtc => "timestamptz",
        _ => "text",
    }
}

/// What stands for NULL in an array, whose elements sea-query wants present: a value that no row has.
fn nothing_of(kind: &ArrayType) -> (Value, &'static str) {
    match kind {
        ArrayType::Uuid => (Value::from(uuid::Uuid::nil()), "'00000000-0000-0000-0000-000000000000'"),
        ArrayType::ChronoDateTimeUtc => (Value::from(DateTime::UNIX_EPOCH), "'1970-01-01T00:00:00Z'"),
        ArrayType::BigInt => (Value::from(i64::MIN), "'-9223372036854775808'"),
        _ => (Value::from(String::new()), "''"),
    }
}

fn or_nothing(value: &Value, nothing: Option<&(Value, &'static str)>) -> Value {
    match nothing {
        Some((nothing, _)) if *value == value.as_null() => nothing.clone(),
        _ => value.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_cut_into_a_run_on_the_grid_and_a_rest() {
        for (total, sizes) in [
            (0, vec![]),
            (1, vec![1]),
            (128, vec![128]),
            (129, vec![128, 1]),
            (500, vec![384, 116]),
            (2_000, vec![1_280, 640, 80]),
        ] {
            let rows: Vec<usize> = (0..total).collect();
            let chunks: Vec<&[usize]> = grid(&rows, 22).collect();
            assert_eq!(chunks.iter().map(|chunk| chunk.len()).collect::<Vec<_>>(), sizes);
            assert_eq!(chunks.concat(), rows);
        }
    }
}
