//! Migrated databases without migrating each of them: the first test of a process makes one, and the others get copies.
//!
//! On PostgreSQL the copied database stays on the server, named after what the migrations say, and is used again by the
//! next process; SQLite's and MariaDB's live in memory.
#![expect(clippy::expect_used, reason = "a test without its database fails")]

use crate::databases::{Empty, Server, admin, create, empty};
use aws_lc_rs::digest::{SHA256, digest};
use infra::db::{DatabaseSettings, migrate_up};
use sea_orm::{ConnectOptions, ConnectionTrait, Database, DatabaseConnection, Statement};
use std::path::Path;
use tokio::sync::OnceCell;

/// The file of a migrated database.
static SQLITE: OnceCell<Vec<u8>> = OnceCell::const_new();
/// The statements that make a migrated database.
static MARIADB: OnceCell<String> = OnceCell::const_new();
/// The name of a migrated database on the server.
static POSTGRES: OnceCell<String> = OnceCell::const_new();

const LOCK: &str = "SELECT pg_advisory_lock(7093845219)";
const UNLOCK: &str = "SELECT pg_advisory_unlock(7093845219)";

/// A new database with the schema.
pub(crate) async fn copy(server: Server) -> Empty {
    match server {
        Server::Sqlite => {
            let file = SQLITE.get_or_init(sqlite_file).await;
            let copy = empty(server).await;
            std::fs::write(copy.file().expect("a file"), file).expect("a copy of the file");
            copy
        }
        Server::MariaDb => {
            let statements = MARIADB.get_or_init(mariadb_statements).await;
            let copy = empty(server).await;
            let connection = alone(&copy.url).await;
            connection.execute_unprepared(statements).await.expect("the schema");
            connection.close().await.expect("the connection closed");
            copy
        }
        Server::Postgres => {
            let template = POSTGRES.get_or_init(postgres_template).await;
            create(server, &format!(" TEMPLATE {template}")).await
        }
    }
}

async fn migrate(url: &str) {
    let settings = DatabaseSettings { url: url.to_owned(), max_connections: 1 };
    migrate_up(&settings).await.expect("all migrations");
}

async fn alone(url: &str) -> DatabaseConnection {
    Database::connect(ConnectOptions::new(url.to_owned()).max_connections(1).to_owned()).await.expect("a connection")
}

async fn sqlite_file() -> Vec<u8> {
    let model = empty(Server::Sqlite).await;
    migrate(&model.url).await;
    let connection = alone(&model.url).await;
    connection.execute_unprepared("PRAGMA wal_checkpoint(TRUNCATE)").await.expect("one file");
    connection.close().await.expect("the connection closed");
    std::fs::read(model.file().expect("a file")).expect("the file")
}

/// Tables with their rows, then views.
async fn mariadb_statements() -> String {
    let model = empty(Server::MariaDb).await;
    migrate(&model.url).await;
    let connection = alone(&model.url).await;
    let listed = rows(&connection, "SHOW FULL TABLES").await;
    let (mut tables, mut views) = (String::from("SET FOREIGN_KEY_CHECKS = 0;\n"), String::new());
    for row in listed {
        let (name, kind): (String, String) =
            (row.try_get_by_index(0).expect("a name"), row.try_get_by_index(1).expect("a kind"));
        let view = kind == "VIEW";
        let asked = format!("SHOW CREATE {} `{name}`", if view { "VIEW" } else { "TABLE" });
        let made: String = rows(&connection, &asked).await[0].try_get_by_index(1).expect("a statement");
        let all = if view { &mut views } else { &mut tables };
        all.push_str(&made);
        all.push_str(";\n");
        if !view {
            tables.push_str(&contents(&connection, &name).await);
        }
    }
    connection.close().await.expect("the connection closed");
    model.discard().await;
    tables + &views
}

/// The INSERT of the rows of a table; empty when it has none.
async fn contents(connection: &DatabaseConnection, table: &str) -> String {
    let columns: Vec<String> = rows(connection, &format!("SHOW COLUMNS FROM `{table}`"))
        .await
        .iter()
        .map(|row| row.try_get_by_index(0).expect("a column"))
        .collect();
    let quoted: Vec<String> = columns.iter().map(|column| format!("QUOTE(`{column}`)")).collect();
    let asked = format!("SELECT CONCAT('(', CONCAT_WS(', ', {}), ')') FROM `{table}`", quoted.join(", "));
    let values: Vec<String> = rows(connection, &asked)
        .await
        .iter()
        .map(|row| String::from_utf8(row.try_get_by_index::<Vec<u8>>(0).expect("a row")).expect("text"))
        .collect();
    if values.is_empty() { String::new() } else { format!("INSERT INTO `{table}` VALUES {};\n", values.join(", ")) }
}

async fn rows(connection: &DatabaseConnection, sql: &str) -> Vec<sea_orm::QueryResult> {
    let statement = Statement::from_string(connection.get_database_backend(), sql);
    connection.query_all_raw(statement).await.expect("rows")
}

/// Made by whichever process comes first, under another name until it is whole.
async fn postgres_template() -> String {
    let name = format!("test_template_{}", fingerprint());
    let server = admin(Server::Postgres).await;
    server.execute_unprepared(LOCK).await.expect("the lock");
    let known = rows(&server, &format!("SELECT 1 FROM pg_database WHERE datname = '{name}'")).await;
    if known.is_empty() {
        let making = create(Server::Postgres, "").await;
        migrate(&making.url).await;
        let unfinished = making.name().expect("a name");
        server.execute_unprepared(&format!("ALTER DATABASE {unfinished} RENAME TO {name}")).await.expect("a template");
    }
    server.execute_unprepared(UNLOCK).await.expect("the lock given back");
    server.close().await.expect("the connection closed");
    name
}

/// Of everything that decides how a migrated database looks.
fn fingerprint() -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../migration/src");
    let mut files: Vec<_> =
        std::fs::read_dir(folder).expect("the migrations").flatten().map(|entry| entry.path()).collect();
    files.sort();
    let all: Vec<u8> = files.iter().flat_map(|file| std::fs::read(file).expect("a migration")).collect();
    domain::text::hex(&digest(&SHA256, &all).as_ref()[..8])
}
