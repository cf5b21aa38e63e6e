//! The database in memory answers as itself, and as SQLite does.

use infra::db::{DatabaseSettings, connect, migrate_up};
use simulation::core::Sim;
use simulation::differential::compare;
use simulation::faults::Plan;
use simulation::repos::Repos;
use simulation::runner::{block_on, start};
use std::collections::BTreeMap;
use std::sync::Arc;

#[test]
fn the_database_in_memory_answers_as_itself() {
    let sim = Arc::new(Sim::new(start(), Plan::Listed(BTreeMap::new()), None));
    let store = Arc::new(Repos::outside(sim));
    let compared = block_on(async move { compare(store, 3, 150).await }).unwrap().unwrap();
    assert!(compared.answers > 100, "{compared:?}");
}

/// On one thread, for ids follow from a seed of the thread.
#[tokio::test(flavor = "current_thread")]
async fn the_database_in_memory_answers_as_sqlite_does() {
    for seed in 1..=2 {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", folder.path().join("it.db").display());
        let settings = DatabaseSettings { url, max_connections: 2 };
        migrate_up(&settings).await.unwrap();
        let database = connect(&settings).await.unwrap();
        let compared = compare(Arc::new(database), seed, 120).await.unwrap();
        assert!(compared.answers > 80, "{compared:?}");
    }
}
