use super::*;
use crate::store::StoreError;
use crate::testing::{FixedClock, MockStore, MockWork};
use chrono::{DateTime, Utc};
use mockall::predicate::eq;

fn now() -> DateTime<Utc> {
    "2027-06-15T12:00:00Z".parse().unwrap()
}

fn month(text: &str) -> Month {
    text.parse().unwrap()
}

fn service(store: MockStore) -> (RetentionService, Arc<MockStore>) {
    let store = Arc::new(store);
    let clock = Arc::new(FixedClock(now()));
    (RetentionService { store: store.clone(), clock, months_ahead: 2, kept: Some(TimeDelta::days(60)) }, store)
}

fn creating(text: &str) -> MockWork {
    let mut work = MockWork::default();
    work.usage_months.expect_create().once().with(eq(month(text))).return_once(|_| Ok(()));
    work
}

#[pollster::test]
async fn this_month_and_those_ahead_are_made_each_in_its_own_unit_of_work() {
    let mut reads = MockWork::default();
    reads.usage_months.expect_partitions().returning(|| Ok(Some(vec![month("2027-06")])));
    reads.usage_months.expect_oldest_in_catch_all().returning(|| Ok(None));
    let store = MockStore::reading(reads).beginning(creating("2027-07")).beginning(creating("2027-08"));
    let (service, store) = service(store);
    assert_eq!(service.create_ahead().await.unwrap(), [month("2027-07"), month("2027-08")]);
    assert_eq!(store.commits(), 2);
}

#[pollster::test]
async fn rows_in_the_catch_all_get_their_month_first() {
    let mut reads = MockWork::default();
    let all = ["2027-06", "2027-07", "2027-08"];
    reads.usage_months.expect_partitions().returning(move || Ok(Some(all.map(month).to_vec())));
    let mut outside = vec![None, Some(month("2030-02")), Some(month("2029-12"))];
    reads.usage_months.expect_oldest_in_catch_all().returning(move || Ok(outside.pop().flatten()));
    let store = MockStore::reading(reads).beginning(creating("2029-12")).beginning(creating("2030-02"));
    let (service, _) = service(store);
    assert_eq!(service.create_ahead().await.unwrap(), [month("2029-12"), month("2030-02")]);
}

#[pollster::test]
async fn a_partition_that_others_are_using_is_tried_again() {
    let mut reads = MockWork::default();
    reads.usage_months.expect_partitions().returning(|| Ok(Some(vec![month("2026-01"), month("2027-06")])));
    let mut busy = MockWork::default();
    busy.usage_months.expect_drop_partition().return_once(|_| Err(StoreError::Contended));
    let mut free = MockWork::default();
    free.usage_months.expect_drop_partition().once().with(eq(month("2026-01"))).return_once(|_| Ok(()));
    let (service, store) = service(MockStore::reading(reads).beginning(busy).beginning(free));
    let removed = service.remove_next(month("2027-04"), None).await.unwrap();
    assert_eq!(removed, Some(Removed::Month(month("2026-01"))));
    assert_eq!(store.commits(), 1);
}

#[pollster::test]
async fn months_that_must_stay_are_not_dropped() {
    let mut reads = MockWork::default();
    reads.usage_months.expect_partitions().returning(|| Ok(Some(vec![month("2027-04"), month("2027-05")])));
    let (service, store) = service(MockStore::reading(reads));
    assert_eq!(service.remove_next(month("2027-04"), None).await.unwrap(), None);
    assert_eq!(store.commits(), 0);
}

#[pollster::test]
async fn without_partitions_rows_go_account_by_account_in_bounded_steps() {
    let account = AccountId::new(now());
    let mut reads = MockWork::default();
    reads.usage_months.expect_partitions().returning(|| Ok(None));
    reads
        .usage_months
        .expect_account_before()
        .returning(move |_, after| Ok(if after.is_none() { Some(account) } else { None }));
    let deleting = |rows: u64| {
        let mut work = MockWork::default();
        work.usage_months.expect_delete_before().once().return_once(move |_, _, most| Ok(rows.min(most)));
        work
    };
    let (service, store) = service(MockStore::reading(reads).beginning(deleting(CHUNK)).beginning(deleting(3)));
    let first = service.remove_next(month("2027-04"), None).await.unwrap();
    assert_eq!(first, Some(Removed::Rows(account, CHUNK)));
    let second = service.remove_next(month("2027-04"), first).await.unwrap();
    assert_eq!(second, Some(Removed::Rows(account, 3)));
    assert_eq!(service.remove_next(month("2027-04"), second).await.unwrap(), None);
    assert_eq!(store.commits(), 2);
}

#[pollster::test]
async fn rows_are_kept_for_good_unless_a_retention_is_set() {
    let (mut service, _) = service(MockStore::default());
    service.kept = None;
    assert_eq!(service.first_kept().await.unwrap(), None);
}
