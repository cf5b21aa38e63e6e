//! A server that ends its connections, as when it is stopped: whoever was in the middle hears that it is unavailable.

use domain::id::AccountId;
use domain::store::StoreError;
use harness::databases::server;
use harness::scene::Scene;
use sea_orm::{ConnectionTrait, Database, Statement};

/// What ends every other connection of the database.
const POSTGRES: &str = "SELECT pg_terminate_backend(pid)::text FROM pg_stat_activity WHERE datname = current_database() AND \
                        pid <> pg_backend_pid()";
/// Statements that do.
const MARIADB: &str = "SELECT CONCAT('KILL ', id) FROM information_schema.processlist WHERE db = DATABASE() AND \
                       id <> CONNECTION_ID()";

async fn who_is_thrown_out_hears_unavailable(url: &str, others: &str) {
    let scene = Scene::new(url).await;
    let work = scene.services.store.begin().await.unwrap();
    let nobody = AccountId::new(scene.now());
    assert!(work.accounts().lock(nobody).await.unwrap().is_none());
    let other = Database::connect(url).await.unwrap();
    let ended = other.query_all_raw(Statement::from_string(other.get_database_backend(), others)).await.unwrap();
    for row in &ended {
        let text: String = row.try_get_by_index(0).unwrap();
        if text.starts_with("KILL ") {
            other.execute_unprepared(&text).await.unwrap();
        }
    }
    assert!(!ended.is_empty());
    let heard = work.accounts().lock(nobody).await;
    assert!(matches!(heard, Err(StoreError::Unavailable(_))), "{heard:?}");
    drop(work);
    // Each connection of the pool is found dead once; then there are new ones.
    let mut found_dead = 0;
    while !works(&scene, nobody).await {
        found_dead += 1;
        assert!(found_dead <= ended.len(), "the pool recovers by itself");
    }
}

async fn works(scene: &Scene, nobody: AccountId) -> bool {
    let Ok(work) = scene.services.store.begin().await else { return false };
    work.accounts().lock(nobody).await.is_ok() && work.commit().await.is_ok()
}

#[tokio::test]
#[ignore = "needs TEST_POSTGRES_URL"]
async fn postgres() {
    let fresh = server("TEST_POSTGRES_URL").await;
    who_is_thrown_out_hears_unavailable(&fresh.url, POSTGRES).await;
    fresh.discard().await;
}

#[tokio::test]
#[ignore = "needs TEST_MARIADB_URL"]
async fn mariadb() {
    let fresh = server("TEST_MARIADB_URL").await;
    who_is_thrown_out_hears_unavailable(&fresh.url, MARIADB).await;
    fresh.discard().await;
}
