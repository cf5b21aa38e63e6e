//! `/bills` over HTTP: what is listed, why it is owed, paying it, and giving it back.

use chrono::TimeDelta;
use harness::app::{Answer, TestApp, User};
use harness::databases::Fresh;
use harness::db_test;
use serde_json::{Value, json};

/// Sessions that outlive the months of a test.
const LONG: [(&str, &str); 1] = [("SUANPAN__SESSIONS__TTL_HOURS", "8760")];
const NANOS: i64 = 1_000_000_000;

/// Buys the professional plan; its bill, unpaid.
async fn buy(app: &TestApp, user: &User) -> Value {
    let wish = json!({"plan": "professional"});
    let by = app.by(&user.token).header("Idempotency-Key", "buy");
    by.post("/subscription", &wish).await.expect(201).body["bill"].clone()
}

async fn pay(app: &TestApp, user: &User, bill: &str, key: &str) -> Answer {
    let by = app.by(&user.token).header("Idempotency-Key", key);
    by.post(&format!("/bills/{bill}/payments"), &json!({"provider": "wallet"})).await
}

async fn refund(app: &TestApp, bill: &str, key: &str, wish: &Value) -> Answer {
    app.by(&app.operator).header("Idempotency-Key", key).post(&format!("/admin/bills/{bill}/refund"), wish).await
}

async fn balance(app: &TestApp, user: &User) -> String {
    app.by(&user.token).get("/wallet").await.expect(200).text("/balances/0/balance")
}

async fn one(app: &TestApp, user: &User, bill: &str) -> Answer {
    app.by(&user.token).get(&format!("/bills/{bill}")).await.expect(200)
}

fn id(bill: &Value) -> String {
    bill["id"].as_str().unwrap().to_owned()
}

fn fen(text: &str) -> i64 {
    text.replace('.', "").parse().unwrap()
}

/// A professional user who used more than the plan has; the month's bill.
async fn month(app: &TestApp, user: &User) -> String {
    app.scene.fund(user.customer.account, 1_000 * NANOS).await;
    let bought = buy(app, user).await;
    pay(app, user, &id(&bought), "begin").await.expect(201);
    for (meter, quantity) in [("words", 305_001), ("cu", 1_001), ("traffic", 10)] {
        let event = json!({"meter": meter, "quantity": quantity, "key": meter});
        app.by(&user.token).post("/usage", &event).await.expect(201);
    }
    let quota = app.by(&user.token).get("/quota").await.expect(200);
    let end: chrono::DateTime<chrono::Utc> = quota.text("/period/end").parse().unwrap();
    app.scene.move_clock(end + TimeDelta::hours(2));
    api::billing_rounds::round(&app.scene.services, None).await.unwrap();
    app.by(&user.token).get("/bills?kind=month").await.expect(200).text("/data/0/id")
}

db_test!(bills_are_listed_by_what_is_asked_for_page_by_page, async |fresh: &Fresh| {
    let app = TestApp::with(&fresh.url, &LONG).await;
    let (user, other) = (app.user(None).await, app.user(None).await);
    let month = month(&app, &user).await;
    let list = async |query: &str| {
        let found = app.by(&user.token).get(&format!("/bills{query}")).await.expect(200).body;
        let rows = found["data"].as_array().unwrap().clone();
        (rows.iter().map(id).collect::<Vec<_>>(), found["next_cursor"].as_str().map(str::to_owned))
    };
    let (all, next) = list("").await;
    assert_eq!((all.len(), next), (3, None), "the purchase, the renewal and the month");
    let (first, next) = list("?limit=2").await;
    let (rest, end) = list(&format!("?limit=2&cursor={}", next.unwrap())).await;
    assert_eq!(([first, rest].concat(), end), (all.clone(), None));
    assert_eq!(list("?kind=month&status=unpaid").await.0, std::slice::from_ref(&month));
    assert_eq!(list("?status=paid").await.0.len(), 1);
    let began = one(&app, &user, &month).await.text("/month");
    assert!(list(&format!("?month={began}")).await.0.contains(&month));
    assert!(list("?month=2001-01").await.0.is_empty() && list("?status=void").await.0.is_empty());
    for query in ["kind=gift", "status=open", "month=11", "limit=0", "cursor=x", "who=x"] {
        app.by(&user.token).get(&format!("/bills?{query}")).await.expect(422);
    }
    let theirs = app.by(&other.token);
    assert_eq!(theirs.get("/bills").await.expect(200).body["data"], json!([]));
    theirs.get(&format!("/bills?account={}", user.account())).await.expect(404);
    for path in ["", "/usage", "/invoices", ".pdf"] {
        assert_eq!(theirs.get(&format!("/bills/{month}{path}")).await.expect(404).code(), "not_found", "{path}");
    }
    let operator = app.by(&app.operator);
    let found = operator.get(&format!("/admin/bills?account={}&kind=month", user.account())).await.expect(200);
    assert_eq!(found.text("/data/0/id"), month);
});

db_test!(a_bill_shows_its_lines_and_the_use_behind_each, async |fresh: &Fresh| {
    let app = TestApp::with(&fresh.url, &LONG).await;
    let user = app.user(None).await;
    let month = month(&app, &user).await;
    let bill = one(&app, &user, &month).await;
    let sums =
        ["base", "overage", "subtotal", "discount", "total", "refunded"].map(|name| bill.text(&format!("/{name}")));
    assert_eq!(sums, ["0.00", "52.58", "52.58", "0.00", "52.58", "0.00"]);
    let shown = |line: &Value| {
        let text = |pointer: &str| line.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
        ["/kind", "/meter", "/quantity", "/unit", "/rate/price", "/rate/per", "/amount"].map(text).join(" ")
    };
    let lines: Vec<String> = bill.body["lines"].as_array().unwrap().iter().map(shown).collect();
    let expected =
        ["overage cu 500 CU 0.10 1 50.00", "overage cu 1 CU 0.08 1 0.08", "overage words 5001 字 0.50 1000 2.50"];
    assert_eq!(lines, expected);
    let meters: Vec<_> = bill.body["overages"].as_array().unwrap().iter().map(|row| row["fee"].clone()).collect();
    assert_eq!(meters, ["50.08", "2.50"]);
    let rows = async |query: &str| {
        let path = format!("/bills/{month}/usage{query}");
        app.by(&user.token).get(&path).await.expect(200).body
    };
    let keys = |page: &Value| -> Vec<String> {
        page["data"].as_array().unwrap().iter().map(|row| row["meter"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(keys(&rows("").await), ["cu", "words"], "newest first, and nothing that cost nothing");
    assert_eq!(keys(&rows("?line=1").await), ["cu"]);
    assert_eq!(keys(&rows("?line=3").await), ["words"]);
    let first = rows("?limit=1").await;
    let next = rows(&format!("?limit=1&cursor={}", first["next_cursor"].as_str().unwrap())).await;
    assert_eq!([keys(&first), keys(&next)].concat(), ["cu", "words"]);
    let refused = app.by(&user.token).get(&format!("/bills/{month}/usage?line=4")).await.expect(422);
    assert_eq!(refused.text("/errors/0/field"), "line");
    let bought = app.by(&user.token).get("/bills?status=paid").await.expect(200).text("/data/0/id");
    let fees = app.by(&user.token).get(&format!("/bills/{bought}/usage")).await.expect(200);
    assert_eq!(fees.body["data"], json!([]), "a fee has no use behind it");
    for none in ["bil_00000000000000000000000000000000", "bil_1", "x"] {
        app.by(&user.token).get(&format!("/bills/{none}")).await.expect(404);
    }
});

db_test!(a_bill_is_paid_once_under_its_key_and_only_with_enough_money, async |fresh: &Fresh| {
    let app = TestApp::new(&fresh.url).await;
    let (user, other) = (app.user(None).await, app.user(None).await);
    let bill = buy(&app, &user).await;
    let (bill, total) = (id(&bill), bill["total"].as_str().unwrap().to_owned());
    let path = format!("/bills/{bill}/payments");
    let body = json!({"provider": "wallet"});
    assert_eq!(app.by(&user.token).post(&path, &body).await.expect(400).code(), "idempotency_key_missing");
    assert_eq!(pay(&app, &user, &bill, "poor").await.expect(402).code(), "insufficient_balance");
    assert_eq!(pay(&app, &other, &bill, "other").await.expect(404).code(), "not_found");
    app.scene.fund(user.customer.account, 100 * NANOS).await;
    app.scene.fund(other.customer.account, 100 * NANOS).await;
    assert_eq!(pay(&app, &other, &bill, "other").await.expect(404).code(), "not_found");
    let paid = pay(&app, &user, &bill, "one").await.expect(201);
    assert_eq!(
        (paid.text("/amount"), paid.text("/provider"), paid.text("/bill")),
        (total.clone(), "wallet".into(), bill.clone())
    );
    let again = pay(&app, &user, &bill, "one").await.expect(201);
    assert_eq!((again.header("Idempotent-Replayed"), again.text("/id")), (Some("true"), paid.text("/id")));
    assert_eq!(pay(&app, &user, &bill, "two").await.expect(409).code(), "bill_paid");
    assert_eq!(fen(&balance(&app, &user).await), 10_000 - fen(&total));
    assert_eq!(balance(&app, &other).await, "100.00");
    let shown = one(&app, &user, &bill).await;
    assert_eq!((shown.text("/status"), shown.text("/payments/0/id")), ("paid".into(), paid.text("/id")));
    let running = app.by(&user.token).get("/subscription").await.expect(200);
    assert_eq!((running.text("/plan"), running.text("/status")), ("professional".into(), "active".into()));
});

db_test!(an_operator_gives_back_what_was_paid_and_never_more, async |fresh: &Fresh| {
    let app = TestApp::with(&fresh.url, &LONG).await;
    let user = app.user(None).await;
    let month = month(&app, &user).await;
    let wish = |amount: &str, to: &str| json!({"amount": amount, "to": to, "reason": "outage"});
    assert_eq!(refund(&app, &month, "early", &wish("1.00", "wallet")).await.expect(409).code(), "bill_not_paid");
    pay(&app, &user, &month, "month").await.expect(201);
    let before = fen(&balance(&app, &user).await);
    let made = refund(&app, &month, "part", &wish("20.00", "wallet")).await.expect(201);
    let said = ["/kind", "/status", "/total", "/refund_of", "/lines/0/kind"].map(|pointer| made.text(pointer));
    assert_eq!(said, ["refund", "paid", "20.00", &month, "refund"]);
    let again = refund(&app, &month, "part", &wish("20.00", "wallet")).await.expect(201);
    assert_eq!((again.header("Idempotent-Replayed"), again.text("/id")), (Some("true"), made.text("/id")));
    assert_eq!(fen(&balance(&app, &user).await), before + 20_00);
    refund(&app, &month, "outside", &wish("2.00", "manual")).await.expect(201);
    assert_eq!(fen(&balance(&app, &user).await), before + 20_00, "that went elsewhere");
    for (key, body) in [
        ("more", wish("30.59", "wallet")),
        ("none", wish("0", "wallet")),
        ("finer", wish("0.001", "wallet")),
        ("where", wish("1.00", "bank")),
        ("why", json!({"amount": "1.00", "to": "wallet", "reason": " "})),
    ] {
        assert_eq!(refund(&app, &month, key, &body).await.expect(422).code(), "invalid", "{key}");
    }
    let rest = refund(&app, &month, "rest", &json!({"to": "wallet", "reason": "all of it"})).await.expect(201);
    assert_eq!(rest.text("/total"), "30.58");
    assert_eq!(refund(&app, &month, "again", &wish("0.01", "wallet")).await.expect(409).code(), "bill_refunded");
    assert_eq!(
        refund(&app, &rest.text("/id"), "of it", &wish("1.00", "wallet")).await.expect(409).code(),
        "bill_not_paid"
    );
    let shown = one(&app, &user, &month).await;
    assert_eq!((shown.text("/status"), shown.text("/refunded")), ("paid".into(), "52.58".into()));
    let list = app.by(&user.token).get("/bills?kind=refund").await.expect(200);
    assert_eq!(list.body["data"].as_array().unwrap().len(), 3, "the customer sees each");
    let by_user = app.by(&user.token).header("Idempotency-Key", "mine");
    by_user.post(&format!("/admin/bills/{month}/refund"), &wish("1.00", "wallet")).await.expect(403);
});
