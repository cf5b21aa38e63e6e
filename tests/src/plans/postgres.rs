//! What PostgreSQL plans for the statements of the tests, of tables of which it knows nothing: one that reads a whole table, or
//! a whole index, is a mistake.
#![expect(clippy::expect_used, reason = "a test whose statements cannot be explained fails")]

use crate::blueprint::copy;
use crate::databases::Server;
use sea_orm::{ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DbBackend, Statement};
use serde_json::Value;
use std::collections::BTreeMap;

/// What may read a whole table: a part of its text, and why.
const ALLOWED: [(&str, &str); 8] = [
    (" NOT LIKE $1", "what is to be encrypted is looked for once, by a command"),
    ("FROM ledger_transfers GROUP BY", "the totals of the whole ledger"),
    ("FROM usage_records_catch_all", "what has no month, nothing as long as months are made ahead"),
    (r#"FROM "plan_versions" ORDER BY"#, "all of them, few"),
    (r#"FROM "products" WHERE "products"."enabled""#, "few"),
    (r#"FROM "seaql_migrations""#, "all of them, few"),
    (
        r#"WHERE "users"."role" = $1 AND "users"."status""#,
        "operators, locked in order when one of them ceases to be one",
    ),
    (r#"WHERE "billing_invoices"."outdated_at" IS NOT NULL"#, "an operator's list"),
];
/// What must be found, each time.
const BLIND: &str = "SELECT id FROM accounts WHERE status = $1 ORDER BY id LIMIT 5";
const PARAMETERS: &str =
    "SELECT COALESCE(cardinality(parameter_types), 0) FROM pg_prepared_statements WHERE name = 'asked'";
const FIRST_COLUMNS: &str = "SELECT indexrelid::regclass::text, attname::text FROM pg_index \
     JOIN pg_attribute ON attrelid = indexrelid AND attnum = 1 \
     WHERE indrelid IN (SELECT oid FROM pg_class WHERE relnamespace = 'public'::regnamespace)";

/// Where the texts are planned to read a whole table.
pub async fn whole_tables_read(mut texts: Vec<String>) -> Vec<String> {
    texts.retain(|text| !ALLOWED.iter().any(|(part, _)| text.contains(part)));
    if texts.is_empty() {
        return Vec::new();
    }
    let empty = copy(Server::Postgres).await;
    let planner = Planner::of(&empty.url).await;
    assert_eq!(planner.explain(&[BLIND.to_owned()]).await.len(), 1, "a check that sees nothing");
    let found = planner.explain(&texts).await;
    planner.connection.close().await.expect("the connection closed");
    empty.discard().await;
    found
}

/// A connection that plans as the product's do.
struct Planner {
    connection: DatabaseConnection,
    first_columns: BTreeMap<String, String>,
}

impl Planner {
    async fn of(url: &str) -> Self {
        let options = ConnectOptions::new(url.to_owned()).max_connections(1).sqlx_logging(false).to_owned();
        let connection = Database::connect(options).await.expect("a connection");
        let mut planner = Self { connection, first_columns: BTreeMap::new() };
        for (setting, value) in infra::db::POSTGRES_PLANNING {
            planner.run(&format!("SET {setting} = {value}")).await;
        }
        let rows = planner.connection.query_all_raw(statement(FIRST_COLUMNS)).await.expect("the indexes");
        let text = |row: &sea_orm::QueryResult, at| row.try_get_by_index::<String>(at).expect("a name");
        planner.first_columns = rows.iter().map(|row| (text(row, 0), text(row, 1))).collect();
        planner
    }

    async fn run(&self, sql: &str) {
        self.connection.execute_unprepared(sql).await.expect(sql);
    }

    async fn explain(&self, texts: &[String]) -> Vec<String> {
        let mut found = Vec::new();
        for text in texts {
            let scans = self.whole(&self.plan(text).await, false);
            found.extend(scans.into_iter().map(|scan| format!("{scan}: {text}")));
        }
        found
    }

    async fn plan(&self, text: &str) -> Value {
        self.run(&format!("PREPARE asked AS {text}")).await;
        let row = self.connection.query_one_raw(statement(PARAMETERS)).await.expect(text).expect("a row");
        let count: i32 = row.try_get_by_index(0).expect("a number");
        let nulls = vec!["NULL"; usize::try_from(count).expect("a count")].join(", ");
        let arguments = if count == 0 { String::new() } else { format!("({nulls})") };
        let explain = statement(&format!("EXPLAIN (FORMAT JSON) EXECUTE asked{arguments}"));
        let row = self.connection.query_one_raw(explain).await.expect(text).expect("a plan");
        self.run("DEALLOCATE asked").await;
        row.try_get_by_index::<Value>(0).expect("JSON")[0]["Plan"].clone()
    }

    /// The scans of whole tables and indexes. What a limit cuts off, and what passes over nothing, is none.
    fn whole(&self, node: &Value, limited: bool) -> Vec<String> {
        let of = |name: &str| node[name].as_str().unwrap_or_default();
        let kind = of("Node Type");
        let mut found = Vec::new();
        if !(limited && of("Filter").is_empty()) && self.reads_all(node) {
            found.push(format!("{kind} of {} {} {}", of("Relation Name"), of("Index Name"), of("Filter")));
        }
        let keeps = ["LockRows", "Append", "Merge Append", "Subquery Scan"].contains(&kind);
        let limited = kind == "Limit" || (limited && keeps);
        let below = node["Plans"].as_array().into_iter().flatten();
        found.extend(below.flat_map(|plan| self.whole(plan, limited)));
        found
    }

    /// Whether nothing tells a scan where in its index to begin or to end.
    fn reads_all(&self, node: &Value) -> bool {
        let first = node["Index Name"].as_str().and_then(|index| self.first_columns.get(index));
        let bounds = node["Index Cond"].as_str().unwrap_or_default();
        if node["Index Name"].as_str().is_some_and(|index| index.starts_with("pg_")) {
            return false;
        }
        match node["Node Type"].as_str() {
            Some("Seq Scan") => true,
            Some("Index Scan" | "Index Only Scan" | "Bitmap Index Scan") => {
                first.is_none_or(|column| !bounds.contains(column.as_str()))
            }
            _ => false,
        }
    }
}

fn statement(sql: &str) -> Statement {
    Statement::from_string(DbBackend::Postgres, sql)
}
