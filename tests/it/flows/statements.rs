//! The number of statements of one commit does not grow with the batch.

use domain::metering::{Consume, MeteringService};
use domain::store::Store;
use harness::databases::Fresh;
use harness::db_test;
use harness::scene::{Scene, command};
use infra::db::{DatabaseSettings, connect};
use std::sync::Arc;

const BATCH: usize = 500;
/// On SQLite a table's rows are a run on a grid of 128 and a rest: one statement more. The others write all at once.
const TABLES: u64 = 5;

async fn a_commit_of_500_events_takes_the_statements_of_one(fresh: &Fresh) {
    let scene = Scene::new(&fresh.url).await;
    let accounts = scene.accounts(BATCH).await;
    let database = Arc::new(connect(&DatabaseSettings { url: fresh.url.clone(), max_connections: 2 }).await.unwrap());
    let store: Arc<dyn Store> = database.clone();
    let metering = MeteringService::new(store, scene.services.clock.clone(), scene.services.catalogue.clone());
    let over_all = |key: &str| accounts.iter().map(|account| command(*account, "words", 1, key)).collect::<Vec<_>>();
    let on_one = |key: &str| (0..BATCH).map(|n| command(accounts[0], "words", 1, &format!("{key}-{n}"))).collect();
    let cost = async |batch: Vec<Consume>| {
        let before = database.statements();
        let outcomes = metering.consume(&batch).await.unwrap();
        assert!(outcomes.iter().all(Result::is_ok));
        database.statements() - before
    };
    // The first use of an account begins its subscription.
    cost(over_all("first")).await;
    let single = cost(vec![command(accounts[0], "words", 1, "single")]).await;
    let (hot, spread) = (cost(on_one("hot")).await, cost(over_all("spread")).await);
    println!("statements: one event {single}, {BATCH} of one account {hot}, {BATCH} accounts {spread}");
    let (at_most, bound) = if is_sqlite(fresh) { (7, TABLES) } else { (3, 0) };
    assert!(single <= at_most, "{single}");
    assert!(hot <= single + bound && spread <= single + bound, "{single}, {hot}, {spread}");
}

db_test!(statements, a_commit_of_500_events_takes_the_statements_of_one);

/// On SQLite rows of transfers, entries and wallets come on top of the tables of usage.
const WALLET_TABLES: u64 = TABLES + 3;

/// What the wallet pays costs one statement to read and one to write, on SQLite one for each of its tables, however many
/// events and accounts.
async fn a_commit_that_wallets_pay_takes_as_few(fresh: &Fresh) {
    let scene = Scene::with(&fresh.url, &super::wallet::PAID_FROM_THE_WALLET).await;
    let accounts = scene.accounts(BATCH).await;
    for account in &accounts {
        scene.fund(*account, 1_000_000_000_000).await;
    }
    let database = Arc::new(connect(&DatabaseSettings { url: fresh.url.clone(), max_connections: 2 }).await.unwrap());
    let store: Arc<dyn Store> = database.clone();
    let metering = MeteringService::new(store, scene.services.clock.clone(), scene.services.catalogue.clone());
    let over_all = |key: &str| accounts.iter().map(|account| command(*account, "words", 1, key)).collect::<Vec<_>>();
    let on_one = |key: &str| (0..BATCH).map(|n| command(accounts[0], "words", 1, &format!("{key}-{n}"))).collect();
    let cost = async |batch: Vec<Consume>| {
        let before = database.statements();
        let outcomes = metering.consume(&batch).await.unwrap();
        assert!(outcomes.iter().all(|outcome| outcome.as_ref().is_ok_and(|receipt| receipt.record.transfer.is_some())));
        database.statements() - before
    };
    cost(over_all("first")).await;
    let single = cost(vec![command(accounts[0], "words", 1, "single")]).await;
    let (hot, spread) = (cost(on_one("hot")).await, cost(over_all("spread")).await);
    println!("statements of wallets: one event {single}, {BATCH} of one account {hot}, {BATCH} accounts {spread}");
    let (at_most, bound) = if is_sqlite(fresh) { (11, WALLET_TABLES) } else { (5, 0) };
    assert!(single <= at_most, "{single}");
    assert!(hot <= single + bound && spread <= single + bound, "{single}, {hot}, {spread}");
}

db_test!(wallet_statements, a_commit_that_wallets_pay_takes_as_few);

fn is_sqlite(fresh: &Fresh) -> bool {
    fresh.url.starts_with("sqlite:")
}
