//! Rows of a table, column by column, and which statement texts are worth preparing.

use super::Existing;
use sea_orm::sea_query::ArrayType;
use sea_orm::{ColumnTrait, EntityTrait, Iden, Iterable, ModelTrait, Value};
use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Mutex, PoisonError};

/// Different texts, each prepared once on every connection.
const MAX_TEXTS: usize = 128;

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

/// A column with its value in each row.
pub struct Filled {
    pub name: String,
    pub kind: ArrayType,
    pub nullable: bool,
    pub values: Vec<Value>,
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
}

/// Whether a column of an insert is one parameter.
pub type IsScalar = fn(&Insert, &Filled) -> bool;

/// The statement as it is written. A column that has one value in all rows costs one parameter; which columns do makes the
/// text. Most batches are alike, and for the others, so that texts stay few, no column does.
pub fn admitted(write: impl Fn(IsScalar) -> (String, Vec<Value>)) -> (String, Vec<Value>) {
    let whole = write(Insert::is_scalar);
    if is_admitted(&whole.0) { whole } else { write(|_, _| false) }
}

fn is_admitted(text: &str) -> bool {
    static TEXTS: Mutex<BTreeSet<u64>> = Mutex::new(BTreeSet::new());
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    let hash = hasher.finish();
    let mut texts = TEXTS.lock().unwrap_or_else(PoisonError::into_inner);
    texts.contains(&hash) || (texts.len() < MAX_TEXTS && texts.insert(hash))
}
