//! Several processes start on one empty database: it is migrated once.

use domain::store::Store;
use harness::databases::{Empty, Server, empty};
use infra::db::{DatabaseSettings, connect, migrate_down, migrate_up, migration_status};

const STARTERS: usize = 4;

async fn starters_migrate_once(fresh: Empty) {
    let settings = DatabaseSettings { url: fresh.url.clone(), max_connections: 4 };
    let starters = (0..STARTERS).map(|_| {
        let settings = settings.clone();
        tokio::spawn(async move { migrate_up(&settings).await })
    });
    for starter in futures_util::future::join_all(starters).await {
        starter.unwrap().unwrap();
    }
    let database = connect(&settings).await.unwrap();
    database.ready().await.unwrap();
    let states = migration_status(&database).await.unwrap();
    assert!(states.iter().all(|state| state.applied));
    let steps = u32::try_from(states.len()).unwrap();
    migrate_down(&settings, steps).await.unwrap();
    assert!(database.ready().await.is_err());
    migrate_up(&settings).await.unwrap();
    database.ready().await.unwrap();
    fresh.migrated().await.discard().await;
}

#[tokio::test]
async fn starters_migrate_once_sqlite() {
    starters_migrate_once(empty(Server::Sqlite).await).await;
}

#[tokio::test]
#[ignore = "needs TEST_POSTGRES_URL"]
async fn starters_migrate_once_postgres() {
    starters_migrate_once(empty(Server::Postgres).await).await;
}

#[tokio::test]
#[ignore = "needs TEST_MARIADB_URL"]
async fn starters_migrate_once_mariadb() {
    starters_migrate_once(empty(Server::MariaDb).await).await;
}
