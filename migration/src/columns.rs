//! One definition per kind of column, right on all three databases.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::{ConnectionTrait, DbBackend, Statement};

/// Starts a table whose texts compare byte by byte, trailing blanks included.
///
/// MySQL's and MariaDB's default collations would merge `W1`, `w1` and `w1 `.
pub async fn table(manager: &SchemaManager<'_>, name: &'static str) -> Result<TableCreateStatement, DbErr> {
    let mut create = Table::create();
    create.table(Alias::new(name));
    if manager.get_database_backend() == DbBackend::MySql {
        let version = Statement::from_string(DbBackend::MySql, "SELECT VERSION() AS v");
        let row = manager.get_connection().query_one_raw(version).await?;
        let version: String = row.map(|row| row.try_get("", "v")).transpose()?.unwrap_or_default();
        create.character_set("utf8mb4");
        create.collate(if version.contains("MariaDB") { "utf8mb4_nopad_bin" } else { "utf8mb4_0900_bin" });
    }
    Ok(create)
}

/// Keeps the rows in the tree of their primary key, as InnoDB does, on SQLite too.
///
/// There a table has a tree by insertion and another for its key, and an upsert goes down both. For small rows whose key
/// is most of them.
pub fn clustered(manager: &SchemaManager<'_>, mut create: TableCreateStatement) -> TableCreateStatement {
    if manager.get_database_backend() == DbBackend::Sqlite {
        create.extra("WITHOUT ROWID");
    }
    create
}

/// A UUID.
pub fn id(name: &'static str) -> ColumnDef {
    ColumnDef::new(Alias::new(name)).uuid().not_null().take()
}

pub fn optional_id(name: &'static str) -> ColumnDef {
    ColumnDef::new(Alias::new(name)).uuid().null().take()
}

/// Text of at most `length` characters.
pub fn text(name: &'static str, length: u32) -> ColumnDef {
    ColumnDef::new(Alias::new(name)).string_len(length).not_null().take()
}

pub fn optional_text(name: &'static str, length: u32) -> ColumnDef {
    ColumnDef::new(Alias::new(name)).string_len(length).null().take()
}

/// Text without a practical limit; JSON documents are kept so.
pub fn long_text(name: &'static str) -> ColumnDef {
    ColumnDef::new(Alias::new(name)).text().not_null().take()
}

pub fn optional_long_text(name: &'static str) -> ColumnDef {
    ColumnDef::new(Alias::new(name)).text().null().take()
}

/// One of a few words, guarded by a CHECK.
pub fn word(name: &'static str, words: &[&str]) -> ColumnDef {
    let list = words.iter().map(|word| format!("'{word}'")).collect::<Vec<_>>().join(",");
    ColumnDef::new(Alias::new(name)).string_len(32).not_null().check(Expr::cust(format!("{name} IN ({list})"))).take()
}

/// A 64-bit integer. SQLite would silently turn an overflow into a float, so the type is checked there.
pub fn integer(manager: &SchemaManager<'_>, name: &'static str) -> ColumnDef {
    let mut column = ColumnDef::new(Alias::new(name));
    column.big_integer().not_null();
    if manager.get_database_backend() == DbBackend::Sqlite {
        column.check(Expr::cust(format!("typeof({name}) = 'integer'")));
    }
    column
}

pub fn optional_integer(manager: &SchemaManager<'_>, name: &'static str) -> ColumnDef {
    let mut column = ColumnDef::new(Alias::new(name));
    column.big_integer().null();
    if manager.get_database_backend() == DbBackend::Sqlite {
        column.check(Expr::cust(format!("typeof({name}) IN ('integer', 'null')")));
    }
    column
}

/// The primary key of rows that the database numbers as they come.
pub fn number(name: &'static str) -> ColumnDef {
    ColumnDef::new(Alias::new(name)).big_integer().not_null().auto_increment().primary_key().take()
}

pub fn small(name: &'static str) -> ColumnDef {
    ColumnDef::new(Alias::new(name)).integer().not_null().take()
}

pub fn boolean(name: &'static str) -> ColumnDef {
    ColumnDef::new(Alias::new(name)).boolean().not_null().take()
}

/// A time in UTC with microseconds, always set by the application.
pub fn time(manager: &SchemaManager<'_>, name: &'static str) -> ColumnDef {
    time_type(manager, name).not_null().take()
}

pub fn optional_time(manager: &SchemaManager<'_>, name: &'static str) -> ColumnDef {
    time_type(manager, name).null().take()
}

/// A calendar day in some local time zone, written `YYYY-MM-DD`: text sorts as dates do.
pub fn day(name: &'static str) -> ColumnDef {
    text(name, 10)
}

/// The primary key; rows of one account lie together where it comes first.
pub fn key(columns: &[&'static str]) -> IndexCreateStatement {
    let mut index = Index::create();
    for column in columns {
        index.col(Alias::new(*column));
    }
    index.primary();
    index
}

/// Gives a migration its name, which the database remembers: never changed once released.
macro_rules! named {
    ($migration:ident, $name:literal) => {
        impl MigrationName for $migration {
            fn name(&self) -> &str {
                $name
            }
        }
    };
}
pub(crate) use named;

/// An index in a migration of its own.
macro_rules! index_step {
    ($(#[$note:meta])* $migration:ident, $name:literal, $table:literal, $columns:expr, $unique:literal) => {
        $(#[$note])*
        pub struct $migration;
        $crate::columns::named!($migration, $name);

        #[async_trait::async_trait]
        impl MigrationTrait for $migration {
            async fn up(&self, m: &SchemaManager) -> Result<(), DbErr> {
                m.create_index($crate::columns::index($table, &$columns, $unique)).await
            }

            async fn down(&self, m: &SchemaManager) -> Result<(), DbErr> {
                m.drop_index($crate::columns::index_drop($table, &$columns, $unique)).await
            }
        }
    };
}
pub(crate) use index_step;

/// An index that another serves as well, dropped.
macro_rules! dropped_index_step {
    ($(#[$note:meta])* $migration:ident, $name:literal, $table:literal, $columns:expr, $unique:literal) => {
        $(#[$note])*
        pub struct $migration;
        $crate::columns::named!($migration, $name);

        #[async_trait::async_trait]
        impl MigrationTrait for $migration {
            async fn up(&self, m: &SchemaManager) -> Result<(), DbErr> {
                m.drop_index($crate::columns::index_drop($table, &$columns, $unique)).await
            }

            async fn down(&self, m: &SchemaManager) -> Result<(), DbErr> {
                m.create_index($crate::columns::index($table, &$columns, $unique)).await
            }
        }
    };
}
pub(crate) use dropped_index_step;

/// A column added to a table that has rows.
macro_rules! added_column {
    ($(#[$note:meta])* $migration:ident, $name:literal, $table:literal, $column:literal, $define:expr) => {
        $(#[$note])*
        pub struct $migration;
        $crate::columns::named!($migration, $name);

        #[async_trait::async_trait]
        impl MigrationTrait for $migration {
            async fn up(&self, m: &SchemaManager) -> Result<(), DbErr> {
                let define: fn(&SchemaManager<'_>) -> ColumnDef = $define;
                m.alter_table(Table::alter().table($table).add_column(define(m)).to_owned()).await
            }

            async fn down(&self, m: &SchemaManager) -> Result<(), DbErr> {
                m.alter_table(Table::alter().table($table).drop_column($column).to_owned()).await
            }
        }
    };
}
pub(crate) use added_column;

/// An index with a name made of its table and columns.
pub fn index(table: &'static str, columns: &[&'static str], unique: bool) -> IndexCreateStatement {
    let mut index = Index::create();
    index.name(index_name(table, columns, unique)).table(Alias::new(table));
    for column in columns {
        index.col(Alias::new(*column));
    }
    if unique {
        index.unique();
    }
    index
}

pub fn index_drop(table: &'static str, columns: &[&'static str], unique: bool) -> IndexDropStatement {
    Index::drop().name(index_name(table, columns, unique)).table(Alias::new(table)).to_owned()
}

/// PostgreSQL cuts names at 63 bytes.
fn index_name(table: &str, columns: &[&str], unique: bool) -> String {
    let kind = if unique { "uq" } else { "ix" };
    format!("{kind}_{table}_{}", columns.join("_")).chars().take(60).collect()
}

fn time_type(manager: &SchemaManager<'_>, name: &'static str) -> ColumnDef {
    let mut column = ColumnDef::new(Alias::new(name));
    if manager.get_database_backend() == DbBackend::MySql {
        column.custom("datetime(6)");
    } else {
        column.timestamp_with_time_zone();
    }
    column
}
