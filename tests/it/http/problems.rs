//! Every documented error answer: its status, its type and its body, as committed under `snapshots`.

use domain::accounts::KeyWish;
use harness::app::{Answer, TestApp, User};
use insta::assert_json_snapshot;
use serde_json::{Value, json};

/// A customer with a session and a key, and an operator.
struct Stage {
    app: TestApp,
    user: User,
    key: String,
    _fresh: harness::databases::Fresh,
}

async fn stage(plan: Option<&str>) -> Stage {
    let fresh = harness::databases::sqlite().await;
    let app = TestApp::new(&fresh.url).await;
    let user = app.user(plan).await;
    let key = app.key(&user, KeyWish::default()).await;
    Stage { app, user, key, _fresh: fresh }
}

/// What of an answer is the same each time.
fn shown(answer: &Answer) -> Value {
    let mut body = answer.body.clone();
    assert!(body["request_id"].as_str().unwrap().starts_with("req_"), "{body}");
    assert_eq!(answer.header("x-request-id"), body["request_id"].as_str());
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    body["request_id"] = json!("[request id]");
    let retry = answer.header("retry-after").map(|_| "[seconds]");
    json!({
        "status": answer.status, "content_type": answer.header("content-type"), "allow": answer.header("allow"),
        "retry_after": retry, "body": body,
    })
}

macro_rules! assert_problem {
    ($name:literal, $answer:expr) => {
        assert_json_snapshot!($name, shown(&$answer))
    };
}

fn words(quantity: impl Into<Value>) -> Value {
    json!({"meter": "words", "quantity": quantity.into(), "key": "k"})
}

#[tokio::test]
async fn problems_of_the_door() {
    let stage = stage(None).await;
    let Stage { app, user, key, .. } = &stage;
    assert_problem!("unauthenticated", app.anonymous().get("/me").await);
    assert_problem!("unauthenticated_key", app.by(&format!("sk-{}", "0".repeat(64))).get("/me").await);
    assert_problem!("forbidden_operator", app.by(&user.token).get("/admin/users").await);
    assert_problem!("forbidden_session", app.by(key).get("/api-keys").await);
    let wish = KeyWish { scopes: Some(vec!["usage:read".to_owned()]), ..KeyWish::default() };
    let reader = app.key(user, wish).await;
    assert_problem!("forbidden_scope", app.by(&reader).post("/usage", &words(1)).await);
    let slow = app.key(user, KeyWish { requests_per_minute: Some(1), ..KeyWish::default() }).await;
    app.by(&slow).get("/me").await.expect(200);
    assert_problem!("rate_limited", app.by(&slow).get("/me").await);
    let login = json!({"login": "nobody", "password": "wrong password"});
    assert_problem!("log_in_failed", app.anonymous().post("/auth/login", &login).await);
    for _ in 0..4 {
        app.anonymous().post("/auth/login", &login).await.expect(401);
    }
    assert_problem!("log_in_throttled", app.anonymous().post("/auth/login", &login).await);
}

#[tokio::test]
async fn problems_of_reading_a_request() {
    let stage = stage(None).await;
    let Stage { app, user, .. } = &stage;
    let me = app.by(&user.token);
    let raw = async |media: &str, body: &str| me.raw("POST", "/usage", media, body.as_bytes().to_vec()).await;
    assert_problem!("malformed", raw("application/json", "{\"meter\": ").await);
    assert_problem!("unsupported_media_type", raw("text/plain", "words").await);
    let unread = me.clone().header("Content-Encoding", "gzip").post("/usage", &words(1)).await;
    assert_problem!("unsupported_encoding", unread);
    assert_problem!("too_large", raw("application/json", &" ".repeat(1_048_577)).await);
    assert_problem!("invalid_type", me.post("/usage", &words(1.5)).await);
    assert_problem!("invalid_unknown_field", me.post("/usage", &json!({"meter": "words", "amount": 1})).await);
    assert_problem!("invalid_query", me.get("/usage?limit=many").await);
    assert_problem!("invalid_unknown_parameter", me.get("/usage?page=2").await);
    assert_problem!("invalid_limit", me.get("/usage?limit=201").await);
    assert_problem!("invalid_cursor", me.get("/usage?cursor=2").await);
    assert_problem!("not_found_path", me.get("/nothing").await);
    assert_problem!("not_found_id", me.get("/api-keys/key_1").await);
    assert_problem!("method_not_allowed", me.delete("/usage").await);
}

#[tokio::test]
async fn problems_of_usage() {
    let stage = stage(None).await;
    let Stage { app, user, key, .. } = &stage;
    let me = app.by(&user.token);
    assert_problem!("invalid_quantity", me.post("/usage", &words("1e3")).await);
    assert_problem!("invalid_precision", me.post("/usage", &words("1.5")).await);
    assert_problem!("invalid_counter", me.post("/usage", &words(-1)).await);
    let release = json!({"meter": "storage", "quantity": -1, "key": "k"});
    assert_problem!("invalid_gauge", me.post("/usage", &release).await);
    let unknown = json!({"meter": "pages", "quantity": 1, "key": "k"});
    assert_problem!("invalid_meter", me.post("/usage", &unknown).await);
    let keyless = json!({"meter": "words", "quantity": 1});
    assert_problem!("idempotency_key_missing", me.post("/usage", &keyless).await);
    me.post("/usage", &words(1)).await.expect(201);
    assert_problem!("idempotency_key_reused", me.post("/usage", &words(2)).await);
    assert_problem!("invalid_batch", me.post("/usage/batch", &json!({"events": []})).await);
    let foreign = json!({"meter": "words", "quantity": 1, "key": "f", "account": "crm-1"});
    assert_problem!("not_found_account", app.by(key).post("/usage", &foreign).await);
    let other = json!({"meter": "words", "quantity": 1, "key": "u", "user": "usr_0198c0ffee007000800000000000abcd"});
    assert_problem!("forbidden_user", app.by(key).post("/usage", &other).await);
}

#[tokio::test]
async fn problems_that_money_or_quota_would_cure() {
    let stage = stage(None).await;
    let Stage { app, user, .. } = &stage;
    let me = app.by(&user.token);
    assert_problem!("quota_exceeded", me.post("/usage", &words(30_001)).await);
    let wish = KeyWish { allowance: Some(("words".to_owned(), "10".to_owned())), ..KeyWish::default() };
    let small = app.key(user, wish).await;
    assert_problem!("quota_exceeded_key", app.by(&small).post("/usage", &words(11)).await);
    let account = format!("/admin/accounts/{}", user.account());
    app.by(&app.operator).patch(&account, &json!({"status": "frozen"})).await.expect(200);
    assert_problem!("account_frozen", me.post("/usage", &words(1)).await);
    let payer = app.user(Some("professional")).await;
    let cap = json!({"spend_cap": "0.10"});
    app.by(&payer.token).patch(&format!("/accounts/{}", payer.account()), &cap).await.expect(200);
    assert_problem!("spend_cap_reached", app.by(&payer.token).post("/usage", &words(300_201)).await);
}

#[tokio::test]
async fn problems_of_accounts_and_plans() {
    let stage = stage(Some("professional")).await;
    let Stage { app, user, .. } = &stage;
    let me = app.by(&user.token);
    let again = json!({"username": user.name, "password": harness::app::PASSWORD});
    assert_problem!("conflict_name", app.anonymous().post("/auth/register", &again).await);
    assert_problem!("conflict_resume", me.send("POST", "/subscription/resume", None).await);
    assert_problem!("invalid_plan", me.keyed().post("/subscription", &json!({"plan": "platinum"})).await);
    assert_problem!("invalid_name", me.post("/api-keys", &json!({"name": "a\u{0}b"})).await);
    let cap = json!({"spend_cap": "1.000000000001"});
    assert_problem!("invalid_cap", me.patch(&format!("/accounts/{}", user.account()), &cap).await);
    let path = format!("/admin/accounts/{}/grants", user.account());
    let grant = json!({"meter": "words", "quantity": 1});
    assert_problem!("idempotency_key_missing_grant", app.by(&app.operator).post(&path, &grant).await);
    let operator = app.by(&app.operator).header("Idempotency-Key", "g");
    operator.post(&path, &grant).await.expect(201);
    let other = json!({"meter": "words", "quantity": 2});
    assert_problem!("idempotency_key_reused_grant", operator.post(&path, &other).await);
    let past = json!({"to": "2020-01-01T00:00:00Z"});
    assert_problem!("invalid_clock", app.by(&app.operator).post("/admin/test-clock/advance", &past).await);
}
