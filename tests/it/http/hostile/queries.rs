//! Query strings, ids, paths and times that mean nothing here.

use super::{assert_problem, picture};
use harness::app::TestApp;
use harness::databases::Fresh;
use harness::db_test;
use serde_json::json;

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
