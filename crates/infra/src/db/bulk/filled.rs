//! Rows of a table, column by column, and which statement texts are worth preparing.

use super::Existing;
use sea_orm::sea_query::ArrayType;
use sea_orm::{ColumnTrait, EntityTrait, Iden, Iterable, ModelTrait, PrimaryKeyTrait, Value};
use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Mutex, PoisonError};

/// Different texts that write to the same tables, and different texts in all, each prepared once on every connection.
const MAX_TEXTS: usize = 48;
const MAX_ALL_TEXTS: usize = 256;

/// Rows for one table.
pub struct Insert {
    pub table: String,
    pub columns: Vec<Filled>,
    pub existing: Existing,
    /// Whether rows can be told apart when their constant columns are taken away: a row twice is two rows.
    differs: bool,
}

impl Insert {
    pub fn of<E: EntityTrait>(rows: &[E::Model], existing: Existing) -> Self {
        let table = E::default().table_name().to_owned();
        let columns = Filled::of::<E>(rows);
        let differs = rows.len() == 1 || !columns.iter().all(Filled::is_constant);
        Self { table, columns, existing, differs }
    }

    /// Whether one parameter says the column of every row.
    pub fn is_scalar(&self, column: &Filled) -> bool {
        self.differs && column.is_constant()
    }

    pub fn names(&self) -> String {
        self.columns.iter().map(|column| column.name.as_str()).collect::<Vec<_>>().join(",")
    }
}

/// The columns of an insert: all but a number that the database gives.
pub fn inserted<E: EntityTrait>() -> Vec<E::Column> {
    let given = E::PrimaryKey::iter().next().filter(|_| E::PrimaryKey::auto_increment());
    let is_given = |column: &E::Column| given.as_ref().is_some_and(|key| key.unquoted() == column.unquoted());
    E::Column::iter().filter(|column| !is_given(column)).collect()
}

/// A column with its value in each row.
pub struct Filled {
    pub name: String,
    pub kind: ArrayType,
    pub nullable: bool,
    pub values: Vec<Value>,
}

impl Filled {
    fn of<E: EntityTrait>(rows: &[E::Model]) -> Vec<Self> {
        let values = |column| rows.iter().map(|row| row.get(column)).collect();
        inserted::<E>().into_iter().map(|column| Self::column::<E>(column, values(column))).collect()
    }

    /// Columns with the values that rows have of each, in the order of the columns.
    pub fn each<E: EntityTrait>(columns: impl Iterator<Item = E::Column>, rows: &[Vec<Value>]) -> Vec<Self> {
        let values = |place: usize| rows.iter().map(|row| row[place].clone()).collect();
        columns.enumerate().map(|(place, column)| Self::column::<E>(column, values(place))).collect()
    }

    fn column<E: EntityTrait>(column: E::Column, values: Vec<Value>) -> Self {
        let (name, nullable) = (column.unquoted().to_owned(), column.def().is_null());
        Self { name, kind: E::Model::get_value_type(column), nullable, values }
    }

    fn is_constant(&self) -> bool {
        self.values.iter().all(|value| *value == self.values[0])
    }
}

/// Whether a column of an insert is one parameter.
pub type IsScalar = fn(&Insert, &Filled) -> bool;

/// The statement as it is written. A column that has one value in all rows costs one parameter; which columns do makes the
/// text. Most batches are alike, and for the others, so that texts stay few, no column does.
pub fn admitted(inserts: &[Insert], write: impl Fn(IsScalar) -> (String, Vec<Value>)) -> (String, Vec<Value>) {
    let whole = write(Insert::is_scalar);
    if is_admitted(inserts, &whole.0) { whole } else { write(|_, _| false) }
}

/// Tables have their texts apart, so that rare writes to one do not take the place of frequent ones to others.
fn is_admitted(inserts: &[Insert], text: &str) -> bool {
    static TEXTS: Mutex<BTreeMap<u64, BTreeSet<u64>>> = Mutex::new(BTreeMap::new());
    let tables: Vec<&str> = inserts.iter().map(|insert| insert.table.as_str()).collect();
    let (tables, text) = (hash_of(&tables), hash_of(text));
    let mut known = TEXTS.lock().unwrap_or_else(PoisonError::into_inner);
    let is_full = known.values().map(BTreeSet::len).sum::<usize>() >= MAX_ALL_TEXTS;
    let texts = known.entry(tables).or_default();
    texts.contains(&text) || (!is_full && texts.len() < MAX_TEXTS && texts.insert(text))
}

fn hash_of(value: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}
