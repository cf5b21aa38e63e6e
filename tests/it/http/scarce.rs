//! What there is too little of: time for a body to arrive, connections to the database.

use domain::accounts::KeyWish;
use futures_util::future::join;
use harness::app::TestApp;
use harness::databases::Fresh;
use harness::db_test;
use serde_json::json;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// How long a test waits for what must come.
const PATIENCE: Duration = Duration::from_mins(1);

/// What comes back until the server hangs up.
async fn told(address: SocketAddr, path: &str, token: &str) -> String {
    let request = format!(
        "POST /api/v1{path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n\
         Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{{\"meter\": "
    );
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    tokio::time::timeout(PATIENCE, stream.read_to_string(&mut answer)).await.unwrap().unwrap();
    answer
}

#[tokio::test]
async fn a_body_that_does_not_arrive_in_time_is_let_go() {
    let fresh = harness::databases::sqlite().await;
    let app = TestApp::with(&fresh.url, &[("SUANPAN__SERVER__BODY_SECONDS", "1")]).await;
    let user = app.user(None).await;
    for path in ["/usage", "/usage/batch", "/usage/events", "/webhooks/manual"] {
        let answer = told(app.address, path, &user.token).await;
        assert!(answer.starts_with("HTTP/1.1 408 ") && answer.contains("\"code\":\"too_slow\""), "{path}: {answer}");
    }
}

db_test!(one_connection_is_enough_and_none_is_unavailable, async |fresh: &Fresh| {
    let settings = [("SUANPAN__DATABASE__MAX_CONNECTIONS", "1"), ("SUANPAN__PAYMENTS__MANUAL__ENABLED", "true")];
    let app = TestApp::with(&fresh.url, &settings).await;
    let user = app.user(None).await;
    let me = app.by(&user.token);
    let key = app.key(&user, KeyWish::default()).await;
    let event = |key: &str| json!({"meter": "words", "quantity": 1, "key": key});
    app.by(&key).post("/usage", &event("a")).await.expect(201);
    me.post("/usage/batch", &json!({"events": [event("b"), event("c")]})).await.expect(200);
    let held = me.post("/reservations", &json!({"meter": "words", "quantity": 9, "key": "r"})).await.expect(201);
    me.post(&format!("/reservations/{}/capture", held.text("/id")), &json!({"quantity": 9})).await.expect(200);
    let top_up = json!({"topup": {"amount": "5", "currency": "CNY"}, "provider": "manual"});
    me.clone().header("Idempotency-Key", "o").post("/orders", &top_up).await.expect(201);
    for path in ["/me", "/quota", "/usage", "/usage/summary", "/wallet", "/orders", "/bills"] {
        me.get(path).await.expect(200);
    }

    let taken = app.scene.services.store.begin().await.unwrap();
    let wish = json!({"name": "another"});
    let (usage, making) = join(me.post("/usage", &event("d")), me.post("/api-keys", &wish)).await;
    for answer in [usage, making] {
        assert_eq!(answer.header("retry-after"), Some("1"));
        assert_eq!(answer.expect(503).code(), "unavailable");
    }
    drop(taken);
    me.post("/api-keys", &wish).await.expect(201);
    me.post("/usage", &event("d")).await.expect(201);
});
