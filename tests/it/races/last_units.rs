//! Fifty clients race for the last units of one account; every round also checks the books.

use super::rounds;
use domain::error::LimitKind;
use domain::id::AccountId;
use domain::metering::{Rejection, UsageFilter};
use domain::page::PageRequest;
use domain::quantity::Quantity;
use harness::databases::Fresh;
use harness::db_test;
use harness::scene::{Scene, command};
use std::sync::Arc;

const CLIENTS: i64 = 50;
/// What is left when they start; each takes `EACH`.
const LEFT: i64 = 60;
const EACH: i64 = 4;
const INCLUDED: i64 = 30_000;

async fn the_last_units_are_sold_once(fresh: &Fresh) {
    let scene = Arc::new(Scene::new(&fresh.url).await);
    for round in 0..rounds() {
        let account = scene.customer(None).await.account;
        let first = command(account, "words", INCLUDED - LEFT, "first");
        assert_eq!(warned(&scene.consume_one(first).await), [80], "round {round}");
        let racers = (0..CLIENTS).map(|client| {
            let scene = scene.clone();
            tokio::spawn(async move { scene.consume_one(command(account, "words", EACH, &format!("c{client}"))).await })
        });
        let outcomes: Vec<_> =
            futures_util::future::join_all(racers).await.into_iter().map(|outcome| outcome.unwrap()).collect();
        let accepted = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
        assert_eq!(i64::try_from(accepted).unwrap(), LEFT / EACH, "round {round}");
        for refused in outcomes.iter().filter_map(|outcome| outcome.as_ref().err()) {
            assert!(matches!(refused, Rejection::Refused(refusal) if refusal.limit == LimitKind::PlanAllowance));
        }
        let fired: Vec<u16> = outcomes.iter().flat_map(warned).collect();
        assert_eq!(fired, [100], "round {round}: each warning once");
        books_agree(&scene, account).await;
    }
}

db_test!(last_units, the_last_units_are_sold_once);

/// The same key from fifty clients at once is used once, and all hear of the same receipt.
async fn one_key_from_many_clients_counts_once(fresh: &Fresh) {
    let scene = Arc::new(Scene::new(&fresh.url).await);
    let account = scene.customer(None).await.account;
    let racers = (0..CLIENTS).map(|_| {
        let scene = scene.clone();
        tokio::spawn(async move { scene.consume_one(command(account, "words", 10, "same")).await })
    });
    let receipts: Vec<_> =
        futures_util::future::join_all(racers).await.into_iter().map(|outcome| outcome.unwrap().unwrap()).collect();
    assert_eq!(receipts.iter().filter(|receipt| !receipt.duplicate).count(), 1);
    assert!(receipts.iter().all(|receipt| receipt.record.id == receipts[0].record.id));
    assert_eq!(scene.quota(account, "words").await.used, Quantity::atoms(10));
}

db_test!(one_key, one_key_from_many_clients_counts_once);

fn warned(outcome: &domain::metering::Outcome) -> Vec<u16> {
    outcome.as_ref().map(|receipt| receipt.record.warnings.iter().map(|t| t.get()).collect()).unwrap_or_default()
}

/// Counter = sum of usage rows; warnings as listed.
async fn books_agree(scene: &Scene, account: AccountId) {
    let page = PageRequest { limit: 200, before: None };
    let rows = scene.services.metering.list_usage(account, &UsageFilter::default(), page).await.unwrap().rows;
    let sum: i64 = rows.iter().map(|row| row.quantity.as_atoms()).sum();
    let quota = scene.quota(account, "words").await;
    assert_eq!(quota.used, Quantity::atoms(sum));
    assert_eq!(quota.used, Quantity::atoms(INCLUDED));
    let warnings = scene.services.metering.list_warnings(account, None, page).await.unwrap().rows;
    let mut thresholds: Vec<u16> = warnings.iter().map(|warning| warning.threshold.get()).collect();
    thresholds.sort_unstable();
    assert_eq!(thresholds, [80, 100]);
}
