//! Webhooks over HTTP to a real receiver: signatures, failures, the way outside.

use api::dispatcher::Dispatcher;
use chrono::TimeDelta;
use harness::app::{Answer, TestApp, User};
use harness::databases::Fresh;
use harness::db_test;
use harness::receiver::{Behaviour, Received, Receiver};
use reqwest::header::HeaderMap;
use serde_json::{Value, json};
use standardwebhooks::Webhook;
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_secs(30);
const OPEN: [(&str, &str); 2] =
    [("SUANPAN__WEBHOOKS__PLAIN_HTTP", "true"), ("SUANPAN__WEBHOOKS__ALLOWED_NETWORKS", "127.0.0.1")];

struct Stage {
    app: TestApp,
    user: User,
    receiver: Receiver,
    dispatcher: Dispatcher,
}

impl Stage {
    async fn new(fresh: &Fresh) -> Self {
        let app = TestApp::with(&fresh.url, &OPEN).await;
        let (user, receiver) = (app.user(None).await, Receiver::start());
        let dispatcher = Dispatcher::start(&app.scene.services);
        Self { app, user, receiver, dispatcher }
    }

    fn me(&self) -> harness::app::Caller<'_> {
        self.app.by(&self.user.token)
    }

    /// An endpoint at a path of the receiver: its id and secret.
    async fn endpoint(&self, path: &str) -> (String, String) {
        let made = self.me().post("/webhook-endpoints", &json!({"url": self.receiver.url(path)})).await.expect(201);
        (made.text("/id"), made.text("/secret"))
    }

    async fn warn(&self) {
        let words = json!({"meter": "words", "quantity": 24_000, "key": "to the first threshold"});
        self.me().post("/usage", &words).await.expect(201);
    }

    async fn tell(&self, numbers: std::ops::Range<usize>) {
        self.app.scene.tell(self.user.customer.account, numbers).await;
    }

    fn advance(&self, time: TimeDelta) {
        self.app.scene.move_clock(self.app.scene.now() + time);
    }

    async fn log(&self, id: &str) -> Vec<Value> {
        let answer = self.me().get(&format!("/webhook-endpoints/{id}/deliveries")).await.expect(200);
        answer.body["data"].as_array().unwrap().clone()
    }

    /// Waits until the latest delivery of an endpoint is so.
    async fn latest(&self, id: &str, so: impl Fn(&Value) -> bool) -> Value {
        self.log_when(id, |log| log.first().is_some_and(&so)).await.swap_remove(0)
    }

    /// Waits until the first delivery of an endpoint is so.
    async fn earliest(&self, id: &str, so: impl Fn(&Value) -> bool) -> Value {
        self.log_when(id, |log| log.last().is_some_and(&so)).await.pop().unwrap()
    }

    async fn log_when(&self, id: &str, so: impl Fn(&[Value]) -> bool) -> Vec<Value> {
        let begun = Instant::now();
        loop {
            let log = self.log(id).await;
            if so(&log) {
                return log;
            }
            assert!(begun.elapsed() < PATIENCE, "{log:?}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

/// As a customer in Rust verifies what arrives.
fn verified(secret: &str, received: &Received) -> bool {
    let names = ["webhook-id", "webhook-timestamp", "webhook-signature"];
    let mut headers = HeaderMap::new();
    for name in names {
        headers.insert(name, received.headers.get(name).unwrap().clone());
    }
    Webhook::new(secret).unwrap().verify(received.body.as_bytes(), &headers).is_ok()
}

db_test!(an_event_arrives_signed_as_standard_webhooks_says_and_the_log_shows_it, async |fresh: &Fresh| {
    let stage = Stage::new(fresh).await;
    let (id, secret) = stage.endpoint("/a").await;
    stage.warn().await;
    let arrived = stage.receiver.wait_for("/a", 1, PATIENCE).await.remove(0);
    assert!(verified(&secret, &arrived));
    assert!(!verified("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", &arrived));
    let mut forged = arrived.clone();
    forged.body = forged.body.replace("80", "81");
    assert!(!verified(&secret, &forged));
    assert_eq!(arrived.header("content-type"), "application/json");
    let body = arrived.json();
    assert_eq!((&body["type"], &body["data"]["threshold"]), (&json!("quota.warning"), &json!(80)));
    assert_eq!(body["id"], arrived.header("webhook-id"));
    assert_eq!(body["account"], stage.user.account());
    let logged = stage.latest(&id, |delivery| delivery["status"] == "delivered").await;
    assert_eq!((&logged["attempts"], &logged["response_code"]), (&json!(1), &json!(200)));
    assert_eq!(logged["event"], body["id"]);
    let notice = stage.me().get("/notices?unread=true").await.expect(200);
    assert_eq!(notice.text("/data/0/type"), "quota.warning");
    stage.dispatcher.stop(PATIENCE).await;
});

db_test!(for_a_day_after_a_rotation_both_secrets_sign, async |fresh: &Fresh| {
    let stage = Stage::new(fresh).await;
    let (id, old) = stage.endpoint("/a").await;
    let rotated = stage.me().post(&format!("/webhook-endpoints/{id}/rotate-secret"), &json!({})).await.expect(200);
    let new = rotated.text("/secret");
    assert!(new != old && new.starts_with("whsec_"));
    stage.me().post(&format!("/webhook-endpoints/{id}/test"), &json!({})).await.expect(202);
    let both = stage.receiver.wait_for("/a", 1, PATIENCE).await.remove(0);
    assert_eq!(both.header("webhook-signature").split(' ').count(), 2);
    assert!(verified(&old, &both) && verified(&new, &both));
    stage.advance(TimeDelta::hours(24));
    stage.latest(&id, |delivery| delivery["status"] == "delivered").await;
    stage.me().post(&format!("/webhook-endpoints/{id}/test"), &json!({})).await.expect(202);
    let one = stage.receiver.wait_for("/a", 2, PATIENCE).await.remove(1);
    assert!(!verified(&old, &one) && verified(&new, &one));
    stage.dispatcher.stop(PATIENCE).await;
});

db_test!(a_failing_endpoint_is_retried_in_order_and_holds_up_nobody_else, async |fresh: &Fresh| {
    let stage = Stage::new(fresh).await;
    let (bad, _) = stage.endpoint("/bad").await;
    stage.endpoint("/good").await;
    stage.receiver.behave("/bad", Behaviour::Answer(503));
    stage.tell(0..5).await;
    stage.receiver.wait_for("/good", 5, PATIENCE).await;
    let head = stage.earliest(&bad, |delivery| delivery["response_code"] == json!(503)).await;
    assert_eq!((&head["status"], &head["failure"]), (&json!("waiting"), &json!("bad_status")));
    assert!(head["next_attempt_at"].is_string());
    let notices = stage.me().get("/notices").await.expect(200);
    assert_eq!(notices.body["data"].as_array().unwrap().len(), 5, "in the product at once");
    let tried = stage.receiver.received("/bad");
    assert!(tried.iter().all(|attempt| attempt.number() == 0), "nothing overtakes the first");
    stage.receiver.behave("/bad", Behaviour::Answer(200));
    stage.advance(TimeDelta::minutes(1));
    let arrived = stage.receiver.wait_for("/bad", 5, PATIENCE).await;
    assert_eq!(arrived.iter().map(Received::number).collect::<Vec<_>>(), [0, 1, 2, 3, 4]);
    assert_eq!(arrived[0].header("webhook-id"), tried[0].header("webhook-id"));
    stage.dispatcher.stop(PATIENCE).await;
});

#[tokio::test]
async fn an_endpoint_that_hangs_or_never_ends_its_answer_holds_up_nobody_else() {
    let fresh = harness::databases::sqlite().await;
    let stage = Stage::new(&fresh).await;
    let (hanging, _) = stage.endpoint("/hang").await;
    stage.endpoint("/endless").await;
    stage.endpoint("/good").await;
    stage.receiver.behave("/hang", Behaviour::Hang);
    stage.receiver.behave("/endless", Behaviour::Endless);
    stage.tell(0..3).await;
    let begun = Instant::now();
    stage.receiver.wait_for("/good", 3, PATIENCE).await;
    stage.receiver.wait_for("/endless", 3, PATIENCE).await;
    assert!(begun.elapsed() < Duration::from_secs(8), "{:?}", begun.elapsed());
    let timed_out = |_: &Value| !stage.receiver.received("/hang").is_empty();
    stage.latest(&hanging, timed_out).await;
    stage.earliest(&hanging, |delivery| delivery["failure"] == "timeout").await;
    stage.dispatcher.stop(Duration::from_secs(1)).await;
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let fresh = harness::databases::sqlite().await;
    let stage = Stage::new(&fresh).await;
    let (id, _) = stage.endpoint("/a").await;
    stage.receiver.behave("/a", Behaviour::Redirect(stage.receiver.url("/canary")));
    stage.tell(0..1).await;
    let tried = stage.latest(&id, |delivery| delivery["attempts"] == 1).await;
    assert_eq!((&tried["failure"], &tried["response_code"]), (&json!("redirect"), &json!(302)));
    assert!(stage.receiver.received("/canary").is_empty());
    stage.dispatcher.stop(PATIENCE).await;
}

async fn dead_letters(stage: &Stage) -> Answer {
    stage.app.by(&stage.app.operator).get("/admin/outbox/dead").await.expect(200)
}

db_test!(
    after_a_day_of_failures_the_endpoint_is_disabled_told_and_what_it_missed_can_be_replayed,
    async |fresh: &Fresh| {
        let stage = Stage::new(fresh).await;
        let (id, _) = stage.endpoint("/a").await;
        stage.receiver.behave("/a", Behaviour::Answer(500));
        stage.tell(0..3).await;
        stage.latest(&id, |delivery| delivery["next_attempt_at"].is_string()).await;
        let first_failed = async || stage.log(&id).await.pop().unwrap()["attempts"] == 1;
        while !first_failed().await {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        stage.advance(TimeDelta::hours(25));
        let dead = stage.latest(&id, |delivery| delivery["status"] == "dead").await;
        assert_eq!(dead["failure"], "endpoint_disabled");
        let shown = stage.me().get(&format!("/webhook-endpoints/{id}")).await.expect(200);
        assert_eq!((&shown.body["enabled"], &shown.body["disabled_reason"]), (&json!(false), &json!("failures")));
        let begun = Instant::now();
        while stage.me().get("/notices").await.expect(200).text("/data/0/type") != "webhook_endpoint.disabled" {
            assert!(begun.elapsed() < PATIENCE, "the customer is told");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let letters = dead_letters(&stage).await;
        assert_eq!(letters.body["data"].as_array().unwrap().len(), 3);
        let letter = letters.text("/data/0/id");
        let replay = format!("/admin/outbox/{letter}/replay");
        stage.app.by(&stage.app.operator).post(&replay, &json!({})).await.expect(409);

        stage.receiver.behave("/a", Behaviour::Answer(200));
        stage.me().patch(&format!("/webhook-endpoints/{id}"), &json!({"enabled": true})).await.expect(200);
        stage.app.by(&stage.app.operator).post(&replay, &json!({})).await.expect(202);
        let acts = stage.app.by(&stage.app.operator).get("/admin/audit-log?action=delivery.replay").await.expect(200);
        assert_eq!(acts.body["data"].as_array().unwrap().len(), 1, "who sent it again is written down");
        stage.receiver.wait_for("/a", 1, PATIENCE).await;
        for delivery in stage.log(&id).await.iter().filter(|delivery| delivery["status"] == "dead") {
            let path = format!("/webhook-endpoints/{id}/deliveries/{}/replay", delivery["id"].as_str().unwrap());
            stage.me().post(&path, &json!({})).await.expect(202);
        }
        stage.receiver.wait_for("/a", 3, PATIENCE).await;
        assert!(dead_letters(&stage).await.body["data"].as_array().unwrap().is_empty());
        stage.dispatcher.stop(PATIENCE).await;
    }
);

#[tokio::test]
async fn a_receiver_that_is_gone_is_disabled_at_once() {
    let fresh = harness::databases::sqlite().await;
    let stage = Stage::new(&fresh).await;
    let (id, _) = stage.endpoint("/a").await;
    stage.receiver.behave("/a", Behaviour::Answer(410));
    stage.tell(0..1).await;
    stage.latest(&id, |delivery| delivery["status"] == "dead").await;
    let shown = stage.me().get(&format!("/webhook-endpoints/{id}")).await.expect(200);
    assert_eq!(shown.body["disabled_reason"], "failures");
    stage.dispatcher.stop(PATIENCE).await;
}

/// The endpoint is of a server that allows this machine; the server that delivers allows nothing.
#[tokio::test]
async fn an_address_that_may_not_be_reached_gets_no_connection() {
    let fresh = harness::databases::sqlite().await;
    let app = TestApp::with(&fresh.url, &OPEN).await;
    let (user, receiver) = (app.user(None).await, Receiver::start());
    let by_name = format!("http://localhost:{}/name", receiver.address.port());
    let mut ids = Vec::new();
    for url in [by_name, receiver.url("/literal")] {
        let made = app.by(&user.token).post("/webhook-endpoints", &json!({ "url": url })).await.expect(201);
        ids.push(made.text("/id"));
    }
    app.scene.tell(user.customer.account, 0..1).await;
    let strict = app.replica_with(&fresh.url, &[("SUANPAN__WEBHOOKS__PLAIN_HTTP", "true")]).await;
    let dispatcher = Dispatcher::start(&strict.scene.services);
    for id in ids {
        let begun = Instant::now();
        loop {
            let log = app.by(&user.token).get(&format!("/webhook-endpoints/{id}/deliveries")).await.expect(200);
            if log.text("/data/0/failure") == "address_refused" {
                break;
            }
            assert!(begun.elapsed() < PATIENCE, "{}", log.body);
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
    dispatcher.stop(PATIENCE).await;
    assert!(receiver.received("/name").is_empty() && receiver.received("/literal").is_empty());
}
