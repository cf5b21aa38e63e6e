//! The plans that databases make for the statements of the tests, each text once in a process.

mod postgres;
mod sqlite;

use sea_orm::{DatabaseConnection, DbBackend, Statement};
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

const VERBS: [&str; 5] = ["SELECT", "INSERT", "UPDATE", "DELETE", "WITH"];

/// The texts that were sent to a database, and whether each was explained.
static POSTGRES: Mutex<BTreeMap<String, bool>> = Mutex::new(BTreeMap::new());
static SQLITE: Mutex<BTreeMap<String, bool>> = Mutex::new(BTreeMap::new());

/// Notes what stores of this process send from now on.
pub(crate) fn watch() {
    infra::db::watch_statements(note);
}

fn note(statement: &Statement) {
    let texts = match statement.db_backend {
        DbBackend::Postgres => &POSTGRES,
        DbBackend::Sqlite => &SQLITE,
        _ => return,
    };
    if VERBS.iter().any(|verb| statement.sql.starts_with(verb)) {
        texts.lock().unwrap_or_else(PoisonError::into_inner).entry(statement.sql.clone()).or_insert(false);
    }
}

/// The texts that came since the last call, of whatever test.
fn unexplained(texts: &Mutex<BTreeMap<String, bool>>) -> Vec<String> {
    let mut texts = texts.lock().unwrap_or_else(PoisonError::into_inner);
    let fresh = texts.iter_mut().filter(|(_, explained)| !**explained);
    let fresh = fresh.map(|(text, explained)| {
        *explained = true;
        text.clone()
    });
    fresh.collect()
}

/// Fails when a statement reads what it need not. `connection` is one to a database of the test.
pub(crate) async fn check(connection: &DatabaseConnection) {
    let found = match connection.get_database_backend() {
        DbBackend::Postgres => postgres::whole_tables_read(unexplained(&POSTGRES)).await,
        DbBackend::Sqlite => sqlite::searched_otherwise(connection, unexplained(&SQLITE)).await,
        _ => Vec::new(),
    };
    assert!(found.is_empty(), "more is read than what is asked for:\n{}", found.join("\n"));
}
