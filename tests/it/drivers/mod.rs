//! Two defects of sqlx 0.9.0, each shown with a bare pool, and that ours does not have it: a `BEGIN` that was cancelled
//! leaves a connection inside a transaction, and a connection whose server went silent is waited for without end. Beside
//! them what databases do: one that is full, one that ends its connections, and PostgreSQL's plans for empty tables.

mod cancelled;
mod full;
mod kept_plans;
mod relay;
mod silent;
mod thrown_out;

use infra::db::{DatabaseSettings, open};
use sea_orm::{ConnectOptions, ConnectionTrait, Database, DatabaseConnection};
use std::time::Duration;

/// A pool of one connection as sqlx makes it.
pub async fn bare(url: &str, patience: Duration) -> DatabaseConnection {
    let mut options = ConnectOptions::new(url.to_owned());
    options.max_connections(1).acquire_timeout(patience).sqlx_logging(false);
    Database::connect(options).await.unwrap()
}

/// A pool of one connection as the server has it.
pub async fn ours(url: &str) -> DatabaseConnection {
    open(&DatabaseSettings { url: url.to_owned(), max_connections: 1 }, 1).await.unwrap()
}

pub async fn execute(connection: &DatabaseConnection, sql: &str) -> bool {
    connection.execute_unprepared(sql).await.is_ok()
}
