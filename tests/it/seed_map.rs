//! The five products whose data this schema must hold: every table and column of theirs has a home in ours, is
//! derived from ours, or waits for a part that is not built yet. `data/seed_map` is the map.

use harness::databases::Fresh;
use harness::db_test;
use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, Statement};
use std::collections::{BTreeMap, BTreeSet};

/// Parts that are not built. When one is, it leaves this list, and every row that says `later` for it must move.
const LATER_PARTS: [&str; 3] = ["gateway", "studio", "content"];

/// What each product's document declares: tables (with views, triggers and files), and columns in all.
const SEEDS: [(&str, usize, usize, &str); 5] = [
    ("aimake", 9, 112, include_str!("../data/seed_map/aimake.csv")),
    ("kg-recharge", 21, 120, include_str!("../data/seed_map/kg-recharge.csv")),
    ("openai-shop", 3, 37, include_str!("../data/seed_map/openai-shop.csv")),
    ("veloera", 13, 180, include_str!("../data/seed_map/veloera.csv")),
    ("zz3d", 4, 27, include_str!("../data/seed_map/zz3d.csv")),
];

struct Row {
    seed: &'static str,
    table: String,
    column: String,
    kind: String,
    home: String,
    note: String,
}

impl Row {
    /// What is wrong with the row by itself.
    fn mistake(&self) -> Option<String> {
        let reason = match self.kind.as_str() {
            "ours" if self.home.split_once('.').is_none() => "its home is not table.column",
            "derived" if self.note.is_empty() => "does not say how it is derived",
            "later" if !LATER_PARTS.contains(&self.home.as_str()) => "waits for a part that is built or unknown",
            "ours" | "derived" | "later" => return None,
            _ => "is neither ours, derived nor later",
        };
        Some(format!("{}: {reason}", self.name()))
    }

    fn name(&self) -> String {
        format!("{} {}.{}", self.seed, self.table, self.column)
    }
}

fn rows_of(seed: &'static str, text: &str) -> Vec<Row> {
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    reader
        .records()
        .map(|record| {
            let record = record.unwrap();
            let [table, column, kind, home, note] = [0, 1, 2, 3, 4].map(|field| record[field].to_owned());
            Row { seed, table, column, kind, home, note }
        })
        .collect()
}

fn all_rows() -> Vec<Row> {
    SEEDS.iter().flat_map(|&(seed, _, _, text)| rows_of(seed, text)).collect()
}

/// How many rows of each kind each product has, for messages.
fn counts(rows: &[Row]) -> String {
    let mut counts: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for row in rows {
        *counts.entry((row.seed, row.kind.as_str())).or_default() += 1;
    }
    let lines: Vec<_> = counts.iter().map(|((seed, kind), count)| format!("\n  {seed}: {count} {kind}")).collect();
    lines.concat()
}

#[test]
fn every_row_of_the_seed_map_has_a_home() {
    let rows = all_rows();
    let mistakes: Vec<_> = rows.iter().filter_map(Row::mistake).collect();
    assert!(mistakes.is_empty(), "{mistakes:#?}{}", counts(&rows));
}

#[test]
fn the_seed_map_has_every_table_and_column_once() {
    for (seed, tables, columns, text) in SEEDS {
        let rows = rows_of(seed, text);
        let distinct: BTreeSet<_> = rows.iter().map(Row::name).collect();
        let of_tables: BTreeSet<_> = rows.iter().map(|row| &row.table).collect();
        let found = (of_tables.len(), distinct.len(), rows.len());
        assert_eq!(found, (tables, columns, columns), "{seed}: tables, distinct columns, rows{}", counts(&rows));
    }
}

/// `table.column` of everything in the migrated schema.
async fn schema(connection: &DatabaseConnection) -> BTreeSet<String> {
    let backend = connection.get_database_backend();
    let columns = match backend {
        DbBackend::Sqlite => {
            "SELECT m.name AS table_name, c.name AS column_name \
             FROM sqlite_master m JOIN pragma_table_info(m.name) c WHERE m.type IN ('table', 'view')"
        }
        DbBackend::Postgres => {
            "SELECT table_name::text AS table_name, column_name::text AS column_name \
             FROM information_schema.columns WHERE table_schema = current_schema()"
        }
        _ => {
            "SELECT CONVERT(table_name USING utf8mb4) AS table_name, \
             CONVERT(column_name USING utf8mb4) AS column_name \
             FROM information_schema.columns WHERE table_schema = DATABASE()"
        }
    };
    let rows = connection.query_all_raw(Statement::from_string(backend, columns)).await.unwrap();
    rows.iter()
        .map(|row| {
            let [table, column]: [String; 2] = ["table_name", "column_name"].map(|name| row.try_get("", name).unwrap());
            format!("{table}.{column}")
        })
        .collect()
}

db_test!(every_home_is_in_the_schema, async |fresh: &Fresh| {
    let schema = schema(&sea_orm::Database::connect(&fresh.url).await.unwrap()).await;
    let rows = all_rows();
    let missing: Vec<_> = rows
        .iter()
        .filter(|row| row.kind == "ours" && !schema.contains(&row.home))
        .map(|row| format!("{}: there is no {}", row.name(), row.home))
        .collect();
    assert!(missing.is_empty(), "{missing:#?}{}", counts(&rows));
});
