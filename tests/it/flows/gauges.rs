//! Gauges: grants hold at roll-over too, and what is released is never refused.

use domain::plans::SubscriptionStatus;
use domain::quantity::Quantity;
use harness::databases::Fresh;
use harness::db_test;
use harness::scene::{Scene, command};

/// Storage is counted in thousandths of a MB.
const GB: i64 = 1024 * 1000;

async fn what_a_grant_covers_is_not_owed_in_the_next_period_either(fresh: &Fresh) {
    let scene = Scene::new(&fresh.url).await;
    let customer = scene.customer(Some("professional")).await;
    scene.give(&customer, "storage", 50 * GB).await;
    scene.consume_one(command(customer.account, "storage", 120 * GB, "store")).await.unwrap();
    for _ in 0..2 {
        let quota = scene.quota(customer.account, "storage").await;
        assert_eq!((quota.used, quota.overage), (Quantity::atoms(120 * GB), Quantity::ZERO));
        assert!(quota.overage_fee.is_zero());
        let view = scene.services.metering.quota(customer.account).await.unwrap();
        scene.move_clock(view.subscription.period.end);
    }
}

db_test!(granted, what_a_grant_covers_is_not_owed_in_the_next_period_either);

async fn a_suspended_account_may_still_release(fresh: &Fresh) {
    let scene = Scene::new(&fresh.url).await;
    let customer = scene.customer(Some("professional")).await;
    scene.consume_one(command(customer.account, "storage", 5 * GB, "store")).await.unwrap();
    let work = scene.services.store.begin().await.unwrap();
    work.accounts().lock(customer.account).await.unwrap();
    let mut subscription = work.subscriptions().find(customer.account).await.unwrap().unwrap();
    subscription.status = SubscriptionStatus::Suspended;
    work.subscriptions().save(&subscription).await.unwrap();
    work.commit().await.unwrap();
    assert!(scene.consume_one(command(customer.account, "storage", 1, "more")).await.is_err());
    scene.consume_one(command(customer.account, "storage", -2 * GB, "less")).await.unwrap();
    assert_eq!(scene.quota(customer.account, "storage").await.used, Quantity::atoms(3 * GB));
}

db_test!(released, a_suspended_account_may_still_release);
