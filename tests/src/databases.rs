//! A fresh, migrated database for one test: SQLite in a temporary folder, or a new schema on a server whose URL
//! is in `TEST_POSTGRES_URL` or `TEST_MARIADB_URL` (without a database name).

use crate::auditor::violations;
use infra::db::{Database, DatabaseSettings, connect, migrate_up};
use sea_orm::{ConnectionTrait, DbBackend};
use uuid::Uuid;

/// Parts of the tests in which only use cases write.
const AUDITED: [&str; 5] = ["::flows::", "::races::", "::payments::", "::online::", "::auditor::load"];

/// The database, and what must live as long as it.
pub struct Fresh {
    pub database: Database,
    pub url: String,
    _folder: Option<tempfile::TempDir>,
    server: Option<(sea_orm::DatabaseConnection, String)>,
}

impl std::ops::Deref for Fresh {
    type Target = Database;

    fn deref(&self) -> &Database {
        &self.database
    }
}

impl Fresh {
    /// Ends a test. Flows and races end with the auditor; other tests also write rows that no use case would.
    pub async fn conclude(self, module: &str) {
        if AUDITED.iter().any(|part| module.contains(part)) {
            let violations = violations(&self.url).await;
            assert!(violations.is_empty(), "the auditor found {violations:#?}");
        }
        self.discard().await;
    }

    /// Checks the money that is in it, whatever the test was about, and drops the database on its server. That of a
    /// failed test stays, to be looked at.
    #[expect(clippy::expect_used, reason = "a test that cannot clean up fails")]
    pub async fn discard(self) {
        let plain = sea_orm::Database::connect(&self.url).await.expect("a connection");
        crate::money::check(&plain).await;
        plain.close().await.expect("the connection closed");
        if let Some((server, name)) = self.server {
            let force = if server.get_database_backend() == DbBackend::Postgres { " WITH (FORCE)" } else { "" };
            server.execute_unprepared(&format!("DROP DATABASE {name}{force}")).await.expect("the database dropped");
        }
    }
}

/// Runs a test on SQLite, and by name (`--ignored`) on the two servers.
#[macro_export]
macro_rules! db_test {
    ($name:ident, $body:expr) => {
        mod $name {
            use super::*;

            #[tokio::test]
            async fn sqlite() {
                let fresh = $crate::databases::sqlite().await;
                let test = $body;
                test(&fresh).await;
                fresh.conclude(module_path!()).await;
            }

            #[tokio::test]
            #[ignore = "needs TEST_POSTGRES_URL"]
            async fn postgres() {
                let fresh = $crate::databases::server("TEST_POSTGRES_URL").await;
                let test = $body;
                test(&fresh).await;
                fresh.conclude(module_path!()).await;
            }

            #[tokio::test]
            #[ignore = "needs TEST_MARIADB_URL"]
            async fn mariadb() {
                let fresh = $crate::databases::server("TEST_MARIADB_URL").await;
                let test = $body;
                test(&fresh).await;
                fresh.conclude(module_path!()).await;
            }
        }
    };
}

/// The three databases.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Server {
    Sqlite,
    Postgres,
    MariaDb,
}

/// A fresh database without a schema.
pub struct Empty {
    pub url: String,
    folder: Option<tempfile::TempDir>,
    server: Option<(sea_orm::DatabaseConnection, String)>,
}

impl Empty {
    /// Migrates it and connects.
    #[expect(clippy::expect_used, reason = "a test without its database fails")]
    pub async fn migrated(self) -> Fresh {
        let settings = DatabaseSettings { url: self.url.clone(), max_connections: 8 };
        migrate_up(&settings).await.expect("all migrations");
        let database = connect(&settings).await.expect("a connection");
        Fresh { database, url: self.url, _folder: self.folder, server: self.server }
    }
}

pub async fn sqlite() -> Fresh {
    empty(Server::Sqlite).await.migrated().await
}

pub async fn server(variable: &str) -> Fresh {
    let server = if variable.contains("POSTGRES") { Server::Postgres } else { Server::MariaDb };
    empty(server).await.migrated().await
}

/// A new, empty database.
#[expect(clippy::expect_used, clippy::disallowed_methods, reason = "a test without its database fails")]
pub async fn empty(server: Server) -> Empty {
    let variable = match server {
        Server::Sqlite => {
            let folder = tempfile::tempdir().expect("a temporary folder");
            let url = format!("sqlite://{}", folder.path().join("test.db").display());
            return Empty { url, folder: Some(folder), server: None };
        }
        Server::Postgres => "TEST_POSTGRES_URL",
        Server::MariaDb => "TEST_MARIADB_URL",
    };
    let url = std::env::var(variable).expect("the URL of a server");
    let name = format!("test_{}", Uuid::now_v7().simple());
    let admin = sea_orm::Database::connect(&url).await.expect("the server");
    admin.execute_unprepared(&format!("CREATE DATABASE {name}")).await.expect("a new database");
    let base = url.trim_end_matches('/').trim_end_matches("/postgres").to_owned();
    Empty { url: format!("{base}/{name}"), folder: None, server: Some((admin, name)) }
}
