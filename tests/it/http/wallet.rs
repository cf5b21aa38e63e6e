//! Wallets over HTTP: who may see one, its statement and file, and what operators may do to it.

use harness::app::{Answer, TestApp, User};
use harness::databases::{Fresh, sqlite};
use harness::db_test;
use serde_json::{Value, json};

async fn adjust(app: &TestApp, user: &User, key: &str, body: Value) -> Answer {
    let path = format!("/admin/accounts/{}/adjustments", user.account());
    app.by(&app.operator).header("Idempotency-Key", key).post(&path, &body).await
}

fn gift(amount: &str) -> Value {
    json!({"amount": amount, "reason": "a gift"})
}

/// Another operator than the first.
async fn second_operator(app: &TestApp) -> String {
    let user = app.user(None).await;
    let path = format!("/admin/users/{}", user.customer.actor.user);
    app.by(&app.operator).patch(&path, &json!({"role": "admin"})).await.expect(200);
    user.token
}

async fn balance(app: &TestApp, user: &User) -> String {
    app.by(&user.token).get("/wallet").await.expect(200).text("/balances/0/balance")
}

db_test!(an_adjustment_is_booked_once_under_its_key, async |fresh: &Fresh| {
    let app = TestApp::new(&fresh.url).await;
    let user = app.user(None).await;
    let made = adjust(&app, &user, "one", gift("12.50")).await.expect(201);
    assert_eq!((made.text("/status"), made.text("/amount")), ("approved".into(), "12.50".into()));
    let again = adjust(&app, &user, "one", gift("12.50")).await.expect(201);
    assert_eq!((again.header("Idempotent-Replayed"), again.text("/id")), (Some("true"), made.text("/id")));
    assert_eq!(adjust(&app, &user, "one", gift("13.00")).await.expect(422).code(), "idempotency_key_reused");
    assert_eq!(balance(&app, &user).await, "12.50");
    adjust(&app, &user, "two", gift("-2.50")).await.expect(201);
    let short = adjust(&app, &user, "three", gift("-10.01")).await.expect(402);
    assert_eq!((short.code(), short.text("/limit")), ("insufficient_balance".into(), "wallet".into()));
    assert_eq!(balance(&app, &user).await, "10.00");
});

db_test!(a_large_adjustment_waits_for_another_operator, async |fresh: &Fresh| {
    let limit = [("SUANPAN__WALLET__ADJUSTMENT_APPROVAL_ABOVE", "100.00 CNY")];
    let app = TestApp::with(&fresh.url, &limit).await;
    let (user, second) = (app.user(None).await, second_operator(&app).await);
    assert_eq!(adjust(&app, &user, "small", gift("100.00")).await.expect(201).text("/status"), "approved");
    let waiting = adjust(&app, &user, "large", gift("100.01")).await.expect(201);
    assert_eq!((waiting.text("/status"), balance(&app, &user).await), ("pending".into(), "100.00".into()));
    let path = |answer: &Answer, verb: &str| format!("/admin/adjustments/{}/{verb}", answer.text("/id"));
    for verb in ["approve", "reject"] {
        assert_eq!(
            app.by(&app.operator).keyed().send("POST", &path(&waiting, verb), None).await.expect(403).code(),
            "forbidden"
        );
        app.by(&user.token).send("POST", &path(&waiting, verb), None).await.expect(403);
    }
    app.by(&second).send("POST", &path(&waiting, "approve"), None).await.expect(400);
    let deciding = app.by(&second).header("Idempotency-Key", "decided");
    let approved = deciding.send("POST", &path(&waiting, "approve"), None).await.expect(200);
    let again = deciding.send("POST", &path(&waiting, "approve"), None).await.expect(200);
    assert_eq!((again.header("Idempotent-Replayed"), &again.body), (Some("true"), &approved.body));
    let reused = deciding.send("POST", &path(&waiting, "reject"), None).await.expect(422);
    assert_eq!(reused.code(), "idempotency_key_reused");
    assert_eq!((approved.text("/status"), balance(&app, &user).await), ("approved".into(), "200.01".into()));
    let twice = app.by(&second).keyed().send("POST", &path(&waiting, "approve"), None).await.expect(409);
    assert_eq!(twice.code(), "adjustment_decided");
    let taken = adjust(&app, &user, "dollars", json!({"amount": "-1.00", "currency": "USD", "reason": "why"})).await;
    let taken = taken.expect(201);
    assert_eq!(taken.text("/status"), "pending", "no limit is known in dollars");
    let short = app.by(&second).keyed().send("POST", &path(&taken, "approve"), None).await.expect(402);
    assert_eq!(short.code(), "insufficient_balance");
    let listed = app.by(&second).get("/admin/adjustments?status=pending").await.expect(200);
    assert_eq!(listed.text("/data/0/id"), taken.text("/id"), "it still waits");
    app.by(&second).keyed().send("POST", &path(&taken, "reject"), None).await.expect(200);
    let all = app.by(&second).get("/admin/adjustments?limit=2").await.expect(200);
    assert_eq!((all.text("/data/0/status"), all.body["data"].as_array().unwrap().len()), ("rejected".into(), 2));
    let log = app.by(&app.operator).get("/admin/audit-log?limit=200").await.expect(200);
    let acts = |act: &str| log.body["data"].as_array().unwrap().iter().filter(|row| row["action"] == act).count();
    assert_eq!((acts("wallet.adjust"), acts("wallet.approve"), acts("wallet.reject")), (3, 1, 1));
});

db_test!(a_transfer_is_reversed_once_and_never_below_zero, async |fresh: &Fresh| {
    let app = TestApp::new(&fresh.url).await;
    let user = app.user(None).await;
    let gift = adjust(&app, &user, "gift", gift("5.00")).await.expect(201).text("/transfer");
    let spent = adjust(&app, &user, "spent", json!({"amount": "-1.00", "reason": "spent"})).await.expect(201);
    let reverse = async |transfer: &str| {
        let path = format!("/admin/transfers/{transfer}/reverse");
        app.by(&app.operator).keyed().post(&path, &json!({"reason": "by mistake"})).await
    };
    assert_eq!(reverse(&gift).await.expect(402).code(), "insufficient_balance");
    let back = reverse(&spent.text("/transfer")).await.expect(201);
    assert_eq!((back.text("/kind"), back.text("/reference")), ("reversal".into(), spent.text("/transfer")));
    assert_eq!(balance(&app, &user).await, "5.00");
    assert_eq!(reverse(&spent.text("/transfer")).await.expect(409).code(), "transfer_reversed");
    let path = format!("/admin/transfers/{gift}/reverse");
    app.by(&app.operator).post(&path, &json!({"reason": "by mistake"})).await.expect(400);
    assert_eq!(reverse(&back.text("/id")).await.expect(409).code(), "transfer_not_reversible");
    let keyed = app.by(&app.operator).header("Idempotency-Key", "back");
    let first = keyed.post(&path, &json!({"reason": "by mistake"})).await.expect(201);
    let again = keyed.post(&path, &json!({"reason": "by mistake"})).await.expect(201);
    assert_eq!((again.header("Idempotent-Replayed"), &again.body), (Some("true"), &first.body));
    assert_eq!(keyed.post(&path, &json!({"reason": "other"})).await.expect(422).code(), "idempotency_key_reused");
    assert_eq!(balance(&app, &user).await, "0.00");
    let entries = app.by(&user.token).get("/wallet/entries").await.expect(200);
    assert_eq!(
        (entries.text("/data/0/kind"), entries.text("/data/0/reason")),
        ("reversal".into(), "by mistake".into())
    );
    reverse("trf_00000000000000000000000000000000").await.expect(404);
    let log = app.by(&app.operator).get("/admin/audit-log?action=transfer.reverse").await.expect(200);
    assert_eq!(log.body["data"].as_array().unwrap().len(), 2);
});

#[tokio::test]
async fn a_statement_is_read_in_pages_and_as_a_file() {
    let fresh = sqlite().await;
    let app = TestApp::new(&fresh.url).await;
    let user = app.user(None).await;
    for n in 1..=230_i64 {
        app.scene.fund(user.customer.account, n * 10_000_000).await;
    }
    adjust(&app, &user, "formula", json!({"amount": "-0.01", "reason": "=HYPERLINK(1), \"x\""})).await.expect(201);
    let me = app.by(&user.token);
    let page = me.get("/wallet/entries?limit=2").await.expect(200);
    assert_eq!((page.body["data"][0]["number"].as_i64(), page.text("/data/0/amount")), (Some(231), "-0.01".into()));
    let next = me.get(&format!("/wallet/entries?limit=1&cursor={}", page.text("/next_cursor"))).await.expect(200);
    assert_eq!(
        (next.body["data"][0]["number"].as_i64(), next.text("/data/0/counterpart")),
        (Some(229), "promotion".into())
    );
    let file = me.text("/wallet/entries.csv").await;
    let mut reader = csv::Reader::from_reader(file.as_bytes());
    let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    assert_eq!((rows.len(), &rows[0][0], &rows[230][0]), (231, "231", "1"));
    assert_eq!(&rows[0][8], "'=HYPERLINK(1), \"x\"");
    assert_eq!((&rows[230][3], &rows[230][5]), ("0.01", "0.01"));
    let rest = me.text("/wallet/entries.csv?before=3").await;
    assert_eq!(rest.lines().count(), 3, "a head and two lines");
    fresh.discard().await;
}

#[tokio::test]
async fn only_who_pays_sees_the_wallet_and_only_operators_touch_it() {
    let fresh = sqlite().await;
    let app = TestApp::new(&fresh.url).await;
    let (owner, stranger) = (app.user(None).await, app.user(None).await);
    let made = app.by(&owner.token).post("/teams", &json!({"name": "Writers"})).await.expect(201);
    let (account, code) = (made.text("/account"), made.text("/invite_code"));
    for path in ["/wallet?", "/wallet/entries?", "/wallet/entries.csv?"] {
        let path = format!("{path}account={account}");
        app.by(&owner.token).get(&path).await.expect(200);
        app.by(&app.operator).get(&path).await.expect(200);
        app.by(&stranger.token).get(&path).await.expect(404);
        app.anonymous().get(&path).await.expect(401);
    }
    app.by(&stranger.token).post("/teams/join", &json!({"invite_code": code})).await.expect(200);
    let approve = format!("/teams/{}/members/{}/approve", made.text("/id"), stranger.customer.actor.user);
    app.by(&owner.token).send("POST", &approve, None).await;
    let refused = app.by(&stranger.token).get(&format!("/wallet?account={account}")).await;
    assert!(refused.status == 403 || refused.status == 404, "{refused:?}");
    let me = app.by(&stranger.token);
    for path in ["/admin/ledger", "/admin/adjustments"] {
        me.get(path).await.expect(403);
    }
    let adjustments = format!("/admin/accounts/{account}/adjustments");
    me.clone().header("Idempotency-Key", "k").post(&adjustments, &gift("1")).await.expect(403);
    me.post("/admin/transfers/trf_00000000000000000000000000000000/reverse", &json!({"reason": "x"})).await.expect(403);
    for query in ["currency=yuan", "limit=0", "cursor=x", "page=1"] {
        app.by(&owner.token).get(&format!("/wallet/entries?{query}")).await.expect(422);
    }
    app.by(&owner.token).get("/wallet/entries.csv?before=x").await.expect(422);
    let operator = app.by(&app.operator);
    operator.get("/admin/adjustments?status=open").await.expect(422);
    operator.post(&adjustments, &gift("1")).await.expect(400);
    let keyed = operator.clone().header("Idempotency-Key", "k");
    let bad = [
        gift("0"),
        gift("1.001"),
        gift("1e3"),
        json!({"amount": "1", "reason": " "}),
        json!({"amount": "1", "reason": "x".repeat(256)}),
        json!({"amount": "1", "reason": "x", "currency": "yuan"}),
    ];
    for body in bad {
        keyed.post(&adjustments, &body).await.expect(422);
    }
    let unknown = "/admin/accounts/acc_00000000000000000000000000000000/adjustments";
    keyed.post(unknown, &gift("1")).await.expect(404);
    fresh.discard().await;
}
