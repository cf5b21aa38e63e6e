//! Late and early events: they count where they occurred while that is open, else as adjustments.

use chrono::TimeDelta;
use domain::metering::{Consume, MAX_EARLY, MAX_LATE, Rejection};
use domain::quantity::Quantity;
use harness::databases::Fresh;
use harness::db_test;
use harness::scene::{Scene, command};

async fn a_late_event_counts_in_its_own_period_until_that_is_closed(fresh: &Fresh) {
    let scene = Scene::new(&fresh.url).await;
    let customer = scene.customer(Some("professional")).await;
    let account = customer.account;
    scene.consume_one(command(account, "words", 299_000, "first")).await.unwrap();
    let ended = scene.services.metering.quota(account).await.unwrap().subscription.period;
    scene.move_clock(ended.end + TimeDelta::days(1));
    scene.consume_one(command(account, "words", 10, "new")).await.unwrap();

    let late = |key: &str| Consume {
        occurred_at: Some(ended.end - TimeDelta::microseconds(1)),
        ..command(account, "words", 2_000, key)
    };
    let receipt = scene.consume_one(late("late")).await.unwrap();
    assert_eq!(receipt.record.period_start, ended.start);
    assert!(!receipt.record.adjustment);
    assert_eq!(receipt.record.drawn.overage, Quantity::atoms(1_000), "against the old period's allowance");
    assert_eq!(receipt.record.warnings.iter().map(|t| t.get()).collect::<Vec<_>>(), [100]);
    assert_eq!(scene.quota(account, "words").await.used, Quantity::atoms(10), "the new period is untouched");

    close(&scene, account, ended.end).await;
    let adjusted = scene.consume_one(late("later")).await.unwrap();
    assert!(adjusted.record.adjustment);
    assert_eq!(adjusted.record.period_start, ended.end);
    assert_eq!(scene.quota(account, "words").await.used, Quantity::atoms(2_010));
}

/// What closing a month will do to the subscription.
async fn close(scene: &Scene, account: domain::id::AccountId, until: chrono::DateTime<chrono::Utc>) {
    let work = scene.services.store.begin().await.unwrap();
    work.accounts().lock(account).await.unwrap();
    let mut subscription = work.subscriptions().find(account).await.unwrap().unwrap();
    subscription.closed_until = Some(until);
    work.subscriptions().save(&subscription).await.unwrap();
    work.commit().await.unwrap();
}

db_test!(late, a_late_event_counts_in_its_own_period_until_that_is_closed);

async fn too_late_and_too_early_are_invalid_but_a_repetition_is_always_answered(fresh: &Fresh) {
    let scene = Scene::new(&fresh.url).await;
    let account = scene.customer(None).await.account;
    let at = |offset: TimeDelta, key: &str| Consume {
        occurred_at: Some(scene.now() + offset),
        ..command(account, "words", 1, key)
    };
    let minute = TimeDelta::minutes(1);
    assert!(matches!(scene.consume_one(at(MAX_EARLY + minute, "early")).await, Err(Rejection::Invalid(_))));
    assert!(matches!(scene.consume_one(at(-MAX_LATE - minute, "late")).await, Err(Rejection::Invalid(_))));
    let kept = at(TimeDelta::zero(), "kept");
    scene.consume_one(kept.clone()).await.unwrap();
    scene.move_clock(scene.now() + MAX_LATE + TimeDelta::days(30));
    assert!(scene.consume_one(kept).await.unwrap().duplicate);
}

db_test!(bounds, too_late_and_too_early_are_invalid_but_a_repetition_is_always_answered);
