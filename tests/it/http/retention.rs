//! What a client hears who repeats a use whose row was deleted after its retention.

use crate::flows::retention::close_periods_before;
use api::retention::upkeep;
use domain::accounts::KeyWish;
use domain::metering::Month;
use harness::app::TestApp;
use harness::databases::Fresh;
use harness::db_test;
use serde_json::json;
use uuid::Uuid;

db_test!(a_repetition_after_the_retention_says_that_it_counted_and_that_its_receipt_is_gone, async |fresh: &Fresh| {
    let app = TestApp::with(&fresh.url, &[("SUANPAN__RETENTION__USAGE_DAYS", "60")]).await;
    let user = app.user(None).await;
    let key = app.key(&user, KeyWish::default()).await;
    let event = json!({"meter": "words", "quantity": 700, "key": "job-1"});
    let usage = app.by(&key).post("/usage", &event).await.expect(201).text("/id");
    let later = Month::of(app.scene.now()).later(6).start();
    app.scene.move_clock(later);
    app.by(&key).post("/usage", &event).await.expect(200);
    close_periods_before(fresh, later).await;
    upkeep(&app.scene.services, Uuid::now_v7(), |_| ()).await.unwrap();

    let gone = app.by(&key).post("/usage", &event).await.expect(409);
    assert_eq!(gone.code(), "receipt_deleted");
    assert!(gone.text("/detail").contains(&usage), "{}", gone.body);
    let other = json!({"meter": "words", "quantity": 701, "key": "job-1"});
    assert_eq!(app.by(&key).post("/usage", &other).await.expect(422).code(), "idempotency_key_reused");
    let batch = json!({"events": [event, {"meter": "words", "quantity": 1, "key": "job-2"}]});
    let batch = app.by(&key).post("/usage/batch", &batch).await.expect(200);
    assert_eq!(
        (batch.text("/results/0/status"), batch.text("/results/1/status")),
        ("duplicate".into(), "accepted".into())
    );
    assert_eq!(batch.text("/results/0/problem/code"), "receipt_deleted");
    assert_eq!(app.by(&key).get("/usage").await.expect(200).body["data"].as_array().unwrap().len(), 1);
});
