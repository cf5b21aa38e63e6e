//! Group commit: many callers, one unit of work; a poisonous command fails alone; a full queue says so.

use api::committer::Committer;
use domain::error::Error;
use domain::id::AccountId;
use domain::metering::{MeteringService, Rejection};
use domain::plans::Catalogue;
use domain::quantity::Quantity;
use domain::store::StoreError;
use domain::testing::{FixedClock, MockStore, MockWork};
use harness::databases::Fresh;
use harness::db_test;
use harness::scene::{Scene, command};
use std::sync::Arc;
use tokio::runtime::Handle;

const CALLERS: i64 = 400;
const ACCOUNTS: usize = 4;

async fn every_caller_gets_its_own_outcome(fresh: &Fresh) {
    let scene = Arc::new(Scene::new(&fresh.url).await);
    let mut accounts = Vec::new();
    for _ in 0..ACCOUNTS {
        accounts.push(scene.customer(None).await.account);
    }
    let callers = (0..CALLERS).map(|caller| {
        let (scene, account) = (scene.clone(), accounts[usize::try_from(caller).unwrap() % ACCOUNTS]);
        tokio::spawn(async move {
            let commands = vec![
                command(account, "words", caller + 1, &format!("k{caller}")),
                command(account, "words", 0, "zero"),
            ];
            (caller, scene.services.committer.consume(commands).await.unwrap())
        })
    });
    for caller in futures_util::future::join_all(callers).await {
        let (caller, outcomes) = caller.unwrap();
        assert_eq!(outcomes[0].as_ref().unwrap().record.quantity, Quantity::atoms(caller + 1));
        assert!(matches!(outcomes[1], Err(Rejection::Invalid(_))));
    }
    let mut used = 0;
    for account in accounts {
        used += scene.quota(account, "words").await.used.as_atoms();
    }
    assert_eq!(used, CALLERS * (CALLERS + 1) / 2);
}

db_test!(callers, every_caller_gets_its_own_outcome);

fn committer(store: MockStore, capacity: usize) -> Committer {
    let document = serde_json::json!({
        "meters": {"words": {"unit": "word", "scale": 0, "kind": "counter"}},
        "plans": {"free": {"price": {"month": "0.00 CNY"}, "meters": {"words": {"included": 1, "on_exhausted": "refuse"}}}},
        "warnings": {"at": []},
        "billing": {"currency": "CNY", "time_zone": "Asia/Shanghai", "default_plan": "free"}
    });
    let catalogue = Arc::new(Catalogue::parse(&document).unwrap());
    let clock = Arc::new(FixedClock(chrono::DateTime::from_timestamp(1_800_000_000, 0).unwrap()));
    let metering = Arc::new(MeteringService::new(Arc::new(store), clock, catalogue));
    Committer::start(&metering, 1, capacity, &Handle::current())
}

/// A unit of work that fails, or finds no account.
fn work(failure: Option<StoreError>) -> MockWork {
    let mut work = MockWork::default();
    work.accounts.expect_lock_many().return_once(|_| failure.map_or(Ok(Vec::new()), Err));
    work.standings.expect_load().returning(|_| Ok(Vec::new()));
    work.plans.expect_find_versions().returning(|_| Ok(Vec::new()));
    work.counters.expect_load().returning(|_| Ok(Vec::new()));
    work.grants.expect_load_live().returning(|_, _| Ok(Vec::new()));
    work.usage.expect_find_by_keys().returning(|_| Ok(Vec::new()));
    work
}

fn poison() -> StoreError {
    StoreError::Other("a poisonous command".into())
}

/// Sends two callers' commands in the same moment, so that they meet in one commit.
async fn two_callers(committer: &Committer) -> [domain::error::Result<Vec<domain::metering::Outcome>>; 2] {
    let account = AccountId::from_uuid(uuid::Uuid::now_v7());
    let send = |key: &'static str| committer.consume(vec![command(account, "words", 1, key)]);
    let (first, second) = tokio::join!(send("a"), send("b"));
    [first, second]
}

#[tokio::test]
async fn a_poisonous_command_fails_alone() {
    let store =
        MockStore::default().beginning(work(Some(poison()))).beginning(work(Some(poison()))).beginning(work(None));
    let [first, second] = two_callers(&committer(store, 10)).await;
    assert!(matches!(first, Err(Error::Store(StoreError::Other(_)))));
    assert_eq!(second.unwrap(), [Err(Rejection::UnknownAccount)]);
}

#[tokio::test]
async fn when_the_database_is_away_all_callers_hear_so_at_once() {
    let away = Some(StoreError::Unavailable("no connection".into()));
    let [first, second] = two_callers(&committer(MockStore::default().beginning(work(away)), 10)).await;
    assert!(matches!((first, second), (Err(Error::Unavailable), Err(Error::Unavailable))));
}

#[tokio::test]
async fn a_full_queue_refuses_at_once_and_takes_more_when_it_is_empty_again() {
    let committer = committer(MockStore::default().beginning(work(None)).beginning(work(None)), 1);
    let [first, second] = two_callers(&committer).await;
    assert_eq!(first.unwrap(), [Err(Rejection::UnknownAccount)]);
    assert!(matches!(second, Err(Error::Unavailable)));
    let account = AccountId::from_uuid(uuid::Uuid::now_v7());
    let third = committer.consume(vec![command(account, "words", 1, "c")]).await;
    assert_eq!(third.unwrap(), [Err(Rejection::UnknownAccount)]);
}
