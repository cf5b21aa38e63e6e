//! One batch over very many accounts, and one with very many keys: no statement grows past its limits.

use domain::metering::Consume;
use domain::quantity::Quantity;
use harness::databases::Fresh;
use harness::db_test;
use harness::scene::{Scene, command};

const ACCOUNTS: usize = 600;
const KEYS: usize = 700;

async fn a_batch_over_many_accounts_and_keys_is_consumed_and_repeated(fresh: &Fresh) {
    let scene = Scene::new(&fresh.url).await;
    let accounts = scene.accounts(ACCOUNTS).await;
    let mut batch: Vec<Consume> = accounts.iter().map(|account| command(*account, "words", 2, "k")).collect();
    let last = *accounts.iter().max().unwrap();
    batch.extend((0..KEYS).map(|key| command(last, "words", 1, &format!("k{key}"))));
    for duplicate in [false, true] {
        let outcomes = scene.services.metering.consume(&batch).await.unwrap();
        assert!(outcomes.iter().all(|outcome| outcome.as_ref().unwrap().duplicate == duplicate));
    }
    assert_eq!(scene.quota(accounts[0], "words").await.used, Quantity::atoms(2));
    assert_eq!(scene.quota(last, "words").await.used, Quantity::atoms(2 + i64::try_from(KEYS).unwrap()));
}

db_test!(wide, a_batch_over_many_accounts_and_keys_is_consumed_and_repeated);
