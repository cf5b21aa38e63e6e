//! `GET /quota`, `GET /warnings`, and the accounts that a caller may name.

use harness::app::TestApp;
use harness::databases::Fresh;
use harness::db_test;
use serde_json::json;

db_test!(the_quota_has_exactly_the_fields_of_the_contract, async |fresh: &Fresh| {
    let app = TestApp::new(&fresh.url).await;
    let user = app.user(Some("professional")).await;
    let me = app.by(&user.token);
    me.post("/usage", &json!({"meter": "words", "quantity": 240_000, "key": "most"})).await.expect(201);
    let quota = me.get("/quota").await.expect(200).body;
    let period = &quota["period"];
    let words = json!({
        "meter": "words", "unit": "word", "included": "300000", "granted": "0", "used": "240000", "reserved": "0",
        "remaining": "60000", "on_exhausted": "overage", "overage": {"quantity": "0", "fee": "0.00"},
        "warnings_fired": [80],
    });
    let expected = json!({
        "account": user.account(), "plan": "professional", "status": "active", "period": period,
        "quota_reset_date": quota["quota_reset_date"], "meters": quota["meters"],
        "total_overage_fee": "0.00", "currency": "CNY",
    });
    assert_eq!(quota, expected);
    assert_eq!(quota["meters"][3], words);
    assert!(period["start"].as_str().unwrap().ends_with(":00:00Z") && period["end"].as_str().unwrap().ends_with('Z'));
});

db_test!(a_service_key_names_any_account_by_id_or_external_id, async |fresh: &Fresh| {
    let app = TestApp::new(&fresh.url).await;
    let user = app.user(None).await;
    let named = json!({"external_id": "crm-1042"});
    let path = format!("/admin/accounts/{}", user.account());
    app.by(&app.operator).patch(&path, &named).await.expect(200);
    let key = app.service_key().await;
    let service = app.by(&key);
    let event =
        json!({"meter": "words", "quantity": 7, "key": "s", "account": "crm-1042", "user": user.customer.actor.user});
    let receipt = service.post("/usage", &event).await.expect(201);
    assert_eq!(
        (receipt.text("/account"), receipt.text("/user")),
        (user.account(), user.customer.actor.user.to_string())
    );
    for name in [user.account(), "crm-1042".to_owned()] {
        let quota = service.get(&format!("/quota?account={name}")).await.expect(200);
        assert_eq!(quota.body["meters"][3]["used"], json!("7"));
    }
    service.get("/quota?account=crm-1043").await.expect(404);
});

#[tokio::test]
async fn what_belongs_to_others_is_404_on_every_route_that_takes_an_id() {
    let fresh = harness::databases::sqlite().await;
    let app = TestApp::new(&fresh.url).await;
    let (mine, other) = (app.user(None).await, app.user(None).await);
    let made = app.by(&other.token).post("/api-keys", &json!({"name": "k"})).await.expect(201);
    let (key, account) = (made.text("/id"), other.account());
    let stranger = app.by(&mine.token);
    for path in ["/quota", "/usage", "/usage/summary", "/warnings", "/subscription"] {
        assert_eq!(stranger.get(&format!("{path}?account={account}")).await.status, 404, "{path}");
    }
    assert_eq!(stranger.get(&format!("/accounts/{account}")).await.status, 404);
    let cap = json!({"spend_cap": "1.00"});
    assert_eq!(stranger.patch(&format!("/accounts/{account}"), &cap).await.status, 404);
    for (method, path, body) in [
        ("GET", format!("/api-keys/{key}"), None),
        ("PATCH", format!("/api-keys/{key}"), Some(json!({"name": "mine"}))),
        ("DELETE", format!("/api-keys/{key}"), None),
        ("POST", format!("/api-keys/{key}/rotate"), None),
        ("POST", "/api-keys".to_owned(), Some(json!({"name": "k", "account": account}))),
        ("POST", "/usage".to_owned(), Some(json!({"meter": "words", "quantity": 1, "key": "k", "account": account}))),
        ("POST", "/subscription".to_owned(), Some(json!({"plan": "professional", "account": account}))),
        ("POST", "/subscription/preview".to_owned(), Some(json!({"plan": "professional", "account": account}))),
        ("PATCH", "/subscription".to_owned(), Some(json!({"selected_ai_model": "m", "account": account}))),
        ("POST", format!("/subscription/cancel?account={account}"), None),
        ("POST", format!("/subscription/resume?account={account}"), None),
    ] {
        let caller = if path == "/subscription" { stranger.keyed() } else { stranger.clone() };
        let answer = caller.send(method, &path, body.as_ref()).await;
        assert_eq!((answer.status, answer.code().as_str()), (404, "not_found"), "{method} {path}: {}", answer.body);
    }
    app.by(&made.text("/key")).get("/me").await.expect(200);
}
