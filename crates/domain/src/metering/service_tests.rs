use super::*;
use crate::accounts::Account;
use crate::error::{Error, LimitKind};
use crate::id::{AccountId, PlanVersionId, UserId};
use crate::metering::{Consume, Dimensions, Rejection, Source, Standing, UsageKey};
use crate::plans::{Choice, Interval, MeterCode, PlanVersion, Subscription, SubscriptionStatus};
use crate::quantity::Quantity;
use crate::store::StoreError;
use crate::testing::{FixedClock, MockStore, MockWork};
use chrono::{DateTime, Utc};
use serde_json::json;

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000, 0).unwrap()
}

/// A thousand words included, then 0.50 a thousand; `plain` refuses.
fn catalogue() -> Arc<Catalogue> {
    let document = json!({
        "meters": {"words": {"unit": "word", "scale": 0, "kind": "counter"}},
        "plans": {
            "free": {"price": {"month": "0.00 CNY"}, "meters": {"words": {"included": 1000, "on_exhausted": "refuse"}}},
            "pro": {"price": {"month": "9.00 CNY"}, "meters": {"words": {"included": 1000, "on_exhausted": "overage",
                "overage": {"per": 1000, "price": "0.50 CNY", "round": "exact"}}}}
        },
        "warnings": {"at": [80, 100]},
        "billing": {"currency": "CNY", "time_zone": "Asia/Shanghai", "default_plan": "free"}
    });
    Arc::new(Catalogue::parse(&document).unwrap())
}

fn account() -> Account {
    let id = AccountId::new(now());
    Account::personal(id, UserId::new(now()), "zhang".to_owned(), now())
}

fn version(plan: &str) -> Arc<PlanVersion> {
    let plan = catalogue().plans.values().find(|found| found.code.as_str() == plan).unwrap().clone();
    let id = PlanVersionId::new(now());
    Arc::new(PlanVersion { id, plan, number: 1, content_hash: String::new(), created_at: now() })
}

fn command(account: &Account, quantity: i64, key: &str) -> Consume {
    Consume {
        account: account.id,
        meter: MeterCode::parse("words").unwrap(),
        quantity: Quantity::atoms(quantity),
        key: UsageKey::parse(key).unwrap(),
        occurred_at: None,
        dimensions: Dimensions::default(),
        user: None,
        api_key: None,
        key_is_limited: false,
    }
}

/// A unit of work that finds the account on the plan and nothing used.
fn finding(account: &Account, plan: &Arc<PlanVersion>, status: SubscriptionStatus) -> MockWork {
    let chosen = Choice { version: plan.id, plan: plan.plan.code.clone(), interval: Interval::Month, seats: 1 };
    let begun = Subscription::begin(account.id, chosen, chrono_tz::Asia::Shanghai, now());
    let (account, plan) = (account.clone(), plan.clone());
    let mut work = MockWork::default();
    work.accounts.expect_lock_many().once().return_once(move |_| Ok(vec![account]));
    let subscription = Subscription { status, ..begun };
    let standing = Standing { subscription, counters: Vec::new(), has_grants: false };
    work.standings.expect_load().return_once(move |_| Ok(vec![standing]));
    work.plans.expect_find_versions().return_once(move |_| Ok(vec![plan]));
    work
}

fn service(store: &Arc<MockStore>) -> MeteringService {
    MeteringService::new(store.clone(), Arc::new(FixedClock(now())), catalogue())
}

#[pollster::test]
async fn use_past_the_allowance_is_counted_priced_and_warned_of_in_one_commit() {
    let (account, plan) = (account(), version("pro"));
    let mut work = finding(&account, &plan, SubscriptionStatus::Active);
    let as_expected = |booked: &Booked, _: &DateTime<Utc>| {
        booked.usage[0].record.drawn.fee.to_decimal() == "0.25"
            && booked.rollup.hourly.len() == 1
            && booked.counters.len() == 1
            && booked.counters[0].used == Quantity::atoms(1500)
            && booked.counters[0].drawn.overage == Quantity::atoms(500)
    };
    work.usage.expect_book().once().withf(as_expected).return_once(|_, _| Ok(()));
    work.warnings.expect_insert().once().withf(|fired| fired.len() == 2).return_once(|_| Ok(()));
    work.outbox
        .expect_push()
        .once()
        .withf(|events| events.iter().all(|e| e.kind == "quota.warning"))
        .return_once(|_| Ok(()));
    let store = Arc::new(MockStore::default().beginning(work));

    let outcome = service(&store).consume(&[command(&account, 1500, "k")]).await.unwrap().pop().unwrap().unwrap();

    let sources: Vec<_> = outcome.record.parts().iter().map(|part| part.source).collect();
    assert_eq!(sources, [Source::Allowance, Source::Overage]);
    assert_eq!(store.commits(), 1);
}

#[pollster::test]
async fn a_refused_command_writes_nothing() {
    let (account, plan) = (account(), version("free"));
    let mut work = finding(&account, &plan, SubscriptionStatus::Active);
    work.usage.expect_find_by_keys().return_once(|_| Ok(Vec::new()));
    let store = Arc::new(MockStore::default().beginning(work));

    let outcome = service(&store).consume(&[command(&account, 1001, "k")]).await.unwrap().pop().unwrap();

    let Err(Rejection::Refused(refusal)) = outcome else { panic!("{outcome:?}") };
    assert_eq!((refusal.limit, refusal.remaining), (LimitKind::PlanAllowance, Quantity::atoms(1000)));
}

#[pollster::test]
async fn a_suspended_subscription_refuses_and_names_itself() {
    let (account, plan) = (account(), version("pro"));
    let mut work = finding(&account, &plan, SubscriptionStatus::Suspended);
    work.usage.expect_find_by_keys().return_once(|_| Ok(Vec::new()));
    let store = Arc::new(MockStore::default().beginning(work));

    let outcome = service(&store).consume(&[command(&account, 1, "k")]).await.unwrap().pop().unwrap();

    assert!(matches!(outcome, Err(Rejection::Refused(refusal)) if refusal.limit == LimitKind::SubscriptionStatus));
}

#[pollster::test]
async fn a_key_taken_by_another_replica_is_looked_up_again_and_answered_as_a_duplicate() {
    let (account, plan) = (account(), version("pro"));
    let mut losing = finding(&account, &plan, SubscriptionStatus::Active);
    losing.usage.expect_book().return_once(|_, _| Err(StoreError::Duplicate));
    let mut second = finding(&account, &plan, SubscriptionStatus::Active);
    let command = command(&account, 5, "k");
    let saved = won_by_another(&account, &plan, &command).await;
    let first_id = saved.record.id;
    second.usage.expect_find_by_keys().return_once(move |_| Ok(vec![saved.into()]));
    let store = Arc::new(MockStore::default().beginning(losing).beginning(second));

    let receipt = service(&store).consume(std::slice::from_ref(&command)).await.unwrap().pop().unwrap().unwrap();

    assert!(receipt.duplicate);
    assert_eq!(receipt.record.id, first_id);
    assert_eq!(store.commits(), 1, "the losing unit of work was dropped");
}

/// What the other replica wrote.
async fn won_by_another(account: &Account, plan: &Arc<PlanVersion>, command: &Consume) -> SavedUsage {
    let mut work = finding(account, plan, SubscriptionStatus::Active);
    work.usage.expect_book().return_once(|_, _| Ok(()));
    let store = Arc::new(MockStore::default().beginning(work));
    let receipt = service(&store).consume(std::slice::from_ref(command)).await.unwrap().pop().unwrap().unwrap();
    SavedUsage { record: receipt.record, fingerprint: command.fingerprint() }
}

#[pollster::test]
async fn a_repetition_that_would_be_refused_now_is_answered_with_the_first_receipt() {
    let (account, plan) = (account(), version("free"));
    let first = command(&account, 600, "k");
    let saved = won_by_another(&account, &plan, &first).await;
    let first_id = saved.record.id;
    let mut work = finding(&account, &plan, SubscriptionStatus::Suspended);
    work.usage.expect_find_by_keys().once().withf(|keys| keys.len() == 2).return_once(move |_| Ok(vec![saved.into()]));
    let store = Arc::new(MockStore::default().beginning(work));

    let batch = [first, command(&account, 1, "new")];
    let outcomes = service(&store).consume(&batch).await.unwrap();

    assert!(matches!(&outcomes[0], Ok(receipt) if receipt.duplicate && receipt.record.id == first_id));
    assert!(matches!(outcomes[1], Err(Rejection::Refused(_))));
}

#[pollster::test]
async fn a_refused_command_is_not_taken_for_a_later_one_of_its_batch() {
    let (account, plan) = (account(), version("free"));
    let mut work = finding(&account, &plan, SubscriptionStatus::Active);
    work.usage.expect_find_by_keys().once().return_once(|_| Ok(Vec::new()));
    work.usage.expect_book().once().withf(|booked, _| booked.usage.len() == 1).return_once(|_, _| Ok(()));
    let store = Arc::new(MockStore::default().beginning(work));

    let batch = [command(&account, 1_001, "k"), command(&account, 500, "k")];
    let outcomes = service(&store).consume(&batch).await.unwrap();

    assert!(matches!(outcomes[0], Err(Rejection::Refused(_))));
    assert!(matches!(&outcomes[1], Ok(receipt) if !receipt.duplicate));
}

#[pollster::test]
async fn contention_is_tried_again_and_given_up_after_a_bounded_number_of_attempts() {
    let account = account();
    let contended = || {
        let mut work = MockWork::default();
        work.accounts.expect_lock_many().return_once(|_| Err(StoreError::Contended));
        work
    };
    let attempts = usize::try_from(crate::store::MAX_ATTEMPTS).unwrap();
    let store = Arc::new((0..attempts).fold(MockStore::default(), |store, _| store.beginning(contended())));

    let failed = service(&store).consume(&[command(&account, 1, "k")]).await;

    assert!(matches!(failed, Err(Error::Store(StoreError::Contended))));
    assert_eq!(store.commits(), 0);
}

#[pollster::test]
async fn what_is_invalid_on_its_face_begins_no_unit_of_work() {
    let account = account();
    let store = Arc::new(MockStore::default());
    let batch = [command(&account, 0, "zero"), command(&account, -1, "negative")];
    let outcomes = service(&store).consume(&batch).await.unwrap();
    assert!(outcomes.iter().all(|outcome| matches!(outcome, Err(Rejection::Invalid(_)))));
}

#[pollster::test]
async fn an_event_of_now_counts_in_its_own_period_even_when_another_replica_rolled_over_before() {
    let (account, plan) = (account(), version("pro"));
    let mut work = finding(&account, &plan, SubscriptionStatus::Active);
    let chosen = Choice { version: plan.id, plan: plan.plan.code.clone(), interval: Interval::Month, seats: 1 };
    let own = Subscription::begin(account.id, chosen.clone(), chrono_tz::Asia::Shanghai, now());
    let ahead = own.advance(own.period.end, &chosen).subscription;
    let (id, period) = (account.id, own.open_period());
    let own_start = own.period.start;
    work.standings.checkpoint();
    let standing = Standing { subscription: ahead, counters: Vec::new(), has_grants: false };
    work.standings.expect_load().return_once(move |_| Ok(vec![standing]));
    work.counters.expect_load().return_once(|_| Ok(Vec::new()));
    work.subscriptions.expect_periods_since().return_once(move |_, _| Ok(vec![(id, period)]));
    work.plans.checkpoint();
    work.plans.expect_find_versions().returning(move |_| Ok(vec![plan.clone()]));
    work.usage.expect_book().return_once(|_, _| Ok(()));
    let store = Arc::new(MockStore::default().beginning(work));

    let receipt = service(&store).consume(&[command(&account, 1, "k")]).await.unwrap().pop().unwrap().unwrap();

    assert_eq!((receipt.record.period_start, receipt.record.adjustment), (own_start, false));
}

#[pollster::test]
async fn a_repetition_whose_row_was_deleted_is_named_and_counts_nothing() {
    let (account, plan) = (account(), version("free"));
    let (same, other) = (command(&account, 5, "k"), command(&account, 6, "k"));
    let used = crate::metering::UsedKey {
        account: account.id,
        key: "k".to_owned(),
        usage: crate::id::UsageId::new(now()),
        fingerprint: same.fingerprint(),
        record: None,
    };
    let usage = used.usage;
    let mut work = finding(&account, &plan, SubscriptionStatus::Active);
    work.usage.expect_find_by_keys().return_once(move |_| Ok(vec![used]));
    let mut losing = finding(&account, &plan, SubscriptionStatus::Active);
    losing.usage.expect_book().return_once(|_, _| Err(StoreError::Duplicate));
    let store = Arc::new(MockStore::default().beginning(losing).beginning(work));

    let outcomes = service(&store).consume(&[same, other]).await.unwrap();

    assert_eq!(outcomes, [Err(Rejection::ReceiptDeleted(usage)), Err(Rejection::KeyReused)]);
}
