use super::super::lane::{FAILING_ALLOWED, FIRST_DELAY};
use super::super::ports::{MockMailer, MockWebhookSender};
use super::super::samples;
use super::*;
use crate::accounts::Account;
use crate::id::{AccountId, UserId};
use crate::identity::MockSecretSource;
use crate::notices::{EndpointState, MAX_ATTEMPTS};
use crate::testing::{FixedClock, MockStore, MockWork};

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000, 0).unwrap()
}

struct Stage {
    endpoint: WebhookEndpoint,
    lane: Lane,
    reads: MockWork,
    work: MockWork,
    sender: MockWebhookSender,
}

/// A lane in which deliveries of these attempts wait.
fn stage(attempts: &[u32]) -> Stage {
    let endpoint = samples::endpoint(now());
    let lane = Lane::of_endpoint(endpoint.account, endpoint.id);
    let mut events = Vec::new();
    let mut waiting = Vec::new();
    for (place, &attempts) in attempts.iter().enumerate() {
        let position = i64::try_from(place).unwrap();
        let event = samples::event(endpoint.account, position, now());
        let delivery = samples::delivery(now());
        waiting.push(Delivery { lane: lane.id, position, event: event.id, attempts, ..delivery });
        events.push(event);
    }
    let mut reads = MockWork::default();
    reads.deliveries.expect_waiting().return_once(move |_, _| Ok(waiting));
    // In any order, as a database answers.
    reads.outbox.expect_find().returning(move |_| Ok(events.iter().rev().cloned().collect()));
    Stage { endpoint, lane, reads, work: MockWork::default(), sender: MockWebhookSender::new() }
}

impl Stage {
    fn answering(mut self, outcomes: Vec<Outcome>) -> Self {
        let mut outcomes = outcomes.into_iter();
        self.sender.expect_send().times(outcomes.len()).returning(move |_| outcomes.next().unwrap());
        self
    }

    fn expect_saved(&mut self, saved: Vec<(i64, DeliveryStatus)>) {
        self.work
            .deliveries
            .expect_save()
            .withf(move |rows| rows.iter().map(|row| (row.position, row.status)).collect::<Vec<_>>() == saved)
            .return_once(|_| Ok(()));
    }

    async fn serve(mut self) -> (Served, usize) {
        let endpoint = self.endpoint.clone();
        self.reads.webhooks.expect_find().return_once(move |_| Ok(Some(endpoint)));
        let store = Arc::new(MockStore::reading(self.reads).beginning(self.work));
        let courier = courier(&store, self.sender, MockMailer::new());
        let served = courier.serve(Claimed { lane: self.lane, token: Uuid::nil() }).await.unwrap();
        (served, store.commits())
    }
}

fn courier(store: &Arc<MockStore>, sender: MockWebhookSender, mailer: MockMailer) -> Courier {
    let mut random = MockSecretSource::new();
    random.expect_random().returning(|| Ok([0x80; 32]));
    Courier {
        store: store.clone(),
        clock: Arc::new(FixedClock(now())),
        webhooks: Arc::new(sender),
        mailer: Arc::new(mailer),
        random: Arc::new(random),
        locale: Locale::English,
        zone: chrono_tz::Asia::Shanghai,
    }
}

#[pollster::test]
async fn what_waits_is_delivered_in_order_and_the_empty_lane_rests() {
    let mut stage = stage(&[0, 0]).answering(vec![Outcome::of_status(200), Outcome::of_status(204)]);
    stage
        .work
        .lanes
        .expect_release()
        .withf(|lane, _, due| lane.failures == 0 && *due == now())
        .return_once(|_, _, _| Ok(true));
    stage.expect_saved(vec![(0, DeliveryStatus::Delivered), (1, DeliveryStatus::Delivered)]);
    stage.work.deliveries.expect_has_waiting().return_once(|_| Ok(false));
    stage.work.lanes.expect_rest().once().return_once(|_| Ok(()));
    assert_eq!(Box::pin(stage.serve()).await, (Served { delivered: 2, failed: 0 }, 1));
}

#[pollster::test]
async fn behind_a_failure_nothing_is_tried_and_the_lane_pauses() {
    let mut stage = stage(&[0, 0, 0]).answering(vec![Outcome::of_status(200), Outcome::of_status(500)]);
    let paused = |lane: &Lane, due: &DateTime<Utc>| lane.failures == 1 && *due >= now() + FIRST_DELAY * 3 / 4;
    stage.work.lanes.expect_release().withf(move |lane, _, due| paused(lane, due)).return_once(|_, _, _| Ok(true));
    stage.expect_saved(vec![(0, DeliveryStatus::Delivered), (1, DeliveryStatus::Waiting)]);
    stage.work.deliveries.expect_has_waiting().return_once(|_| Ok(true));
    assert_eq!(Box::pin(stage.serve()).await, (Served { delivered: 1, failed: 1 }, 1));
}

#[pollster::test]
async fn the_last_attempt_leaves_a_dead_letter() {
    let mut stage = stage(&[MAX_ATTEMPTS - 1]).answering(vec![Outcome::Failed(FailureReason::Timeout, None)]);
    stage.work.lanes.expect_release().return_once(|_, _, _| Ok(true));
    stage.expect_saved(vec![(0, DeliveryStatus::Dead)]);
    stage.work.deliveries.expect_has_waiting().return_once(|_| Ok(false));
    stage.work.lanes.expect_rest().once().return_once(|_| Ok(()));
    assert_eq!(Box::pin(stage.serve()).await.1, 1);
}

#[pollster::test]
async fn who_lost_the_lease_notes_nothing() {
    let mut stage = stage(&[0]).answering(vec![Outcome::of_status(200)]);
    stage.work.lanes.expect_release().return_once(|_, _, _| Ok(false));
    assert_eq!(Box::pin(stage.serve()).await.1, 0);
}

fn expect_stop(stage: &mut Stage) {
    let endpoint = stage.endpoint.clone();
    let account = endpoint.account;
    stage
        .work
        .accounts
        .expect_lock()
        .once()
        .return_once(move |id| Ok(Some(Account::personal(id, UserId::new(now()), "z".into(), now()))));
    stage.work.webhooks.expect_find().return_once(move |_| Ok(Some(endpoint)));
    let failed = |endpoint: &WebhookEndpoint| endpoint.state == EndpointState::Failed;
    stage.work.webhooks.expect_save().once().withf(failed).return_once(|_| Ok(()));
    stage.work.deliveries.expect_end_waiting().once().return_once(|_, _, _| Ok(5));
    let told = move |events: &[Event]| events[0].kind == DISABLED_EVENT && events[0].account == account;
    stage.work.outbox.expect_push().once().withf(told).return_once(|_| Ok(()));
    stage.work.lanes.expect_release().return_once(|_, _, _| Ok(true));
    stage.work.deliveries.expect_save().return_once(|_| Ok(()));
    stage.work.deliveries.expect_has_waiting().return_once(|_| Ok(false));
    stage.work.lanes.expect_rest().return_once(|_| Ok(()));
}

#[pollster::test]
async fn after_a_day_of_failures_the_endpoint_is_disabled_and_the_customer_told() {
    let mut stage = stage(&[3]).answering(vec![Outcome::of_status(503)]);
    stage.lane = Lane { failures: 9, failing_since: Some(now() - FAILING_ALLOWED), ..stage.lane };
    expect_stop(&mut stage);
    assert_eq!(Box::pin(stage.serve()).await.1, 1);
}

#[pollster::test]
async fn a_receiver_that_is_gone_is_disabled_at_once() {
    let mut stage = stage(&[0]).answering(vec![Outcome::of_status(410)]);
    expect_stop(&mut stage);
    assert_eq!(Box::pin(stage.serve()).await.1, 1);
}

#[pollster::test]
async fn a_success_after_a_day_of_failures_disables_nothing() {
    let mut stage = stage(&[3]).answering(vec![Outcome::of_status(200)]);
    stage.lane = Lane { failures: 9, failing_since: Some(now() - FAILING_ALLOWED), ..stage.lane };
    stage.work.lanes.expect_release().withf(|lane, _, _| lane.failing_since.is_none()).return_once(|_, _, _| Ok(true));
    stage.work.deliveries.expect_save().return_once(|_| Ok(()));
    stage.work.deliveries.expect_has_waiting().return_once(|_| Ok(true));
    assert_eq!(Box::pin(stage.serve()).await.1, 1);
}

#[pollster::test]
async fn what_waits_for_a_disabled_endpoint_is_ended_without_an_attempt() {
    let mut stage = stage(&[0]);
    stage.endpoint.state = EndpointState::Disabled;
    stage.work.lanes.expect_release().return_once(|_, _, _| Ok(true));
    let dead = |status: &DeliveryStatus| *status == DeliveryStatus::Dead;
    stage.work.deliveries.expect_end_waiting().withf(move |_, status, _| dead(status)).return_once(|_, _, _| Ok(1));
    stage.work.lanes.expect_rest().return_once(|_| Ok(()));
    assert_eq!(Box::pin(stage.serve()).await, (Served::default(), 1));
}

#[test]
fn the_body_and_the_id_are_the_same_on_every_attempt() {
    let endpoint = samples::endpoint(now());
    let event = samples::event(endpoint.account, 1, now());
    let (one, other) = (message(&endpoint, &event, now()), message(&endpoint, &event, now() + TimeDelta::hours(5)));
    assert_eq!((&one.id, &one.body), (&other.id, &other.body));
    let body: serde_json::Value = serde_json::from_str(&one.body).unwrap();
    assert_eq!(body["id"], one.id);
    assert_eq!(body["type"], "quota.warning");
    assert_eq!(body["data"]["threshold"], 80);
}

#[pollster::test]
async fn a_mail_to_nobody_is_cancelled() {
    let account = AccountId::new(now());
    let mut reads = MockWork::default();
    reads.deliveries.expect_waiting().return_once(|_, _| Ok(vec![samples::delivery(now())]));
    reads
        .accounts
        .expect_find()
        .return_once(|id| Ok(Some(Account::personal(id, UserId::new(now()), "z".into(), now()))));
    reads.users.expect_find().return_once(|_| Ok(None));
    let mut work = MockWork::default();
    work.lanes.expect_release().return_once(|_, _, _| Ok(true));
    let cancelled = |status: &DeliveryStatus, why: &FailureReason| {
        (*status, *why) == (DeliveryStatus::Cancelled, FailureReason::NoRecipient)
    };
    work.deliveries
        .expect_end_waiting()
        .withf(move |_, status, why| cancelled(status, why))
        .return_once(|_, _, _| Ok(1));
    work.lanes.expect_rest().return_once(|_| Ok(()));
    let store = Arc::new(MockStore::reading(reads).beginning(work));
    let courier = courier(&store, MockWebhookSender::new(), MockMailer::new());
    courier.serve(Claimed { lane: Lane::of_mail(account), token: Uuid::nil() }).await.unwrap();
    assert_eq!(store.commits(), 1);
}

#[pollster::test]
async fn an_idle_replica_writes_nothing_and_failing_lanes_have_their_own_room() {
    let mut reads = MockWork::default();
    reads
        .lanes
        .expect_due()
        .withf(|_, failing, limit| (*failing, *limit) == (true, 3))
        .once()
        .return_once(|_, _, _| Ok(vec![]));
    reads
        .lanes
        .expect_due()
        .withf(|_, failing, limit| (*failing, *limit) == (false, 9))
        .once()
        .return_once(|_, _, _| Ok(vec![]));
    let store = Arc::new(MockStore::reading(reads));
    let courier = courier(&store, MockWebhookSender::new(), MockMailer::new());
    assert_eq!(courier.claim(Room { healthy: 9, failing: 3 }).await.unwrap(), []);
    assert_eq!(store.commits(), 0);
}
