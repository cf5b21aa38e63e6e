//! Input that no honest client sends: each is answered with its 4xx and changes nothing, on every database.

use harness::app::{Answer, Caller, TestApp, User};
use harness::databases::Fresh;
use harness::db_test;
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

db_test!(no_decimal_outside_the_grammar_is_understood, async |fresh: &Fresh| {
    let app = TestApp::new(&fresh.url).await;
    let user = app.user(None).await;
    let before = picture(&app, &user).await;
    let me = app.by(&user.token);
    let forty = "9".repeat(40);
    for text in [
        "1e3",
        "1_000",
        "+5",
        ".5",
        "5.",
        " 5",
        "5 ",
        "５",
        "٣",
        "NaN",
        "Infinity",
        "-0",
        "00",
        "01",
        "1,000",
        "0x10",
        "",
        "-",
        "--1",
        "9223372036854775808",
        "-9223372036854775809",
        "1.5",
        &forty,
        "5\u{0}",
    ] {
        refuse(&me, "/usage", usage_of(&json!(text).to_string()), &[422]).await;
    }
    for literal in [
        "5.0",
        "1e2",
        "1.5",
        "-0",
        "true",
        "false",
        "null",
        "[]",
        "{}",
        "[5]",
        "9223372036854775808",
        "18446744073709551616",
        "1e400",
        "-1e400",
        &forty,
    ] {
        refuse(&me, "/usage", usage_of(literal), &[422, 400]).await;
    }
    for literal in ["NaN", "Infinity", "+5", ".5", "5.", "0x10", "1_000", "５", "01"] {
        refuse(&me, "/usage", usage_of(literal), &[400]).await;
    }
    for quantity in ["\"1e3\"", "5.0", "\"0.0001\"", "9223372036854775807"] {
        let body = format!(r#"{{"name": "k", "allowance": {{"meter": "cu", "quantity": {quantity}}}}}"#);
        refuse(&me, "/api-keys", body, &[422]).await;
    }
    let account = format!("/accounts/{}", user.account());
    for cap in ["\"1e3\"", "\"-1\"", "1.5", "true", "\"0.0000000001\"", "9223372036854775807"] {
        let body = format!(r#"{{"spend_cap": {cap}}}"#).into_bytes();
        assert_problem(&me.raw("PATCH", &account, "application/json", body).await, &[422], cap);
    }
    assert_eq!(picture(&app, &user).await, before);
});

db_test!(no_broken_body_is_read, async |fresh: &Fresh| {
    let app = TestApp::new(&fresh.url).await;
    let user = app.user(None).await;
    let before = picture(&app, &user).await;
    let me = app.by(&user.token);
    let good = usage_of("5");
    let nested = |depth: usize| {
        format!(r#"{{"meter": "words", "key": "k", "quantity": {}1{}}}"#, "[".repeat(depth), "]".repeat(depth))
    };
    for body in [
        String::new(),
        " ".to_owned(),
        "{".to_owned(),
        format!("{good} {good}"),
        format!("{good}\n{good}"),
        format!("\u{feff}{good}"),
        good.replace('}', ",}"),
        good.replace('"', "'"),
        r#"{"meter": "\ud800", "key": "k", "quantity": 1}"#.to_owned(),
        "{\"meter\": \"wo\nrds\", \"key\": \"k\", \"quantity\": 1}".to_owned(),
    ] {
        refuse(&me, "/usage", body, &[400]).await;
    }
    for body in [nested(10), nested(126), nested(129), nested(100_000)] {
        refuse(&me, "/usage", body, &[400, 422]).await;
    }
    let deep_settings = format!(r#"{{"settings": {}1{}}}"#, r#"{"a":"#.repeat(129), "}".repeat(129));
    assert_problem(&me.raw("PATCH", "/me", "application/json", deep_settings.into_bytes()).await, &[400], "deep");
    for bytes in
        [&b"{\"meter\": \"\xff\xfe\", \"key\": \"k\", \"quantity\": 1}"[..], &b"\xff\xfe{\0}\0"[..], &b"\x80"[..]]
    {
        refuse(&me, "/usage", bytes, &[400]).await;
    }
    for body in [
        r#"{"meter": "words", "key": "k", "quantity": 1, "quantity": 2}"#,
        r#"{"meter": "words", "key": "k", "quantity": 1, "role": "root"}"#,
        r#"{"meter": "words", "key": "k", "quantity": 1, "__proto__": {}}"#,
        r#"{"meter": "words", "key": 5, "quantity": 1}"#,
        r#"{"meter": null, "key": "k", "quantity": 1}"#,
        r#"{"meter": "words", "key": "k", "quantity": 1, "dimensions": []}"#,
        r#"{"meter": "words", "key": "k", "quantity": 1, "dimensions": {"model": "a", "model": "b"}}"#,
        r#"{"meter": "words", "key": "k", "quantity": 1, "dimensions": {"model": 5}}"#,
        "[]",
        "5",
        "\"x\"",
        "null",
    ] {
        refuse(&me, "/usage", body, &[422]).await;
    }
    refuse(
        &me,
        "/usage/batch",
        r#"{"events": [{"meter": "words", "key": "k", "quantity": 1, "quantity": 2}]}"#,
        &[422],
    )
    .await;
    assert_eq!(picture(&app, &user).await, before);
});

#[tokio::test]
async fn an_array_is_never_read_as_an_object_field_by_field() {
    let fresh = harness::databases::sqlite().await;
    let app = TestApp::new(&fresh.url).await;
    let user = app.user(None).await;
    let before = picture(&app, &user).await;
    let (me, operator) = (app.by(&user.token), app.by(&app.operator));
    let account = format!("/admin/accounts/{}", user.account());
    for (caller, method, path, body) in [
        (&me, "POST", "/usage", json!(["words", 1, "k", null, {}, null, null])),
        (&me, "POST", "/auth/login", json!([user.name, harness::app::PASSWORD])),
        (&me, "POST", "/api-keys", json!({"name": "k", "allowance": ["words", 5]})),
        (&operator, "PATCH", account.as_str(), json!(["frozen", null])),
    ] {
        assert_problem(&caller.send(method, path, Some(&body)).await, &[422], path);
    }
    let batch = me.post("/usage/batch", &json!({"events": [["words", 1, "k", null, {}, null, null]]})).await;
    assert_eq!(batch.expect(200).text("/results/0/status"), "invalid");
    assert_eq!(picture(&app, &user).await, before);
}

#[tokio::test]
async fn no_body_of_another_kind_or_size_is_read() {
    let fresh = harness::databases::sqlite().await;
    let app = TestApp::new(&fresh.url).await;
    let user = app.user(None).await;
    let before = picture(&app, &user).await;
    let me = app.by(&user.token);
    for media in [
        "text/plain",
        "application/xml",
        "application/json, text/plain",
        "",
        "multipart/form-data",
        "application/jsonp",
    ] {
        let answer = me.raw("POST", "/usage", media, usage_of("1").into_bytes()).await;
        assert_problem(&answer, &[415], media);
    }
    for encoding in ["gzip", "br", "identity", "zstd, gzip"] {
        let answer = me.clone().header("Content-Encoding", encoding).post("/usage", &json!({})).await;
        assert_problem(&answer, &[415], encoding);
    }
    for size in [1_048_577, 10 << 20] {
        let answer = me.raw("POST", "/usage", "application/json", vec![b' '; size]).await;
        assert_problem(&answer, &[413], "a large body");
    }
    assert_eq!(picture(&app, &user).await, before);
}

db_test!(nul_controls_and_invisible_letters_are_invalid_in_every_text, async |fresh: &Fresh| {
    let app = TestApp::new(&fresh.url).await;
    let user = app.user(Some("professional")).await;
    let before = picture(&app, &user).await;
    let me = app.by(&user.token);
    let grants = format!("/admin/accounts/{}/grants", user.account());
    let operator = app.by(&app.operator).header("Idempotency-Key", "g");
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
            (&me, "POST", "/subscription", json!({"plan": odd})),
            (&me, "POST", "/subscription", json!({"plan": "team", "account": odd})),
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

db_test!(no_odd_query_or_id_is_answered_with_rows, async |fresh: &Fresh| {
    let app = TestApp::new(&fresh.url).await;
    let user = app.user(None).await;
    let me = app.by(&user.token);
    for list in ["/usage", "/warnings", "/api-keys"] {
        for limit in ["0", "-1", "201", "abc", "1e2", "4294967296", "18446744073709551616", "%00", "５"] {
            assert_problem(&me.get(&format!("{list}?limit={limit}")).await, &[422], &format!("{list} {limit}"));
        }
        for cursor in [
            "",
            "x",
            "0",
            "use_0198c0ffee007000800000000000abcd",
            "'%20OR%201=1",
            "0198c0ffee00700080000000000",
            "%F0%9F%92%A9",
        ] {
            assert_problem(&me.get(&format!("{list}?cursor={cursor}")).await, &[422], &format!("{list} {cursor}"));
        }
        for query in ["page=1", "limit=1&limit=2", "limit[]=1", "sort=token_hash"] {
            assert_problem(&me.get(&format!("{list}?{query}")).await, &[422], &format!("{list} {query}"));
        }
    }
    for time in [
        "yesterday",
        "2026-01-01",
        "1700000000",
        "2026-02-29T00:00:00Z",
        "2026-01-01T24:00:00Z",
        "10000-01-01T00:00:00Z",
        "-1-01-01T00:00:00Z",
    ] {
        for path in ["/usage", "/usage/summary"] {
            assert_problem(&me.get(&format!("{path}?from={time}")).await, &[422], &format!("{path} {time}"));
        }
    }
    for (from, to) in [
        ("0000-01-01T00:00:00Z", "9999-12-31T23:59:59Z"),
        ("9999-12-31T23:59:59Z", "0000-01-01T00:00:00Z"),
        ("+262142-12-31T00:00:00Z", "+262142-12-31T00:00:01Z"),
        ("-262143-01-01T00:00:00Z", "2026-01-01T00:00:00Z"),
    ] {
        for path in ["/usage?", "/usage/summary?", "/usage/summary?group_by=hour&"] {
            let (from, to) = (from.replace('+', "%2B"), to.replace('+', "%2B"));
            let answer = me.get(&format!("{path}from={from}&to={to}")).await;
            assert!([200, 422].contains(&answer.status), "{path} {from} {to}: {} {}", answer.status, answer.body);
        }
    }
    for id in [
        "x",
        "key_",
        "key_0198c0ffee007000800000000000abcd",
        "usr_0198c0ffee007000800000000000abcd",
        "KEY_0198C0FFEE007000800000000000ABCD",
        "..%2f..%2fme",
        "%2e%2e",
    ] {
        assert_problem(&me.get(&format!("/api-keys/{id}")).await, &[404], id);
    }
    for path in ["/usage/", "//usage", "/Usage", "/usage;x", "/nothing", "/admin", "/usage/summary/more"] {
        assert_problem(&me.get(path).await, &[404], path);
    }
    let long = format!("/usage?cursor={}", "a".repeat(60 << 10));
    assert_problem(&me.get(&long).await, &[422, 414], "a long query");
    for (method, path) in
        [("DELETE", "/usage"), ("PUT", "/quota"), ("POST", "/plans"), ("PATCH", "/api-keys"), ("TRACE", "/me")]
    {
        let answer = me.send(method, path, None).await;
        assert_problem(&answer, &[405], path);
        assert!(answer.header("allow").is_some_and(|allow| !allow.is_empty()), "{method} {path}");
    }
});

db_test!(no_time_outside_the_calendar_is_stored, async |fresh: &Fresh| {
    let app = TestApp::new(&fresh.url).await;
    let user = app.user(None).await;
    let before = picture(&app, &user).await;
    let me = app.by(&user.token);
    let grants = format!("/admin/accounts/{}/grants", user.account());
    for time in [
        "0000-01-01T00:00:00Z",
        "-0001-01-01T00:00:00Z",
        "10000-01-01T00:00:00Z",
        "+10000-01-01T00:00:00Z",
        "+262142-12-31T23:59:59Z",
        "2026-02-30T00:00:00Z",
        "2026-01-01",
        "2026-01-01T00:00:00",
        "1700000000",
        "",
    ] {
        let event = json!({"meter": "words", "quantity": 1, "key": "t", "occurred_at": time});
        assert_problem(&me.post("/usage", &event).await, &[422], time);
        assert_problem(&me.post("/api-keys", &json!({"name": "k", "expires_at": time})).await, &[422], time);
        let grant = json!({"meter": "words", "quantity": 1, "expires_at": time});
        let operator = app.by(&app.operator).header("Idempotency-Key", time);
        let answer = operator.post(&grants, &grant).await;
        assert_problem(&answer, if time.is_empty() { &[400, 422] } else { &[422] }, time);
        let clock = app.by(&app.operator).post("/admin/test-clock/advance", &json!({"to": time})).await;
        assert_problem(&clock, &[422], time);
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
