//! API keys at the door: scopes, expiry, allowance, models, addresses, rate, rotation.

use chrono::{SecondsFormat, TimeDelta};
use harness::app::TestApp;
use harness::databases::Fresh;
use harness::db_test;
use serde_json::{Value, json};

fn words(quantity: u32, key: &str) -> Value {
    json!({"meter": "words", "quantity": quantity, "key": key})
}

#[tokio::test]
async fn a_key_does_what_its_scopes_say_and_customers_give_no_operators_scopes() {
    let fresh = harness::databases::sqlite().await;
    let app = TestApp::new(&fresh.url).await;
    let user = app.user(None).await;
    let me = app.by(&user.token);
    let reader = me.post("/api-keys", &json!({"name": "r", "scopes": ["usage:read"]})).await.expect(201).text("/key");
    let writer = me.post("/api-keys", &json!({"name": "w", "scopes": ["usage:write"]})).await.expect(201).text("/key");
    app.by(&reader).get("/quota").await.expect(200);
    assert_eq!(app.by(&reader).post("/usage", &words(1, "a")).await.expect(403).code(), "forbidden");
    app.by(&writer).post("/usage", &words(1, "a")).await.expect(201);
    app.by(&writer).get("/quota").await.expect(403);
    for scope in ["service", "admin"] {
        me.post("/api-keys", &json!({"name": "s", "scopes": [scope]})).await.expect(403);
    }
    app.by(&writer).post("/api-keys", &json!({"name": "more"})).await.expect(403);
}

db_test!(an_allowance_of_one_meter_refuses_by_name_and_leaves_other_meters_alone, async |fresh: &Fresh| {
    let app = TestApp::new(&fresh.url).await;
    let user = app.user(None).await;
    let wish = json!({"name": "k", "allowance": {"meter": "words", "quantity": "100"}});
    let made = app.by(&user.token).post("/api-keys", &wish).await.expect(201);
    let keyed = app.by(&made.text("/key"));
    keyed.post("/usage", &words(60, "a")).await.expect(201);
    let refused = keyed.post("/usage", &words(41, "b")).await.expect(402);
    assert_eq!((refused.text("/limit"), refused.text("/remaining")), ("api_key_allowance".to_owned(), "40".to_owned()));
    keyed.post("/usage", &json!({"meter": "cu", "quantity": 1, "key": "c"})).await.expect(201);
    app.by(&user.token).post("/usage", &words(41, "b")).await.expect(201);
    let shown = app.by(&user.token).get(&format!("/api-keys/{}", made.text("/id"))).await.expect(200);
    assert_eq!(shown.body["allowance"], json!({"meter": "words", "quantity": "100", "used": "60"}));
});

#[tokio::test]
async fn a_key_for_some_models_is_used_for_no_other() {
    let fresh = harness::databases::sqlite().await;
    let app = TestApp::new(&fresh.url).await;
    let user = app.user(None).await;
    let wish = json!({"name": "k", "models": ["gpt-4o"]});
    let key = app.by(&user.token).post("/api-keys", &wish).await.expect(201).text("/key");
    let use_of = |model: Value| json!({"meter": "words", "quantity": 1, "key": "m", "dimensions": model});
    app.by(&key).post("/usage", &use_of(json!({}))).await.expect(403);
    app.by(&key).post("/usage", &use_of(json!({"model": "gpt-4"}))).await.expect(403);
    app.by(&key).post("/usage", &use_of(json!({"model": "gpt-4o"}))).await.expect(201);
}

#[tokio::test]
async fn an_address_list_looks_at_the_peer_unless_that_is_a_trusted_proxy() {
    let fresh = harness::databases::sqlite().await;
    let app = TestApp::new(&fresh.url).await;
    let user = app.user(None).await;
    let me = app.by(&user.token);
    let wish = |list: &str| json!({"name": "k", "allowed_ips": [list]});
    let far = me.post("/api-keys", &wish("198.51.100.0/24")).await.expect(201).text("/key");
    let near = me.post("/api-keys", &wish("127.0.0.0/8")).await.expect(201).text("/key");
    app.by(&far).header("X-Forwarded-For", "198.51.100.7").get("/quota").await.expect(403);
    app.by(&near).header("X-Forwarded-For", "198.51.100.7").get("/quota").await.expect(200);
}

#[tokio::test]
async fn behind_a_trusted_proxy_the_forwarded_address_counts() {
    let fresh = harness::databases::sqlite().await;
    let app = TestApp::with(&fresh.url, &[("SUANPAN__SERVER__TRUSTED_PROXIES", "127.0.0.1")]).await;
    let user = app.user(None).await;
    let wish = json!({"name": "k", "allowed_ips": ["198.51.100.0/24"]});
    let far = app.by(&user.token).post("/api-keys", &wish).await.expect(201).text("/key");
    app.by(&far).header("X-Forwarded-For", "198.51.100.7").get("/quota").await.expect(200);
    app.by(&far).header("X-Forwarded-For", "198.51.100.7, 203.0.113.1").get("/quota").await.expect(403);
    app.by(&far).get("/quota").await.expect(403);
}

#[tokio::test]
async fn a_limited_key_is_told_its_standing_and_then_to_wait() {
    let fresh = harness::databases::sqlite().await;
    let app = TestApp::new(&fresh.url).await;
    let user = app.user(None).await;
    let wish = json!({"name": "k", "requests_per_minute": 2});
    let key = app.by(&user.token).post("/api-keys", &wish).await.expect(201).text("/key");
    let first = app.by(&key).post("/usage", &words(1, "a")).await.expect(201);
    let standing =
        ["ratelimit-limit", "ratelimit-remaining", "ratelimit-reset"].map(|name| first.header(name).unwrap());
    assert_eq!(standing, ["2", "1", "30"]);
    app.by(&key).get("/quota").await.expect(200);
    let refused = app.by(&key).get("/quota").await.expect(429);
    assert_eq!(refused.code(), "rate_limited");
    assert!((1..=30).contains(&refused.header("retry-after").unwrap().parse::<u32>().unwrap()));
    assert_eq!(refused.header("ratelimit-remaining"), Some("0"));
}

db_test!(an_ended_key_opens_nothing, async |fresh: &Fresh| {
    let app = TestApp::new(&fresh.url).await;
    let user = app.user(None).await;
    let me = app.by(&user.token);
    let soon = (app.scene.now() + TimeDelta::hours(1)).to_rfc3339_opts(SecondsFormat::Secs, true);
    let expiring = me.post("/api-keys", &json!({"name": "e", "expires_at": soon})).await.expect(201).text("/key");
    let made = me.post("/api-keys", &json!({"name": "k"})).await.expect(201);
    let (path, old) = (format!("/api-keys/{}", made.text("/id")), made.text("/key"));
    let new = me.post(&format!("{path}/rotate"), &json!({})).await.expect(200).text("/key");
    app.by(&old).get("/quota").await.expect(401);
    app.by(&new).get("/quota").await.expect(200);
    me.patch(&path, &json!({"status": "disabled"})).await.expect(200);
    app.by(&new).get("/quota").await.expect(401);
    me.patch(&path, &json!({"status": "active"})).await.expect(200);
    app.by(&new).get("/quota").await.expect(200);
    me.delete(&path).await.expect(204);
    app.by(&new).get("/quota").await.expect(401);
    me.get(&path).await.expect(404);
    app.by(&expiring).post("/usage", &words(1, "a")).await.expect(201);
    app.scene.move_clock(app.scene.now() + TimeDelta::hours(2));
    tokio::time::sleep(std::time::Duration::from_millis(3100)).await;
    app.by(&expiring).post("/usage", &words(1, "b")).await.expect(401);
});
