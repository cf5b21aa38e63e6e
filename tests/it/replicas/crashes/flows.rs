//! The flows of money, each of a new customer: whatever happens after `danger`, they end as they would have ended anyway.

use super::{Crashes, Who};
use serde_json::json;
use std::future::Future;
use std::pin::Pin;

/// A flow that a server may die of, and be started again, any number of times.
pub type Flow = for<'a> fn(&'a mut Crashes) -> Pin<Box<dyn Future<Output = ()> + 'a>>;

/// By name.
pub const FLOWS: &[(&str, Flow)] = &[
    ("use", |crashes| Box::pin(uses(crashes))),
    ("reserve", |crashes| Box::pin(reserves(crashes))),
    ("redeem", |crashes| Box::pin(redeems(crashes))),
    ("top-up", |crashes| Box::pin(tops_up(crashes))),
    ("refund", |crashes| Box::pin(is_refunded(crashes))),
    ("buy", |crashes| Box::pin(buys(crashes))),
    ("charge", |crashes| Box::pin(is_charged(crashes))),
    ("give-back", |crashes| Box::pin(is_given_back(crashes))),
];

async fn uses(crashes: &mut Crashes) {
    let who = crashes.who().await;
    crashes.danger();
    for key in ["a", "b", "c"] {
        crashes.call(&who.token, "/usage", key, &json!({"meter": "words", "quantity": 7, "key": key})).await;
    }
    assert_eq!(used(crashes, &who).await, 21);
}

async fn reserves(crashes: &mut Crashes) {
    let who = crashes.who().await;
    crashes.danger();
    let wish = json!({"meter": "words", "quantity": 100, "key": "r"});
    let held = crashes.call(&who.token, "/reservations", "r", &wish).await.text("/id");
    crashes.call(&who.token, &format!("/reservations/{held}/capture"), "c", &json!({"quantity": 60})).await;
    let wish = json!({"meter": "words", "quantity": 5, "key": "s"});
    let released = crashes.call(&who.token, "/reservations", "s", &wish).await.text("/id");
    crashes.call(&who.token, &format!("/reservations/{released}/release"), "d", &json!({})).await;
    assert_eq!(used(crashes, &who).await, 60);
    let quota = crashes.stage.scene.quota(who.customer.account, "words").await;
    assert_eq!(quota.reserved.as_atoms(), 0);
}

async fn redeems(crashes: &mut Crashes) {
    let (who, operator) = (crashes.who().await, crashes.operator());
    let wish = json!({"name": "Night", "count": 1, "value": {"amount": "3.00"}});
    let key = format!("codes {}", who.customer.account);
    let batch = crashes.call(&operator, "/admin/redemption-batches", &key, &wish).await.text("/id");
    let scene = &crashes.stage.scene;
    let codes = scene.services.redemptions.export(&scene.operator(), batch.parse().unwrap()).await.unwrap();
    let code = codes[0].text.expose();
    crashes.danger();
    for _ in 0..2 {
        crashes.call(&who.token, "/redemptions/redeem", "x", &json!({ "code": code })).await;
    }
    assert_eq!(crashes.balance(&who).await, "3.00");
}

async fn topped_up(crashes: &mut Crashes) -> (Who, String) {
    let who = crashes.who().await;
    let wish = json!({"topup": {"amount": "10.00", "currency": "CNY"}, "provider": "stripe"});
    let order = crashes.call(&who.token, "/orders", "o", &wish).await;
    crashes.pay(&order).await;
    assert_eq!(crashes.balance(&who).await, "10.00");
    (who, order.text("/payment/id"))
}

async fn tops_up(crashes: &mut Crashes) {
    let before = crashes.trades_at_provider();
    crashes.danger();
    topped_up(crashes).await;
    assert_eq!(crashes.trades_at_provider() - before, 1);
}

async fn is_refunded(crashes: &mut Crashes) {
    let (who, payment) = topped_up(crashes).await;
    let (operator, before) = (crashes.operator(), crashes.refunded_at_provider());
    crashes.danger();
    let wish = json!({"amount": "4.00", "reason": "a test"});
    let refund = crashes.call(&operator, &format!("/admin/payments/{payment}/refunds"), &payment, &wish).await;
    let id = refund.text("/id");
    let over = async |crashes: &mut Crashes| {
        let operator = crashes.operator();
        let found = crashes.shown(&operator, "/admin/refunds?limit=200").await;
        let rows = found.body["data"].as_array().unwrap();
        rows.iter().any(|row| row["id"] == json!(id) && row["status"] == json!("succeeded"))
    };
    crashes.until("the refund", over).await;
    assert_eq!((crashes.balance(&who).await.as_str(), crashes.refunded_at_provider() - before), ("6.00", 1));
}

async fn bill(crashes: &mut Crashes, who: &Who) -> String {
    crashes.call(&who.token, "/subscription", "plan", &json!({"plan": "professional"})).await.text("/bill/id")
}

async fn plan(crashes: &mut Crashes, who: &Who) -> String {
    crashes.shown(&who.token, "/subscription").await.text("/plan")
}

async fn funded(crashes: &mut Crashes) -> Who {
    let who = crashes.who().await;
    crashes.fund(&who, "500.00").await;
    who
}

/// The bill that was paid.
async fn bought(crashes: &mut Crashes, who: &Who) -> String {
    let bill = bill(crashes, who).await;
    let path = format!("/bills/{bill}/payments");
    crashes.call(&who.token, &path, "pay", &json!({"provider": "wallet"})).await;
    assert_eq!(plan(crashes, who).await, "professional");
    bill
}

async fn buys(crashes: &mut Crashes) {
    let who = funded(crashes).await;
    crashes.danger();
    let bill = bought(crashes, &who).await;
    let total = crashes.shown(&who.token, &format!("/bills/{bill}")).await.text("/total");
    assert_eq!(fen(&crashes.balance(&who).await), 50_000 - fen(&total), "paid once");
}

async fn is_charged(crashes: &mut Crashes) {
    let (who, before) = (crashes.who().await, crashes.trades_at_provider());
    crashes.danger();
    let bill = bill(crashes, &who).await;
    let wish = json!({"provider": "stripe"});
    let order = crashes.call(&who.token, &format!("/bills/{bill}/payments"), "charge", &wish).await;
    crashes.pay(&order).await;
    let paid = crashes.shown(&who.token, &format!("/bills/{bill}")).await;
    assert_eq!((paid.text("/status"), plan(crashes, &who).await), ("paid".into(), "professional".into()));
    assert_eq!(crashes.balance(&who).await, "0.00", "no money is left over");
    assert_eq!(crashes.trades_at_provider() - before, 1);
}

async fn is_given_back(crashes: &mut Crashes) {
    let who = funded(crashes).await;
    let bill = bought(crashes, &who).await;
    let (operator, before) = (crashes.operator(), crashes.balance(&who).await);
    crashes.danger();
    let wish = json!({"amount": "1.00", "to": "wallet", "reason": "a test"});
    crashes.call(&operator, &format!("/admin/bills/{bill}/refund"), &bill, &wish).await;
    assert_eq!(fen(&crashes.balance(&who).await), fen(&before) + 100, "once");
}

/// A decimal of two places.
fn fen(text: &str) -> i64 {
    text.replace('.', "").parse().unwrap()
}

async fn used(crashes: &Crashes, who: &Who) -> i64 {
    crashes.stage.scene.quota(who.customer.account, "words").await.used.as_atoms()
}
