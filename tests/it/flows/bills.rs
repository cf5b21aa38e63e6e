//! Bills from the purchase of a plan to the month that nobody pays, with the ledger behind them.

use chrono::TimeDelta;
use domain::accounts::AccountRef;
use domain::billing::{BillFilter, BillKind, BillStatus, Difference, IssuedBill, RefundTo, RefundWish};
use domain::error::Error;
use domain::id::{AccountId, BillId};
use domain::idempotency::IdempotentRequest;
use domain::money::{Currency, Money};
use domain::page::PageRequest;
use domain::plans::{PlanCode, PlanWish, Subscription, SubscriptionStatus};
use domain::wallet::{LedgerAccount, Transfer, TransferKind, post};
use harness::databases::Fresh;
use harness::db_test;
use harness::scene::{Customer, Scene, command};
use sea_orm::{ConnectionTrait, Database, Statement};
use std::sync::Arc;
use uuid::Uuid;

const MINE: AccountRef = AccountRef::Default;
/// What closes at once in the test of two closers.
const ACCOUNTS: usize = 60;
const PAYERS: usize = 50;

fn cny(text: &str) -> Money {
    Money::parse(text, Currency::CNY).unwrap()
}

fn once(customer: &Customer) -> IdempotentRequest {
    let key = Uuid::now_v7().to_string();
    IdempotentRequest { user: customer.actor.user, scope: "test", fingerprint: key.clone(), key }
}

fn wish(plan: &str) -> PlanWish {
    PlanWish { plan: PlanCode::parse(plan).unwrap(), interval: None, seats: None }
}

async fn fund(scene: &Scene, account: AccountId, amount: &str) {
    let now = scene.now();
    let work = scene.services.store.begin().await.unwrap();
    work.accounts().lock(account).await.unwrap();
    let sides = (LedgerAccount::Adjustment, LedgerAccount::Wallet(account));
    let kind = (TransferKind::Adjustment, Uuid::now_v7().to_string());
    post(&*work, &[Transfer::new(kind, sides, cny(amount), now).unwrap()]).await.unwrap();
    work.commit().await.unwrap();
}

async fn balance(scene: &Scene, account: AccountId) -> String {
    let wallets = scene.services.store.ledger().wallets(&[account]).await.unwrap();
    wallets.first().map_or("0.00".to_owned(), |wallet| wallet.balance.to_decimal())
}

async fn subscription(scene: &Scene, customer: &Customer) -> Subscription {
    scene.services.subscriptions.view(&customer.actor, &MINE).await.unwrap().subscription
}

/// The account's bills, oldest first.
async fn bills(scene: &Scene, account: AccountId) -> Vec<IssuedBill> {
    let filter = BillFilter { account: Some(account), ..BillFilter::default() };
    let page = PageRequest { limit: 200, before: None };
    let rows = scene.services.store.bills().list(&filter, page).await.unwrap().rows;
    let mut all = Vec::new();
    for bill in rows.iter().rev() {
        all.push(scene.services.store.bills().find(bill.id).await.unwrap().unwrap());
    }
    all
}

async fn pay(scene: &Scene, customer: &Customer, bill: BillId) {
    scene.services.billing.pay_from_wallet(&customer.actor, bill, &once(customer)).await.unwrap();
}

/// What the query counts or sums.
async fn number(fresh: &Fresh, query: &str) -> i64 {
    let connection = Database::connect(&fresh.url).await.unwrap();
    let statement = Statement::from_string(connection.get_database_backend(), query);
    let row = connection.query_one_raw(statement).await.unwrap().unwrap();
    row.try_get("", "n").unwrap()
}

/// What differs of all bills when they are derived again.
async fn differences(scene: &Scene) -> Vec<Difference> {
    let billing = &scene.services.billing;
    let mut all = Vec::new();
    for id in billing.to_recompute(None, None, 1000).await.unwrap() {
        all.extend(billing.recompute(id).await.unwrap());
    }
    all
}

/// What is owed on bills is what the ledger says is receivable, and bills are the sums of their lines.
async fn assert_books_agree(scene: &Scene, fresh: &Fresh) {
    let ledger = "SELECT CAST(COALESCE(SUM(CASE WHEN from_code = 'receivable' THEN amount ELSE 0 END)
        - SUM(CASE WHEN to_code = 'receivable' THEN amount ELSE 0 END), 0) AS BIGINT) AS n
        FROM ledger_transfers WHERE 'receivable' IN (from_code, to_code)";
    let bills =
        "SELECT CAST(COALESCE(SUM(total_nanos), 0) AS BIGINT) AS n FROM billing_records WHERE status = 'unpaid'";
    let cast = |query: &str| {
        if fresh.url.starts_with("mysql:") { query.replace("AS BIGINT", "AS SIGNED") } else { query.to_owned() }
    };
    assert_eq!(number(fresh, &cast(ledger)).await, number(fresh, &cast(bills)).await, "receivable");
    let lines = "SELECT COUNT(*) AS n FROM billing_records b WHERE b.total_nanos <>
        (SELECT SUM(l.amount_nanos - l.discount_nanos) FROM billing_lines l WHERE l.bill_id = b.id)";
    assert_eq!(number(fresh, lines).await, 0, "a bill is the sum of its lines");
    let overages = "SELECT COUNT(*) AS n FROM billing_records b WHERE b.overage_nanos <>
        COALESCE((SELECT SUM(o.fee_nanos) FROM billing_overages o WHERE o.bill_id = b.id), 0)";
    assert_eq!(number(fresh, overages).await, 0, "a bill's overage is the sum of its meters");
    assert_eq!(differences(scene).await, Vec::new(), "bills derived again");
}

/// Moves the clock, and does what the loops would.
async fn pass(scene: &Scene, days: i64) {
    scene.move_clock(scene.now() + TimeDelta::days(days));
    while scene.services.metering.roll_over_due(0).await.unwrap().done > 0 {}
    api::billing_rounds::round(&scene.services, None).await.unwrap();
}

async fn buys_professional(scene: &Scene) -> Customer {
    let customer = scene.customer(None).await;
    fund(scene, customer.account, "1000").await;
    let bought = scene.services.billing.subscribe(&customer.actor, &MINE, &wish("professional"), None).await.unwrap();
    let bill = bought.bill.unwrap();
    assert_eq!((bill.bill.kind, bill.bill.status), (BillKind::Subscription, BillStatus::Unpaid));
    assert_eq!(subscription(scene, &customer).await.chosen.plan.as_str(), "free", "nothing begins before it is paid");
    pay(scene, &customer, bill.bill.id).await;
    customer
}

async fn a_plan_begins_when_its_bill_is_paid(fresh: &Fresh) {
    let scene = Scene::new(&fresh.url).await;
    let customer = buys_professional(&scene).await;
    let running = subscription(&scene, &customer).await;
    assert_eq!((running.chosen.plan.as_str(), running.status), ("professional", SubscriptionStatus::Active));
    let paid = running.paid.unwrap();
    assert_eq!(balance(&scene, customer.account).await, cny("1000").checked_sub(paid).unwrap().to_decimal());
    let bill = bills(&scene, customer.account).await.remove(0).bill;
    assert_eq!((bill.totals.total, bill.status), (paid, BillStatus::Paid));
    let again = scene.services.billing.pay_from_wallet(&customer.actor, bill.id, &once(&customer)).await;
    assert!(matches!(again, Err(Error::Conflict { code: "bill_paid", .. })), "{again:?}");
    let stranger = scene.customer(None).await;
    let seen = scene.services.billing.view(&stranger.actor, bill.id).await;
    assert!(matches!(seen, Err(Error::NotFound("bill"))), "{seen:?}");
    assert_books_agree(&scene, fresh).await;
}

db_test!(plan_begins, a_plan_begins_when_its_bill_is_paid);

async fn another_choice_takes_the_bill_of_the_first_back(fresh: &Fresh) {
    let scene = Scene::new(&fresh.url).await;
    let customer = scene.customer(None).await;
    for _ in 0..2 {
        scene.services.billing.subscribe(&customer.actor, &MINE, &wish("professional"), None).await.unwrap();
    }
    let statuses: Vec<_> = bills(&scene, customer.account).await.iter().map(|issued| issued.bill.status).collect();
    assert_eq!(statuses, [BillStatus::Void, BillStatus::Unpaid]);
    pass(&scene, 8).await;
    let after = subscription(&scene, &customer).await;
    assert_eq!((after.awaiting_payment, after.status), (None, SubscriptionStatus::Active), "an order is no debt");
    let statuses: Vec<_> = bills(&scene, customer.account).await.iter().map(|issued| issued.bill.status).collect();
    assert_eq!(statuses, [BillStatus::Void, BillStatus::Void]);
    assert_books_agree(&scene, fresh).await;
}

db_test!(another_choice, another_choice_takes_the_bill_of_the_first_back);

async fn a_month_that_nobody_pays_suspends_and_recovers(fresh: &Fresh) {
    let scene = Scene::new(&fresh.url).await;
    let customer = buys_professional(&scene).await;
    let account = customer.account;
    // 5 001 words and 501 units beyond the allowance.
    scene.consume_one(command(account, "words", 305_001, "w")).await.unwrap();
    scene.consume_one(command(account, "cu", 1_001_000, "c")).await.unwrap();
    let end = subscription(&scene, &customer).await.period.end;
    scene.move_clock(end - TimeDelta::days(1));
    api::billing_rounds::round(&scene.services, None).await.unwrap();
    let renewal = bills(&scene, account).await.pop().unwrap();
    assert_eq!((renewal.bill.kind, renewal.bill.period.start), (BillKind::Subscription, end), "billed ahead");
    assert_eq!(renewal.bill.totals.total, cny("99"));
    pay(&scene, &customer, renewal.bill.id).await;
    pass(&scene, 2).await;
    assert_eq!(subscription(&scene, &customer).await.paid, Some(cny("99")), "the renewed term is paid");

    let month = bills(&scene, account).await.pop().unwrap();
    let amounts: Vec<_> = month.lines.iter().map(|line| line.amount.to_decimal()).collect();
    assert_eq!((month.bill.kind, amounts.join(" ")), (BillKind::Month, "50.00 0.08 2.50".to_owned()));
    assert_eq!(month.bill.totals.total, cny("52.58"));
    let page = PageRequest { limit: 200, before: None };
    let rows = scene.services.billing.usage(&customer.actor, month.bill.id, None, page).await.unwrap().rows;
    assert_eq!(rows.len(), 2, "the rows behind it");
    let fees: i64 = rows.iter().map(|row| row.drawn.fee.nanos()).sum();
    assert_eq!(Money::from_nanos(fees, Currency::CNY).round_half_away_to_minor().unwrap(), cny("52.58"));

    pass(&scene, 8).await;
    assert_eq!(subscription(&scene, &customer).await.status, SubscriptionStatus::PastDue);
    scene.consume_one(command(account, "words", 1, "past due")).await.unwrap();
    pass(&scene, 8).await;
    assert_eq!(subscription(&scene, &customer).await.status, SubscriptionStatus::Suspended);
    scene.consume_one(command(account, "words", 1, "suspended")).await.unwrap_err();
    pay(&scene, &customer, month.bill.id).await;
    assert_eq!(subscription(&scene, &customer).await.status, SubscriptionStatus::Active);
    scene.consume_one(command(account, "words", 1, "recovered")).await.unwrap();
    assert_books_agree(&scene, fresh).await;

    let before = balance(&scene, account).await;
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
    assert_eq!(balance(&scene, account).await, after.to_decimal());
    let none = billing.refund(&operator, id, &refund(None), &once(&customer)).await;
    assert!(matches!(none, Err(Error::Conflict { code: "bill_refunded", .. })), "{none:?}");
    assert_books_agree(&scene, fresh).await;
}

db_test!(unpaid_month, a_month_that_nobody_pays_suspends_and_recovers);

async fn a_bill_that_is_not_its_usage_is_found(fresh: &Fresh) {
    let scene = Scene::new(&fresh.url).await;
    let customer = buys_professional(&scene).await;
    scene.consume_one(command(customer.account, "words", 305_001, "w")).await.unwrap();
    let end = subscription(&scene, &customer).await.period.end;
    scene.move_clock(end + TimeDelta::days(1));
    api::billing_rounds::round(&scene.services, None).await.unwrap();
    let all = bills(&scene, customer.account).await;
    let month = all.iter().find(|issued| issued.bill.kind == BillKind::Month).unwrap().bill.id;
    assert_eq!(differences(&scene).await, Vec::new());

    let connection = Database::connect(&fresh.url).await.unwrap();
    let change = |from: i64, to: i64| {
        format!("UPDATE usage_records SET from_overage = from_overage + {to} - {from} WHERE from_overage > 0")
    };
    connection.execute_unprepared(&change(0, 7)).await.unwrap();
    let found = differences(&scene).await;
    assert_eq!(found.iter().map(|found| (found.bill, found.what)).collect::<Vec<_>>(), [(month, "lines")]);
    assert!(found[0].billed.contains("5001 ") && found[0].derived.contains("5008 "), "{found:?}");
    connection.execute_unprepared(&change(7, 0)).await.unwrap();
    assert_eq!(differences(&scene).await, Vec::new(), "and nothing was written");
}

db_test!(not_its_usage, a_bill_that_is_not_its_usage_is_found);

async fn who_never_pays_ends_on_the_default_plan_and_owes_no_term(fresh: &Fresh) {
    let scene = Scene::new(&fresh.url).await;
    let customer = buys_professional(&scene).await;
    let end = subscription(&scene, &customer).await.period.end;
    scene.move_clock(end - TimeDelta::days(1));
    for _ in 0..8 {
        pass(&scene, 10).await;
    }
    let after = subscription(&scene, &customer).await;
    assert_eq!((after.chosen.plan.as_str(), after.status), ("free", SubscriptionStatus::Active));
    let unpaid = scene.services.store.bills().unpaid(customer.account).await.unwrap();
    assert!(unpaid.is_empty(), "{unpaid:?}");
    assert_books_agree(&scene, fresh).await;
}

db_test!(never_pays, who_never_pays_ends_on_the_default_plan_and_owes_no_term);

async fn bills_are_paid_from_the_wallet_where_that_was_agreed(fresh: &Fresh) {
    let scene = Scene::new(&fresh.url).await;
    let customer = buys_professional(&scene).await;
    let keep = domain::change::Change::Keep;
    scene.services.subscriptions.prefer(&customer.actor, &MINE, keep, Some(true)).await.unwrap();
    let before = Money::parse(&balance(&scene, customer.account).await, Currency::CNY).unwrap();
    let end = subscription(&scene, &customer).await.period.end;
    scene.consume_one(command(customer.account, "words", 301_000, "w")).await.unwrap();
    scene.move_clock(end - TimeDelta::days(1));
    pass(&scene, 2).await;
    let all = bills(&scene, customer.account).await;
    assert_eq!(all.len(), 3, "the purchase, the renewal and the month");
    assert!(all.iter().all(|issued| issued.bill.status == BillStatus::Paid));
    let spent = before.checked_sub(cny("99.50")).unwrap();
    assert_eq!(balance(&scene, customer.account).await, spent.to_decimal());
    assert_eq!(subscription(&scene, &customer).await.paid, Some(cny("99")));
    assert_books_agree(&scene, fresh).await;
}

db_test!(auto_pay, bills_are_paid_from_the_wallet_where_that_was_agreed);

async fn a_bill_is_paid_once_however_many_pay_it(fresh: &Fresh) {
    let scene = Arc::new(Scene::new(&fresh.url).await);
    let customer = scene.customer(None).await;
    fund(&scene, customer.account, "5000").await;
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
    assert_eq!(balance(&scene, customer.account).await, left.to_decimal());
    assert_books_agree(&scene, fresh).await;
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
        let all = bills(&scene, *account).await;
        let months: Vec<_> = all.iter().filter(|issued| issued.bill.kind == BillKind::Month).collect();
        assert_eq!(months.len(), 1, "no duplicate, none missing");
        // What came before the close is on this bill, what came after it on the next.
        let period = domain::time::Period { start: months[0].bill.period.start, end: months[0].bill.period.end };
        let slot = [(*account, period.start)];
        let sums = scene.services.store.closings().usage_sums(&slot, false).await.unwrap();
        let overage: i64 = sums.iter().map(|sum| sum.overage.as_atoms()).sum();
        assert_eq!(months[0].overages[0].used.quantity.as_atoms(), overage, "the bill is its usage");
    }
    assert_books_agree(&scene, fresh).await;
}

db_test!(two_closers, two_replicas_close_each_period_once_while_usage_arrives);
