//! All rows of a database as text, to see what a call changed and what must not be there.

use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, Statement};
use std::collections::BTreeSet;

/// Every row of every table, after its table's name, in lower case and without hyphens, so that ids read alike on all
/// engines.
pub async fn rows(database: &DatabaseConnection) -> BTreeSet<String> {
    let alike = |(table, line): (String, String)| format!("{table} {}", line.to_lowercase().replace('-', ""));
    lines(database).await.into_iter().map(alike).collect()
}

/// Every row of every table as it is, after its table's name: what is no printable ASCII may be in hexadecimal digits.
pub async fn lines(database: &DatabaseConnection) -> Vec<(String, String)> {
    let mut all = Vec::new();
    for table in tables(database).await {
        let query = match database.get_database_backend() {
            DbBackend::Postgres => format!("SELECT CAST(t AS TEXT) AS line FROM \"{table}\" t"),
            backend => {
                let columns = columns(database, &table).await;
                let shown = |column: &String| match backend {
                    DbBackend::Sqlite => format!("quote(\"{column}\")"),
                    _ => format!(
                        "COALESCE(IF(HEX(`{column}`) RLIKE '^([2-7].)*$', CONCAT(`{column}`), HEX(`{column}`)), '')"
                    ),
                };
                let joined: Vec<String> = columns.iter().map(shown).collect();
                match backend {
                    DbBackend::Sqlite => format!("SELECT {} AS line FROM \"{table}\"", joined.join(" || '|' || ")),
                    _ => format!("SELECT CONCAT_WS('|', {}) AS line FROM `{table}`", joined.join(", ")),
                }
            }
        };
        all.extend(texts(database, &query).await.into_iter().map(|line| (table.clone(), line)));
    }
    all
}

async fn texts(database: &DatabaseConnection, query: &str) -> Vec<String> {
    let rows = database.query_all_raw(Statement::from_string(database.get_database_backend(), query)).await.unwrap();
    rows.iter().map(text).collect()
}

/// MariaDB calls some texts bytes.
fn text(row: &sea_orm::QueryResult) -> String {
    row.try_get::<String>("", "line")
        .or_else(|_| row.try_get::<Vec<u8>>("", "line").map(|bytes| String::from_utf8_lossy(&bytes).into_owned()))
        .unwrap()
}

async fn tables(database: &DatabaseConnection) -> Vec<String> {
    let query = match database.get_database_backend() {
        DbBackend::Sqlite => "SELECT name AS line FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'",
        DbBackend::Postgres => {
            "SELECT CAST(table_name AS TEXT) AS line FROM information_schema.tables WHERE table_schema = 'public' \
             AND table_type = 'BASE TABLE'"
        }
        _ => "SELECT CAST(table_name AS CHAR) AS line FROM information_schema.tables WHERE table_schema = DATABASE()",
    };
    texts(database, query).await
}

async fn columns(database: &DatabaseConnection, table: &str) -> Vec<String> {
    let query = match database.get_database_backend() {
        DbBackend::Sqlite => format!("SELECT name AS line FROM pragma_table_info('{table}')"),
        _ => format!(
            "SELECT CAST(column_name AS CHAR) AS line FROM information_schema.columns \
             WHERE table_schema = DATABASE() AND table_name = '{table}'"
        ),
    };
    texts(database, &query).await
}
