//! Bills from the purchase of a plan to the month that nobody pays, with the ledger behind them.

use chrono::TimeDelta;
use domain::billing::{BillKind, BillStatus, RefundTo, RefundWish};
use domain::error::Error;
use domain::money::{Currency, Money};
use domain::page::PageRequest;
use domain::plans::SubscriptionStatus;
use harness::bills::{MINE, amounts, change, cny, once, wish};
use harness::databases::Fresh;
use harness::db_test;
use harness::scene::{Customer, Scene, command};
use std::sync::Arc;

/// What closes at once in the test of two closers.
const ACCOUNTS: usize = 60;
const PAYERS: usize = 50;

async fn buys_professional(scene: &Scene) -> Customer {
    let customer = scene.customer(None).await;
    scene.correct(customer.account, "1000").await;
    let bought = scene.services.billing.subscribe(&customer.actor, &MINE, &wish("professional"), None).await.unwrap();
    let bill = bought.bill.unwrap();
    assert_eq!((bill.bill.kind, bill.bill.status), (BillKind::Subscription, BillStatus::Unpaid));
    assert_eq!(scene.subscription(&customer).await.chosen.plan.as_str(), "free", "nothing begins before it is paid");
    scene.pay(&customer, bill.bill.id).await;
    customer
}

async fn a_plan_begins_when_its_bill_is_paid(fresh: &Fresh) {
    let scene = Scene::new(&fresh.url).await;
    let customer = buys_professional(&scene).await;
    let running = scene.subscription(&customer).await;
    assert_eq!((running.chosen.plan.as_str(), running.status), ("professional", SubscriptionStatus::Active));
    let paid = running.paid.unwrap();
    assert_eq!(scene.balance(customer.account).await, cny("1000").checked_sub(paid).unwrap().to_decimal());
    let bill = scene.bills(customer.account).await.remove(0).bill;
    assert_eq!((bill.totals.total, bill.status), (paid, BillStatus::Paid));
    let again = scene.services.billing.pay_from_wallet(&customer.actor, bill.id, &once(&customer)).await;
    assert!(matches!(again, Err(Error::Conflict { code: "bill_paid", .. })), "{again:?}");
    let stranger = scene.customer(None).await;
    let seen = scene.services.billing.view(&stranger.actor, bill.id).await;
    assert!(matches!(seen, Err(Error::NotFound("bill"))), "{seen:?}");
    scene.assert_books_agree(fresh).await;
}

db_test!(plan_begins, a_plan_begins_when_its_bill_is_paid);

async fn another_choice_takes_the_bill_of_the_first_back(fresh: &Fresh) {
    let scene = Scene::new(&fresh.url).await;
    let customer = scene.customer(None).await;
    for _ in 0..2 {
        scene.services.billing.subscribe(&customer.actor, &MINE, &wish("professional"), None).await.unwrap();
    }
    let statuses: Vec<_> = scene.bills(customer.account).await.iter().map(|issued| issued.bill.status).collect();
    assert_eq!(statuses, [BillStatus::Void, BillStatus::Unpaid]);
    scene.pass(8).await;
    let after = scene.subscription(&customer).await;
    assert_eq!((after.awaiting_payment, after.status), (None, SubscriptionStatus::Active), "an order is no debt");
    let statuses: Vec<_> = scene.bills(customer.account).await.iter().map(|issued| issued.bill.status).collect();
    assert_eq!(statuses, [BillStatus::Void, BillStatus::Void]);
    scene.assert_books_agree(fresh).await;
}

db_test!(another_choice, another_choice_takes_the_bill_of_the_first_back);

async fn a_month_that_nobody_pays_suspends_and_recovers(fresh: &Fresh) {
    let scene = Scene::new(&fresh.url).await;
    let customer = buys_professional(&scene).await;
    let account = customer.account;
    // 5 001 words and 501 units beyond the allowance.
    scene.consume_one(command(account, "words", 305_001, "w")).await.unwrap();
    scene.consume_one(command(account, "cu", 1_001_000, "c")).await.unwrap();
    let end = scene.subscription(&customer).await.period.end;
    scene.move_clock(end - TimeDelta::days(1));
    api::billing_rounds::round(&scene.services, None).await.unwrap();
    let renewal = scene.bills(account).await.pop().unwrap();
    assert_eq!((renewal.bill.kind, renewal.bill.period.start), (BillKind::Subscription, end), "billed ahead");
    assert_eq!(renewal.bill.totals.total, cny("99"));
    scene.pay(&customer, renewal.bill.id).await;
    scene.pass(2).await;
    assert_eq!(scene.subscription(&customer).await.paid, Some(cny("99")), "the renewed term is paid");

    let month = scene.bills(account).await.pop().unwrap();
    assert_eq!((month.bill.kind, amounts(&month)), (BillKind::Month, "50.00 0.08 2.50".to_owned()));
    assert_eq!(month.bill.totals.total, cny("52.58"));
    let page = PageRequest { limit: 200, before: None };
    let rows = scene.services.billing.usage(&customer.actor, month.bill.id, None, page).await.unwrap().rows;
    assert_eq!(rows.len(), 2, "the rows behind it");
    let fees: i64 = rows.iter().map(|row| row.drawn.fee.nanos()).sum();
    assert_eq!(Money::from_nanos(fees, Currency::CNY).round_half_away_to_minor().unwrap(), cny("52.58"));

    scene.pass(8).await;
    assert_eq!(scene.subscription(&customer).await.status, SubscriptionStatus::PastDue);
    scene.consume_one(command(account, "words", 1, "past due")).await.unwrap();
    scene.pass(8).await;
    assert_eq!(scene.subscription(&customer).await.status, SubscriptionStatus::Suspended);
    scene.consume_one(command(account, "words", 1, "suspended")).await.unwrap_err();
    scene.pay(&customer, month.bill.id).await;
    assert_eq!(scene.subscription(&customer).await.status, SubscriptionStatus::Active);
    scene.consume_one(command(account, "words", 1, "recovered")).await.unwrap();
    scene.assert_books_agree(fresh).await;

    let before = scene.balance(account).await;
    let refund = |amount: Option<&str>| RefundWish {
        amount: amount.map(str::to_owned),
        to: RefundTo::Wallet,
        reason: "outage".to_owned(),
    };
    let (operator, id) = (scene.operator(), month.bill.id);
    let billing = &scene.services.billing;
    billing.refund(&operator, id, &refund(Some("20")), &once(&customer)).await.unwrap();
    let more = billing.refund(&operator, id, &refund(Some("32.59")), &once(&customer)).await;
    assert!(matches!(more, Err(Error::Invalid(_))), "never above what was paid: {more:?}");
    billing.refund(&operator, id, &refund(None), &once(&customer)).await.unwrap();
    let after = Money::parse(&before, Currency::CNY).unwrap().checked_add(cny("52.58")).unwrap();
    assert_eq!(scene.balance(account).await, after.to_decimal());
    let none = billing.refund(&operator, id, &refund(None), &once(&customer)).await;
    assert!(matches!(none, Err(Error::Conflict { code: "bill_refunded", .. })), "{none:?}");
    scene.assert_books_agree(fresh).await;
}

db_test!(unpaid_month, a_month_that_nobody_pays_suspends_and_recovers);

async fn a_bill_that_is_not_its_usage_is_found(fresh: &Fresh) {
    let scene = Scene::new(&fresh.url).await;
    let customer = buys_professional(&scene).await;
    scene.consume_one(command(customer.account, "words", 305_001, "w")).await.unwrap();
    let end = scene.subscription(&customer).await.period.end;
    scene.move_clock(end + TimeDelta::days(1));
    api::billing_rounds::round(&scene.services, None).await.unwrap();
    let all = scene.bills(customer.account).await;
    let month = all.iter().find(|issued| issued.bill.kind == BillKind::Month).unwrap().bill.id;
    assert_eq!(scene.differences().await, Vec::new());

    let more =
        |more: i64| format!("UPDATE usage_records SET from_overage = from_overage + {more} WHERE from_overage > 0");
    change(fresh, &more(7)).await;
    let found = scene.differences().await;
    assert_eq!(found.iter().map(|found| (found.bill, found.what)).collect::<Vec<_>>(), [(Some(month), "lines")]);
    assert!(found[0].billed.contains("5001 ") && found[0].derived.contains("5008 "), "{found:?}");
    change(fresh, &more(-7)).await;
    assert_eq!(scene.differences().await, Vec::new(), "and nothing was written");
}

db_test!(not_its_usage, a_bill_that_is_not_its_usage_is_found);

async fn who_never_pays_ends_on_the_default_plan_and_owes_no_term(fresh: &Fresh) {
    let scene = Scene::new(&fresh.url).await;
    let customer = buys_professional(&scene).await;
    let end = scene.subscription(&customer).await.period.end;
    scene.move_clock(end - TimeDelta::days(1));
    for _ in 0..8 {
        scene.pass(10).await;
    }
    let after = scene.subscription(&customer).await;
    assert_eq!((after.chosen.plan.as_str(), after.status), ("free", SubscriptionStatus::Active));
    let unpaid = scene.services.store.bills().unpaid(customer.account).await.unwrap();
    assert!(unpaid.is_empty(), "{unpaid:?}");
    scene.assert_books_agree(fresh).await;
}

db_test!(never_pays, who_never_pays_ends_on_the_default_plan_and_owes_no_term);

async fn bills_are_paid_from_the_wallet_where_that_was_agreed(fresh: &Fresh) {
    let scene = Scene::new(&fresh.url).await;
    let customer = buys_professional(&scene).await;
    let keep = domain::change::Change::Keep;
    scene.services.subscriptions.prefer(&customer.actor, &MINE, keep, Some(true)).await.unwrap();
    let before = Money::parse(&scene.balance(customer.account).await, Currency::CNY).unwrap();
    let end = scene.subscription(&customer).await.period.end;
    scene.consume_one(command(customer.account, "words", 301_000, "w")).await.unwrap();
    scene.move_clock(end - TimeDelta::days(1));
    scene.pass(2).await;
    let all = scene.bills(customer.account).await;
    assert_eq!(all.len(), 3, "the purchase, the renewal and the month");
    assert!(all.iter().all(|issued| issued.bill.status == BillStatus::Paid));
    let spent = before.checked_sub(cny("99.50")).unwrap();
    assert_eq!(scene.balance(customer.account).await, spent.to_decimal());
    assert_eq!(scene.subscription(&customer).await.paid, Some(cny("99")));
    scene.assert_books_agree(fresh).await;
}

db_test!(auto_pay, bills_are_paid_from_the_wallet_where_that_was_agreed);

async fn a_bill_is_paid_once_however_many_pay_it(fresh: &Fresh) {
    let scene = Arc::new(Scene::new(&fresh.url).await);
    let customer = scene.customer(None).await;
    scene.correct(customer.account, "5000").await;
    let bought = scene.services.billing.subscribe(&customer.actor, &MINE, &wish("professional"), None).await.unwrap();
    let bill = bought.bill.unwrap().bill;
    let payers = (0..PAYERS).map(|_| {
        let (scene, customer) = (scene.clone(), customer.clone());
        tokio::spawn(async move {
            scene.services.billing.pay_from_wallet(&customer.actor, bill.id, &once(&customer)).await.is_ok()
        })
    });
    let outcomes = futures_util::future::join_all(payers).await;
    assert_eq!(outcomes.iter().filter(|outcome| *outcome.as_ref().unwrap()).count(), 1);
    let left = cny("5000").checked_sub(bill.totals.total).unwrap();
    assert_eq!(scene.balance(customer.account).await, left.to_decimal());
    scene.assert_books_agree(fresh).await;
}

db_test!(paid_once, a_bill_is_paid_once_however_many_pay_it);

async fn two_replicas_close_each_period_once_while_usage_arrives(fresh: &Fresh) {
    let scene = Arc::new(Scene::new(&fresh.url).await);
    let other = Arc::new(Scene::new(&fresh.url).await);
    let accounts = scene.accounts(ACCOUNTS).await;
    for account in &accounts {
        scene.services.subscriptions.set(&scene.operator(), *account, &wish("professional")).await.unwrap();
        scene.consume_one(command(*account, "words", 310_000, "before")).await.unwrap();
    }
    let first = scene.services.metering.quota(accounts[0]).await.unwrap().subscription;
    for replica in [&scene, &other] {
        replica.move_clock(first.period.end + TimeDelta::seconds(1));
    }
    let late = first.period.end - TimeDelta::hours(1);
    let closers = [scene.clone(), other.clone()].map(|replica| {
        tokio::spawn(async move {
            let wish = api::billing_rounds::close_wish(&replica.services, None).unwrap();
            api::billing_rounds::close_all(&replica.services, wish, |_| {}).await.unwrap();
        })
    });
    let (user, ids) = (scene.clone(), accounts.clone());
    let usage = tokio::spawn(async move {
        for account in ids {
            let mut late_use = command(account, "words", 1000, "late");
            late_use.occurred_at = Some(late);
            user.consume_one(late_use).await.unwrap();
        }
    });
    for closer in closers {
        closer.await.unwrap();
    }
    usage.await.unwrap();
    for account in &accounts {
        let months = scene.bills_of(*account, BillKind::Month).await;
        assert_eq!(months.len(), 1, "no duplicate, none missing");
        // What came before the close is on this bill, what came after it on the next.
        let period = domain::time::Period { start: months[0].bill.period.start, end: months[0].bill.period.end };
        let slot = [(*account, period.start)];
        let sums = scene.services.store.closings().usage_sums(&slot, false).await.unwrap();
        let overage: i64 = sums.iter().map(|sum| sum.overage.as_atoms()).sum();
        assert_eq!(months[0].overages[0].used.quantity.as_atoms(), overage, "the bill is its usage");
    }
    scene.assert_books_agree(fresh).await;
}

db_test!(two_closers, two_replicas_close_each_period_once_while_usage_arrives);
