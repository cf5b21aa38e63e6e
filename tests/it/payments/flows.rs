//! Stories of orders: bought and refunded, closed and paid too late, and providers whose answers are lost.

use super::{Till, cny, once};
use chrono::TimeDelta;
use domain::error::Error;
use domain::id::PaymentId;
use domain::metering::{Consume, Dimensions};
use domain::orders::{
    OrderStatus, PaymentStatus, RefundState, RefundStatus, RefundWish, Resolution, ResolveWish, SuspenseReason,
    SuspenseStatus, Wanted,
};
use domain::page::PageRequest;
use domain::quantity::Quantity;
use domain::wallet::Provider;
use harness::databases::Fresh;
use harness::db_test;
use harness::scene::command;
use harness::scripted_provider::{Fault, ScriptedProvider};

fn refund_of(amount: &str) -> RefundWish {
    RefundWish { amount: Some(amount.to_owned()), reason: "a test".to_owned(), even_if_used: false }
}

fn for_model(command: Consume, model: &str) -> Consume {
    let dimensions = Dimensions::new([("model".to_owned(), model.to_owned())].into()).unwrap();
    Consume { dimensions, ..command }
}

async fn payment_status(till: &Till, id: PaymentId) -> PaymentStatus {
    till.scene.services.store.payments().find(id).await.unwrap().unwrap().status
}

async fn a_pack_is_delivered_used_and_refunded_in_part(fresh: &Fresh) {
    let till = Till::new(&fresh.url).await;
    till.put_on_sale().await;
    let customer = till.scene.customer(None).await;
    let bought = till.order(&customer, Wanted::Product("pack".to_owned())).await;
    let capture = till.provider.pay(bought.payment.number(), till.scene.now());
    let raw = ScriptedProvider::notification("m1", bought.payment.number(), &capture, "right");
    assert_eq!(till.orders.notified(Provider::WeChat, &raw).await.unwrap().status, 200);
    assert_eq!(till.status(&bought).await, OrderStatus::Delivered);
    let account = customer.account;
    till.scene.consume_one(for_model(command(account, "words", 30_000, "all"), "m2")).await.unwrap();
    assert!(till.scene.consume_one(for_model(command(account, "words", 1, "other"), "m2")).await.is_err());
    till.scene.consume_one(for_model(command(account, "words", 60, "pack"), "m1")).await.unwrap();

    let operator = till.scene.operator();
    let too_much = till.orders.refund(&operator, bought.payment.id, &refund_of("5.00"), &once(&operator)).await;
    assert!(matches!(too_much, Err(Error::Conflict { code: "refund_exceeds_remaining", .. })), "{too_much:?}");
    let part = till.orders.refund(&operator, bought.payment.id, &refund_of("4.00"), &once(&operator)).await.unwrap();
    assert_eq!(part.value.status, RefundStatus::Succeeded);
    assert_eq!(part.value.taken_back, Quantity::atoms(40));
    assert!(till.scene.consume_one(for_model(command(account, "words", 1, "gone"), "m1")).await.is_err());
    assert_eq!(payment_status(&till, bought.payment.id).await, PaymentStatus::PartiallyRefunded);
    let (suspense, refund) = (till.on("suspense").await, till.on("refund").await);
    assert_eq!((suspense, refund, till.on("revenue").await), (0, 0, cny("6.00").nanos()));
    assert_eq!(till.on("cash:wechat").await, -cny("6.00").nanos());
}
db_test!(pack, a_pack_is_delivered_used_and_refunded_in_part);

async fn a_top_up_is_refunded_only_as_far_as_it_is_there_and_comes_back_when_the_refund_fails(fresh: &Fresh) {
    let till = Till::new(&fresh.url).await;
    let customer = till.scene.customer(None).await;
    let made = till.top_up(&customer, "10.00").await;
    till.provider.pay(made.payment.number(), till.scene.now());
    till.orders.view(&customer.actor, made.order.id, true).await.unwrap();
    assert_eq!(till.balance(&customer).await, cny("10.00"));
    let operator = till.scene.operator();
    till.provider.answer_refunds(RefundState::Processing);
    let refund = till.orders.refund(&operator, made.payment.id, &refund_of("7.00"), &once(&operator)).await.unwrap();
    assert_eq!((refund.value.status, till.balance(&customer).await), (RefundStatus::Processing, cny("3.00")));
    let more = till.orders.refund(&operator, made.payment.id, &refund_of("3.01"), &once(&operator)).await;
    assert!(matches!(more, Err(Error::Conflict { code: "refund_too_large", .. })), "{more:?}");
    let reason = "the card is gone".to_owned();
    till.provider.finish_refund(refund.value.number(), RefundState::Failed { reason });
    till.scene.move_clock(till.scene.now() + TimeDelta::minutes(1));
    till.orders.follow_refunds().await.unwrap();
    assert_eq!((till.balance(&customer).await, till.on("refund").await), (cny("10.00"), 0));
    let second = till.top_up(&customer, "5.00").await;
    till.provider.pay(second.payment.number(), till.scene.now());
    till.orders.view(&customer.actor, second.order.id, true).await.unwrap();
    till.provider.answer_refunds(RefundState::Succeeded { refunded_at: till.scene.now() });
    till.orders.refund(&operator, made.payment.id, &refund_of("10.00"), &once(&operator)).await.unwrap();
    assert_eq!(payment_status(&till, made.payment.id).await, PaymentStatus::Refunded);
    assert_eq!((till.balance(&customer).await, till.on("cash:wechat").await), (cny("5.00"), -cny("5.00").nanos()));
}
db_test!(top_up, a_top_up_is_refunded_only_as_far_as_it_is_there_and_comes_back_when_the_refund_fails);

async fn an_unpaid_order_is_closed_by_time_and_money_that_comes_later_waits_for_an_operator(fresh: &Fresh) {
    let till = Till::new(&fresh.url).await;
    let customer = till.scene.customer(None).await;
    let made = till.top_up(&customer, "10.00").await;
    till.scene.move_clock(made.order.expires_at);
    for _close_and_query in 0..2 {
        till.provider.fail_next(Fault::Unavailable);
    }
    till.orders.expire_due().await.unwrap();
    assert_eq!(till.status(&made).await, OrderStatus::Closing);
    till.scene.move_clock(till.scene.now() + TimeDelta::minutes(2));
    till.orders.poll_due().await.unwrap();
    assert_eq!(till.status(&made).await, OrderStatus::Closed);
    let capture = till.provider.pay(made.payment.number(), till.scene.now());
    let raw = ScriptedProvider::notification("late", made.payment.number(), &capture, "right");
    for _ in 0..3 {
        assert_eq!(till.orders.notified(Provider::WeChat, &raw).await.unwrap().status, 200);
    }
    assert_eq!((till.balance(&customer).await, till.on("suspense").await), (cny("0"), cny("10.00").nanos()));
    let operator = till.scene.operator();
    let items = till.orders.list_suspense(&operator, None, PageRequest::default()).await.unwrap().rows;
    assert_eq!((items.len(), items[0].reason), (1, SuspenseReason::Late));
    let wish = ResolveWish { resolution: Resolution::Refund, note: "too late".to_owned() };
    let resolved = till.orders.resolve_suspense(&operator, items[0].id, &wish, &once(&operator)).await.unwrap();
    assert_eq!(resolved.value.status, SuspenseStatus::Refunded);
    assert!(till.orders.resolve_suspense(&operator, items[0].id, &wish, &once(&operator)).await.is_err());
    assert_eq!((till.on("suspense").await, till.on("cash:wechat").await, till.on("refund").await), (0, 0, 0));
    assert_eq!(till.provider.paid_back(made.payment.number()), cny("10.00").nanos());
}
db_test!(late, an_unpaid_order_is_closed_by_time_and_money_that_comes_later_waits_for_an_operator);

async fn late_money_can_be_credited_or_delivered_for(fresh: &Fresh) {
    let till = Till::new(&fresh.url).await;
    let customer = till.scene.customer(None).await;
    let operator = till.scene.operator();
    let closed = async |amount: &str| {
        let made = till.top_up(&customer, amount).await;
        till.orders.close(&customer.actor, made.order.id).await.unwrap();
        assert_eq!(till.status(&made).await, OrderStatus::Closed);
        made
    };
    let resolve = async |resolution| {
        let items = till.orders.list_suspense(&operator, Some(SuspenseStatus::Open), PageRequest::default()).await;
        let wish = ResolveWish { resolution, note: "resolved".to_owned() };
        let id = items.unwrap().rows[0].id;
        till.orders.resolve_suspense(&operator, id, &wish, &once(&operator)).await.unwrap()
    };
    let one = closed("3.00").await;
    let capture = till.provider.pay(one.payment.number(), till.scene.now());
    let raw = ScriptedProvider::notification("one", one.payment.number(), &capture, "right");
    till.orders.notified(Provider::WeChat, &raw).await.unwrap();
    resolve(Resolution::Credit).await;
    assert_eq!((till.balance(&customer).await, till.status(&one).await), (cny("3.00"), OrderStatus::Closed));
    let two = closed("5.00").await;
    let capture = till.provider.capture(two.payment.number(), cny("4.00"), till.scene.now());
    let raw = ScriptedProvider::notification("two", two.payment.number(), &capture, "right");
    till.orders.notified(Provider::WeChat, &raw).await.unwrap();
    resolve(Resolution::Deliver).await;
    assert_eq!((till.balance(&customer).await, till.status(&two).await), (cny("8.00"), OrderStatus::Delivered));
    assert_eq!((till.on("suspense").await, till.on("adjustment").await), (0, -cny("1.00").nanos()));
}
db_test!(resolved, late_money_can_be_credited_or_delivered_for);

async fn a_lost_answer_charges_nothing_twice_and_is_known_after_the_loop_ran(fresh: &Fresh) {
    let till = Till::new(&fresh.url).await;
    let customer = till.scene.customer(None).await;
    till.provider.fail_next(Fault::AnswerLost);
    let lost = till.top_up(&customer, "10.00").await;
    till.provider.fail_next(Fault::Unavailable);
    let unsent = till.top_up(&customer, "20.00").await;
    assert_eq!((lost.payment.status, unsent.payment.status), (PaymentStatus::Unknown, PaymentStatus::Unknown));
    let how = (Provider::WeChat, domain::orders::PayMethod::Default);
    let again = till.orders.try_again(&customer.actor, lost.order.id, how, &once(&customer.actor)).await;
    assert!(matches!(again, Err(Error::Conflict { code: "payment_unknown", .. })), "{again:?}");
    till.provider.pay(lost.payment.number(), till.scene.now());
    till.scene.move_clock(till.scene.now() + TimeDelta::minutes(1));
    till.orders.poll_due().await.unwrap();
    assert_eq!(payment_status(&till, lost.payment.id).await, PaymentStatus::Paid);
    assert_eq!(payment_status(&till, unsent.payment.id).await, PaymentStatus::Pending);
    assert_eq!(till.balance(&customer).await, cny("10.00"));
    let operator = till.scene.operator();
    till.provider.fail_next(Fault::AnswerLost);
    let refund = till.orders.refund(&operator, lost.payment.id, &refund_of("4.00"), &once(&operator)).await.unwrap();
    assert_eq!(refund.value.status, RefundStatus::Unknown);
    till.scene.move_clock(till.scene.now() + TimeDelta::minutes(1));
    till.orders.follow_refunds().await.unwrap();
    assert_eq!(till.provider.paid_back(lost.payment.number()), cny("4.00").nanos());
    assert_eq!(payment_status(&till, lost.payment.id).await, PaymentStatus::PartiallyRefunded);
}
db_test!(unknown, a_lost_answer_charges_nothing_twice_and_is_known_after_the_loop_ran);

async fn reconciliation_settles_what_was_missed_and_files_what_differs_once(fresh: &Fresh) {
    let till = Till::new(&fresh.url).await;
    let customer = till.scene.customer(None).await;
    let (missed, ours) = (till.top_up(&customer, "10.00").await, till.top_up(&customer, "3.00").await);
    let now = till.scene.now();
    till.provider.pay(missed.payment.number(), now);
    till.provider.bill(missed.payment.number(), cny("10.00"), now);
    till.provider.pay(ours.payment.number(), now);
    till.orders.view(&customer.actor, ours.order.id, true).await.unwrap();
    let day = (now + TimeDelta::hours(8)).date_naive();
    for round in 0..2 {
        let done = till.orders.reconcile(Provider::WeChat, day).await.unwrap();
        assert_eq!((done.rows, done.settled), (1, u64::from(round == 0)));
        let classes: Vec<_> = done.differences.iter().map(|found| found.class.name()).collect();
        assert_eq!(classes, ["payment_missing_there"], "round {round}");
    }
    assert_eq!(till.balance(&customer).await, cny("13.00"));
    till.provider.bill(ours.payment.number(), cny("3.00"), now);
    let done = till.orders.reconcile(Provider::WeChat, day).await.unwrap();
    assert_eq!(done.differences[0].status.name(), "resolved");
}
db_test!(reconciled, reconciliation_settles_what_was_missed_and_files_what_differs_once);
