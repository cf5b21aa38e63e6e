//! `/subscription`: preview, subscribing, changing, cancelling.

use harness::app::TestApp;
use harness::databases::Fresh;
use harness::db_test;
use serde_json::json;

db_test!(a_paid_plan_is_previewed_and_then_waits_for_its_payment, async |fresh: &Fresh| {
    let app = TestApp::new(&fresh.url).await;
    let user = app.user(None).await;
    let me = app.by(&user.token);
    let before = me.get("/subscription").await.expect(200);
    assert_eq!((before.text("/plan"), before.text("/status")), ("free".to_owned(), "active".to_owned()));
    let preview = me.post("/subscription/preview", &json!({"plan": "professional"})).await.expect(200);
    assert_eq!((preview.text("/kind"), preview.text("/currency")), ("upgrade".to_owned(), "CNY".to_owned()));
    assert_eq!(me.get("/subscription").await.body, before.body);
    let made = me.keyed().post("/subscription", &json!({"plan": "professional"})).await.expect(201);
    let shown = ["plan", "status"].map(|field| made.text(&format!("/subscription/{field}")));
    assert_eq!(shown, ["professional", "pending"]);
    assert_eq!(made.text("/quote/amount_due"), preview.text("/amount_due"));
    let now = me.get("/subscription").await.expect(200);
    assert_eq!((now.text("/plan"), now.text("/awaiting_payment/plan")), ("free".to_owned(), "professional".to_owned()));
});

db_test!(under_one_key_a_plan_is_bought_once, async |fresh: &Fresh| {
    let app = TestApp::new(&fresh.url).await;
    let user = app.user(None).await;
    let (me, wish) = (app.by(&user.token), json!({"plan": "professional"}));
    assert_eq!(me.post("/subscription", &wish).await.expect(400).code(), "idempotency_key_missing");
    let buying = me.clone().header("Idempotency-Key", "buy");
    let racers: Vec<_> = (0..8).map(|_| buying.post("/subscription", &wish)).collect();
    let answers = futures_util::future::join_all(racers).await;
    let first = answers.iter().filter(|answer| answer.header("Idempotent-Replayed").is_none());
    assert_eq!(first.count(), 1, "the others hear what the first was told");
    assert!(answers.iter().all(|answer| answer.status == 201 && answer.body == answers[0].body));
    // Not a moment later, when a quote by the second would be another.
    app.scene.move_clock(app.scene.now() + chrono::TimeDelta::hours(1));
    assert_eq!(buying.post("/subscription", &wish).await.expect(201).body, answers[0].body);
    let bills = me.get("/bills").await.expect(200);
    assert_eq!(bills.body["data"].as_array().unwrap().len(), 1, "{}", bills.body);
    assert_eq!(bills.text("/data/0/id"), answers[0].text("/bill/id"));
    let reused = buying.post("/subscription", &json!({"plan": "team"})).await.expect(422);
    assert_eq!(reused.code(), "idempotency_key_reused");
    // Another key is another purchase: the bill that nobody paid is void.
    let other = me.keyed().post("/subscription", &wish).await.expect(201);
    assert_ne!(other.text("/bill/id"), answers[0].text("/bill/id"));
});

db_test!(a_plan_that_an_operator_gave_is_no_credit_for_the_next, async |fresh: &Fresh| {
    let app = TestApp::new(&fresh.url).await;
    let user = app.user(Some("professional")).await;
    let preview = app.by(&user.token).post("/subscription/preview", &json!({"plan": "team"})).await.expect(200);
    let lines = preview.body["lines"].as_array().unwrap();
    assert!(lines.iter().all(|line| !line["amount"].as_str().unwrap().starts_with('-')), "{}", preview.body);
});

db_test!(a_downgrade_comes_with_the_end_of_the_term, async |fresh: &Fresh| {
    let app = TestApp::new(&fresh.url).await;
    let user = app.user(Some("professional")).await;
    let me = app.by(&user.token);
    let made = me.keyed().post("/subscription", &json!({"plan": "free"})).await.expect(201);
    assert_eq!((made.text("/quote/kind"), made.text("/quote/amount_due")), ("downgrade".to_owned(), "0.00".to_owned()));
    let now = me.get("/subscription").await.expect(200);
    assert_eq!((now.text("/plan"), now.text("/scheduled_change/plan")), ("professional".to_owned(), "free".to_owned()));
    assert_eq!(now.text("/scheduled_change/effective_at"), now.text("/term/end"));
});

db_test!(a_cancelled_subscription_is_resumable_until_its_term_ends, async |fresh: &Fresh| {
    let app = TestApp::new(&fresh.url).await;
    let user = app.user(Some("professional")).await;
    let me = app.by(&user.token);
    let cancelled = me.send("POST", "/subscription/cancel", None).await.expect(200);
    assert_eq!(cancelled.body["cancel_at_term_end"], json!(true));
    assert_eq!(me.send("POST", "/subscription/cancel", None).await.expect(409).code(), "conflict");
    let resumed = me.send("POST", "/subscription/resume", None).await.expect(200);
    assert_eq!(resumed.body["cancel_at_term_end"], json!(false));
    me.send("POST", "/subscription/resume", None).await.expect(409);
});

#[tokio::test]
async fn what_is_not_sold_is_invalid_and_names_the_field() {
    let fresh = harness::databases::sqlite().await;
    let app = TestApp::new(&fresh.url).await;
    let user = app.user(None).await;
    for (wish, field) in [
        (json!({"plan": "platinum"}), "plan"),
        (json!({"plan": "team", "interval": "year"}), "interval"),
        (json!({"plan": "team", "interval": "week"}), "interval"),
        (json!({"plan": "team", "seats": 2}), "seats"),
        (json!({"plan": "team", "seats": 101}), "seats"),
    ] {
        for path in ["/subscription", "/subscription/preview"] {
            let answer = app.by(&user.token).keyed().post(path, &wish).await.expect(422);
            assert_eq!(answer.text("/errors/0/field"), field, "{wish}");
        }
    }
}
