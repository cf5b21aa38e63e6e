//! Bills derived again: gauges and what they carry over, late use, plans that changed, missing bills and deleted rows.

use super::retention::steps;
use chrono::TimeDelta;
use domain::billing::{BillKind, LineKind};
use domain::change::Change;
use domain::quantity::Quantity;
use harness::bills::{MINE, amounts, change, cny};
use harness::databases::Fresh;
use harness::db_test;
use harness::scene::{Customer, Scene, command};

/// Storage is counted in thousandths of a MB.
const GB: i64 = 1024 * 1000;

async fn used(scene: &Scene, customer: &Customer, meter: &str, atoms: i64, key: &str) {
    scene.consume_one(command(customer.account, meter, atoms, key)).await.unwrap();
}

/// A professional user whose balance pays every bill.
async fn solvent(scene: &Scene) -> Customer {
    let customer = scene.customer(Some("professional")).await;
    scene.correct(customer.account, "5000").await;
    scene.services.subscriptions.prefer(&customer.actor, &MINE, Change::Keep, Some(true)).await.unwrap();
    customer
}

/// To the day after the running period, and the bill of that.
async fn month_of(scene: &Scene, customer: &Customer) -> Option<String> {
    let period = scene.subscription(customer).await.period;
    scene.pass_to(period.end + TimeDelta::days(1)).await;
    let months = scene.bills_of(customer.account, BillKind::Month).await;
    months.iter().find(|issued| issued.bill.period == period).map(amounts)
}

async fn late_use_is_an_adjustment_line_on_the_next_bill(fresh: &Fresh) {
    let scene = Scene::new(&fresh.url).await;
    let customer = solvent(&scene).await;
    let first = scene.subscription(&customer).await.period;
    used(&scene, &customer, "words", 304_000, "in time").await;
    assert_eq!(month_of(&scene, &customer).await.as_deref(), Some("2.00"));
    let issued = scene.bills_of(customer.account, BillKind::Month).await.remove(0);
    used(&scene, &customer, "words", 299_000, "next").await;
    for (key, hours) in [("late", 1), ("later", 2)] {
        let mut late = command(customer.account, "words", 1_500, key);
        late.occurred_at = Some(first.end - TimeDelta::hours(hours));
        assert!(scene.consume_one(late).await.unwrap().record.adjustment);
    }
    used(&scene, &customer, "words", 1_000, "last").await;
    assert_eq!(month_of(&scene, &customer).await.as_deref(), Some("0.50 1.00"));
    let bills = scene.bills_of(customer.account, BillKind::Month).await;
    assert_eq!(bills[0], issued, "an issued bill never changes");
    let kinds: Vec<_> = bills[1].lines.iter().map(|line| (line.kind, line.used.as_ref().unwrap().quantity)).collect();
    let expected = [(LineKind::Overage, 1_000), (LineKind::Adjustment, 2_000)];
    assert_eq!(kinds, expected.map(|(kind, atoms)| (kind, Quantity::atoms(atoms))));
    assert_eq!(scene.keys_behind(&customer, bills[1].bill.id, Some(1)).await, ["last"]);
    assert_eq!(scene.keys_behind(&customer, bills[1].bill.id, Some(2)).await, ["late", "later"]);
    scene.assert_books_agree(fresh).await;
}

db_test!(late, late_use_is_an_adjustment_line_on_the_next_bill);

async fn a_gauge_is_derived_from_its_rows_and_from_what_it_carried_over(fresh: &Fresh) {
    let scene = Scene::new(&fresh.url).await;
    let customer = solvent(&scene).await;
    used(&scene, &customer, "storage", 150 * GB, "up").await;
    assert_eq!(month_of(&scene, &customer).await.as_deref(), Some("10.00"));
    // Nothing happens: the level is owed for again.
    assert_eq!(month_of(&scene, &customer).await.as_deref(), Some("10.00"));
    // Down, and up again: the peak counts, not how often it was passed.
    used(&scene, &customer, "storage", -60 * GB, "down").await;
    used(&scene, &customer, "storage", 70 * GB, "up again").await;
    used(&scene, &customer, "storage", -100 * GB, "down again").await;
    assert_eq!(month_of(&scene, &customer).await.as_deref(), Some("12.00"));
    assert_eq!(month_of(&scene, &customer).await, None, "60 GB are included");
    scene.assert_books_agree(fresh).await;
    let more = "UPDATE usage_records SET amount_nanos = amount_nanos + 1000000000 WHERE usage_key = 'up again'";
    assert_eq!(change(fresh, more).await, 1);
    assert_eq!(scene.differences().await.iter().map(|found| found.what).collect::<Vec<_>>(), ["lines"]);
    change(fresh, &more.replace('+', "-")).await;
}

db_test!(gauge, a_gauge_is_derived_from_its_rows_and_from_what_it_carried_over);

async fn what_a_gauge_carried_over_is_measured_by_the_plan_and_the_grants_of_then(fresh: &Fresh) {
    let scene = Scene::new(&fresh.url).await;
    let customer = scene.customer(Some("team")).await;
    let gift = scene.give(&customer, "storage", 20 * GB).await;
    // 500 GB are the team's, 20 a gift.
    used(&scene, &customer, "storage", 530 * GB, "stored").await;
    assert_eq!(month_of(&scene, &customer).await.as_deref(), Some("2.00"));
    // Within the second period the team becomes one person with 100 GB, and the gift is taken back.
    scene.put_on(&customer, "professional", None).await;
    scene.services.grants.revoke(&scene.operator(), customer.account, gift).await.unwrap();
    used(&scene, &customer, "storage", -400 * GB, "removed").await;
    assert_eq!(month_of(&scene, &customer).await.as_deref(), Some("2.00"));
    assert_eq!(month_of(&scene, &customer).await.as_deref(), Some("6.00"));
    scene.assert_books_agree(fresh).await;
}

db_test!(gauge_plans, what_a_gauge_carried_over_is_measured_by_the_plan_and_the_grants_of_then);

async fn what_the_wallet_paid_before_the_plan_changed_is_not_billed(fresh: &Fresh) {
    let prepaid = [
        ("SUANPAN__PLANS__FREE__METERS__WORDS__ON_EXHAUSTED", "wallet"),
        ("SUANPAN__PLANS__FREE__METERS__WORDS__OVERAGE__PER", "1000"),
        ("SUANPAN__PLANS__FREE__METERS__WORDS__OVERAGE__PRICE", "1.00 CNY"),
    ];
    let scene = Scene::with(&fresh.url, &prepaid).await;
    let customer = scene.customer(None).await;
    scene.correct(customer.account, "50").await;
    used(&scene, &customer, "words", 40_000, "prepaid").await;
    assert_eq!(scene.balance(customer.account).await, "40.00");
    scene.put_on(&customer, "professional", None).await;
    used(&scene, &customer, "words", 280_000, "owed").await;
    assert_eq!(month_of(&scene, &customer).await.as_deref(), Some("5.00"));
    assert_eq!(scene.balance(customer.account).await, "40.00");
    scene.assert_books_agree(fresh).await;
}

db_test!(prepaid, what_the_wallet_paid_before_the_plan_changed_is_not_billed);

async fn fees_that_are_not_their_prices_are_found(fresh: &Fresh) {
    let scene = Scene::new(&fresh.url).await;
    let customer = scene.customer(None).await;
    scene.correct(customer.account, "1000").await;
    let wish = harness::bills::wish("professional");
    let bought = scene.services.billing.subscribe(&customer.actor, &MINE, &wish, None).await.unwrap();
    scene.pay(&customer, bought.bill.unwrap().bill.id).await;
    scene.assert_books_agree(fresh).await;
    let raise = |by: &str| {
        [
            format!("UPDATE billing_lines SET amount_nanos = amount_nanos {by} 10000000"),
            format!(
                "UPDATE billing_records SET base_nanos = base_nanos {by} 10000000, total_nanos = total_nanos {by} 10000000"
            ),
        ]
    };
    for sql in raise("+") {
        change(fresh, &sql).await;
    }
    assert_eq!(scene.differences().await.iter().map(|found| found.what).collect::<Vec<_>>(), ["fees"]);
    for sql in raise("-") {
        change(fresh, &sql).await;
    }
}

db_test!(fees, fees_that_are_not_their_prices_are_found);

async fn periods_without_their_bill_are_found(fresh: &Fresh) {
    let scene = Scene::new(&fresh.url).await;
    let customer = scene.customer(Some("professional")).await;
    let idle = scene.customer(Some("professional")).await;
    used(&scene, &customer, "words", 303_000, "w").await;
    used(&scene, &customer, "storage", 110 * GB, "s").await;
    let period = scene.subscription(&customer).await.period;
    scene.move_clock(period.end + TimeDelta::days(1));
    while scene.services.metering.roll_over_due(0).await.unwrap().done > 0 {}
    let found = scene.without_bills().await;
    assert!(found.iter().all(|found| found.what == "unclosed"), "{found:?}");
    let of = |account| found.iter().filter(|found| found.account == account).count();
    assert_eq!((of(customer.account), of(idle.account)), (1, 1));
    scene.round().await;
    assert_eq!(scene.without_bills().await, []);
    change(fresh, "UPDATE billing_records SET kind = 'subscription' WHERE kind = 'month'").await;
    let found = scene.without_bills().await;
    // How far a gauge rose is what bills say: without its bill, its rows say only what was told for it.
    let derived = "correction storage 0 2.00; overage words 3000 1.50";
    assert_eq!(
        found.iter().map(|found| (found.account, found.what, found.derived.as_str())).collect::<Vec<_>>(),
        [(customer.account, "missing", derived)]
    );
    change(fresh, "UPDATE billing_records SET kind = 'month' WHERE kind = 'subscription' AND overage_nanos > 0").await;
    scene.assert_books_agree(fresh).await;
}

db_test!(missing, periods_without_their_bill_are_found);

async fn bills_whose_rows_were_deleted_are_told_apart_from_wrong_ones(fresh: &Fresh) {
    let scene = Scene::with(&fresh.url, &[("SUANPAN__RETENTION__USAGE_DAYS", "35")]).await;
    let customer = solvent(&scene).await;
    steps(&scene).await;
    used(&scene, &customer, "words", 303_000, "old").await;
    assert_eq!(month_of(&scene, &customer).await.as_deref(), Some("1.50"));
    scene.pass(100).await;
    steps(&scene).await;
    used(&scene, &customer, "words", 302_000, "new").await;
    assert_eq!(month_of(&scene, &customer).await.as_deref(), Some("1.00"));
    let bills = scene.bills_of(customer.account, BillKind::Month).await;
    let mut derived = Vec::new();
    for issued in &bills {
        derived.push(scene.services.billing.recompute(issued.bill.id).await.unwrap());
    }
    assert!(derived.iter().all(|derived| derived.differences.is_empty()), "{derived:?}");
    assert_eq!(derived.iter().map(|derived| derived.rows_deleted).collect::<Vec<_>>(), [true, false]);
    assert_eq!(bills[0].bill.totals.total, cny("1.50"));
    assert_eq!(scene.without_bills().await, []);
}

db_test!(deleted, bills_whose_rows_were_deleted_are_told_apart_from_wrong_ones);
