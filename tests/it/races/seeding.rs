//! Several processes seed one new database at once: one does, the others wait and find it done.

use api::cli::seed;
use domain::page::PageRequest;
use harness::databases::Fresh;
use harness::db_test;
use harness::scene::{Scene, settings};
use serde_json::json;

const STARTERS: usize = 3;
/// An operator and five customers.
const USERS: usize = 6;

async fn one_of_several_starters_seeds(fresh: &Fresh) {
    let starters = (0..STARTERS).map(|_| {
        let settings = settings(&fresh.url, &[]);
        tokio::spawn(async move { seed(&settings).await })
    });
    let seeded: Vec<_> =
        futures_util::future::join_all(starters).await.into_iter().map(|seeded| seeded.unwrap().unwrap()).collect();
    assert_eq!(seeded.iter().filter(|object| object["created"] == json!(true)).count(), 1);
    assert!(seeded.iter().all(|object| object["users"].as_array().unwrap().len() == USERS - 1));
    let scene = Scene::new(&fresh.url).await;
    let users = scene.services.store.users().list(PageRequest::default()).await.unwrap();
    assert_eq!(users.rows.len(), USERS);
}

db_test!(seeding, one_of_several_starters_seeds);
