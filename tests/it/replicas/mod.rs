//! Several server processes on one database behave as one.

mod canary;
mod closing;
mod crashes;
mod loops;
mod newcomer;
mod process;
mod requests;
mod rotation;
mod seeding;
mod starting;

use api::wiring::TEST_CLOCK_OPTION;
use chrono::{DateTime, TimeDelta, Utc};
use domain::accounts::KeyWish;
use harness::databases::Fresh;
use harness::scene::{Customer, Scene};
use process::Process;
use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, Statement, Value};
use uuid::Uuid;

/// Servers on one database, and a scene beside them from which everything can be seen.
struct Stage {
    scene: Scene,
    servers: Vec<Process>,
    sql: DatabaseConnection,
}

impl Stage {
    /// Three servers; on SQLite two, as when a command runs beside the server.
    async fn set(fresh: &Fresh) -> Self {
        let scene = Scene::new(&fresh.url).await;
        scene.customer(None).await;
        let count = if fresh.url.starts_with("sqlite:") { 2 } else { 3 };
        let servers = Process::start_many(count, &fresh.url);
        let sql = sea_orm::Database::connect(&fresh.url).await.unwrap();
        Self { scene, servers, sql }
    }

    /// The server that gets the request of this number.
    fn server(&self, number: usize) -> &Process {
        &self.servers[number % self.servers.len()]
    }

    async fn key(&self, customer: &Customer) -> String {
        let wish = KeyWish { name: "test".to_owned(), ..KeyWish::default() };
        self.scene.services.keys.create(&customer.actor, wish).await.unwrap().token.expose().to_owned()
    }

    /// Tells all servers the time, without any work that would come with it.
    async fn set_clock(&self, to: DateTime<Utc>) {
        let ahead = to - self.scene.now();
        let work = self.scene.services.store.begin().await.unwrap();
        let micros = ahead.num_microseconds().unwrap().to_string();
        work.options().set(TEST_CLOCK_OPTION, &micros, self.scene.now()).await.unwrap();
        work.commit().await.unwrap();
    }

    /// A count; `?` stands for the values.
    async fn count(&self, sql: &str, values: Vec<Value>) -> i64 {
        let row = self.sql.query_one_raw(self.statement(sql, values)).await.unwrap().unwrap();
        row.try_get_by_index(0).unwrap()
    }

    fn statement(&self, sql: &str, values: Vec<Value>) -> Statement {
        let backend = self.sql.get_database_backend();
        let mut sql = sql.to_owned();
        if backend == DbBackend::Postgres {
            for number in 1..=values.len() {
                sql = sql.replacen('?', &format!("${number}"), 1);
            }
        }
        Statement::from_sql_and_values(backend, sql, values)
    }

    /// Who holds a lease, and until when.
    async fn lease(&self, name: &str) -> Option<(Uuid, DateTime<Utc>)> {
        let sql = "SELECT holder, leased_until FROM leases WHERE name = ?";
        let row = self.sql.query_one_raw(self.statement(sql, vec![name.into()])).await.unwrap()?;
        Some((row.try_get_by_index(0).unwrap(), row.try_get_by_index(1).unwrap()))
    }

    /// As if the time of the lease had passed.
    async fn end_lease(&self, name: &str) {
        let past = DateTime::<Utc>::UNIX_EPOCH + TimeDelta::days(1);
        let end = self.statement("UPDATE leases SET leased_until = ? WHERE name = ?", vec![past.into(), name.into()]);
        self.sql.execute_raw(end).await.unwrap();
    }
}
