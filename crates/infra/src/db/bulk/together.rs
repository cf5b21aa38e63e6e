//! Inserts into several tables that travel as one statement where the database takes that.

use super::filled::Insert;
use super::{Existing, arrays, bound, documents, execute};
use domain::store::StoreResult;
use sea_orm::{ConnectionTrait, DbBackend, EntityTrait, Iterable, ModelTrait, Value};

/// How a database takes many rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// PostgreSQL: columns as arrays, a part of one statement for each table.
    Arrays,
    /// MariaDB: rows as documents, one compound statement.
    Documents,
    /// SQLite, where there is no round trip: every value is bound, one statement after the other, each with places for
    /// more rows than it is given.
    Padded,
    /// MySQL and old MariaDB, which take no compound statement or no documents: every value is bound, and every place.
    Bound,
}

/// The first MariaDB that has `JSON_TABLE`.
const DOCUMENTS: (u32, u32) = (10, 6);

impl Dialect {
    /// By what `SELECT VERSION()` says, such as `10.11.6-MariaDB-0+deb12u1` or `8.4.3`.
    pub fn of_mysql(version: &str) -> Self {
        let mut numbers = version.split(['.', '-']).map(|number| number.parse().unwrap_or(0));
        let release = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
        if version.contains("MariaDB") && release >= DOCUMENTS { Self::Documents } else { Self::Bound }
    }
}

/// A table's statements, each made when it is its turn: all at once would hold every row of a commit a second time.
type Bound<'rows> = Box<dyn Iterator<Item = (String, Vec<Value>)> + Send + 'rows>;

/// Inserts that are executed in the order they were added; the first that fails is the last.
pub struct Together<'rows> {
    backend: DbBackend,
    dialect: Dialect,
    inserts: Vec<Insert>,
    bound: Vec<Bound<'rows>>,
}

impl<'rows> Together<'rows> {
    pub fn new(backend: DbBackend, dialect: Dialect) -> Self {
        Self { backend, dialect, inserts: Vec::new(), bound: Vec::new() }
    }

    /// Adds rows of a table that no other insert writes to.
    pub fn insert<E: EntityTrait>(mut self, rows: &'rows [E::Model], existing: Existing) -> Self
    where
        E::Model: Sync,
    {
        match self.dialect {
            Dialect::Arrays if rows.is_empty() => {}
            Dialect::Arrays => self.inserts.push(Insert::of::<E>(rows, existing)),
            Dialect::Documents if fits::<E>() => {
                self.inserts.extend(rows.chunks(documents::MAX_ROWS).map(|rows| Insert::of::<E>(rows, existing)));
            }
            Dialect::Documents | Dialect::Padded | Dialect::Bound => {
                let padded = self.dialect == Dialect::Padded;
                self.bound.push(Box::new(bound::statements::<E>(rows, existing, self.backend, padded)));
            }
        }
        self
    }

    pub async fn execute(self, conn: &impl ConnectionTrait) -> StoreResult<()> {
        let whole = (!self.inserts.is_empty()).then(|| match self.dialect {
            Dialect::Arrays => arrays::statement(&self.inserts),
            _ => documents::statement(&self.inserts),
        });
        for (text, values) in whole.into_iter().chain(self.bound.into_iter().flatten()) {
            execute(conn, self.backend, text, values).await?;
        }
        Ok(())
    }
}

fn fits<E: EntityTrait>() -> bool {
    E::Column::iter().all(|column| documents::takes(&E::Model::get_value_type(column)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_are_for_mariadb_that_reads_them() {
        for (version, dialect) in [
            ("10.11.6-MariaDB-0+deb12u1", Dialect::Documents),
            ("10.6.1-MariaDB", Dialect::Documents),
            ("11.4.2-MariaDB-log", Dialect::Documents),
            ("10.5.23-MariaDB", Dialect::Bound),
            ("8.4.3", Dialect::Bound),
            ("", Dialect::Bound),
        ] {
            assert_eq!(Dialect::of_mysql(version), dialect, "{version}");
        }
    }
}
