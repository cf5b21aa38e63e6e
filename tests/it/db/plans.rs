//! Plan versions, subscriptions and quota periods in the database.

use chrono::{DateTime, TimeDelta, Utc};
use domain::error::Error;
use domain::id::{AccountId, PlanVersionId};
use domain::metering::Standing;
use domain::money::{Currency, Money};
use domain::plans::{
    Catalogue, Choice, Interval, PlanCode, PlanService, PlanVersion, Subscription, SubscriptionStatus,
};
use domain::store::{Repositories, Store, StoreError, StoreResult};
use domain::testing::FixedClock;
use domain::time::Period;
use harness::db_test;
use infra::db::Database;
use serde_json::json;
use std::sync::Arc;

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp_micros(1_800_000_000_123_456).unwrap()
}

fn document(included: i64) -> serde_json::Value {
    json!({
        "meters": {"words": {"unit": "字", "scale": 0, "kind": "counter"}},
        "plans": {
            "free": {"name": "免费", "price": {"month": "0 CNY"}, "meters": {"words": {"included": included, "on_exhausted": "refuse"}}},
            "pro": {"price": {"month": "99 CNY", "year": "999 CNY"}, "meters": {"words": {"included": "unlimited",
                "on_exhausted": "overage", "overage": {"tiers": [{"up_to": 5, "per": 3, "price": "0.000000001 CNY"}, {"per": 1, "price": "1 CNY"}]}}}}
        },
        "warnings": {"at": [80, 100]},
        "billing": {"currency": "CNY", "time_zone": "Asia/Shanghai"}
    })
}

fn catalogue(included: i64) -> Arc<Catalogue> {
    Arc::new(Catalogue::parse(&document(included)).unwrap())
}

async fn publish(database: &Database, catalogue: &Arc<Catalogue>) -> Vec<Arc<PlanVersion>> {
    let store: Arc<dyn Store> = Arc::new(database.clone());
    let service = PlanService { store, clock: Arc::new(FixedClock(now())), catalogue: catalogue.clone() };
    service.publish().await.unwrap()
}

async fn insert_version(database: &Database, version: &PlanVersion) -> StoreResult<()> {
    let work = database.begin().await?;
    work.plans().insert(version).await?;
    work.commit().await
}

fn choice(plan: &str, interval: Interval) -> Choice {
    let version = PlanVersionId::new(now());
    Choice { version, plan: PlanCode::parse(plan).unwrap(), interval, seats: 3 }
}

async fn begun(database: &Database) -> Subscription {
    let account = AccountId::new(now());
    let subscription = Subscription::begin(account, choice("pro", Interval::Year), chrono_tz::Asia::Shanghai, now());
    let work = database.begin().await.unwrap();
    work.subscriptions().insert(&subscription).await.unwrap();
    work.subscriptions().put_periods(account, &[subscription.open_period()]).await.unwrap();
    work.commit().await.unwrap();
    subscription
}

db_test!(publishing_twice_stores_each_content_once, async |database: &Database| {
    let first = publish(database, &catalogue(30_000)).await;
    let again = publish(database, &catalogue(30_000)).await;
    assert_eq!(first, again);
    assert_eq!(database.plans().list().await.unwrap().len(), 2);
});

db_test!(a_changed_plan_is_the_next_version_and_the_old_one_stays, async |database: &Database| {
    let old = publish(database, &catalogue(30_000)).await;
    let new = publish(database, &catalogue(50_000)).await;
    assert_eq!((old[0].number, new[0].number, &old[1]), (1, 2, &new[1]));
    let free = PlanCode::parse("free").unwrap();
    assert_eq!(database.plans().latest(&free).await.unwrap().as_ref(), Some(&new[0]));
    let found = database.plans().find_versions(&[old[0].id, new[0].id]).await.unwrap();
    assert_eq!(found.len(), 2);
    // Back to the old configuration: the version that was sold then is on sale again.
    assert_eq!(publish(database, &catalogue(30_000)).await[0].id, old[0].id);
});

db_test!(a_second_version_with_the_same_content_or_number_is_a_duplicate, async |database: &Database| {
    let version = publish(database, &catalogue(1)).await[0].clone();
    let id = PlanVersionId::new(now());
    let same_content = PlanVersion { id, number: 7, ..(*version).clone() };
    assert!(matches!(insert_version(database, &same_content).await, Err(StoreError::Duplicate)));
    let same_number = PlanVersion { id, content_hash: "other".into(), ..(*version).clone() };
    assert!(matches!(insert_version(database, &same_number).await, Err(StoreError::Duplicate)));
});

db_test!(replicas_that_publish_at_once_agree, async |database: &Database| {
    let catalogue = catalogue(30_000);
    let publishing = (0..8).map(|_| {
        let (database, catalogue) = (database.clone(), catalogue.clone());
        tokio::spawn(async move { publish(&database, &catalogue).await })
    });
    let mut answers = Vec::new();
    for task in publishing.collect::<Vec<_>>() {
        answers.push(task.await.unwrap());
    }
    assert!(answers.iter().all(|answer| *answer == answers[0]));
    assert_eq!(database.plans().list().await.unwrap().len(), 2);
});

/// Publishes a catalogue with one more meter, of that scale.
async fn publish_with(database: Database, meter: String, scale: u8) -> Result<(), Error> {
    let mut document = document(1);
    document["meters"][meter] = json!({"unit": "x", "scale": scale, "kind": "counter"});
    let catalogue = Arc::new(Catalogue::parse(&document).unwrap());
    let store: Arc<dyn Store> = Arc::new(database);
    PlanService { store, clock: Arc::new(FixedClock(now())), catalogue }.publish().await.map(drop)
}

db_test!(replicas_that_start_with_other_meters_lose_none_of_each_others, async |database: &Database| {
    let name = |replica: u8| format!("meter_{replica}");
    let starting: Vec<_> =
        (0..8).map(|replica| tokio::spawn(publish_with(database.clone(), name(replica), 0))).collect();
    for start in starting {
        start.await.unwrap().unwrap();
    }
    for replica in 0..8 {
        let changed = publish_with(database.clone(), name(replica), 1).await;
        assert!(matches!(changed, Err(Error::Conflict { code: "meter_changed", .. })), "{replica}");
    }
});

db_test!(another_currency_does_not_start_on_an_old_database, async |database: &Database| {
    publish(database, &catalogue(1)).await;
    let document = document(1).to_string().replace("CNY", "USD");
    let catalogue = Arc::new(Catalogue::parse(&serde_json::from_str(&document).unwrap()).unwrap());
    let store: Arc<dyn Store> = Arc::new(database.clone());
    let service = PlanService { store, clock: Arc::new(FixedClock(now())), catalogue };
    assert!(matches!(service.publish().await, Err(Error::Conflict { code: "currency_changed", .. })));
});

db_test!(a_subscription_reads_back_whole, async |database: &Database| {
    let begun = begun(database).await;
    assert_eq!(database.subscriptions().find(begun.account).await.unwrap().as_ref(), Some(&begun));
    let changed = Subscription {
        status: SubscriptionStatus::PastDue,
        closed_until: Some(now()),
        paid: Some(Money::from_nanos(1, Currency::CNY)),
        selected_ai_model: Some("𠮷-4o".into()),
        scheduled: Some(choice("free", Interval::Month)),
        awaiting_payment: Some(choice("team", Interval::Year)),
        cancel_at_term_end: true,
        cancelled_at: Some(now()),
        updated_at: now() + TimeDelta::microseconds(1),
        ..begun
    };
    let work = database.begin().await.unwrap();
    work.subscriptions().save(&changed).await.unwrap();
    work.commit().await.unwrap();
    let stranger = AccountId::new(now());
    let found = database.standings().load(&[changed.account, stranger]).await.unwrap();
    assert_eq!(found, [Standing { subscription: changed, counters: Vec::new(), has_grants: false }]);
    assert_eq!(database.subscriptions().find(stranger).await.unwrap(), None);
});

db_test!(an_account_has_one_subscription, async |database: &Database| {
    let begun = begun(database).await;
    let work = database.begin().await.unwrap();
    assert!(matches!(work.subscriptions().insert(&begun).await, Err(StoreError::Duplicate)));
});

db_test!(the_period_at_a_time_is_half_open_and_keeps_its_plan, async |database: &Database| {
    let begun = begun(database).await;
    let free = choice("free", Interval::Month);
    let advance = begun.advance(begun.period.end, &free);
    let work = database.begin().await.unwrap();
    work.subscriptions().put_periods(begun.account, &advance.opened).await.unwrap();
    // The open period takes another plan; the one before keeps its own.
    let changed = advance.subscription.change_now(free.clone(), now());
    work.subscriptions().put_periods(begun.account, &[changed.open_period()]).await.unwrap();
    work.commit().await.unwrap();
    let at = async |time| database.subscriptions().find_period_at(begun.account, time).await.unwrap();
    let Period { start, end } = begun.period;
    assert_eq!(at(start - TimeDelta::microseconds(1)).await, None);
    assert_eq!(at(start).await, Some(begun.open_period()));
    assert_eq!(at(end - TimeDelta::microseconds(1)).await, Some(begun.open_period()));
    assert_eq!(at(end).await, Some(changed.open_period()));
    assert_eq!(at(changed.period.end).await, None);
});

db_test!(what_ended_is_due_and_nothing_else, async |database: &Database| {
    let begun = begun(database).await;
    let due = async |time, most| database.subscriptions().due(time, 0, most).await.unwrap();
    assert_eq!(due(begun.period.end - TimeDelta::microseconds(1), 10).await, []);
    assert_eq!(due(begun.period.end, 10).await, [begun.account]);
    assert_eq!(due(begun.period.end, 0).await, []);
});
