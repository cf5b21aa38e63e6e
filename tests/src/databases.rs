//! A fresh, migrated database for one test: SQLite in a temporary folder, or a new schema on a server whose URL
//! is in `TEST_POSTGRES_URL` or `TEST_MARIADB_URL` (without a database name).

use crate::auditor::violations;
use crate::blueprint::copy;
use infra::db::{Database, DatabaseSettings, connect, migrate_up};
use sea_orm::{ConnectOptions, ConnectionTrait, DatabaseConnection, DbBackend};
use std::path::PathBuf;
use uuid::Uuid;

const SQLITE_FILE: &str = "test.db";

/// Parts of the tests in which only use cases write.
const AUDITED: [&str; 5] = ["::flows::", "::races::", "::payments::", "::online::", "::auditor::load"];

/// The database, and what must live as long as it.
pub struct Fresh {
    pub database: Database,
    pub url: String,
    _folder: Option<tempfile::TempDir>,
    server: Option<(DatabaseConnection, String)>,
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
        crate::plans::check(&plain).await;
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
    server: Option<(DatabaseConnection, String)>,
}

impl Empty {
    /// Migrates it and connects.
    #[expect(clippy::expect_used, reason = "a test without its database fails")]
    pub async fn migrated(self) -> Fresh {
        migrate_up(&self.settings()).await.expect("all migrations");
        self.connected().await
    }

    /// Connects to one that has the schema.
    #[expect(clippy::expect_used, reason = "a test without its database fails")]
    pub(crate) async fn connected(self) -> Fresh {
        let database = connect(&self.settings()).await.expect("a connection");
        Fresh { database, url: self.url, _folder: self.folder, server: self.server }
    }

    /// For a pool of a test's.
    pub fn settings(&self) -> DatabaseSettings {
        DatabaseSettings { url: self.url.clone(), max_connections: 8 }
    }

    /// Of a database on SQLite.
    pub(crate) fn file(&self) -> Option<PathBuf> {
        self.folder.as_ref().map(|folder| folder.path().join(SQLITE_FILE))
    }

    /// Of a database on a server.
    pub(crate) fn name(&self) -> Option<&str> {
        self.server.as_ref().map(|(_, name)| name.as_str())
    }

    /// Drops a database on a server.
    #[expect(clippy::expect_used, reason = "a test that cannot clean up fails")]
    pub(crate) async fn discard(self) {
        if let Some((server, name)) = self.server {
            server.execute_unprepared(&format!("DROP DATABASE {name}")).await.expect("the database dropped");
        }
    }
}

pub async fn sqlite() -> Fresh {
    crate::plans::watch();
    copy(Server::Sqlite).await.connected().await
}

pub async fn server(variable: &str) -> Fresh {
    let server = if variable.contains("POSTGRES") { Server::Postgres } else { Server::MariaDb };
    crate::plans::watch();
    copy(server).await.connected().await
}

/// A new, empty database.
pub async fn empty(server: Server) -> Empty {
    create(server, "").await
}

/// A new database, with what `CREATE DATABASE` is to say besides its name.
#[expect(clippy::expect_used, reason = "a test without its database fails")]
pub(crate) async fn create(server: Server, options: &str) -> Empty {
    if server == Server::Sqlite {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let url = format!("sqlite://{}", folder.path().join(SQLITE_FILE).display());
        return Empty { url, folder: Some(folder), server: None };
    }
    let (admin, name) = (admin(server).await, format!("test_{}", Uuid::now_v7().simple()));
    admin.execute_unprepared(&format!("CREATE DATABASE {name}{options}")).await.expect("a new database");
    let url = url_of(server);
    let base = url.trim_end_matches('/').trim_end_matches("/postgres");
    Empty { url: format!("{base}/{name}"), folder: None, server: Some((admin, name)) }
}

/// One connection to the server itself.
#[expect(clippy::expect_used, reason = "a test without its database fails")]
pub(crate) async fn admin(server: Server) -> DatabaseConnection {
    let options = ConnectOptions::new(url_of(server)).max_connections(1).to_owned();
    sea_orm::Database::connect(options).await.expect("the server")
}

#[expect(clippy::expect_used, clippy::disallowed_methods, reason = "a test without its database fails")]
fn url_of(server: Server) -> String {
    let variable = if server == Server::Postgres { "TEST_POSTGRES_URL" } else { "TEST_MARIADB_URL" };
    std::env::var(variable).expect("the URL of a server")
}
