//! The routes: a transfer outside from order to wallet, what will not do, and what strangers see.

use harness::app::TestApp;
use harness::databases::Fresh;
use harness::db_test;
use serde_json::{Value, json};

const MANUAL: [(&str, &str); 1] = [("SUANPAN__PAYMENTS__MANUAL__ENABLED", "true")];

async fn a_transfer_outside_is_ordered_confirmed_and_refunded(fresh: &Fresh) {
    let app = TestApp::with(&fresh.url, &MANUAL).await;
    let (user, stranger) = (app.user(None).await, app.user(None).await);
    let root = app.by(&app.operator);
    let pack =
        json!({"code": "pack", "name": "一百字", "meter": "words", "quantity": 100, "models": ["m1"], "price": "9.90"});
    let product = root.post("/admin/products", &pack).await.expect(201);
    assert_eq!(root.post("/admin/products", &pack).await.expect(409).code(), "conflict");
    assert_eq!(app.anonymous().get("/products").await.expect(200).text("/data/0/price"), "9.90");
    let wish = json!({"product": "pack", "provider": "manual"});
    let me = app.by(&user.token).header("Idempotency-Key", "one");
    let made = me.post("/orders", &wish).await.expect(201);
    assert_eq!((made.text("/order/status"), made.text("/payment/status")), ("created".into(), "pending".into()));
    let number = made.text("/payment/id").replace("pay_", "");
    assert!(made.text("/payment/instructions").contains(&number));
    let again = me.post("/orders", &wish).await.expect(201);
    assert_eq!(again.text("/order/id"), made.text("/order/id"));
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
    let order = format!("/orders/{}", made.text("/order/id"));
    app.by(&stranger.token).get(&order).await.expect(404);
    app.by(&stranger.token).send("POST", &format!("{order}/close"), None).await.expect(404);
    root.patch(&format!("/admin/products/{}", product.text("/id")), &json!({"price": "1.00"})).await.expect(200);
    let payment = format!("/admin/payments/{}", made.text("/payment/id"));
    let bank = json!({"transaction": "bank-1"});
    app.by(&user.token).post(&format!("{payment}/confirm"), &bank).await.expect(403);
    root.post(&format!("{payment}/confirm"), &bank).await.expect(400);
    let confirming = root.clone().header("Idempotency-Key", "bank-1");
    for (caller, replayed) in [(&confirming, None), (&confirming, Some("true")), (&root.keyed(), None)] {
        let seen = caller.post(&format!("{payment}/confirm"), &bank).await.expect(200);
        assert_eq!(seen.header("Idempotent-Replayed"), replayed);
        assert_eq!(
            (seen.text("/order/status"), seen.body["order"]["shop_status"].clone()),
            ("delivered".into(), json!(2))
        );
    }
    let other = confirming.post(&format!("{payment}/confirm"), &json!({"transaction": "bank-2"})).await.expect(422);
    assert_eq!(other.code(), "idempotency_key_reused");
    let refund = root.clone().header("Idempotency-Key", "back");
    let refunded =
        refund.post(&format!("{payment}/refunds"), &json!({"amount": "4.95", "reason": "half"})).await.expect(201);
    assert_eq!((refunded.text("/status"), refunded.text("/amount")), ("succeeded".into(), "4.95".into()));
    let shown = app.by(&user.token).get(&format!("{order}?refresh=true")).await.expect(200);
    assert_eq!(shown.text("/payments/0/status"), "partially_refunded");
    assert_eq!(shown.body["refunds"].as_array().unwrap().len(), 1);
    let log = root.get("/admin/audit-log?limit=200").await.expect(200);
    let acts: Vec<&str> =
        log.body["data"].as_array().unwrap().iter().filter_map(|row| row["action"].as_str()).collect();
    for act in ["product.create", "product.update", "payment.confirm", "payment.settle", "payment.refund"] {
        assert!(acts.contains(&act), "{act}");
    }
    for list in ["orders", "payments", "refunds", "suspense", "reconciliation", "products"] {
        root.get(&format!("/admin/{list}")).await.expect(200);
        app.by(&user.token).get(&format!("/admin/{list}")).await.expect(403);
    }
}
db_test!(manual, a_transfer_outside_is_ordered_confirmed_and_refunded);

#[tokio::test]
async fn orders_that_will_not_do_change_nothing() {
    let fresh = harness::databases::sqlite().await;
    let app = TestApp::with(&fresh.url, &MANUAL).await;
    let user = app.user(None).await;
    let post = async |wish: Value| {
        let key = wish.to_string().replace(|letter: char| !letter.is_ascii(), "?");
        app.by(&user.token).header("Idempotency-Key", &key).post("/orders", &wish).await
    };
    let top_up =
        |amount: &str, currency: &str| json!({"topup": {"amount": amount, "currency": currency}, "provider": "manual"});
    for wish in [
        top_up("0.99", "CNY"),
        top_up("1.001", "CNY"),
        top_up("-5", "CNY"),
        top_up("5", "USD"),
        json!({"product": "nothing", "provider": "manual"}),
        json!({"provider": "manual"}),
        json!({"product": "a", "topup": {"amount": "5", "currency": "CNY"}, "provider": "manual"}),
        json!({"topup": {"amount": "5", "currency": "CNY"}, "provider": "wechat"}),
        json!({"topup": {"amount": "5", "currency": "CNY"}, "provider": "cash"}),
        json!({"topup": {"amount": "5", "currency": "CNY"}, "provider": "manual", "method": "fax"}),
    ] {
        assert_eq!(post(wish.clone()).await.expect(422).code(), "invalid", "{wish}");
    }
    let without_key = app.by(&user.token).post("/orders", &top_up("5", "CNY")).await;
    assert_eq!(without_key.expect(400).code(), "idempotency_key_missing");
    app.anonymous().header("Idempotency-Key", "k").post("/orders", &top_up("5", "CNY")).await.expect(401);
    assert_eq!(app.by(&user.token).get("/orders").await.expect(200).body["data"], json!([]));
    assert_eq!(app.anonymous().post("/webhooks/manual", &json!({})).await.status, 401);
    for provider in ["wechat", "cash"] {
        app.anonymous().post(&format!("/webhooks/{provider}"), &json!({})).await.expect(404);
    }
    let large = vec![b'x'; 300 * 1024];
    let answer = app.anonymous().raw("POST", "/webhooks/manual", "text/plain", large).await;
    assert_eq!(answer.expect(413).code(), "too_large");
}
