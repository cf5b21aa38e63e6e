//! Operators: options that every replica follows, who may touch whom, and an audit row for every act.

use harness::app::{TestApp, User};
use harness::databases::Fresh;
use harness::db_test;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

/// What the operations manual promises.
const EVERYWHERE_WITHIN: Duration = Duration::from_secs(5);

db_test!(an_option_holds_at_once_where_it_was_changed_and_everywhere_in_five_seconds, async |fresh: &Fresh| {
    let one = TestApp::new(&fresh.url).await;
    let two = one.replica(&fresh.url).await;
    let loops: Vec<_> = [&one, &two].iter().flat_map(|app| api::loops::start(&app.scene.services)).collect();
    let change = json!({"registration_open": false, "login_notice": "维护中", "api_keys_per_user": 1});
    one.by(&one.operator).put("/admin/options", &change).await.expect(200);
    let changed = Instant::now();
    let wish = json!({"username": "newcomer", "password": "correct horse battery"});
    assert_eq!(one.anonymous().post("/auth/register", &wish).await.expect(403).code(), "forbidden");
    while two.anonymous().get("/auth/options").await.expect(200).body["registration_open"] == json!(true) {
        assert!(changed.elapsed() < EVERYWHERE_WITHIN);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    two.anonymous().post("/auth/register", &wish).await.expect(403);
    assert_eq!(two.anonymous().get("/auth/options").await.text("/login_notice"), "维护中");
    two.by(&two.operator).post("/api-keys", &json!({"name": "first"})).await.expect(201);
    assert_eq!(
        two.by(&two.operator).post("/api-keys", &json!({"name": "second"})).await.expect(409).code(),
        "conflict"
    );
    let back = two.by(&two.operator).put("/admin/options", &json!({"registration_open": null})).await.expect(200);
    assert_eq!(back.body["data"][0]["value"], json!(true));
    let log = one.by(&one.operator).get("/admin/audit-log?action=options.change").await.expect(200);
    assert_eq!(log.body["data"][1]["detail"]["registration_open"], json!({"before": true, "after": false}));
    for task in loops {
        task.abort();
    }
});

#[tokio::test]
async fn options_that_will_not_do_change_nothing_and_only_roots_change_them() {
    let fresh = harness::databases::sqlite().await;
    let app = TestApp::new(&fresh.url).await;
    let bad = json!({"registration_open": "no", "api_keys_per_user": 1e9, "unknown": 1, "login_notice": "fine"});
    let refused = app.by(&app.operator).put("/admin/options", &bad).await.expect(422);
    assert_eq!(refused.body["errors"].as_array().unwrap().len(), 3);
    assert_eq!(app.anonymous().get("/auth/options").await.text("/login_notice"), "");
    let admin = promoted(&app, "admin").await;
    app.by(&admin.token).get("/admin/options").await.expect(200);
    app.by(&admin.token).put("/admin/options", &json!({"login_notice": "x"})).await.expect(403);
    let user = app.user(None).await;
    app.by(&user.token).get("/admin/options").await.expect(403);
    app.anonymous().get("/admin/options").await.expect(401);
}

async fn promoted(app: &TestApp, role: &str) -> User {
    let user = app.user(None).await;
    let path = format!("/admin/users/{}", user.customer.actor.user);
    app.by(&app.operator).patch(&path, &json!({"role": role})).await.expect(200);
    user
}

#[tokio::test]
async fn an_admin_touches_no_operator_and_the_last_root_stays() {
    let fresh = harness::databases::sqlite().await;
    let app = TestApp::new(&fresh.url).await;
    let (admin, peer, user) = (promoted(&app, "admin").await, promoted(&app, "admin").await, app.user(None).await);
    let me = app.by(&app.operator).get("/me").await;
    let path = |id: &str| format!("/admin/users/{id}");
    let by_admin = app.by(&admin.token);
    for id in [me.text("/id"), peer.customer.actor.user.to_string(), admin.customer.actor.user.to_string()] {
        by_admin.patch(&path(&id), &json!({"status": "disabled"})).await.expect(403);
        by_admin.patch(&path(&id), &json!({"external_id": "x"})).await.expect(403);
    }
    for account in [me.text("/personal_account"), peer.account()] {
        by_admin.patch(&format!("/admin/accounts/{account}"), &json!({"status": "frozen"})).await.expect(403);
    }
    let customer = user.customer.actor.user.to_string();
    for role in ["admin", "root"] {
        by_admin.patch(&path(&customer), &json!({"role": role})).await.expect(403);
    }
    by_admin.patch(&path(&customer), &json!({"status": "disabled", "external_id": "crm-1"})).await.expect(200);
    by_admin.patch(&path(&customer), &json!({"status": "active", "external_id": null})).await.expect(200);
    by_admin.patch(&format!("/admin/accounts/{}", user.account()), &json!({"status": "frozen"})).await.expect(200);
    let root = app.by(&app.operator);
    for order in [json!({"role": "admin"}), json!({"status": "disabled"})] {
        assert_eq!(root.patch(&path(&me.text("/id")), &order).await.expect(409).code(), "conflict");
    }
}

#[tokio::test]
async fn operators_look_for_users_and_accounts_by_one_thing_at_a_time() {
    let fresh = harness::databases::sqlite().await;
    let app = TestApp::new(&fresh.url).await;
    let (user, _other) = (app.user(None).await, app.user(None).await);
    let operator = app.by(&app.operator);
    let named = operator.get(&format!("/admin/users?username={}", user.name.to_uppercase())).await.expect(200);
    assert_eq!(named.body["data"].as_array().unwrap().len(), 1);
    let id = user.customer.actor.user.to_string();
    assert_eq!(operator.get(&format!("/admin/users?id={id}")).await.expect(200).text("/data/0/id"), id);
    let page = operator.get("/admin/users?username=u&limit=1").await.expect(200);
    let next = operator.get(&format!("/admin/users?username=u&cursor={}", page.text("/next_cursor"))).await.expect(200);
    assert_eq!(next.body["data"].as_array().unwrap().len(), 1);
    let owned = operator.get(&format!("/admin/accounts?owner={id}")).await.expect(200);
    assert_eq!(owned.text("/data/0/id"), user.account());
    for query in ["username=a&email=b", "username=", "id=acc_01", "id=usr_g", "phone=%00", "name=x"] {
        operator.get(&format!("/admin/users?{query}")).await.expect(422);
    }
    for query in ["owner=x", "name=a&id=acc_", "username=x"] {
        operator.get(&format!("/admin/accounts?{query}")).await.expect(422);
    }
    for query in ["actor=x", "from=yesterday", "until=2026", "target=%00", "account=usr_", "who=x"] {
        operator.get(&format!("/admin/audit-log?{query}")).await.expect(422);
    }
    app.by(&user.token).get("/admin/users?username=u").await.expect(403);
}

/// Every write of operators and every change of rights, and what the audit log calls it. A new route of operators
/// without a line here fails the test below.
const ACTS: [(&str, &str); 9] = [
    ("PATCH /api/v1/admin/users/{id}", "user.update"),
    ("PATCH /api/v1/admin/accounts/{id}", "account.update"),
    ("POST /api/v1/admin/accounts/{account}/grants", "grant.give"),
    ("DELETE /api/v1/admin/accounts/{account}/grants/{grant}", "grant.revoke"),
    ("POST /api/v1/admin/accounts/{id}/subscription", "subscription.set"),
    ("PUT /api/v1/admin/options", "options.change"),
    ("POST /api/v1/admin/test-clock/advance", "test_clock.advance"),
    ("PATCH /api/v1/accounts/{account}", "account.cap"),
    ("PATCH /api/v1/me", "user.change_password"),
];
/// Written where the part has its own tests.
const ACTS_ELSEWHERE: [(&str, &str); 24] = [
    ("POST /api/v1/admin/outbox/{delivery}/replay", "delivery.replay"),
    ("POST /api/v1/admin/accounts/{account}/adjustments", "wallet.adjust"),
    ("POST /api/v1/admin/adjustments/{adjustment}/approve", "wallet.approve"),
    ("POST /api/v1/admin/adjustments/{adjustment}/reject", "wallet.reject"),
    ("POST /api/v1/admin/transfers/{transfer}/reverse", "transfer.reverse"),
    ("POST /api/v1/admin/redemption-batches", "redemption_batch.create"),
    ("PATCH /api/v1/admin/redemption-batches/{id}", "redemption_code.disable"),
    ("PATCH /api/v1/admin/redemption-batches/{id}/codes/{code}", "redemption_code.disable"),
    ("POST /api/v1/admin/users/{id}/verification/reset", "verification.reset"),
    ("POST /api/v1/admin/products", "product.create"),
    ("PATCH /api/v1/admin/products/{id}", "product.update"),
    ("POST /api/v1/admin/payments/{id}/refunds", "payment.refund"),
    ("POST /api/v1/admin/payments/{id}/confirm", "payment.confirm"),
    ("POST /api/v1/admin/suspense/{id}/resolve", "suspense.resolve"),
    ("POST /api/v1/admin/reconciliation/{id}/resolve", "difference.resolve"),
    ("POST /api/v1/admin/bills/{id}/payments", "bill.pay"),
    ("POST /api/v1/admin/bills/{id}/refund", "bill.refund"),
    ("POST /api/v1/admin/bills/{id}/void", "bill.void"),
    ("POST /api/v1/admin/billing/close", "billing.close"),
    ("POST /api/v1/admin/invoices/{id}/issue", "invoice.issue"),
    ("POST /api/v1/admin/invoices/{id}/reject", "invoice.reject"),
    ("POST /api/v1/admin/invoices/{id}/reverse", "invoice.reverse"),
    ("POST /api/v1/admin/coupons", "coupon.make"),
    ("DELETE /api/v1/admin/coupons/{id}", "coupon.disable"),
];
/// Acts upon keys, each of which changes rights.
const KEY_ACTS: [&str; 4] = ["api_key.create", "api_key.update", "api_key.rotate", "api_key.revoke"];

#[tokio::test]
async fn every_write_of_operators_has_an_act() {
    let fresh = harness::databases::sqlite().await;
    let app = TestApp::new(&fresh.url).await;
    let document = app.anonymous().get("/openapi.json").await.expect(200).body;
    let mut without = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap().iter().filter(|(path, _)| path.contains("/admin/")) {
        for method in ["post", "put", "patch", "delete"].into_iter().filter(|method| item.get(method).is_some()) {
            let route = format!("{} {path}", method.to_uppercase());
            if !ACTS.iter().chain(&ACTS_ELSEWHERE).any(|(known, _)| *known == route) {
                without.push(route);
            }
        }
    }
    assert!(without.is_empty(), "add these to ACTS, with the act that they write: {without:#?}");
}

#[tokio::test]
async fn what_operators_and_owners_do_is_written_down_act_by_act() {
    let fresh = harness::databases::sqlite().await;
    let app = TestApp::new(&fresh.url).await;
    let user = app.user(None).await;
    let (root, me) = (app.by(&app.operator), app.by(&user.token));
    let account = format!("/admin/accounts/{}", user.account());
    root.patch(&format!("/admin/users/{}", user.customer.actor.user), &json!({"external_id": "crm"})).await.expect(200);
    root.patch(&account, &json!({"external_id": "crm"})).await.expect(200);
    let grant = json!({"meter": "words", "quantity": 5});
    let given =
        root.clone().header("Idempotency-Key", "g").post(&format!("{account}/grants"), &grant).await.expect(201);
    root.delete(&format!("{account}/grants/{}", given.text("/id"))).await.expect(200);
    root.post(&format!("{account}/subscription"), &json!({"plan": "professional"})).await.expect(200);
    root.put("/admin/options", &json!({"login_notice": "hello"})).await.expect(200);
    let to = app.scene.now() + chrono::TimeDelta::hours(1);
    root.post("/admin/test-clock/advance", &json!({"to": to})).await.expect(200);
    me.patch(&format!("/accounts/{}", user.account()), &json!({"spend_cap": "1.00"})).await.expect(200);
    let password = json!({"old_password": harness::app::PASSWORD, "password": "another password"});
    me.patch("/me", &password).await.expect(200);
    let key = format!("/api-keys/{}", me.post("/api-keys", &json!({"name": "k"})).await.expect(201).text("/id"));
    me.patch(&key, &json!({"name": "l"})).await.expect(200);
    me.send("POST", &format!("{key}/rotate"), None).await.expect(200);
    me.delete(&key).await.expect(204);
    let log = root.get("/admin/audit-log?limit=200").await.expect(200);
    let rows = log.body["data"].as_array().unwrap();
    let written: BTreeSet<&str> = rows.iter().filter_map(|row| row["action"].as_str()).collect();
    let expected: BTreeSet<&str> = ACTS.iter().map(|(_, act)| *act).chain(KEY_ACTS).chain(["root.create"]).collect();
    assert_eq!(written, expected);
    let whole = api::cli::verify(&fresh.database, None, |_| ()).await.unwrap();
    assert_eq!((whole.rows, whole.broken), (i64::try_from(rows.len()).unwrap(), None));
    assert!(rows.iter().all(|row| row["hash"].as_str().is_some_and(|hash| hash.len() == 64)));
    let external_id =
        |side: &str| &rows.iter().find(|row| row["action"] == "user.update").unwrap()["detail"][side]["external_id"];
    assert_eq!((external_id("before"), external_id("after")), (&Value::Null, &json!("crm")));
}
