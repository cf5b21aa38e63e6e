//! Many rows out of one, by the database itself.
//!
//! Columns are read from the table, so that a column added later is copied like the others.

use super::{Engine, Fresh};
use anyhow::Context;
use sea_orm::{ConnectionTrait, Statement};
use uuid::Uuid;

/// Rows of one statement: digits of five tables, no recursion, which engines limit differently.
pub const CHUNK: u64 = 100_000;
/// What comes before the number in an id of ours: the time of a UUIDv7 and its version and variant.
pub const ID_PREFIX: &str = "019a0000000070008000";
/// Digits of an id before the number.
pub const PREFIX_DIGITS: usize = ID_PREFIX.len();
/// As [`ID_PREFIX`], of other ids.
const OTHER_PREFIX: &str = "019a0000000071008000";

/// What a copy has instead of the original's value, `n` being its number from 0.
#[derive(Clone, Copy, Debug)]
pub enum Value<'a> {
    /// The id of account or user `n`, `n` counted modulo so many.
    Id {
        modulo: u64,
    },
    /// An id that no other row has.
    OwnId,
    /// As `OwnId`, with the time and the other first digits of an id that there is.
    Beside(&'a str),
    /// The text followed by `n`.
    Text(&'a str),
    Zero,
}

/// Which row is copied, and how.
#[derive(Clone, Copy, Debug)]
pub struct Copying<'a> {
    pub table: &'a str,
    /// The original: the row whose column is this id.
    pub column: &'a str,
    pub original: Uuid,
    pub replaced: &'a [(&'a str, Value<'a>)],
}

impl Fresh {
    /// Inserts copies number `from` up to but not including `to`.
    pub async fn copy_row(&self, copying: &Copying<'_>, from: u64, to: u64) -> anyhow::Result<()> {
        let Copying { table, column, original, .. } = copying;
        let original = id_literal(self.engine, *original);
        let find = format!("SELECT * FROM {table} WHERE {column} = {original} LIMIT 1");
        let backend = self.connection.get_database_backend();
        let row = self.connection.query_one_raw(Statement::from_string(backend, find)).await?;
        let columns = row.with_context(|| format!("{table} has no row to copy"))?.column_names();
        let values: Vec<_> = columns.iter().map(|name| self.value(copying, name)).collect();
        let mut first = from;
        while first < to {
            let rows = CHUNK.min(to - first);
            let insert = format!(
                "INSERT INTO {table} ({}) SELECT {} FROM \
                 (SELECT * FROM {table} WHERE {column} = {original} LIMIT 1) o CROSS JOIN ({}) s",
                columns.join(", "),
                values.join(", "),
                series(first, rows),
            );
            self.connection.execute_unprepared(&insert).await.with_context(|| format!("cannot fill {table}"))?;
            first += rows;
        }
        Ok(())
    }

    fn value(&self, copying: &Copying<'_>, column: &str) -> String {
        let Some((_, value)) = copying.replaced.iter().find(|(name, _)| *name == column) else {
            return format!("o.{column}");
        };
        match value {
            Value::Id { modulo } => id_expression(self.engine, ID_PREFIX, &format!("(s.n % {modulo})")),
            Value::OwnId => id_expression(self.engine, OTHER_PREFIX, "s.n"),
            Value::Beside(prefix) => id_expression(self.engine, prefix, "s.n"),
            Value::Text(text) if self.engine == Engine::MariaDb => format!("CONCAT('{text}', s.n)"),
            Value::Text(text) => format!("'{text}' || s.n"),
            Value::Zero => "0".to_owned(),
        }
    }
}

/// `rows` numbers from `first`.
pub fn series(first: u64, rows: u64) -> String {
    let digits = (0..10).map(|digit| format!("SELECT {digit} AS d")).collect::<Vec<_>>().join(" UNION ALL ");
    let tables = (0..5).map(|place| format!("({digits}) t{place}")).collect::<Vec<_>>().join(" CROSS JOIN ");
    let number = "t0.d + 10 * t1.d + 100 * t2.d + 1000 * t3.d + 10000 * t4.d";
    format!("SELECT {first} + {number} AS n FROM {tables} WHERE {number} < {rows}")
}

fn id_expression(engine: Engine, prefix: &str, number: &str) -> String {
    match engine {
        Engine::Sqlite => format!("unhex('{prefix}' || printf('%012x', {number}))"),
        Engine::Postgres => format!("('{prefix}' || lpad(to_hex({number}), 12, '0'))::uuid"),
        Engine::MariaDb => format!("UNHEX(CONCAT('{prefix}', LPAD(HEX({number}), 12, '0')))"),
    }
}

pub fn id_literal(engine: Engine, id: Uuid) -> String {
    match engine {
        Engine::Postgres => format!("'{id}'::uuid"),
        Engine::Sqlite | Engine::MariaDb => format!("x'{}'", id.simple()),
    }
}
