//! Stories through HTTP: a pack by WeChat Pay, a balance by Alipay, a page of Stripe.

use super::shop::Shop;
use fakepay::Kind;
use harness::databases::Fresh;
use harness::db_test;
use serde_json::json;

async fn a_pack_is_bought_by_scanning_used_for_its_models_and_refunded_in_part(fresh: &Fresh) {
    let shop = Shop::new(Some("openai-shop"), &fresh.url).await;
    let (app, user) = (&shop.app, shop.app.user(None).await);
    let pack = json!({
        "code": "gpt4-100", "name": "一百次 GPT-4", "meter": "calls", "quantity": 100, "models": ["gpt-4"],
        "valid_days": 30, "price": "10.00",
    });
    app.by(&app.operator).post("/admin/products", &pack).await.expect(201);
    let call =
        |key: &str, model: &str| json!({"meter": "calls", "quantity": 1, "key": key, "dimensions": {"model": model}});
    app.by(&user.token).post("/usage", &call("before", "gpt-4")).await.expect(402);
    let order = shop.order(&user, &json!({"product": "gpt4-100", "provider": "wechat"})).await;
    assert!(order.text("/payment/qr_content").starts_with("http"), "{}", order.body);
    assert!(order.text("/payment/qr_svg").starts_with("<svg"), "{}", order.body);
    assert_eq!((order.text("/order/status"), &order.body["order"]["shop_status"]), ("created".into(), &json!(0)));
    shop.pay(Kind::WeChat, &order).await;
    let shown = shop.shown(&user, &order).await;
    assert_eq!((shown.text("/order/status"), &shown.body["order"]["shop_status"]), ("delivered".into(), &json!(2)));
    assert_eq!((shown.text("/payments/0/status"), shown.text("/payments/0/captured")), ("paid".into(), "10.00".into()));
    for n in 0..30 {
        app.by(&user.token).post("/usage", &call(&format!("call-{n}"), "gpt-4")).await.expect(201);
    }
    app.by(&user.token).post("/usage", &call("other", "dall-e")).await.expect(402);
    let refund = shop.refund(&order, "5.00").await;
    assert!(["processing", "succeeded"].contains(&refund.text("/status").as_str()), "{}", refund.body);
    shop.tell(Kind::WeChat, &refund.text("/id").replace("rfd_", ""), 2).await;
    let shown = shop.shown(&user, &order).await;
    assert_eq!(
        (shown.text("/refunds/0/status"), shown.text("/payments/0/refunded")),
        ("succeeded".into(), "5.00".into())
    );
    let quota = app.by(&user.token).get("/quota").await.expect(200);
    assert_eq!(quota.body["meters"][0]["remaining"], json!("20"), "{}", quota.body);
    for n in 30..50 {
        app.by(&user.token).post("/usage", &call(&format!("call-{n}"), "gpt-4")).await.expect(201);
    }
    app.by(&user.token).post("/usage", &call("call-50", "gpt-4")).await.expect(402);
}
db_test!(wechat, a_pack_is_bought_by_scanning_used_for_its_models_and_refunded_in_part);

async fn a_balance_comes_by_alipay_and_goes_call_by_call(fresh: &Fresh) {
    let shop = Shop::new(Some("zz3d"), &fresh.url).await;
    let (app, user) = (&shop.app, shop.app.user(None).await);
    let wish = json!({"topup": {"amount": "10.00", "currency": "CNY"}, "provider": "alipay"});
    let order = shop.order(&user, &wish).await;
    shop.pay(Kind::Alipay, &order).await;
    assert_eq!(shop.shown(&user, &order).await.text("/order/status"), "delivered");
    for (n, (cost, left)) in [("3.33", "6.67"), ("0.01", "6.66"), ("6.66", "0.00")].into_iter().enumerate() {
        let call = json!({"meter": "cost", "quantity": cost, "key": format!("c{n}"), "dimensions": {"service": "3d"}});
        app.by(&user.token).post("/usage", &call).await.expect(201);
        assert_eq!(app.by(&user.token).get("/wallet").await.text("/balances/0/balance"), left);
    }
    let call = json!({"meter": "cost", "quantity": "0.01", "key": "over"});
    assert_eq!(app.by(&user.token).post("/usage", &call).await.expect(402).code(), "insufficient_balance");
    // What was spent is not refunded.
    let path = format!("/admin/payments/{}/refunds", order.text("/payment/id"));
    let body = json!({"amount": "1.00", "reason": "spent"});
    let refused = app.by(&app.operator).header("Idempotency-Key", "spent").post(&path, &body).await;
    assert_eq!((refused.status, refused.code()), (402, "insufficient_balance".to_owned()), "{}", refused.body);
}
db_test!(alipay, a_balance_comes_by_alipay_and_goes_call_by_call);

async fn a_page_of_stripe_is_paid_and_refunded_whole(fresh: &Fresh) {
    let shop = Shop::new(Some("zz3d"), &fresh.url).await;
    let user = shop.app.user(None).await;
    let wish = json!({"topup": {"amount": "25.00", "currency": "CNY"}, "provider": "stripe"});
    let order = shop.order(&user, &wish).await;
    assert!(order.text("/payment/pay_url").starts_with("http"), "{}", order.body);
    shop.pay(Kind::Stripe, &order).await;
    assert_eq!(shop.app.by(&user.token).get("/wallet").await.text("/balances/0/balance"), "25.00");
    let refund = shop.refund(&order, "25.00").await;
    assert_eq!(refund.text("/status"), "succeeded", "{}", refund.body);
    let shown = shop.shown(&user, &order).await;
    assert_eq!(shown.text("/payments/0/status"), "refunded");
    assert_eq!(shop.app.by(&user.token).get("/wallet").await.text("/balances/0/balance"), "0.00");
}
db_test!(stripe, a_page_of_stripe_is_paid_and_refunded_whole);
