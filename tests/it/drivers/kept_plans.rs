//! A plan that PostgreSQL made while a table was empty, and what becomes of it when the table fills.

use super::{execute, ours};
use harness::databases::server;
use sea_orm::{ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DbBackend, Statement, Value};
use std::time::Duration;
use uuid::Uuid;

/// The things of an owner.
const LOOK_UP: &str = "SELECT id FROM things WHERE owner = $1 ORDER BY id";
/// Under which name the connection prepared it.
const NAME: &str =
    "SELECT name FROM pg_prepared_statements WHERE statement = 'SELECT id FROM things WHERE owner = $1 ORDER BY id'";
const FILLING: &str = "INSERT INTO things SELECT gen_random_uuid(), gen_random_uuid() FROM generate_series(1, 2000)";
/// Several seconds: one suffices where nothing else is running.
const PATIENCE: u32 = 100;

fn asked(sql: &str) -> Statement {
    Statement::from_string(DbBackend::Postgres, sql)
}

/// Looks something up, as the server does.
async fn look_up(connection: &DatabaseConnection) {
    let statement = Statement::from_sql_and_values(DbBackend::Postgres, LOOK_UP, [Value::from(Uuid::nil())]);
    connection.query_all_raw(statement).await.unwrap();
}

/// Whether the connection's plan for it passes over a whole table instead of asking its index.
async fn passes_over_all(connection: &DatabaseConnection) -> bool {
    let row = connection.query_one_raw(asked(NAME)).await.unwrap().unwrap();
    let name: String = row.try_get_by_index(0).unwrap();
    let rows = connection.query_all_raw(asked(&format!("EXPLAIN EXECUTE {name}('{}')", Uuid::nil()))).await.unwrap();
    let lines: Vec<String> = rows.iter().map(|row| row.try_get_by_index(0).unwrap()).collect();
    lines.iter().any(|line| line.contains("Filter: (owner"))
}

async fn prepare(url: &str) {
    let other = Database::connect(url).await.unwrap();
    assert!(execute(&other, "CREATE TABLE things (id UUID PRIMARY KEY, owner UUID NOT NULL)").await);
    assert!(execute(&other, "CREATE INDEX things_by_owner ON things (owner)").await);
    // Else PostgreSQL, or its housekeeping, would see by itself that the table has grown.
    assert!(execute(&other, "ALTER TABLE things SET (autovacuum_enabled = off)").await);
    assert!(execute(&other, "ANALYZE things").await);
    other.close().await.unwrap();
}

/// As sqlx's own pool has it, with our settings.
#[tokio::test]
#[ignore = "needs TEST_POSTGRES_URL"]
async fn postgres_keeps_a_plan_made_for_an_empty_table() {
    let fresh = server("TEST_POSTGRES_URL").await;
    prepare(&fresh.url).await;
    let mut options = ConnectOptions::new(fresh.url.clone());
    let planning = |postgres: sea_orm::sqlx::postgres::PgConnectOptions| postgres.options(infra::db::POSTGRES_PLANNING);
    options.max_connections(1).sqlx_logging(false).map_sqlx_postgres_opts(planning);
    let bare = Database::connect(options).await.unwrap();
    look_up(&bare).await;
    assert!(execute(&bare, FILLING).await);
    tokio::time::sleep(Duration::from_millis(1500)).await;
    look_up(&bare).await;
    assert!(passes_over_all(&bare).await, "PostgreSQL looks again by itself: the resets are not needed");
    bare.close().await.unwrap();
    fresh.discard().await;
}

#[tokio::test]
#[ignore = "needs TEST_POSTGRES_URL"]
async fn postgres_plans_anew_within_seconds_on_a_connection_of_ours() {
    let fresh = server("TEST_POSTGRES_URL").await;
    prepare(&fresh.url).await;
    let ours = ours(&fresh.url).await;
    look_up(&ours).await;
    assert!(passes_over_all(&ours).await, "the plan that would be kept");
    assert!(execute(&ours, FILLING).await);
    let mut looks = 0;
    while passes_over_all(&ours).await {
        looks += 1;
        assert!(looks < PATIENCE, "a plan for an empty table is kept");
        tokio::time::sleep(Duration::from_millis(50)).await;
        look_up(&ours).await;
    }
    ours.close().await.unwrap();
    fresh.discard().await;
}
