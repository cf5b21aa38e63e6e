//! `POST /usage/events`: CloudEvents, as OpenMeter's clients send them.

use harness::app::{Answer, Caller, TestApp};
use harness::databases::Fresh;
use harness::db_test;
use serde_json::{Value, json};

fn event(id: &str, data: &Value) -> Value {
    json!({"specversion": "1.0", "id": id, "source": "worker-1", "type": "words", "subject": null, "data": data})
}

async fn send(caller: &Caller<'_>, kind: &str, body: &Value) -> Answer {
    caller.raw("POST", "/usage/events", kind, body.to_string().into_bytes()).await
}

fn statuses(answer: &Answer) -> Vec<&str> {
    answer.body["results"].as_array().unwrap().iter().map(|result| result["status"].as_str().unwrap()).collect()
}

db_test!(cloud_events_come_alone_and_in_batches, async |fresh: &Fresh| {
    let app = TestApp::new(&fresh.url).await;
    let user = app.user(None).await;
    let me = app.by(&user.token);
    let one = event("1", &json!({"value": "12", "model": "gpt-4o"}));
    let alone = send(&me, "application/cloudevents+json", &one).await.expect(200);
    assert_eq!(statuses(&alone), ["accepted"]);
    assert_eq!(alone.text("/results/0/usage/dimensions/model"), "gpt-4o");
    let batch =
        json!([one, event("2", &json!({"value": 3})), event("3", &json!({})), event("4", &json!({"value": 0.5}))]);
    let many = send(&me, "application/cloudevents-batch+json", &batch).await.expect(200);
    assert_eq!(statuses(&many), ["duplicate", "accepted", "accepted", "invalid"]);
    assert_eq!(me.get("/quota").await.body["meters"][3]["used"], json!("16"));
});

#[tokio::test]
async fn the_subject_is_the_account_and_another_ones_is_not_there() {
    let fresh = harness::databases::sqlite().await;
    let app = TestApp::new(&fresh.url).await;
    let (mine, other) = (app.user(None).await, app.user(None).await);
    let mut sent = event("1", &json!({"value": 5}));
    sent["subject"] = json!(other.account());
    let refused = send(&app.by(&mine.token), "application/json", &sent).await.expect(200);
    assert_eq!(refused.text("/results/0/problem/code"), "not_found");
    let service = app.service_key().await;
    let accepted = send(&app.by(&service), "application/json", &sent).await.expect(200);
    assert_eq!(accepted.text("/results/0/usage/account"), other.account());
}

#[tokio::test]
async fn an_event_of_another_version_or_without_its_names_is_invalid() {
    let fresh = harness::databases::sqlite().await;
    let app = TestApp::new(&fresh.url).await;
    let user = app.user(None).await;
    let good = event("1", &json!({"value": 1}));
    for (field, value) in [
        ("specversion", json!("0.3")),
        ("id", json!("")),
        ("source", json!("")),
        ("type", json!(7)),
        ("time", json!("yesterday")),
        ("data", json!({"value": 1, "nested": {}})),
    ] {
        let mut bad = good.clone();
        bad[field] = value;
        let answer = send(&app.by(&user.token), "application/cloudevents+json", &bad).await.expect(200);
        assert_eq!(statuses(&answer), ["invalid"], "{field}");
    }
}
