//! `POST /usage` and `POST /usage/batch`.

use chrono::{SecondsFormat, TimeDelta};
use harness::app::TestApp;
use harness::databases::Fresh;
use harness::db_test;
use serde_json::json;

db_test!(a_repeated_key_answers_the_first_receipt_and_other_content_is_refused, async |fresh: &Fresh| {
    let app = TestApp::new(&fresh.url).await;
    let user = app.user(Some("professional")).await;
    let me = app.by(&user.token);
    let event = json!({"meter": "words", "quantity": 1500, "key": "job-42", "dimensions": {"model": "gpt-4o"}});
    let first = me.post("/usage", &event).await.expect(201);
    let second = me.post("/usage", &event).await.expect(200);
    assert_eq!((first.body["duplicate"].clone(), second.body["duplicate"].clone()), (json!(false), json!(true)));
    assert_eq!(first.text("/id"), second.text("/id"));
    assert_eq!(first.body["parts"], json!([{"source": "allowance", "quantity": "1500"}]));
    let other = json!({"meter": "words", "quantity": 1501, "key": "job-42", "dimensions": {"model": "gpt-4o"}});
    assert_eq!(me.post("/usage", &other).await.expect(422).code(), "idempotency_key_reused");
    assert_eq!(me.get("/quota").await.body["meters"][3]["used"], json!("1500"));
});

db_test!(a_use_beyond_the_plan_is_split_priced_and_warned_about, async |fresh: &Fresh| {
    let app = TestApp::new(&fresh.url).await;
    let user = app.user(Some("professional")).await;
    let me = app.by(&user.token);
    let event = json!({"meter": "words", "quantity": "300500", "key": "all at once"});
    let answer = me.post("/usage", &event).await.expect(201);
    let parts = json!([
        {"source": "allowance", "quantity": "300000"},
        {"source": "overage", "quantity": "500", "amount": "0.25"},
    ]);
    assert_eq!(answer.body["parts"], parts);
    assert_eq!((answer.text("/amount"), answer.text("/currency")), ("0.25".to_owned(), "CNY".to_owned()));
    assert_eq!((answer.text("/remaining"), answer.body["warnings"].clone()), ("0".to_owned(), json!([80, 100])));
    let fired = me.get("/warnings").await.expect(200);
    let thresholds: Vec<_> = fired.body["data"].as_array().unwrap().iter().map(|w| w["threshold"].clone()).collect();
    assert_eq!((thresholds.contains(&json!(80)), thresholds.contains(&json!(100)), thresholds.len()), (true, true, 2));
});

db_test!(a_refusal_names_the_limit_and_changes_nothing, async |fresh: &Fresh| {
    let app = TestApp::new(&fresh.url).await;
    let user = app.user(None).await;
    let me = app.by(&user.token);
    me.post("/usage", &json!({"meter": "words", "quantity": 29_000, "key": "a"})).await.expect(201);
    let before = me.get("/quota").await.body;
    let refused = me.post("/usage", &json!({"meter": "words", "quantity": 1001, "key": "b"})).await.expect(402);
    assert_eq!(refused.code(), "quota_exceeded");
    let named = ["limit", "meter", "requested", "remaining"].map(|field| refused.text(&format!("/{field}")));
    assert_eq!(named, ["plan_allowance", "words", "1001", "1000"]);
    assert_eq!(me.get("/quota").await.body, before);
    // A refusal is not a receipt: the same key may succeed later.
    me.post("/usage", &json!({"meter": "words", "quantity": 1000, "key": "b"})).await.expect(201);
});

#[tokio::test]
async fn the_key_may_be_a_header_and_without_any_the_answer_is_400() {
    let fresh = harness::databases::sqlite().await;
    let app = TestApp::new(&fresh.url).await;
    let user = app.user(None).await;
    let event = json!({"meter": "words", "quantity": 1});
    let keyed = app.by(&user.token).header("Idempotency-Key", "head");
    assert_eq!(keyed.post("/usage", &event).await.expect(201).text("/key"), "head");
    keyed.post("/usage", &event).await.expect(200);
    let missing = app.by(&user.token).post("/usage", &event).await.expect(400);
    assert_eq!(missing.code(), "idempotency_key_missing");
    let twice = keyed.header("Idempotency-Key", "other").post("/usage", &event).await.expect(400);
    assert_eq!(twice.code(), "malformed");
}

db_test!(a_counter_only_counts_up_and_a_gauge_not_below_zero, async |fresh: &Fresh| {
    let app = TestApp::new(&fresh.url).await;
    let user = app.user(None).await;
    let me = app.by(&user.token);
    let use_of = |meter: &str, quantity: &str, key: &str| json!({"meter": meter, "quantity": quantity, "key": key});
    for (meter, quantity) in [("words", "-1"), ("words", "0"), ("storage", "0"), ("storage", "-1")] {
        let answer = me.post("/usage", &use_of(meter, quantity, "bad")).await.expect(422);
        assert_eq!((answer.code(), answer.text("/errors/0/field")), ("invalid".to_owned(), "quantity".to_owned()));
    }
    me.post("/usage", &use_of("storage", "10.5", "up")).await.expect(201);
    let released = me.post("/usage", &use_of("storage", "-10.5", "down")).await.expect(201);
    assert_eq!(released.body["parts"], json!([{"source": "release", "quantity": "-10.5"}]));
    me.post("/usage", &use_of("storage", "-0.001", "deeper")).await.expect(422);
});

#[tokio::test]
async fn events_from_the_future_and_from_long_ago_are_refused() {
    let fresh = harness::databases::sqlite().await;
    let app = TestApp::new(&fresh.url).await;
    let user = app.user(None).await;
    let me = app.by(&user.token);
    let now = app.scene.now();
    let at = |shift: TimeDelta, key: &str| {
        let time = (now + shift).to_rfc3339_opts(SecondsFormat::Secs, true);
        json!({"meter": "words", "quantity": 1, "key": key, "occurred_at": time})
    };
    me.post("/usage", &at(TimeDelta::minutes(4), "soon")).await.expect(201);
    me.post("/usage", &at(TimeDelta::days(-34), "old")).await.expect(201);
    for (shift, key) in [(TimeDelta::minutes(6), "later"), (TimeDelta::days(-36), "ancient")] {
        assert_eq!(me.post("/usage", &at(shift, key)).await.expect(422).text("/errors/0/field"), "occurred_at");
    }
}

db_test!(every_event_of_a_batch_has_its_own_result_in_order, async |fresh: &Fresh| {
    let app = TestApp::new(&fresh.url).await;
    let user = app.user(None).await;
    let me = app.by(&user.token);
    let events = json!({"events": [
        {"meter": "words", "quantity": 10, "key": "one"},
        {"meter": "words", "quantity": 10, "key": "one"},
        {"meter": "words", "quantity": 11, "key": "one"},
        {"meter": "words", "quantity": 999_999, "key": "huge"},
        {"meter": "nothing", "quantity": 1, "key": "unknown"},
        {"meter": "words", "quantity": 1},
        {"meter": "words", "quantity": 1.5, "key": "float"},
        {"meter": "words", "quantity": 5, "key": "two"},
    ]});
    let answer = me.post("/usage/batch", &events).await.expect(200);
    let results = answer.body["results"].as_array().unwrap();
    let statuses: Vec<_> = results.iter().map(|result| result["status"].as_str().unwrap()).collect();
    let expected = ["accepted", "duplicate", "invalid", "refused", "invalid", "invalid", "invalid", "accepted"];
    assert_eq!(statuses, expected, "{}", answer.body);
    assert_eq!(results[3]["problem"]["code"], json!("quota_exceeded"));
    assert_eq!(me.get("/quota").await.body["meters"][3]["used"], json!("15"));
});

#[tokio::test]
async fn a_batch_has_1_to_1000_events() {
    let fresh = harness::databases::sqlite().await;
    let app = TestApp::new(&fresh.url).await;
    let user = app.user(None).await;
    let me = app.by(&user.token);
    let batch = |count: usize| {
        let events: Vec<_> =
            (0..count).map(|n| json!({"meter": "words", "quantity": 1, "key": n.to_string()})).collect();
        json!({ "events": events })
    };
    me.post("/usage/batch", &batch(0)).await.expect(422);
    me.post("/usage/batch", &batch(1001)).await.expect(422);
    let all = me.post("/usage/batch", &batch(1000)).await.expect(200);
    assert!(all.body["results"].as_array().unwrap().iter().all(|result| result["status"] == json!("accepted")));
}
