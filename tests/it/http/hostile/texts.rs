//! Texts with characters that no name has, and credentials that open nothing.

use super::{assert_problem, picture};
use harness::app::TestApp;
use harness::databases::Fresh;
use harness::db_test;
use serde_json::json;

db_test!(nul_controls_and_invisible_letters_are_invalid_in_every_text, async |fresh: &Fresh| {
    let app = TestApp::new(&fresh.url).await;
    let user = app.user(Some("professional")).await;
    let before = picture(&app, &user).await;
    let me = app.by(&user.token);
    let grants = format!("/admin/accounts/{}/grants", user.account());
    let (operator, keyed) = (app.by(&app.operator).header("Idempotency-Key", "g"), me.keyed());
    for odd in ["a\u{0}b", "\u{0}", "a\u{1b}[2Jb", "a\r\nSet-Cookie: x", "a\u{7f}"] {
        for (caller, method, path, body) in [
            (&me, "POST", "/usage", json!({"meter": odd, "key": "k", "quantity": 1})),
            (&me, "POST", "/usage", json!({"meter": "words", "key": odd, "quantity": 1})),
            (&me, "POST", "/usage", json!({"meter": "words", "key": "k", "quantity": 1, "dimensions": {"model": odd}})),
            (&me, "POST", "/usage", json!({"meter": "words", "key": "k", "quantity": 1, "dimensions": {odd: "x"}})),
            (&me, "POST", "/usage", json!({"meter": "words", "key": "k", "quantity": 1, "account": odd})),
            (&me, "POST", "/usage", json!({"meter": "words", "key": "k", "quantity": 1, "user": odd})),
            (&me, "POST", "/api-keys", json!({"name": odd})),
            (&me, "POST", "/api-keys", json!({"name": "k", "models": [odd]})),
            (&me, "POST", "/api-keys", json!({"name": "k", "scopes": [odd]})),
            (&me, "POST", "/api-keys", json!({"name": "k", "allowed_ips": [odd]})),
            (&me, "POST", "/api-keys", json!({"name": "k", "account": odd})),
            (&me, "PATCH", "/me", json!({"display_name": odd})),
            (&me, "PATCH", "/me", json!({"avatar_url": odd})),
            (&keyed, "POST", "/subscription", json!({"plan": odd})),
            (&keyed, "POST", "/subscription", json!({"plan": "team", "account": odd})),
            (&me, "PATCH", "/subscription", json!({"selected_ai_model": odd})),
            (&me, "POST", "/auth/register", json!({"username": odd, "password": "correct horse battery"})),
            (
                &me,
                "POST",
                "/auth/register",
                json!({"username": "li4", "password": "correct horse battery", "display_name": odd}),
            ),
            (&operator, "POST", &grants, json!({"meter": "words", "quantity": 1, "models": [odd]})),
            (&operator, "POST", &grants, json!({"meter": "words", "quantity": 1, "reason": odd})),
            (&operator, "PATCH", &format!("/admin/accounts/{}", user.account()), json!({"external_id": odd})),
        ] {
            let answer = caller.send(method, path, Some(&body)).await;
            let allowed: &[u16] = if body["account"].is_string() { &[404, 422] } else { &[422] };
            assert_problem(&answer, allowed, &format!("{method} {path} {body}"));
        }
        let login = app.anonymous().post("/auth/login", &json!({"login": odd, "password": odd})).await;
        assert_problem(&login, &[401, 429], "a log-in");
    }
    let nul = json!({"settings": {"deep": ["a\u{0}b"]}});
    assert_problem(&me.patch("/me", &nul).await, &[422], "settings");
    assert_problem(&me.patch("/me", &json!({"settings": {"a\u{0}b": 1}})).await, &[422], "settings");
    for query in ["account=%00", "account=a%00b", "account=%ff", "meter=%00", "cursor=%00", "api_key=%00"] {
        for path in ["/usage", "/usage/summary", "/warnings", "/quota"] {
            assert_problem(&me.get(&format!("{path}?{query}")).await, &[404, 422], &format!("{path}?{query}"));
        }
    }
    for path in ["/accounts/%00", "/accounts/a%00b", "/accounts/%ff", "/api-keys/%00", "/api-keys/%ff"] {
        assert_problem(&me.get(path).await, &[404], path);
    }
    assert_eq!(picture(&app, &user).await, before);
});

#[tokio::test]
async fn no_odd_credential_opens_anything() {
    let fresh = harness::databases::sqlite().await;
    let app = TestApp::new(&fresh.url).await;
    let user = app.user(None).await;
    let cut = &user.token[..user.token.len() - 1];
    let long = "a".repeat(60_000);
    for token in [cut, &format!("{}0", user.token), &user.token.to_uppercase(), "sk-", "x", "null", "sk-ключ", &long]
    {
        assert_problem(&app.by(token).get("/me").await, &[401], token);
    }
    for scheme in ["Basic", "bearer:", ""] {
        let value = format!("{scheme} {}", user.token);
        assert_problem(&app.anonymous().header("Authorization", &value).get("/me").await, &[401], scheme);
    }
    let doubled = app.by(&user.token).header("Authorization", "Bearer x");
    assert_problem(&doubled.get("/me").await, &[401], "two headers");
    for key in ["", "\u{e9}", &"k".repeat(256)] {
        let answer = app.by(&user.token).header("Idempotency-Key", key);
        assert_problem(&answer.post("/usage", &json!({"meter": "words", "quantity": 1})).await, &[400], key);
    }
}
