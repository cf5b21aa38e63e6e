//! Bodies that are broken, of another kind, too large or too deep.

use super::{assert_problem, picture, refuse, usage_of};
use harness::app::TestApp;
use harness::databases::Fresh;
use harness::db_test;
use serde_json::json;

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
