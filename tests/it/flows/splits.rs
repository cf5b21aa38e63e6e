//! However use is split over commands and batches, it costs the same and warns the same.

use domain::id::AccountId;
use domain::metering::{Consume, Rejection};
use domain::money::Money;
use harness::databases::Fresh;
use harness::db_test;
use harness::scene::{Scene, command};

/// Three decimals: 1.5 CU.
const STEP: i64 = 1_500;
const STEPS: i64 = 1_000;

async fn fee(scene: &Scene, account: AccountId) -> Money {
    scene.services.metering.quota(account).await.unwrap().total_overage_fee
}

async fn one_large_use_costs_what_a_thousand_small_ones_do(fresh: &Fresh) {
    let scene = Scene::new(&fresh.url).await;
    let (whole, batched) = (scene.customer(Some("professional")).await, scene.customer(Some("professional")).await);
    scene.consume_one(command(whole.account, "cu", STEP * STEPS, "whole")).await.unwrap();
    let small: Vec<Consume> =
        (0..STEPS).map(|step| command(batched.account, "cu", STEP, &format!("step{step}"))).collect();
    let mut fired = Vec::new();
    for batch in small.chunks(333) {
        for outcome in scene.services.metering.consume(batch).await.unwrap() {
            fired.extend(outcome.unwrap().record.warnings.iter().map(|threshold| threshold.get()));
        }
    }
    assert_eq!(fired, [80, 100]);
    // 1500 CU: 500 included, 500 at 0.10, 500 at 0.08.
    assert_eq!(fee(&scene, whole.account).await.to_decimal(), "90.00");
    assert_eq!(fee(&scene, batched.account).await, fee(&scene, whole.account).await);
    let both = [scene.quota(whole.account, "cu").await, scene.quota(batched.account, "cu").await];
    assert_eq!(both[0].used, both[1].used);
}

db_test!(splitting, one_large_use_costs_what_a_thousand_small_ones_do);

async fn a_rejected_command_does_not_touch_its_batch(fresh: &Fresh) {
    let scene = Scene::new(&fresh.url).await;
    let account = scene.customer(None).await.account;
    let stranger = AccountId::from_uuid(uuid::Uuid::now_v7());
    let batch = [
        command(account, "words", 20_000, "a"),
        command(account, "words", 20_000, "b"),
        command(account, "words", 10_000, "c"),
        command(account, "words", 20_000, "a"),
        command(account, "words", 1, "a"),
        command(account, "words", -1, "d"),
        command(stranger, "words", 1, "e"),
    ];
    let outcomes = scene.services.metering.consume(&batch).await.unwrap();
    assert!(outcomes[0].as_ref().is_ok_and(|receipt| !receipt.duplicate));
    assert!(matches!(&outcomes[1], Err(Rejection::Refused(refusal)) if refusal.remaining.as_atoms() == 10_000));
    assert!(outcomes[2].is_ok(), "what fits after a refusal is taken");
    assert!(outcomes[3].as_ref().is_ok_and(|receipt| receipt.duplicate));
    assert_eq!(outcomes[4], Err(Rejection::KeyReused));
    assert!(matches!(outcomes[5], Err(Rejection::Invalid(_))));
    assert_eq!(outcomes[6], Err(Rejection::UnknownAccount));
    assert_eq!(scene.quota(account, "words").await.used.as_atoms(), 30_000);
}

db_test!(mixed_batch, a_rejected_command_does_not_touch_its_batch);

async fn the_spend_cap_stops_the_sum_of_all_meters(fresh: &Fresh) {
    let scene = Scene::with(&fresh.url, &[("SUANPAN__BILLING__SPEND_CAP", "10.00 CNY")]).await;
    let account = scene.customer(Some("professional")).await.account;
    scene.consume_one(command(account, "words", 312_000, "words")).await.unwrap();
    assert_eq!(fee(&scene, account).await.to_decimal(), "6.00");
    let refused = scene.consume_one(command(account, "cu", 541_000, "too much")).await.unwrap_err();
    assert!(matches!(refused, Rejection::Refused(refusal)
        if refusal.limit.code() == "spend_cap_reached" && refusal.remaining.as_atoms() == 540_000));
    scene.consume_one(command(account, "cu", 540_000, "just")).await.unwrap();
    assert_eq!(fee(&scene, account).await.to_decimal(), "10.00");
    assert!(scene.consume_one(command(account, "words", 1, "one more")).await.is_err());
}

db_test!(spend_cap, the_spend_cap_stops_the_sum_of_all_meters);
