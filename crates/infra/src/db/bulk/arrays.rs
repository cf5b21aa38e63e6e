//! PostgreSQL: a column is one array, so that one text serves any number of rows, and writes to several tables travel
//! as one statement.

use super::conflict;
use super::filled::{Filled, Insert, IsScalar, admitted};
use chrono::DateTime;
use sea_orm::sea_query::ArrayType;
use sea_orm::{DbBackend, Value};

/// One statement with a part for each insert.
pub fn statement(inserts: &[Insert]) -> (String, Vec<Value>) {
    admitted(inserts, |is_scalar| {
        let whole = Text::of(inserts, is_scalar);
        (whole.text, whole.values)
    })
}

fn array(column: &Filled) -> Value {
    let nothing = column.nullable.then(|| nothing_of(&column.kind));
    let values = column.values.iter().map(|value| or_nothing(value, nothing.as_ref())).collect();
    Value::Array(column.kind.clone(), Some(Box::new(values)))
}

/// An element of a column's array, under this name, as the database keeps it.
fn chosen(name: String, column: &Filled) -> String {
    if column.nullable { format!("NULLIF({name},{})", nothing_of(&column.kind).1) } else { name }
}

/// The table `given` of these columns, which are `v0`, `v1`, … and the first parameters; see [`taken`].
pub fn table(columns: &[Filled]) -> (String, Vec<Value>) {
    let array_of = |(place, column): (usize, &Filled)| format!("${}::{}[]", place + 1, type_name(&column.kind));
    let arrays = columns.iter().enumerate().map(array_of).collect::<Vec<_>>().join(",");
    let names = (0..columns.len()).map(|place| format!("v{place}")).collect::<Vec<_>>().join(",");
    (format!("UNNEST({arrays}) AS given({names})"), columns.iter().map(array).collect())
}

/// A column of [`table`] as the database keeps such a value.
pub fn taken(place: usize, column: &Filled) -> String {
    chosen(format!("v{place}"), column)
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
        let mut parts: Vec<String> = inserts.iter().map(|insert| whole.insert(insert, is_scalar)).collect();
        let last = parts.pop().unwrap_or_default();
        let named: Vec<String> =
            parts.iter().enumerate().map(|(index, part)| format!("part_{index} AS ({part})")).collect();
        whole.text = if named.is_empty() { last } else { format!("WITH {} {last}", named.join(",")) };
        whole
    }

    fn insert(&mut self, insert: &Insert, is_scalar: IsScalar) -> String {
        let (mut chosen, mut arrays, mut given) = (Vec::new(), Vec::new(), Vec::new());
        for column in &insert.columns {
            let kind = type_name(&column.kind);
            if is_scalar(insert, column) {
                chosen.push(format!("${}::{kind}", self.parameter(column.values[0].clone())));
                continue;
            }
            arrays.push(format!("${}::{kind}[]", self.parameter(array(column))));
            chosen.push(self::chosen(column.name.clone(), column));
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
        ArrayType::Int => (Value::from(i32::MIN), "'-2147483648'"),
        _ => (Value::from("\u{1}"), "'\u{1}'"),
    }
}

fn or_nothing(value: &Value, nothing: Option<&(Value, &'static str)>) -> Value {
    match nothing {
        Some((nothing, _)) if *value == value.as_null() => nothing.clone(),
        _ => value.clone(),
    }
}
