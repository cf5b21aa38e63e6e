//! `/admin`: grants, freezing, caps, and who may.

use domain::accounts::AccountRef;
use domain::plans::SubscriptionStatus;
use harness::app::TestApp;
use harness::databases::Fresh;
use harness::db_test;
use serde_json::json;

db_test!(a_grant_is_given_once_per_idempotency_key, async |fresh: &Fresh| {
    let app = TestApp::new(&fresh.url).await;
    let user = app.user(None).await;
    let path = format!("/admin/accounts/{}/grants", user.account());
    let body = json!({"meter": "words", "quantity": 500, "reason": "an apology"});
    let operator = app.by(&app.operator).header("Idempotency-Key", "grant-1");
    let first = operator.post(&path, &body).await.expect(201);
    let again = operator.post(&path, &body).await.expect(201);
    assert_eq!((first.header("idempotent-replayed"), again.header("idempotent-replayed")), (None, Some("true")));
    assert_eq!(first.body, again.body);
    app.by(&user.token).post("/usage", &json!({"meter": "words", "quantity": 30_100, "key": "k"})).await.expect(201);
    let later = operator.post(&path, &body).await.expect(201);
    assert_eq!((later.header("idempotent-replayed"), &later.body), (Some("true"), &first.body));
    let other = json!({"meter": "words", "quantity": 501, "reason": "an apology"});
    assert_eq!(operator.post(&path, &other).await.expect(422).code(), "idempotency_key_reused");
    let missing = app.by(&app.operator).post(&path, &body).await.expect(400);
    assert_eq!(missing.code(), "idempotency_key_missing");
    assert_eq!(app.by(&user.token).get("/quota").await.body["meters"][3]["granted"], json!("500"));
    let grant = format!("{path}/{}", first.text("/id"));
    assert_eq!(app.by(&app.operator).delete(&grant).await.expect(200).text("/revoked"), "400");
    assert_eq!(app.by(&user.token).get("/quota").await.body["meters"][3]["granted"], json!("100"));
});

#[tokio::test]
async fn an_operators_key_lists_the_grants_of_a_customer() {
    let fresh = harness::databases::sqlite().await;
    let app = TestApp::new(&fresh.url).await;
    let user = app.user(None).await;
    let path = format!("/admin/accounts/{}/grants", user.account());
    let body = json!({"meter": "words", "quantity": 500});
    app.by(&app.operator).header("Idempotency-Key", "g").post(&path, &body).await.expect(201);
    let wish = json!({"name": "admin", "scopes": ["admin"]});
    let key = app.by(&app.operator).post("/api-keys", &wish).await.expect(201).text("/key");
    assert_eq!(app.by(&key).get(&path).await.expect(200).text("/data/0/quantity"), "500");
    app.by(&user.token).get(&path).await.expect(403);
    app.by(&key).get("/admin/accounts/acc_0198c0ffee007000800000000000abcd/grants").await.expect(404);
}

#[tokio::test]
async fn a_demoted_operator_keeps_no_key_to_other_accounts() {
    let fresh = harness::databases::sqlite().await;
    let app = TestApp::new(&fresh.url).await;
    let (user, helper) = (app.user(None).await, app.user(None).await);
    let path = format!("/admin/users/{}", helper.customer.actor.user);
    app.by(&app.operator).patch(&path, &json!({"role": "admin"})).await.expect(200);
    let me = app.by(&helper.token);
    let wish = |scope: &str| json!({"name": "k", "account": user.account(), "scopes": [scope]});
    me.post("/api-keys", &wish("usage:write")).await.expect(403);
    let key = me.post("/api-keys", &wish("service")).await.expect(201).text("/key");
    let own = me.post("/api-keys", &json!({"name": "own"})).await.expect(201).text("/key");
    app.by(&key).get("/quota").await.expect(200);
    app.by(&app.operator).patch(&path, &json!({"role": "user"})).await.expect(200);
    app.by(&key).get("/quota").await.expect(401);
    app.by(&own).get("/quota").await.expect(200);
}

db_test!(a_frozen_account_consumes_nothing_until_it_is_released, async |fresh: &Fresh| {
    let app = TestApp::new(&fresh.url).await;
    let user = app.user(None).await;
    let path = format!("/admin/accounts/{}", user.account());
    let me = app.by(&user.token);
    let event = json!({"meter": "words", "quantity": 1, "key": "k"});
    app.by(&app.operator).patch(&path, &json!({"status": "frozen"})).await.expect(200);
    let refused = me.post("/usage", &event).await.expect(402);
    assert_eq!((refused.code(), refused.text("/limit")), ("account_frozen".to_owned(), "account_status".to_owned()));
    assert_eq!(me.get("/quota").await.expect(200).text("/status"), "frozen");
    let refused = me.keyed().post("/subscription", &json!({"plan": "professional"})).await.expect(402);
    assert_eq!((refused.code(), refused.text("/limit")), ("account_frozen".to_owned(), "account_status".to_owned()));
    assert!(refused.body.get("meter").is_none() && refused.body.get("remaining").is_none(), "{}", refused.body);
    app.by(&app.operator).patch(&path, &json!({"status": "active"})).await.expect(200);
    me.post("/usage", &event).await.expect(201);
});

db_test!(a_suspended_subscription_consumes_nothing, async |fresh: &Fresh| {
    let app = TestApp::new(&fresh.url).await;
    let user = app.user(Some("professional")).await;
    let services = &app.scene.services;
    let view = services.subscriptions.view(&user.customer.actor, &AccountRef::Default).await.unwrap();
    let mut subscription = view.subscription;
    subscription.status = SubscriptionStatus::Suspended;
    let work = services.store.begin().await.unwrap();
    work.subscriptions().save(&subscription).await.unwrap();
    work.commit().await.unwrap();
    let me = app.by(&user.token);
    let refused = me.post("/usage", &json!({"meter": "words", "quantity": 1, "key": "k"})).await.expect(402);
    assert_eq!(refused.code(), "subscription_suspended");
    assert_eq!(me.get("/quota").await.expect(200).text("/status"), "suspended");
    me.keyed().post("/subscription", &json!({"plan": "team"})).await.expect(409);
});

db_test!(a_spend_cap_refuses_what_would_cost_more, async |fresh: &Fresh| {
    let app = TestApp::new(&fresh.url).await;
    let user = app.user(Some("professional")).await;
    let me = app.by(&user.token);
    me.patch(&format!("/accounts/{}", user.account()), &json!({"spend_cap": "1.00"})).await.expect(200);
    let words = |quantity: u32, key: &str| json!({"meter": "words", "quantity": quantity, "key": key});
    let refused = me.post("/usage", &words(302_001, "a")).await.expect(402);
    assert_eq!(refused.code(), "spend_cap_reached");
    let named = ["limit", "meter", "requested", "remaining"].map(|field| refused.text(&format!("/{field}")));
    assert_eq!(named, ["spend_cap", "words", "302001", "302000"]);
    me.post("/usage", &words(302_000, "a")).await.expect(201);
    me.post("/usage", &words(1, "b")).await.expect(402);
    me.patch(&format!("/accounts/{}", user.account()), &json!({"spend_cap": null})).await.expect(200);
    me.post("/usage", &words(1, "b")).await.expect(201);
});

#[tokio::test]
async fn operators_routes_are_for_operators_and_what_they_do_is_written_down() {
    let fresh = harness::databases::sqlite().await;
    let app = TestApp::new(&fresh.url).await;
    let user = app.user(None).await;
    let account = user.account();
    let key = app.service_key().await;
    for path in ["/admin/users", "/admin/accounts", "/admin/plans", "/admin/audit-log"] {
        app.by(&app.operator).get(path).await.expect(200);
        for token in [&user.token, &key] {
            assert_eq!(app.by(token).get(path).await.expect(403).code(), "forbidden", "{path}");
        }
    }
    let order = json!({"plan": "professional"});
    let path = format!("/admin/accounts/{account}/subscription");
    app.by(&user.token).post(&path, &order).await.expect(403);
    app.by(&app.operator).post(&path, &order).await.expect(200);
    let log = app.by(&app.operator).get("/admin/audit-log?limit=1").await.expect(200);
    assert_eq!(log.text("/data/0/account"), account);
    assert_eq!(app.by(&user.token).get("/quota").await.expect(200).text("/plan"), "professional");
}
