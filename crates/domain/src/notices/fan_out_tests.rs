use super::super::samples;
use super::*;
use crate::notices::{DISABLED_EVENT, EndpointState, Topics};
use crate::testing::{FixedClock, MockStore, MockWork};
use serde_json::json;

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000, 0).unwrap()
}

fn fan_out(reads: MockWork, work: MockWork, mail: bool) -> (FanOut, Arc<MockStore>) {
    let store = Arc::new(MockStore::reading(reads).beginning(work));
    let clock = Arc::new(FixedClock(now()));
    (FanOut { store: store.clone(), clock, mail, holder: Uuid::nil() }, store)
}

/// A unit of work in which this replica may fan out these events to these endpoints.
fn work(events: Vec<StoredEvent>, endpoints: Vec<WebhookEndpoint>) -> (MockWork, MockWork) {
    let (mut reads, mut work) = (MockWork::default(), MockWork::default());
    let first = events[0].clone();
    reads.outbox.expect_waiting().return_once(move |_| Ok(vec![first]));
    work.leases.expect_claim().return_once(|_, _, _, _| Ok(true));
    work.outbox.expect_waiting().return_once(move |_| Ok(events));
    work.webhooks.expect_of_accounts().return_once(move |_| Ok(endpoints));
    (reads, work)
}

fn expect_writes(work: &mut MockWork, lanes: Vec<LaneId>, positions: Vec<i64>, notices: usize) {
    let events = positions.iter().collect::<BTreeSet<_>>().len().max(notices) as u64;
    work.notices.expect_insert().withf(move |rows| rows.len() == notices).return_once(|_| Ok(()));
    work.deliveries
        .expect_insert()
        .withf(move |rows| rows.iter().map(|row| row.position).collect::<Vec<_>>() == positions)
        .return_once(|_| Ok(()));
    work.lanes.expect_wake().withf(move |woken, _| woken == lanes).return_once(|_, _| Ok(()));
    work.outbox.expect_mark_fanned_out().return_once(move |_, _| Ok(events));
}

fn endpoint_of(account: AccountId) -> WebhookEndpoint {
    WebhookEndpoint { account, ..samples::endpoint(now()) }
}

#[pollster::test]
async fn an_event_becomes_a_notice_and_a_delivery_for_each_endpoint_that_hears_it() {
    let account = AccountId::new(now());
    let hears = endpoint_of(account);
    let deaf = WebhookEndpoint { topics: Topics::read(vec!["other.*".into()]).unwrap(), ..endpoint_of(account) };
    let off = WebhookEndpoint { state: EndpointState::Failed, ..endpoint_of(account) };
    let strangers = endpoint_of(AccountId::new(now()));
    let events = vec![samples::event(account, 7, now()), samples::event(account, 8, now())];
    let lane = Lane::of_endpoint(account, hears.id).id;
    let (reads, mut work) = work(events, vec![hears, deaf, off, strangers]);
    expect_writes(&mut work, vec![lane], vec![7, 8], 2);
    let (fan_out, store) = fan_out(reads, work, false);
    assert_eq!(fan_out.round().await.unwrap(), 2);
    assert_eq!(store.commits(), 1);
}

#[pollster::test]
async fn an_event_with_a_text_is_mailed_when_mail_is_on() {
    let account = AccountId::new(now());
    let other = StoredEvent { kind: "team.joined".to_owned(), ..samples::event(account, 2, now()) };
    let (reads, mut work) = work(vec![samples::event(account, 1, now()), other], Vec::new());
    work.lanes.expect_existing().return_once(|_| Ok(Vec::new()));
    work.lanes.expect_open().withf(move |lanes| *lanes == [Lane::of_mail(account)]).return_once(|_| Ok(()));
    expect_writes(&mut work, vec![Lane::of_mail(account).id], vec![1], 2);
    let (fan_out, store) = fan_out(reads, work, true);
    assert_eq!(fan_out.round().await.unwrap(), 2);
    assert_eq!(store.commits(), 1);
}

#[pollster::test]
async fn a_trial_is_told_to_its_endpoint_only_and_is_no_notice() {
    let account = AccountId::new(now());
    let tried = WebhookEndpoint { topics: Topics::read(vec![DISABLED_EVENT.into()]).unwrap(), ..endpoint_of(account) };
    let payload = json!({ "endpoint": tried.id });
    let trial = StoredEvent { kind: TEST_EVENT.to_owned(), payload, ..samples::event(account, 3, now()) };
    let lane = Lane::of_endpoint(account, tried.id).id;
    let (reads, mut work) = work(vec![trial], vec![tried, endpoint_of(account)]);
    expect_writes(&mut work, vec![lane], vec![3], 0);
    let (fan_out, _) = fan_out(reads, work, false);
    assert_eq!(fan_out.round().await.unwrap(), 1);
}

#[pollster::test]
async fn while_another_replica_fans_out_nothing_is_written() {
    let mut reads = MockWork::default();
    let event = samples::event(AccountId::new(now()), 1, now());
    reads.outbox.expect_waiting().return_once(move |_| Ok(vec![event]));
    let mut work = MockWork::default();
    work.leases.expect_claim().return_once(|_, _, _, _| Ok(false));
    let (fan_out, store) = fan_out(reads, work, true);
    assert_eq!(fan_out.round().await.unwrap(), 0);
    assert_eq!(store.commits(), 0);
}

#[pollster::test]
async fn events_that_another_marked_meanwhile_undo_the_whole_chunk() {
    let (reads, mut work) = work(vec![samples::event(AccountId::new(now()), 1, now())], Vec::new());
    work.notices.expect_insert().return_once(|_| Ok(()));
    work.deliveries.expect_insert().return_once(|_| Ok(()));
    work.lanes.expect_wake().return_once(|_, _| Ok(()));
    work.outbox.expect_mark_fanned_out().return_once(|_, _| Ok(0));
    let (fan_out, store) = fan_out(reads, work, false);
    assert!(fan_out.round().await.is_err());
    assert_eq!(store.commits(), 0);
}
