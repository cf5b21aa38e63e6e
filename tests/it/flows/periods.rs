//! Periods end: by the first touch or by the background loop, with the same result.

use chrono::{DateTime, TimeDelta, Utc};
use domain::id::AccountId;
use domain::metering::QuotaView;
use domain::quantity::Quantity;
use domain::time::local_day;
use harness::databases::Fresh;
use harness::db_test;
use harness::scene::{Scene, command};

fn atoms(n: i64) -> Quantity {
    Quantity::atoms(n)
}

/// 100 GB of storage are included; this is a GB, and the meter has three decimals.
const GB: i64 = 1024 * 1000;

async fn use_up(scene: &Scene, account: AccountId) {
    scene.consume_one(command(account, "words", 250_000, "words")).await.unwrap();
    scene.consume_one(command(account, "storage", 103 * GB, "storage")).await.unwrap();
    scene.consume_one(command(account, "storage", -GB, "less")).await.unwrap();
}

/// Meter, used, overage, fee, warnings and what remains.
type Row = (String, i64, i64, i64, Vec<u16>, Option<i64>);

/// What must be equal, without ids and times of writing.
fn comparable(view: &QuotaView) -> Vec<Row> {
    let row = |quota: &domain::metering::MeterQuota| {
        let fired = quota.warnings_fired.iter().map(|percent| percent.get()).collect();
        let remaining = quota.remaining.map(Quantity::as_atoms);
        let (used, overage) = (quota.used.as_atoms(), quota.overage.as_atoms());
        (quota.meter.code.to_string(), used, overage, quota.overage_fee.nanos(), fired, remaining)
    };
    view.meters.iter().map(row).collect()
}

async fn first_touch_and_background_open_the_same_periods(fresh: &Fresh) {
    let scene = Scene::new(&fresh.url).await;
    let (idle, busy) = (scene.customer(Some("professional")).await, scene.customer(Some("professional")).await);
    for account in [idle.account, busy.account] {
        use_up(&scene, account).await;
    }
    let before = scene.services.metering.quota(busy.account).await.unwrap();
    assert_eq!(before.reset_date, local_day(before.subscription.period.end, before.subscription.zone));
    assert_eq!(comparable(&before)[1].2, 3 * GB, "the peak is owed, not the level");

    // Three periods pass; one account is touched by the loop in each, the other by a request at the end.
    let mut end = before.subscription.period.end;
    for _ in 0..3 {
        scene.move_clock(end);
        scene.services.metering.open_period(idle.account).await.unwrap();
        let view = scene.services.metering.quota(idle.account).await.unwrap();
        assert_eq!(view.subscription.period.start, end);
        end = view.subscription.period.end;
    }
    scene.consume_one(command(busy.account, "words", 1, "next")).await.unwrap();
    scene.consume_one(command(idle.account, "words", 1, "next")).await.unwrap();
    let by_loop = scene.services.metering.quota(idle.account).await.unwrap();
    let by_touch = scene.services.metering.quota(busy.account).await.unwrap();
    assert_eq!(comparable(&by_loop), comparable(&by_touch));
    assert_eq!(by_loop.subscription.period, by_touch.subscription.period);
    assert_eq!(storage_history(&scene, idle.account, end).await, storage_history(&scene, busy.account, end).await);

    let words = &by_touch.meters.iter().find(|quota| quota.meter.code.as_str() == "words").unwrap();
    assert_eq!((words.used, words.warnings_fired.len()), (atoms(1), 0));
    let storage = &by_touch.meters.iter().find(|quota| quota.meter.code.as_str() == "storage").unwrap();
    assert_eq!((storage.used, storage.overage), (atoms(102 * GB), atoms(2 * GB)), "carried, and owed anew");
}

async fn storage_history(scene: &Scene, account: AccountId, end: DateTime<Utc>) -> Vec<(DateTime<Utc>, i64, i64)> {
    let subscriptions = scene.services.store.subscriptions();
    let mut slots = Vec::new();
    let mut at = end - TimeDelta::days(1);
    while let Some(period) = subscriptions.find_period_at(account, at).await.unwrap() {
        slots.push((account, period.period.start));
        at = period.period.start - TimeDelta::microseconds(1);
    }
    let counters = scene.services.store.counters().load(&slots).await.unwrap();
    let storage = counters.into_iter().filter(|counter| counter.meter.as_str() == "storage");
    let mut rows: Vec<_> = storage
        .map(|counter| (counter.period.start, counter.peak.as_atoms(), counter.drawn.overage.as_atoms()))
        .collect();
    rows.sort_unstable();
    rows
}

db_test!(roll_over, first_touch_and_background_open_the_same_periods);

async fn the_loop_opens_every_due_account_once(fresh: &Fresh) {
    let scene = Scene::new(&fresh.url).await;
    let mut customers = Vec::new();
    for _ in 0..3 {
        let customer = scene.customer(None).await;
        use_up_free(&scene, customer.account).await;
        customers.push(customer);
    }
    let end = scene.services.metering.quota(customers[0].account).await.unwrap().subscription.period.end;
    let roll_over = async || scene.services.metering.roll_over_due(0).await.unwrap().done;
    assert_eq!(roll_over().await, 0);
    scene.move_clock(end + TimeDelta::days(40));
    assert_eq!(roll_over().await, 3);
    assert_eq!(roll_over().await, 0);
}

async fn use_up_free(scene: &Scene, account: AccountId) {
    scene.consume_one(command(account, "words", 30_000, "all")).await.unwrap();
    assert!(scene.consume_one(command(account, "words", 1, "more")).await.is_err());
}

db_test!(loop_opens, the_loop_opens_every_due_account_once);
