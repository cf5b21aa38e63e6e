//! Databases of the benchmarks' own: made fresh, filled with accounts, compared with the answers, always dropped.

pub mod accounts;
pub mod rows;
pub mod totals;

use anyhow::Context;
use sea_orm::{ConnectOptions, ConnectionTrait, Database, DatabaseConnection, Statement};
use std::fmt::{self};
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use uuid::Uuid;

/// The three databases.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Engine {
    Sqlite,
    Postgres,
    #[value(name = "mariadb")]
    MariaDb,
}

impl Engine {
    pub const ALL: [Self; 3] = [Self::Postgres, Self::Sqlite, Self::MariaDb];
}

impl fmt::Display for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sqlite => "SQLite",
            Self::Postgres => "PostgreSQL",
            Self::MariaDb => "MariaDB",
        })
    }
}

/// Where databases are made, and which were.
pub struct Databases {
    postgres: Address,
    mariadb: Address,
    folder: tempfile::TempDir,
    made: Mutex<Vec<(Engine, String)>>,
}

/// A new database, and a connection to it beside the server's.
pub struct Fresh {
    pub engine: Engine,
    pub url: String,
    pub connection: DatabaseConnection,
}

impl Databases {
    /// SQLite's files go into a folder of their own in `folder`.
    pub fn new(postgres: &str, mariadb: &str, folder: &Path) -> anyhow::Result<Self> {
        std::fs::create_dir_all(folder)?;
        let folder = tempfile::tempdir_in(folder)?;
        Ok(Self { postgres: Address::of(postgres), mariadb: Address::of(mariadb), folder, made: Mutex::default() })
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub async fn create(&self, engine: Engine) -> anyhow::Result<Fresh> {
        let name = format!("bench_{}", Uuid::now_v7().simple());
        let url = match self.server(engine) {
            None => format!("sqlite://{}", self.folder.path().join(format!("{name}.db")).display()),
            Some(server) => {
                let administrator = connect(&self.administrative(engine)).await?;
                self.made.lock().unwrap_or_else(PoisonError::into_inner).push((engine, name.clone()));
                administrator.execute_unprepared(&format!("CREATE DATABASE {name}")).await?;
                server.database(&name)
            }
        };
        let opened = if engine == Engine::Sqlite { format!("{url}?mode=rwc") } else { url.clone() };
        let connection = connect(&opened).await.with_context(|| format!("cannot connect to {engine}"))?;
        Ok(Fresh { engine, url, connection })
    }

    /// Drops one database before the others.
    pub async fn discard(&self, fresh: Fresh) -> anyhow::Result<()> {
        let Fresh { engine, url, connection } = fresh;
        connection.close().await?;
        let name = url.split('?').next().and_then(|url| url.rsplit('/').next()).unwrap_or_default();
        if engine == Engine::Sqlite {
            for suffix in ["", "-wal", "-shm"] {
                let _missing = std::fs::remove_file(self.folder().join(format!("{name}{suffix}")));
            }
            return Ok(());
        }
        self.made.lock().unwrap_or_else(PoisonError::into_inner).retain(|(_, made)| made != name);
        self.drop_database(engine, name).await
    }

    /// Drops every database that was made; the last thing a run does, however it ended.
    pub async fn drop_all(&self) -> anyhow::Result<()> {
        let made = std::mem::take(&mut *self.made.lock().unwrap_or_else(PoisonError::into_inner));
        for (engine, name) in made {
            self.drop_database(engine, &name).await?;
        }
        Ok(())
    }

    async fn drop_database(&self, engine: Engine, name: &str) -> anyhow::Result<()> {
        let force = if engine == Engine::Postgres { " WITH (FORCE)" } else { "" };
        let administrator = connect(&self.administrative(engine)).await?;
        administrator.execute_unprepared(&format!("DROP DATABASE IF EXISTS {name}{force}")).await?;
        Ok(())
    }

    /// The version that the database names.
    pub async fn version(&self, engine: Engine) -> anyhow::Result<String> {
        let (url, query) = match engine {
            Engine::Sqlite => ("sqlite::memory:".to_owned(), "SELECT sqlite_version()"),
            Engine::Postgres | Engine::MariaDb => (self.administrative(engine), "SELECT version()"),
        };
        let versions = names(&connect(&url).await?, query).await?;
        Ok(versions.first().and_then(|text| text.split(" on ").next()).unwrap_or_default().to_owned())
    }

    fn server(&self, engine: Engine) -> Option<&Address> {
        match engine {
            Engine::Sqlite => None,
            Engine::Postgres => Some(&self.postgres),
            Engine::MariaDb => Some(&self.mariadb),
        }
    }

    fn administrative(&self, engine: Engine) -> String {
        let name = if engine == Engine::Postgres { "postgres" } else { "" };
        self.server(engine).map(|server| server.database(name)).unwrap_or_default()
    }
}

/// A server's URL without the name of a database.
struct Address {
    server: String,
    /// What follows the name, from the question mark on.
    options: String,
}

impl Address {
    fn of(url: &str) -> Self {
        let (server, options) = url.find('?').map_or((url, ""), |at| url.split_at(at));
        let server = server.trim_end_matches('/').trim_end_matches("/postgres").to_owned();
        Self { server, options: options.to_owned() }
    }

    fn database(&self, name: &str) -> String {
        format!("{}/{name}{}", self.server, self.options)
    }
}

impl Fresh {
    /// Lets the database know how much it holds, as its housekeeping would in time.
    pub async fn settle(&self) -> anyhow::Result<()> {
        match self.engine {
            Engine::Postgres => self.connection.execute_unprepared("VACUUM (ANALYZE)").await?,
            Engine::Sqlite => self.connection.execute_unprepared("PRAGMA wal_checkpoint(TRUNCATE)").await?,
            Engine::MariaDb => {
                let tables = names(&self.connection, "SHOW FULL TABLES WHERE Table_type = 'BASE TABLE'").await?;
                let analyse = format!("ANALYZE TABLE {}", tables.join(", "));
                self.connection.execute_unprepared(&analyse).await?
            }
        };
        Ok(())
    }
}

/// The first column of every row.
async fn names(connection: &DatabaseConnection, query: &str) -> anyhow::Result<Vec<String>> {
    let statement = Statement::from_string(connection.get_database_backend(), query);
    let rows = connection.query_all_raw(statement).await?;
    Ok(rows.iter().map(|row| row.try_get_by_index(0)).collect::<Result<_, _>>()?)
}

async fn connect(url: &str) -> anyhow::Result<DatabaseConnection> {
    let mut options = ConnectOptions::new(url);
    options.max_connections(1).sqlx_logging(false).idle_timeout(Duration::from_hours(1));
    Ok(Database::connect(options).await?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_is_named_before_the_options() {
        let named = |url| Address::of(url).database("bench_1");
        assert_eq!(named("postgres://a@b:1/postgres?sslmode=disable"), "postgres://a@b:1/bench_1?sslmode=disable");
        assert_eq!(named("mysql://root@b/"), "mysql://root@b/bench_1");
    }
}
