//! zz3d's story: somebody prepays, each call costs what it costs, and the last fen is the last call.

use chrono::TimeDelta;
use domain::accounts::KeyWish;
use harness::app::{TestApp, User};
use harness::databases::Fresh;
use harness::db_test;
use serde_json::json;

async fn credited(app: &TestApp, user: &User, amount: &str, currency: &str) {
    let body = json!({"amount": amount, "currency": currency, "reason": "paid by bank transfer"});
    let key = format!("{}-{amount}-{currency}", user.name);
    let path = format!("/admin/accounts/{}/adjustments", user.account());
    app.by(&app.operator).header("Idempotency-Key", &key).post(&path, &body).await.expect(201);
}

db_test!(each_call_takes_its_cost_from_the_balance_until_there_is_none, async |fresh: &Fresh| {
    let app = TestApp::of_product("zz3d", &fresh.url).await;
    let user = app.user(None).await;
    let key = app.key(&user, KeyWish::default()).await;
    let call = |n: usize| json!({"meter": "cost", "quantity": "0.01", "key": format!("call-{n}"), "dimensions": {"service": "render"}});
    let refused = app.by(&key).post("/usage", &call(0)).await.expect(402);
    assert_eq!((refused.code(), refused.text("/limit")), ("insufficient_balance".into(), "wallet".into()));
    credited(&app, &user, "0.05", "CNY").await;
    for n in 0..5 {
        let answer = app.by(&key).post("/usage", &call(n)).await.expect(201);
        assert_eq!(answer.body["parts"], json!([{"source": "wallet", "quantity": "0.01", "amount": "0.01"}]));
        assert_eq!((answer.text("/amount"), answer.text("/currency")), ("0.01".into(), "CNY".into()));
        let wallet = app.by(&user.token).get("/wallet").await.expect(200);
        assert_eq!(wallet.text("/balances/0/balance"), format!("0.0{}", 4 - n));
    }
    let last = app.by(&key).post("/usage", &call(5)).await.expect(402);
    assert_eq!((last.code(), last.text("/remaining")), ("insufficient_balance".into(), "0".into()));
    assert_eq!(app.by(&key).post("/usage", &call(4)).await.expect(200).body["duplicate"], json!(true));
    let entries = app.by(&user.token).get("/wallet/entries").await.expect(200);
    let balances: Vec<_> =
        entries.body["data"].as_array().unwrap().iter().map(|line| line["balance"].clone()).collect();
    assert_eq!(balances, ["0.00", "0.01", "0.02", "0.03", "0.04", "0.05"]);
    assert_eq!(entries.text("/data/0/transfer"), app.by(&key).get("/usage?limit=1").await.text("/data/0/transfer"));
    let ledger = app.by(&app.operator).get("/admin/ledger").await.expect(200);
    let of = |account: &str| {
        let rows = ledger.body["data"].as_array().unwrap();
        rows.iter().find(|row| row["account"] == account).map(|row| row["balance"].clone())
    };
    assert_eq!(
        [of("wallet"), of("revenue"), of("adjustment")],
        [Some(json!("0.00")), Some(json!("0.05")), Some(json!("-0.05"))]
    );
});

db_test!(another_currency_pays_for_nothing, async |fresh: &Fresh| {
    let app = TestApp::of_product("zz3d", &fresh.url).await;
    let user = app.user(None).await;
    credited(&app, &user, "100.00", "USD").await;
    let call = json!({"meter": "cost", "quantity": "0.01", "key": "call"});
    let refused = app.by(&user.token).post("/usage", &call).await.expect(402);
    assert_eq!(refused.code(), "insufficient_balance");
    let wallet = app.by(&user.token).get("/wallet").await.expect(200);
    assert_eq!(
        wallet.body["balances"][0],
        json!({"currency": "CNY", "balance": "0.00", "held": "0.00", "available": "0.00"})
    );
    assert_eq!(wallet.text("/balances/1/balance"), "100.00");
    assert_eq!(app.by(&user.token).get("/wallet/entries").await.expect(200).body["data"], json!([]));
    let dollars = app.by(&user.token).get("/wallet/entries?currency=USD").await.expect(200);
    assert_eq!(dollars.text("/data/0/reason"), "paid by bank transfer");
});

db_test!(a_call_that_is_under_way_holds_its_cost, async |fresh: &Fresh| {
    let app = TestApp::of_product("zz3d", &fresh.url).await;
    let user = app.user(None).await;
    credited(&app, &user, "1.00", "CNY").await;
    let me = app.by(&user.token);
    let wish = json!({"meter": "cost", "quantity": "0.70", "key": "job", "ttl_seconds": 60});
    let held = me.post("/reservations", &wish).await.expect(201).text("/id");
    let wallet = me.get("/wallet").await.expect(200);
    assert_eq!((wallet.text("/balances/0/held"), wallet.text("/balances/0/available")), ("0.70".into(), "0.30".into()));
    let quota = me.get("/quota").await.expect(200);
    assert_eq!(quota.body["meters"][0]["wallet"], json!({"quantity": "0", "amount": "0.00", "held": "0.70"}));
    let call = |quantity: &str| json!({"meter": "cost", "quantity": quantity, "key": quantity});
    assert_eq!(me.post("/usage", &call("0.31")).await.expect(402).text("/remaining"), "0.3");
    me.post("/usage", &call("0.30")).await.expect(201);
    let take = json!({"amount": "-0.01", "reason": "a mistake"});
    let path = format!("/admin/accounts/{}/adjustments", user.account());
    let operator = app.by(&app.operator).header("Idempotency-Key", "take");
    assert_eq!(operator.post(&path, &take).await.expect(402).code(), "insufficient_balance");
    let captured = me.post(&format!("/reservations/{held}/capture"), &json!({"quantity": "0.45"})).await.expect(200);
    assert_eq!(captured.text("/usage/amount"), "0.45");
    assert_eq!(me.get("/wallet").await.text("/balances/0/available"), "0.25");
    let second = json!({"meter": "cost", "quantity": "0.25", "key": "second", "ttl_seconds": 1});
    me.post("/reservations", &second).await.expect(201);
    app.scene.move_clock(app.scene.now() + TimeDelta::seconds(2));
    app.scene.services.expire_due(0).await.unwrap();
    assert_eq!(me.get("/wallet").await.text("/balances/0/available"), "0.25");
});
