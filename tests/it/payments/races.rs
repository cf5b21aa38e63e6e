//! Many at once on one payment: it is delivered once, and the books agree.

use super::{Till, cny, once};
use crate::races::rounds;
use domain::money::Money;
use domain::orders::{OrderStatus, PayMethod, RefundWish};
use domain::wallet::Provider;
use futures_util::future::join_all;
use harness::databases::Fresh;
use harness::db_test;
use harness::scripted_provider::ScriptedProvider;
use std::sync::Arc;

const NOTIFICATIONS: usize = 50;

async fn fifty_notifications_of_one_payment_deliver_once(fresh: &Fresh) {
    let till = Arc::new(Till::new(&fresh.url).await);
    for round in 0..rounds() {
        let customer = till.scene.customer(None).await;
        let made = till.top_up(&customer, "10.00").await;
        let number = made.payment.number();
        let capture = till.provider.pay(number, till.scene.now());
        let tellers = (0..NOTIFICATIONS).map(|teller| {
            let (till, message) = (till.clone(), format!("{number}{}", teller % 10));
            let raw = ScriptedProvider::notification(&message, number, &capture, "right");
            tokio::spawn(async move { till.orders.notified(Provider::WeChat, &raw).await })
        });
        for told in join_all(tellers).await {
            // Who was in the way too long is told to come again.
            let _told_or_busy = told.unwrap();
        }
        let raw = ScriptedProvider::notification(&format!("{number}last"), number, &capture, "right");
        assert_eq!(till.orders.notified(Provider::WeChat, &raw).await.unwrap().status, 200);
        assert_eq!(till.status(&made).await, OrderStatus::Delivered);
        assert_eq!(till.balance(&customer).await, cny("10.00"), "round {round}");
    }
}
db_test!(notifications, fifty_notifications_of_one_payment_deliver_once);

async fn of_two_attempts_paid_at_once_one_delivers_and_the_other_waits(fresh: &Fresh) {
    let till = Arc::new(Till::new(&fresh.url).await);
    for round in 0..rounds() {
        let customer = till.scene.customer(None).await;
        let actor = &customer.actor;
        let one = till.top_up(&customer, "10.00").await;
        let how = (Provider::WeChat, PayMethod::Default);
        let two = till.orders.try_again(actor, one.order.id, how, &once(actor)).await.unwrap().value;
        let before = till.on("suspense").await;
        let payers = [one.payment.number(), two.payment.number()].map(|number| {
            let till = till.clone();
            tokio::spawn(async move {
                let capture = till.provider.pay(number, till.scene.now());
                let raw = ScriptedProvider::notification(&number.to_string(), number, &capture, "right");
                till.orders.notified(Provider::WeChat, &raw).await.unwrap()
            })
        });
        assert!(join_all(payers).await.into_iter().all(|reply| reply.unwrap().status == 200));
        assert_eq!(till.balance(&customer).await, cny("10.00"), "round {round}");
        assert_eq!(till.on("suspense").await - before, cny("10.00").nanos(), "round {round}");
    }
}
db_test!(attempts, of_two_attempts_paid_at_once_one_delivers_and_the_other_waits);

async fn refunds_at_once_never_give_back_more_than_was_paid(fresh: &Fresh) {
    let till = Arc::new(Till::new(&fresh.url).await);
    let operator = till.scene.operator();
    for round in 0..rounds() {
        let customer = till.scene.customer(None).await;
        let made = till.top_up(&customer, "10.00").await;
        till.provider.pay(made.payment.number(), till.scene.now());
        till.orders.view(&customer.actor, made.order.id, true).await.unwrap();
        let refunders = (0..8).map(|_| {
            let (till, operator, payment) = (till.clone(), operator.clone(), made.payment.id);
            tokio::spawn(async move {
                let amount = Some("3.00".to_owned());
                let wish = RefundWish { amount, reason: "a race".to_owned(), even_if_used: false };
                till.orders.refund(&operator, payment, &wish, &once(&operator)).await
            })
        });
        let done = join_all(refunders).await.into_iter().filter(|refund| refund.as_ref().unwrap().is_ok()).count();
        let back = Money::from_nanos(till.provider.paid_back(made.payment.number()), cny("0").currency());
        assert_eq!((done, back), (3, cny("9.00")), "round {round}");
        assert_eq!(till.balance(&customer).await, cny("1.00"), "round {round}");
    }
}
db_test!(refunds, refunds_at_once_never_give_back_more_than_was_paid);

async fn an_order_that_is_closed_while_it_is_paid_is_delivered_or_suspended(fresh: &Fresh) {
    let till = Arc::new(Till::new(&fresh.url).await);
    for round in 0..rounds() {
        let customer = till.scene.customer(None).await;
        let made = till.top_up(&customer, "10.00").await;
        let before = till.on("suspense").await;
        let (closer, payer) = (till.clone(), till.clone());
        let (actor, order) = (customer.actor.clone(), made.order.id);
        let close = tokio::spawn(async move { closer.orders.close(&actor, order).await });
        let number = made.payment.number();
        let pay = tokio::spawn(async move {
            let capture = payer.provider.pay(number, payer.scene.now());
            let raw = ScriptedProvider::notification(&number.to_string(), number, &capture, "right");
            payer.orders.notified(Provider::WeChat, &raw).await.unwrap()
        });
        let _closed_or_paid = close.await.unwrap();
        assert_eq!(pay.await.unwrap().status, 200);
        let kept = till.balance(&customer).await.nanos() + till.on("suspense").await - before;
        assert_eq!(kept, cny("10.00").nanos(), "round {round}");
        let delivered = till.status(&made).await == OrderStatus::Delivered;
        assert_eq!(till.balance(&customer).await == cny("10.00"), delivered, "round {round}");
    }
}
db_test!(closing, an_order_that_is_closed_while_it_is_paid_is_delivered_or_suspended);
