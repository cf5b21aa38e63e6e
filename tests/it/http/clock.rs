//! `POST /admin/test-clock/advance`: a month passes.

use fakepay::{Kind, actions};
use harness::app::{Answer, TestApp};
use harness::databases::Fresh;
use harness::db_test;
use harness::payments::fake;
use harness::scene;
use serde_json::json;

db_test!(with_the_month_counters_begin_anew_and_levels_stay, async |fresh: &Fresh| {
    let app = TestApp::new(&fresh.url).await;
    let user = app.user(Some("professional")).await;
    let (me, operator) = (app.by(&user.token), app.by(&app.operator));
    for (meter, quantity) in [("words", "300500"), ("storage", "1024")] {
        me.post("/usage", &json!({"meter": meter, "quantity": quantity, "key": meter})).await.expect(201);
    }
    let before = me.get("/quota").await.expect(200);
    assert_eq!(before.text("/total_overage_fee"), "0.25");
    let end = before.text("/period/end");
    operator.post("/admin/test-clock/advance", &json!({"to": end})).await.expect(200);
    let after = me.get("/quota").await.expect(200);
    assert_eq!(after.text("/period/start"), end);
    assert!(after.text("/quota_reset_date") > before.text("/quota_reset_date"));
    let used = |meter: usize| after.text(&format!("/meters/{meter}/used"));
    assert_eq!((used(3), used(1)), ("0".to_owned(), "1024".to_owned()));
    assert_eq!(
        (after.text("/total_overage_fee"), after.body["meters"][3]["warnings_fired"].clone()),
        ("0.00".to_owned(), json!([]))
    );
    // The key of last month's use stays used.
    me.post("/usage", &json!({"meter": "words", "quantity": "300500", "key": "words"})).await.expect(200);
});

db_test!(with_the_clock_what_was_paid_in_silence_is_delivered_and_what_nobody_paid_is_closed, async |fresh: &Fresh| {
    let (fake, mut settings) = (fake(), scene::settings(&fresh.url, &[]));
    api::fake_provider::offer(&fake, "http://127.0.0.1:9".to_owned(), &mut settings.payments.online);
    let app = TestApp::of_settings(&settings).await;
    let user = app.user(None).await;
    let me = app.by(&user.token);
    let top_up = json!({"topup": {"amount": "10.00", "currency": "CNY"}, "provider": "wechat"});
    let (paid, unpaid) =
        (me.keyed().post("/orders", &top_up).await.expect(201), me.keyed().post("/orders", &top_up).await.expect(201));
    actions::pay(&fake.shared, Kind::WeChat, &paid.text("/payment/id").replace("pay_", "")).unwrap();
    let advance = async |minutes: i64| {
        let to = app.scene.now() + chrono::TimeDelta::minutes(minutes);
        app.by(&app.operator).post("/admin/test-clock/advance", &json!({"to": to})).await.expect(200);
    };
    let status =
        async |order: &Answer| me.get(&format!("/orders/{}", order.text("/order/id"))).await.text("/order/status");
    assert_eq!((status(&paid).await.as_str(), status(&unpaid).await.as_str()), ("created", "created"));
    advance(2).await;
    assert_eq!((status(&paid).await.as_str(), status(&unpaid).await.as_str()), ("delivered", "created"));
    assert_eq!(me.get("/wallet").await.expect(200).text("/balances/0/balance"), "10.00");
    advance(31).await;
    assert_eq!(status(&unpaid).await, "closed");
});

#[tokio::test]
async fn the_clock_never_goes_back_and_is_there_only_when_configured() {
    let fresh = harness::databases::sqlite().await;
    let app = TestApp::new(&fresh.url).await;
    let operator = app.by(&app.operator);
    for to in ["2020-01-01T00:00:00Z", "9999-12-31T23:59:59Z"] {
        operator.post("/admin/test-clock/advance", &json!({"to": to})).await.expect(422);
    }
    let user = app.user(None).await;
    app.by(&user.token).post("/admin/test-clock/advance", &json!({"to": "2027-01-01T00:00:00Z"})).await.expect(403);
    let fresh = harness::databases::sqlite().await;
    let plain = TestApp::with(&fresh.url, &[("SUANPAN__CLOCK__TEST", "false")]).await;
    let to = json!({"to": "2030-01-01T00:00:00Z"});
    plain.by(&plain.operator).post("/admin/test-clock/advance", &to).await.expect(404);
}
