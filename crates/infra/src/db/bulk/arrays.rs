//! PostgreSQL: a column is one array, so that one text serves any number of rows, and writes to several tables travel
//! as one statement.

use super::{Existing, conflict, execute};
use chrono::DateTime;
use domain::store::StoreResult;
use sea_orm::sea_query::ArrayType;
use sea_orm::{ColumnTrait, ConnectionTrait, DbBackend, EntityTrait, Iden, Iterable, ModelTrait, Value};
use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Mutex, PoisonError};

/// Different texts, each prepared once on every connection.
const MAX_TEXTS: usize = 128;

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
    fn of<E: EntityTrait>(rows: &[E::Model]) -> Vec<Self> {
        let filled = |column: E::Column| Self {
            name: column.unquoted().to_owned(),
            kind: E::Model::get_value_type(column),
            nullable: column.def().is_null(),
            values: rows.iter().map(|row| row.get(column)).collect(),
        };
        E::Column::iter().map(filled).collect()
    }

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
        let table = E::default().table_name().to_owned();
        self.inserts.push(Insert { table, columns: Filled::of::<E>(rows), existing });
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

/// A column that has one value in all rows costs one parameter; which columns do makes the text. Most batches are
/// alike, and for the others, so that texts stay few, no column does.
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
        _ => (Value::from("\u{1}"), "'\u{1}'"),
    }
}

fn or_nothing(value: &Value, nothing: Option<&(Value, &'static str)>) -> Value {
    match nothing {
        Some((nothing, _)) if *value == value.as_null() => nothing.clone(),
        _ => value.clone(),
    }
}
