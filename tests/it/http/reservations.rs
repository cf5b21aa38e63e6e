//! `/reservations` and `/debts` over HTTP.

use chrono::{SecondsFormat, TimeDelta};
use domain::accounts::KeyWish;
use harness::app::{Answer, TestApp};
use harness::databases::Fresh;
use harness::db_test;
use serde_json::{Value, json};

fn wish(quantity: i64, key: &str) -> Value {
    json!({"meter": "words", "quantity": quantity, "key": key, "ttl_seconds": 60})
}

fn words(quota: &Answer) -> Value {
    let meters = quota.body["meters"].as_array().unwrap();
    meters.iter().find(|meter| meter["meter"] == json!("words")).unwrap().clone()
}

fn path(reservation: &Answer, end: &str) -> String {
    format!("/reservations/{}{end}", reservation.text("/id"))
}

db_test!(less_is_captured_and_the_rest_given_back, async |fresh: &Fresh| {
    let app = TestApp::new(&fresh.url).await;
    let user = app.user(None).await;
    let me = app.by(&user.token);
    let held = me.post("/reservations", &wish(20_000, "chat-7")).await.expect(201);
    assert_eq!((held.text("/status"), held.text("/quantity")), ("open".to_owned(), "20000".to_owned()));
    assert_eq!(held.body["parts"], json!([{"source": "allowance", "quantity": "20000"}]));
    let before = words(&me.get("/quota").await);
    assert_eq!(
        (&before["used"], &before["reserved"], &before["remaining"]),
        (&json!("0"), &json!("20000"), &json!("10000"))
    );
    let refused = me.post("/reservations", &wish(10_001, "more")).await.expect(402);
    assert_eq!((refused.code(), refused.text("/remaining")), ("quota_exceeded".to_owned(), "10000".to_owned()));
    me.post("/usage", &json!({"meter": "words", "quantity": 10_001, "key": "u"})).await.expect(402);

    let captured = me.post(&path(&held, "/capture"), &json!({"quantity": 1234})).await.expect(200);
    let shown = ["status", "captured", "released", "shortfall"].map(|field| captured.text(&format!("/{field}")));
    assert_eq!(shown, ["captured", "1234", "18766", "0"]);
    assert_eq!(captured.text("/usage/reservation"), held.text("/id"));
    let after = words(&me.get("/quota").await);
    assert_eq!((&after["used"], &after["reserved"]), (&json!("1234"), &json!("0")));
    let rows = me.get("/usage").await.expect(200);
    assert_eq!(rows.body["data"].as_array().unwrap().len(), 1);
    assert_eq!(rows.text("/data/0/key"), held.text("/id"));

    for (end, body) in [("/capture", json!({"quantity": 1234})), ("/capture", json!({"quantity": 1}))] {
        let second = me.post(&path(&held, end), &body).await.expect(409);
        assert_eq!(
            (second.code(), second.text("/ended/status")),
            ("reservation_closed".to_owned(), "captured".to_owned())
        );
    }
    me.send("POST", &path(&held, "/release"), None).await.expect(409);
});

db_test!(a_key_answers_the_reservation_made_before_and_an_end_answers_again, async |fresh: &Fresh| {
    let app = TestApp::new(&fresh.url).await;
    let user = app.user(None).await;
    let me = app.by(&user.token);
    let first = me.post("/reservations", &wish(100, "same")).await.expect(201);
    let second = me.post("/reservations", &wish(100, "same")).await.expect(200);
    assert_eq!(first.text("/id"), second.text("/id"));
    assert_eq!(me.post("/reservations", &wish(101, "same")).await.expect(422).code(), "idempotency_key_reused");
    assert_eq!(words(&me.get("/quota").await)["reserved"], json!("100"));
    // The keys of uses are others.
    me.post("/usage", &json!({"meter": "words", "quantity": 1, "key": "same"})).await.expect(201);

    let keyed = me.clone().header("Idempotency-Key", "end-1");
    let done = keyed.post(&path(&first, "/capture"), &json!({"quantity": 60})).await.expect(200);
    let again = keyed.post(&path(&first, "/capture"), &json!({"quantity": 60})).await.expect(200);
    assert_eq!((done.body["duplicate"].clone(), again.body["duplicate"].clone()), (json!(false), json!(true)));
    assert_eq!(done.text("/usage/id"), again.text("/usage/id"));
    keyed.post(&path(&first, "/capture"), &json!({"quantity": 61})).await.expect(409);
    me.clone()
        .header("Idempotency-Key", "end-2")
        .post(&path(&first, "/capture"), &json!({"quantity": 60}))
        .await
        .expect(409);
    assert_eq!(words(&me.get("/quota").await)["used"], json!("61"));

    let other = me.post("/reservations", &wish(5, "other")).await.expect(201);
    let release = path(&other, "/release");
    keyed.send("POST", &release, None).await.expect(200);
    assert_eq!(keyed.send("POST", &release, None).await.expect(200).body["duplicate"], json!(true));
    assert_eq!(me.send("POST", &release, None).await.expect(409).text("/ended/status"), "released");
});

db_test!(more_than_was_held_is_consumed_or_owed, async |fresh: &Fresh| {
    let app = TestApp::new(&fresh.url).await;
    let user = app.user(None).await;
    let me = app.by(&user.token);
    let fits = me.post("/reservations", &wish(100, "fits")).await.expect(201);
    let captured = me.post(&path(&fits, "/capture"), &json!({"quantity": 29_000})).await.expect(200);
    assert_eq!((captured.text("/captured"), captured.text("/shortfall")), ("29000".to_owned(), "0".to_owned()));

    let short = me.post("/reservations", &wish(400, "short")).await.expect(201);
    let captured = me.post(&path(&short, "/capture"), &json!({"quantity": "1500"})).await.expect(200);
    assert_eq!((captured.text("/captured"), captured.text("/shortfall")), ("400".to_owned(), "1100".to_owned()));
    assert_eq!(words(&me.get("/quota").await)["used"], json!("29400"));
    let debts = me.get("/debts").await.expect(200);
    assert_eq!(
        (debts.text("/data/0/quantity"), debts.text("/data/0/refused_by")),
        ("1100".to_owned(), "plan_allowance".to_owned())
    );
    assert_eq!(debts.text("/data/0/reservation"), short.text("/id"));
    let all = app.by(&app.operator).get("/admin/debts").await.expect(200);
    assert_eq!(all.text("/data/0/account"), user.customer.account.to_string());
    me.get("/admin/debts").await.expect(403);
    let stranger = app.user(None).await;
    assert_eq!(app.by(&stranger.token).get("/debts").await.expect(200).body["data"], json!([]));
});

db_test!(time_runs_out_by_the_clock_and_the_funds_come_back, async |fresh: &Fresh| {
    let app = TestApp::new(&fresh.url).await;
    let user = app.user(None).await;
    let me = app.by(&user.token);
    let held = me.post("/reservations", &wish(30_000, "all")).await.expect(201);
    let to = (app.scene.now() + TimeDelta::seconds(61)).to_rfc3339_opts(SecondsFormat::Micros, true);
    app.by(&app.operator).post("/admin/test-clock/advance", &json!({"to": to})).await.expect(200);
    assert_eq!(me.get(&path(&held, "")).await.expect(200).text("/status"), "expired");
    assert_eq!(words(&me.get("/quota").await)["reserved"], json!("0"));
    let late = me.post(&path(&held, "/capture"), &json!({"quantity": 1})).await.expect(409);
    assert_eq!(late.text("/ended/status"), "expired");
});

db_test!(overage_of_a_capture_is_priced_when_it_is_captured, async |fresh: &Fresh| {
    let app = TestApp::new(&fresh.url).await;
    let user = app.user(Some("professional")).await;
    let me = app.by(&user.token);
    let held = me.post("/reservations", &wish(301_000, "big")).await.expect(201);
    // The hold is merely that: the use before its capture is still within the allowance, and the capture pays.
    let used = me.post("/usage", &json!({"meter": "words", "quantity": 1000, "key": "u"})).await.expect(201);
    assert_eq!(used.text("/amount"), "0.00");
    let captured = me.post(&path(&held, "/capture"), &json!({"quantity": 300_000})).await.expect(200);
    assert_eq!(captured.text("/usage/amount"), "0.50");
    assert_eq!(me.get("/quota").await.text("/total_overage_fee"), "0.50");
});

db_test!(a_keys_allowance_is_held_and_a_service_key_reserves_for_anybody, async |fresh: &Fresh| {
    let app = TestApp::new(&fresh.url).await;
    let user = app.user(None).await;
    let allowance = Some(("words".to_owned(), "100".to_owned()));
    let key = app.key(&user, KeyWish { allowance, ..KeyWish::default() }).await;
    let keyed = app.by(&key);
    let held = keyed.post("/reservations", &wish(90, "k")).await.expect(201);
    let refused = keyed.post("/usage", &json!({"meter": "words", "quantity": 11, "key": "u"})).await.expect(402);
    assert_eq!((refused.text("/limit"), refused.text("/remaining")), ("api_key_allowance".to_owned(), "10".to_owned()));
    // The owner may end it in a session; the key's allowance is what is charged.
    app.by(&user.token).post(&path(&held, "/capture"), &json!({"quantity": 50})).await.expect(200);
    keyed.post("/usage", &json!({"meter": "words", "quantity": 51, "key": "u"})).await.expect(402);
    keyed.post("/usage", &json!({"meter": "words", "quantity": 50, "key": "u"})).await.expect(201);

    let service = app.service_key().await;
    let mut named = wish(10, "by service");
    named["account"] = json!(user.customer.account.to_string());
    let held = app.by(&service).post("/reservations", &named).await.expect(201);
    let stranger = app.user(None).await;
    for (method, end) in [("GET", ""), ("POST", "/release")] {
        app.by(&stranger.token).send(method, &path(&held, end), None).await.expect(404);
    }
    app.by(&stranger.token).post(&path(&held, "/capture"), &json!({"quantity": 1})).await.expect(404);
    app.by(&stranger.token).post("/reservations", &named).await.expect(404);
    app.by(&service).post(&path(&held, "/capture"), &json!({"quantity": 1})).await.expect(200);
});

db_test!(a_list_is_filtered_and_paged, async |fresh: &Fresh| {
    let app = TestApp::new(&fresh.url).await;
    let user = app.user(None).await;
    let me = app.by(&user.token);
    for n in 0..5 {
        let held = me.post("/reservations", &wish(10, &format!("k{n}"))).await.expect(201);
        if n % 2 == 0 {
            me.send("POST", &path(&held, "/release"), None).await.expect(200);
        }
    }
    let count = |answer: &Answer| answer.body["data"].as_array().unwrap().len();
    assert_eq!(count(&me.get("/reservations").await.expect(200)), 5);
    assert_eq!(count(&me.get("/reservations?status=open").await.expect(200)), 2);
    assert_eq!(count(&me.get("/reservations?status=released&meter=words").await.expect(200)), 3);
    assert_eq!(count(&me.get("/reservations?meter=cu").await.expect(200)), 0);
    let first = me.get("/reservations?limit=3").await.expect(200);
    let next = format!("/reservations?limit=3&cursor={}", first.text("/next_cursor"));
    let rest = me.get(&next).await.expect(200);
    assert_eq!((count(&rest), rest.text("/data/1/key")), (2, "k0".to_owned()));
    me.get("/reservations?status=ended").await.expect(422);
});

#[tokio::test]
async fn what_is_not_valid_changes_nothing() {
    let fresh = harness::databases::sqlite().await;
    let app = TestApp::new(&fresh.url).await;
    let user = app.user(None).await;
    let me = app.by(&user.token);
    let bad = |field: &str, value: Value| {
        let mut body = wish(10, "k");
        body[field] = value;
        body
    };
    for (field, value) in [
        ("meter", json!("storage")),
        ("meter", json!("nothing")),
        ("quantity", json!(0)),
        ("quantity", json!(-1)),
        ("quantity", json!("1.5")),
        ("quantity", json!("9999999999999999999")),
        ("ttl_seconds", json!(0)),
        ("ttl_seconds", json!(86_401)),
        ("ttl_seconds", json!(u64::MAX)),
        ("key", json!("a\u{1f}b")),
        ("other", json!(1)),
    ] {
        let answer = me.post("/reservations", &bad(field, value.clone())).await;
        assert_eq!((answer.status, answer.code()), (422, "invalid".to_owned()), "{field} {value}");
    }
    let missing = me.post("/reservations", &json!({"meter": "words", "quantity": 1})).await.expect(400);
    assert_eq!(missing.code(), "idempotency_key_missing");
    let held = me
        .clone()
        .header("Idempotency-Key", "h")
        .post("/reservations", &json!({"meter": "words", "quantity": 1}))
        .await;
    assert_eq!(held.expect(201).text("/key"), "h");
    let held = me.post("/reservations", &wish(10, "k")).await.expect(201);
    for quantity in [json!(0), json!(-1), json!("0.5"), json!("1e3"), json!(i64::MAX)] {
        me.post(&path(&held, "/capture"), &json!({"quantity": quantity})).await.expect(422);
    }
    me.get("/reservations/rsv_0198a6f0c1d27d3e8b3f6a5c4d3e2f14").await.expect(404);
    me.get("/reservations/nonsense").await.expect(404);
    let reader = app.key(&user, KeyWish { scopes: Some(vec!["usage:read".to_owned()]), ..KeyWish::default() }).await;
    app.by(&reader).post("/reservations", &wish(1, "r")).await.expect(403);
    app.by(&reader).get(&path(&held, "")).await.expect(200);
    assert_eq!(words(&me.get("/quota").await)["reserved"], json!("11"));
}
