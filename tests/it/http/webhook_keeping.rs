//! Keeping webhook endpoints and reading notices: who may, what is refused, and that no secret is shown twice.

use domain::accounts::KeyWish;
use harness::app::TestApp;
use harness::databases::Fresh;
use harness::db_test;
use sea_orm::{ConnectionTrait, Statement};
use serde_json::{Value, json};

const URL: &str = "https://hooks.example.com/suanpan";

db_test!(an_endpoint_is_made_changed_and_deleted_by_its_owner_and_is_nobody_elses, async |fresh: &Fresh| {
    let app = TestApp::new(&fresh.url).await;
    let (user, stranger) = (app.user(None).await, app.user(None).await);
    let me = app.by(&user.token);
    let wish = json!({"url": URL, "events": ["quota.*"], "description": "生产"});
    let made = me.post("/webhook-endpoints", &wish).await.expect(201);
    assert!(made.text("/secret").starts_with("whsec_"));
    let path = format!("/webhook-endpoints/{}", made.text("/id"));
    let shown = me.get(&path).await.expect(200);
    assert_eq!((&shown.body["enabled"], &shown.body["events"]), (&json!(true), &json!(["quota.*"])));
    assert!(shown.body.get("secret").is_none());
    let changed = me.patch(&path, &json!({"events": null, "description": null, "enabled": false})).await.expect(200);
    assert_eq!((&changed.body["events"], &changed.body["disabled_reason"]), (&Value::Null, &json!("customer")));
    me.post(&format!("{path}/test"), &json!({})).await.expect(409);

    let other = app.by(&stranger.token);
    let delivery = format!("{path}/deliveries/dlv_0198a6f0c1d27d3e8b3f6a5c4d3e2f13/replay");
    for (method, path) in [
        ("GET", path.clone()),
        ("DELETE", path.clone()),
        ("GET", format!("{path}/deliveries")),
        ("POST", format!("{path}/rotate-secret")),
        ("POST", format!("{path}/test")),
        ("POST", delivery),
        ("GET", format!("/webhook-endpoints?account={}", user.account())),
        ("GET", format!("/notices?account={}", user.account())),
        ("POST", format!("/notices/read-all?account={}", user.account())),
    ] {
        assert_eq!(other.send(method, &path, None).await.status, 404, "{method} {path}");
    }
    other.patch(&path, &json!({"enabled": true})).await.expect(404);
    other.post("/webhook-endpoints", &json!({"url": URL, "account": user.account()})).await.expect(404);
    assert!(other.get("/webhook-endpoints").await.expect(200).body["data"].as_array().unwrap().is_empty());

    me.delete(&path).await.expect(204);
    me.get(&path).await.expect(404);
    me.delete(&path).await.expect(404);
});

#[tokio::test]
async fn what_is_no_endpoint_is_refused_and_changes_nothing() {
    let fresh = harness::databases::sqlite().await;
    let app = TestApp::new(&fresh.url).await;
    let user = app.user(None).await;
    let me = app.by(&user.token);
    for url in [
        "",
        "hooks.example.com",
        "http://hooks.example.com/",
        "https://127.0.0.1/",
        "https://2130706433/",
        "https://0177.0.0.1/",
        "https://[::1]/",
        "https://[::ffff:10.0.0.1]/",
        "https://localhost/",
        "https://169.254.169.254/latest/meta-data",
        "https://user:password@example.com/",
        "ftp://example.com/",
    ] {
        let refused = me.post("/webhook-endpoints", &json!({ "url": url })).await.expect(422);
        assert_eq!(refused.text("/errors/0/field"), "url", "{url}");
    }
    for events in [json!([]), json!(["*"]), json!(["quota"]), json!("quota.*"), json!(["quota.warning", 5])] {
        me.post("/webhook-endpoints", &json!({"url": URL, "events": events})).await.expect(422);
    }
    me.post("/webhook-endpoints", &json!({"url": URL, "secret": "mine"})).await.expect(422);
    me.post("/webhook-endpoints", &json!({"url": URL, "description": "a\u{202E}b"})).await.expect(422);
    assert!(me.get("/webhook-endpoints").await.expect(200).body["data"].as_array().unwrap().is_empty());
    let made = me.post("/webhook-endpoints", &json!({ "url": URL })).await.expect(201);
    let path = format!("/webhook-endpoints/{}", made.text("/id"));
    me.patch(&path, &json!({"url": "https://10.0.0.1/"})).await.expect(422);
    assert_eq!(me.get(&path).await.expect(200).text("/url"), URL);
}

#[tokio::test]
async fn an_ordinary_key_keeps_no_endpoints_and_a_service_key_keeps_those_of_any_account() {
    let fresh = harness::databases::sqlite().await;
    let app = TestApp::new(&fresh.url).await;
    let user = app.user(None).await;
    let key = app.key(&user, KeyWish::default()).await;
    app.by(&key).post("/webhook-endpoints", &json!({ "url": URL })).await.expect(403);
    app.by(&key).get("/webhook-endpoints").await.expect(403);
    app.by(&key).get("/notices").await.expect(200);
    let service = app.service_key().await;
    let wish = json!({"url": URL, "account": user.account()});
    app.by(&service).post("/webhook-endpoints", &wish).await.expect(201);
    let listed = app.by(&user.token).get("/webhook-endpoints").await.expect(200);
    assert_eq!(listed.body["data"].as_array().unwrap().len(), 1);
    for path in ["/admin/outbox/dead", "/admin/outbox/dead?limit=1"] {
        app.by(&user.token).get(path).await.expect(403);
        app.by(&app.operator).get(path).await.expect(200);
    }
}

#[tokio::test]
async fn sixteen_endpoints_are_the_most_and_fifty_who_want_the_last_one_get_one() {
    let fresh = harness::databases::sqlite().await;
    let app = TestApp::new(&fresh.url).await;
    let user = app.user(None).await;
    let me = app.by(&user.token);
    for _ in 0..15 {
        me.post("/webhook-endpoints", &json!({ "url": URL })).await.expect(201);
    }
    let body = json!({ "url": URL });
    let racers = (0..50).map(|_| me.post("/webhook-endpoints", &body));
    let statuses: Vec<u16> = futures_util::future::join_all(racers).await.iter().map(|answer| answer.status).collect();
    assert_eq!(statuses.iter().filter(|status| **status == 201).count(), 1, "{statuses:?}");
    assert_eq!(statuses.iter().filter(|status| **status == 409).count(), 49, "{statuses:?}");
}

#[tokio::test]
async fn a_server_without_webhooks_makes_no_endpoint_and_no_secret() {
    let fresh = harness::databases::sqlite().await;
    let app = TestApp::new(&fresh.url).await;
    let user = app.user(None).await;
    let made = app.by(&user.token).post("/webhook-endpoints", &json!({ "url": URL })).await.expect(201);
    let off = app.replica_with(&fresh.url, &[("SUANPAN__WEBHOOKS__ENABLED", "false")]).await;
    let me = off.by(&user.token);
    me.post("/webhook-endpoints", &json!({ "url": URL })).await.expect(409);
    me.post(&format!("/webhook-endpoints/{}/rotate-secret", made.text("/id")), &json!({})).await.expect(409);
    me.get(&format!("/webhook-endpoints/{}", made.text("/id"))).await.expect(200);
}

db_test!(no_secret_is_kept_in_clear, async |fresh: &Fresh| {
    let app = TestApp::new(&fresh.url).await;
    let user = app.user(None).await;
    let me = app.by(&user.token);
    let made = me.post("/webhook-endpoints", &json!({ "url": URL })).await.expect(201);
    let rotated = me.post(&format!("/webhook-endpoints/{}/rotate-secret", made.text("/id")), &json!({})).await;
    let secrets = [made.text("/secret"), rotated.expect(200).text("/secret")];
    let connection = sea_orm::Database::connect(&fresh.url).await.unwrap();
    let columns = ["secret", "old_secret"].map(|column| (column, "webhook_endpoints"));
    for (column, table) in columns.into_iter().chain([("detail", "audit_log")]) {
        let query = format!("SELECT {column} AS found FROM {table}");
        let statement = Statement::from_string(connection.get_database_backend(), query);
        let rows = connection.query_all_raw(statement).await.unwrap();
        assert!(!rows.is_empty());
        for row in rows {
            let found: String = row.try_get("", "found").unwrap();
            for secret in &secrets {
                assert!(!found.contains(secret.trim_start_matches("whsec_")), "{table}.{column}");
            }
            assert!(table == "audit_log" || found.starts_with("v1.development."), "{found}");
        }
    }
});

db_test!(notices_are_read_one_by_one_or_all_at_once, async |fresh: &Fresh| {
    let app = TestApp::new(&fresh.url).await;
    let user = app.user(None).await;
    let me = app.by(&user.token);
    app.scene.tell(user.customer.account, 0..5).await;
    while app.scene.services.fan_out.round().await.unwrap() > 0 {}
    let page = me.get("/notices?limit=2").await.expect(200);
    assert_eq!((&page.body["data"][0]["data"]["number"], &page.body["data"][0]["read_at"]), (&json!(4), &Value::Null));
    let next = me.get(&format!("/notices?limit=2&cursor={}", page.text("/next_cursor"))).await.expect(200);
    assert_eq!(next.body["data"][0]["data"]["number"], 2);
    let id = page.text("/data/0/id");
    let read = me.post(&format!("/notices/{id}/read"), &json!({})).await.expect(200).text("/read_at");
    assert_eq!(me.post(&format!("/notices/{id}/read"), &json!({})).await.expect(200).text("/read_at"), read);
    assert_eq!(me.get("/notices?unread=true").await.expect(200).body["data"].as_array().unwrap().len(), 4);
    let stranger = app.user(None).await;
    app.by(&stranger.token).post(&format!("/notices/{id}/read"), &json!({})).await.expect(404);
    assert_eq!(me.post("/notices/read-all", &json!({})).await.expect(200).body, json!({"read": 4}));
    assert_eq!(me.post("/notices/read-all", &json!({})).await.expect(200).body, json!({"read": 0}));
    for query in ["unread=1", "cursor=x", "limit=0", "unknown=1"] {
        me.get(&format!("/notices?{query}")).await.expect(422);
    }
    me.post("/notices/ntc_x/read", &json!({})).await.expect(404);
});
