//! Storms of notifications: duplicated, permuted, late, forged, replayed, of wrong amounts, currencies and payees.

use super::kept::{self, ALL_REFUSED};
use super::{Till, cny};
use chrono::TimeDelta;
use domain::money::{Currency, Money};
use domain::orders::{Capture, MessageOutcome, OrderStatus, SuspenseReason};
use domain::page::PageRequest;
use domain::wallet::Provider;
use harness::databases::Fresh;
use harness::db_test;
use harness::scripted_provider::{Fault, ScriptedProvider};

const ORDERS: usize = 12;
const REPETITIONS: usize = 4;

async fn every_order_is_delivered_once_whatever_is_sent(fresh: &Fresh) {
    let till = Till::with(&fresh.url, &[ALL_REFUSED]).await;
    let customer = till.scene.customer(None).await;
    let mut orders = Vec::new();
    let mut storm = Vec::new();
    for number in 0..ORDERS {
        let made = till.top_up(&customer, "10.00").await;
        let capture = till.provider.pay(made.payment.number(), till.scene.now());
        let id = made.payment.number();
        // The first third is never told of, and found by polling.
        if number >= ORDERS / 3 {
            let right = ScriptedProvider::notification(&format!("m{number}"), id, &capture, "right");
            storm.extend(std::iter::repeat_n(right, REPETITIONS));
            storm.push(ScriptedProvider::notification(&format!("again{number}"), id, &capture, "right"));
            let theirs = Capture { payee_is_ours: false, transaction: format!("x{number}"), ..capture.clone() };
            storm.push(ScriptedProvider::notification(&format!("payee{number}"), id, &theirs, "right"));
        }
        storm.push(ScriptedProvider::notification(&format!("forged{number}"), id, &capture, "wrong"));
        orders.push(made);
    }
    // A stride that visits every message in another order.
    let length = storm.len();
    let stride =
        (7..1000).find(|stride| length % stride != 0 && (1..*stride).all(|d| d == 1 || stride % d != 0)).unwrap();
    for step in 0..length {
        till.orders.notified(Provider::WeChat, &storm[step * stride % length]).await.unwrap();
    }
    till.scene.move_clock(till.scene.now() + TimeDelta::minutes(2));
    till.orders.poll_due().await.unwrap();
    for order in &orders {
        assert_eq!(till.status(order).await, OrderStatus::Delivered);
    }
    assert_eq!(till.balance(&customer).await, cny("120.00"));
    assert_eq!((till.on("suspense").await, till.on("cash:wechat").await), (0, -cny("120.00").nanos()));
    let operator = till.scene.operator();
    let page = PageRequest { limit: 200, before: None };
    let items = till.orders.list_suspense(&operator, None, page).await.unwrap().rows;
    assert_eq!(items.len(), 0, "the provider knows nothing of what others were paid");
    let kept = kept::all(&till.orders, &operator).await;
    kept::assert_whole(&kept, storm.iter().map(|message| (Provider::WeChat, message)));
    let signed = kept.iter().filter(|message| !matches!(message.outcome, MessageOutcome::Refused(_)));
    assert_eq!(signed.count(), (ORDERS - ORDERS / 3) * 3, "every signed message is kept once");
    assert!(kept.iter().any(|message| matches!(message.outcome, MessageOutcome::Refused(_))));
    assert!(kept.iter().all(|message| message.outcome != MessageOutcome::Received));
}
db_test!(storm, every_order_is_delivered_once_whatever_is_sent);

async fn what_nobody_signed_is_kept_up_to_the_operators_bound(fresh: &Fresh) {
    let till = Till::with(&fresh.url, &[("SUANPAN__PAYMENTS__KEPT_REFUSED_PER_HOUR", "5")]).await;
    let customer = till.scene.customer(None).await;
    let made = till.top_up(&customer, "10.00").await;
    let capture = till.provider.pay(made.payment.number(), till.scene.now());
    let number = made.payment.number();
    let send = async |key: &str, message: String| {
        let raw = ScriptedProvider::notification(&message, number, &capture, key);
        till.orders.notified(Provider::WeChat, &raw).await.unwrap().status
    };
    let kept = async || kept::all(&till.orders, &till.scene.operator()).await.len();
    for (hour, wanted) in [(0, 5), (1, 10)] {
        let begin = chrono::DurationRound::duration_trunc(till.scene.now(), TimeDelta::hours(1)).unwrap();
        till.scene.move_clock(begin + TimeDelta::hours(1) + TimeDelta::minutes(10));
        for message in (0..20).chain(0..3) {
            assert_eq!(send("wrong", format!("hour{hour} {message}")).await, 400);
        }
        assert_eq!(kept().await, wanted, "a bound for each hour");
    }
    assert_eq!(send("right", "signed".to_owned()).await, 200);
    assert_eq!(kept().await, 11, "what is signed has no bound");
}
db_test!(bound, what_nobody_signed_is_kept_up_to_the_operators_bound);

async fn money_of_another_merchant_is_filed_while_the_provider_cannot_be_asked(fresh: &Fresh) {
    let till = Till::new(&fresh.url).await;
    let customer = till.scene.customer(None).await;
    let made = till.top_up(&customer, "10.00").await;
    let number = made.payment.number();
    let theirs = Capture {
        transaction: "theirs".to_owned(),
        amount: cny("10.00"),
        captured_at: till.scene.now(),
        payee_is_ours: false,
    };
    till.provider.fail_next(Fault::Unavailable);
    till.orders
        .notified(Provider::WeChat, &ScriptedProvider::notification("m", number, &theirs, "right"))
        .await
        .unwrap();
    let items = till.orders.list_suspense(&till.scene.operator(), None, PageRequest::default()).await.unwrap().rows;
    assert_eq!((items.len(), items[0].reason), (1, SuspenseReason::Payee));
    assert_eq!((till.status(&made).await, till.on("suspense").await), (OrderStatus::Created, 0));
}
db_test!(payees, money_of_another_merchant_is_filed_while_the_provider_cannot_be_asked);

async fn money_that_is_not_what_was_asked_for_delivers_nothing_and_is_not_lost(fresh: &Fresh) {
    let till = Till::new(&fresh.url).await;
    let customer = till.scene.customer(None).await;
    let usd = Money::parse_minor("10.00", Currency::parse("USD").unwrap()).unwrap();
    let cases =
        [(cny("9.99"), SuspenseReason::Short), (cny("10.01"), SuspenseReason::Over), (usd, SuspenseReason::Currency)];
    let operator = till.scene.operator();
    for (amount, reason) in cases {
        let made = till.top_up(&customer, "10.00").await;
        let number = made.payment.number();
        let capture = till.provider.capture(number, amount, till.scene.now());
        let raw = ScriptedProvider::notification(reason.name(), number, &capture, "right");
        assert_eq!(till.orders.notified(Provider::WeChat, &raw).await.unwrap().status, 200);
        till.orders.view(&customer.actor, made.order.id, true).await.unwrap();
        let items = till.orders.list_suspense(&operator, None, PageRequest::default()).await.unwrap().rows;
        assert_eq!((items[0].reason, items[0].amount), (reason, amount));
        assert_eq!(till.status(&made).await, OrderStatus::Created);
    }
    assert_eq!(till.balance(&customer).await, cny("0"));
    assert_eq!(till.on("suspense").await, cny("20.00").nanos() + usd.nanos());
}
db_test!(mismatches, money_that_is_not_what_was_asked_for_delivers_nothing_and_is_not_lost);

async fn a_second_capture_of_another_amount_is_kept_though_a_query_knows_the_first_alone(fresh: &Fresh) {
    let till = Till::new(&fresh.url).await;
    let operator = till.scene.operator();
    for told_first in [true, false] {
        let customer = till.scene.customer(None).await;
        let made = till.top_up(&customer, "10.00").await;
        let number = made.payment.number();
        let first = till.provider.pay(number, till.scene.now());
        let second = Capture { transaction: format!("again {number}"), amount: cny("4.00"), ..first.clone() };
        let messages = if told_first { [&first, &second] } else { [&second, &first] };
        for capture in messages {
            let raw = ScriptedProvider::notification(&capture.transaction, number, capture, "right");
            assert_eq!(till.orders.notified(Provider::WeChat, &raw).await.unwrap().status, 200);
        }
        assert_eq!(till.status(&made).await, OrderStatus::Delivered);
        assert_eq!(till.balance(&customer).await, cny("10.00"));
        let items = till.orders.list_suspense(&operator, None, PageRequest::default()).await.unwrap().rows;
        assert_eq!((items[0].reason, items[0].amount), (SuspenseReason::Double, cny("4.00")));
    }
    assert_eq!(till.on("suspense").await, cny("8.00").nanos());
}
db_test!(second_captures, a_second_capture_of_another_amount_is_kept_though_a_query_knows_the_first_alone);

async fn a_number_that_is_not_ours_is_refused_without_a_word_and_kept(fresh: &Fresh) {
    let till = Till::new(&fresh.url).await;
    let customer = till.scene.customer(None).await;
    let made = till.top_up(&customer, "10.00").await;
    let capture = till.provider.pay(made.payment.number(), till.scene.now());
    let nobody = domain::orders::ProviderNumber::from_uuid(uuid::Uuid::now_v7());
    let raw = ScriptedProvider::notification("nobody", nobody, &capture, "right");
    let reply = till.orders.notified(Provider::WeChat, &raw).await.unwrap();
    assert_eq!((reply.status, reply.body), (400, ""));
    let operator = till.scene.operator();
    let kept = till.orders.list_messages(&operator, None, PageRequest::default()).await.unwrap().rows;
    assert_eq!((kept.len(), kept[0].outcome), (1, MessageOutcome::UnknownNumber));
    assert!(till.orders.notified(Provider::Stripe, &raw).await.is_err(), "stripe is not offered");
}
db_test!(strangers, a_number_that_is_not_ours_is_refused_without_a_word_and_kept);
