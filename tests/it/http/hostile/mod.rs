//! Input that no honest client sends: each is answered with its 4xx and changes nothing, on every database.

mod bodies;
mod queries;
mod texts;

use harness::app::{Answer, Caller, TestApp, User};
use serde_json::{Value, json};

/// What must not change.
async fn picture(app: &TestApp, user: &User) -> [Value; 3] {
    let me = app.by(&user.token);
    [me.get("/quota").await.body, me.get("/usage?limit=200").await.body, me.get("/api-keys").await.body]
}

#[track_caller]
fn assert_problem(answer: &Answer, allowed: &[u16], what: &str) {
    let what: String = what.chars().take(200).collect();
    assert!(allowed.contains(&answer.status), "{what}: {} {}", answer.status, answer.body);
    assert_eq!(answer.header("content-type"), Some("application/problem+json"), "{what}: {}", answer.status);
    assert_eq!(answer.body["status"], json!(answer.status), "{what}");
    assert!(answer.body["code"].is_string() && answer.body["request_id"].is_string(), "{what}: {}", answer.body);
}

/// Posts JSON text as it stands, and expects one of the statuses.
async fn refuse(caller: &Caller<'_>, path: &str, text: impl Into<Vec<u8>>, allowed: &[u16]) {
    let bytes = text.into();
    let what = format!("{path} {}", String::from_utf8_lossy(&bytes[..bytes.len().min(150)]));
    let answer = caller.raw("POST", path, "application/json", bytes).await;
    assert_problem(&answer, allowed, &what);
}

fn usage_of(quantity: &str) -> String {
    format!(r#"{{"meter": "words", "key": "k", "quantity": {quantity}}}"#)
}
