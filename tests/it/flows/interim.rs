//! Overage that is billed while its period runs: once for each multiple that the fee passes, and the rest at the end.

use chrono::TimeDelta;
use domain::billing::{BillKind, BillStatus, LineKind};
use harness::bills::{MINE, amounts, cny, once};
use harness::databases::Fresh;
use harness::db_test;
use harness::scene::{Customer, Scene, command};

/// Each 20 yuan of overage are billed.
const STEP: [(&str, &str); 1] = [("SUANPAN__BILLING__INTERIM_OVERAGE", "20.00 CNY")];
/// A thousand words beyond the allowance are half a yuan.
const INCLUDED: i64 = 300_000;

async fn words(scene: &Scene, customer: &Customer, atoms: i64, key: &str) {
    scene.consume_one(command(customer.account, "words", atoms, key)).await.unwrap();
}

async fn professional(scene: &Scene) -> Customer {
    let customer = scene.customer(Some("professional")).await;
    words(scene, &customer, INCLUDED, "included").await;
    customer
}

async fn overage_is_billed_once_for_each_multiple_and_the_month_asks_for_the_rest(fresh: &Fresh) {
    let scene = Scene::with(&fresh.url, &STEP).await;
    let customer = professional(&scene).await;
    let account = customer.account;
    words(&scene, &customer, 39_999, "below").await;
    scene.round().await;
    assert!(scene.bills(account).await.is_empty(), "19.9995 has not passed 20");

    words(&scene, &customer, 1, "at").await;
    scene.round().await;
    scene.round().await;
    let first = scene.bills_of(account, BillKind::Overage).await;
    assert_eq!((first.len(), first[0].bill.totals.total, first[0].bill.status), (1, cny("20"), BillStatus::Unpaid));
    let period = scene.subscription(&customer).await.period;
    assert_eq!((first[0].bill.period.start, first[0].bill.period.end), (period.start, first[0].bill.issued_at));

    words(&scene, &customer, 50_000, "over 40").await;
    words(&scene, &customer, 40_000, "over 60").await;
    words(&scene, &customer, 1_000, "and not 80").await;
    scene.round().await;
    let second = scene.bills_of(account, BillKind::Overage).await.pop().unwrap();
    assert_eq!(second.bill.totals.total, cny("45.50"), "two multiples were passed, and one bill asks for both");
    assert_eq!(second.bill.period.start, first[0].bill.period.end);
    words(&scene, &customer, 2_000, "rest").await;
    scene.round().await;
    assert_eq!(scene.bills(account).await.len(), 2, "66.50 has passed no further multiple");
    scene.assert_books_agree(fresh).await;

    scene.pass_to(period.end + TimeDelta::days(1)).await;
    let month = scene.bills_of(account, BillKind::Month).await.pop().unwrap();
    assert_eq!((month.bill.totals.total, month.lines.len()), (cny("1"), 1), "the rest");
    let behind =
        [(&first[0], vec!["below", "at"]), (&second, vec!["over 40", "over 60", "and not 80"]), (&month, vec!["rest"])];
    for (issued, keys) in behind {
        assert_eq!(scene.keys_behind(&customer, issued.bill.id, Some(1)).await, keys);
    }
    scene.assert_books_agree(fresh).await;
}

db_test!(multiples, overage_is_billed_once_for_each_multiple_and_the_month_asks_for_the_rest);

async fn tiers_go_on_where_the_bill_before_ended_and_late_use_is_an_adjustment_once(fresh: &Fresh) {
    let scene = Scene::with(&fresh.url, &STEP).await;
    let customer = scene.customer(Some("professional")).await;
    let account = customer.account;
    let first = scene.subscription(&customer).await.period;
    scene.pass_to(first.end + TimeDelta::days(2)).await;
    // 500 units are included; of the overage 500 are 0.10, what follows 0.08.
    scene.consume_one(command(account, "cu", 900_000, "here")).await.unwrap();
    let mut late = command(account, "cu", 50_000, "late");
    late.occurred_at = Some(first.end - TimeDelta::hours(1));
    scene.consume_one(late.clone()).await.unwrap();
    scene.round().await;
    scene.consume_one(command(account, "cu", 200_000, "on")).await.unwrap();
    scene.round().await;
    let bills = scene.bills_of(account, BillKind::Overage).await;
    let kinds = |at: usize| bills[at].lines.iter().map(|line| line.kind).collect::<Vec<_>>();
    assert_eq!(
        (amounts(&bills[0]), kinds(0)),
        ("40.00 5.00".to_owned(), vec![LineKind::Overage, LineKind::Adjustment])
    );
    assert_eq!((amounts(&bills[1]), kinds(1)), ("5.00 12.00".to_owned(), vec![LineKind::Overage; 2]));
    late.key = domain::metering::UsageKey::parse("later").unwrap();
    scene.consume_one(late).await.unwrap();
    scene.assert_books_agree(fresh).await;

    let end = scene.subscription(&customer).await.period.end;
    scene.pass_to(end + TimeDelta::days(1)).await;
    let month = scene.bills_of(account, BillKind::Month).await.pop().unwrap();
    assert_eq!((amounts(&month), month.lines[0].kind), ("4.00".to_owned(), LineKind::Adjustment));
    scene.assert_books_agree(fresh).await;
}

db_test!(tiers, tiers_go_on_where_the_bill_before_ended_and_late_use_is_an_adjustment_once);

async fn what_was_taken_back_is_not_asked_for_again(fresh: &Fresh) {
    let scene = Scene::with(&fresh.url, &STEP).await;
    let customer = professional(&scene).await;
    words(&scene, &customer, 40_000, "forgiven").await;
    scene.round().await;
    let interim = scene.bills_of(customer.account, BillKind::Overage).await.pop().unwrap().bill;
    scene.services.billing.void(&scene.operator(), interim.id, "an outage").await.unwrap();
    words(&scene, &customer, 2_000, "owed").await;
    let end = scene.subscription(&customer).await.period.end;
    scene.pass_to(end + TimeDelta::days(1)).await;
    let month = scene.bills_of(customer.account, BillKind::Month).await.pop().unwrap();
    assert_eq!(month.bill.totals.total, cny("1"));
    scene.assert_books_agree(fresh).await;
}

db_test!(taken_back, what_was_taken_back_is_not_asked_for_again);

async fn replicas_that_look_at_once_bill_once_and_the_wallet_pays_where_that_was_agreed(fresh: &Fresh) {
    let scene = Scene::with(&fresh.url, &STEP).await;
    let others = futures_util::future::join_all((0..3).map(|_| Scene::with(&fresh.url, &STEP))).await;
    let customer = professional(&scene).await;
    scene.correct(customer.account, "100").await;
    let keep = domain::change::Change::Keep;
    scene.services.subscriptions.prefer(&customer.actor, &MINE, keep, Some(true)).await.unwrap();
    words(&scene, &customer, 60_000, "thirty").await;
    let rounds = others.iter().map(|other| other.services.billing.bill_interim_due(0));
    futures_util::future::join_all(rounds).await.into_iter().for_each(|done| assert_eq!(done.unwrap().failed, 0));
    let bills = scene.bills(customer.account).await;
    assert_eq!((bills.len(), bills[0].bill.totals.total, bills[0].bill.status), (1, cny("30"), BillStatus::Paid));
    assert_eq!(scene.balance(customer.account).await, "70.00");
    let again = scene.services.billing.pay_from_wallet(&customer.actor, bills[0].bill.id, &once(&customer)).await;
    assert!(again.is_err());
    scene.assert_books_agree(fresh).await;
}

db_test!(replicas, replicas_that_look_at_once_bill_once_and_the_wallet_pays_where_that_was_agreed);

async fn a_level_that_is_carried_over_above_the_step_is_billed_when_the_period_begins(fresh: &Fresh) {
    let scene = Scene::with(&fresh.url, &STEP).await;
    let customer = scene.customer(Some("professional")).await;
    // 100 GB are included; each further one is 0.20.
    let gigabytes = |count: i64| count * 1024 * 1000;
    scene.consume_one(command(customer.account, "storage", gigabytes(210), "stored")).await.unwrap();
    scene.round().await;
    assert_eq!(amounts(&scene.bills(customer.account).await.remove(0)), "22.00");
    let end = scene.subscription(&customer).await.period.end;
    scene.pass_to(end + TimeDelta::days(2)).await;
    let interim = scene.bills_of(customer.account, BillKind::Overage).await;
    assert_eq!(interim.iter().map(amounts).collect::<Vec<_>>(), ["22.00", "22.00"]);
    assert_eq!(interim[1].bill.period.start, end);
    assert!(scene.bills_of(customer.account, BillKind::Month).await.is_empty(), "nothing was left of the first");
    scene.assert_books_agree(fresh).await;
}

db_test!(levels, a_level_that_is_carried_over_above_the_step_is_billed_when_the_period_begins);
