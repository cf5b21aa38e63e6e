//! How long the pure rules of a consume take, without database and HTTP: `cargo bench -p suanpan-bench`.
#![expect(clippy::unwrap_used, reason = "a benchmark whose scene cannot be set fails")]

use chrono::{DateTime, TimeDelta, Utc};
use divan::{Bencher, black_box};
use domain::accounts::Account;
use domain::id::{AccountId, GrantId, PlanVersionId, UserId};
use domain::metering::{AccountBooks, Consume, Dimensions, Funds, KeyAllowances, PlanPeriod, UsageKey, decide};
use domain::money::{Currency, Money};
use domain::plans::{
    Allowance, Catalogue, Interval, Meter, MeterCode, OnExhausted, PlanVersion, Rounding, SubscriptionStatus, Tariff,
    Tier,
};
use domain::quantity::Quantity;
use domain::time::Period;
use std::collections::BTreeMap;
use std::sync::Arc;

const CONFIGURATION: &str = r#"{
    "meters": {"words": {"unit": "word", "scale": 0, "kind": "counter"}},
    "plans": {"free": {"price": {"month": "0.00 CNY"}, "meters": {"words": {"included": 1000000000000, "on_exhausted": "refuse"}}}},
    "warnings": {"at": [80, 100]},
    "billing": {"currency": "CNY", "time_zone": "Asia/Shanghai", "default_plan": "free"}
}"#;

fn main() {
    divan::main();
}

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000, 0).unwrap()
}

/// Prices that fall with the quantity, on `tiers` tiers.
fn tariff(tiers: i64) -> Tariff {
    let tier = |number: i64| Tier {
        up_to: (number < tiers).then_some(Quantity::atoms(number * 1000)),
        per: Quantity::atoms(1000),
        price: Money::from_nanos(500_000_000 - number * 1_000_000, Currency::CNY),
    };
    Tariff::new((1..=tiers).map(tier).collect(), Rounding::Exact).unwrap()
}

/// The fee of a quantity in the last tier.
#[divan::bench(args = [1, 3, 100])]
fn tariff_fee(bencher: Bencher, tiers: i64) {
    let tariff = tariff(tiers);
    bencher.bench(|| tariff.fee(black_box(Quantity::atoms(123_456))));
}

/// The decision alone, with so many grants to draw from after half of the allowance.
#[divan::bench(args = [0, 1, 16])]
fn decide_with_grants(bencher: Bencher, grants: i64) {
    let exhausted = OnExhausted::Overage(tariff(3));
    let funds = Funds {
        allowance: Allowance::Limited(Quantity::atoms(500)),
        grants: (0..grants).map(|_| (GrantId::new(now()), Quantity::atoms(10))).collect(),
        exhausted: &exhausted,
        allowance_held: Quantity::ZERO,
        overage_before: Quantity::ZERO,
        overage_held: Quantity::ZERO,
        budget: None,
        balance: None,
    };
    bencher.bench(|| decide(&[], black_box(&funds), Quantity::atoms(1000)));
}

fn command(number: u64) -> Consume {
    let labels = BTreeMap::from([("model".to_owned(), "gpt-4o".to_owned())]);
    Consume {
        account: AccountId::new(now()),
        meter: MeterCode::parse("words").unwrap(),
        quantity: Quantity::atoms(1),
        key: UsageKey::parse(&format!("job-{number}")).unwrap(),
        occurred_at: None,
        dimensions: Dimensions::new(labels).unwrap(),
        user: Some(UserId::new(now())),
        api_key: None,
        key_is_limited: false,
    }
}

#[divan::bench]
fn fingerprint(bencher: Bencher) {
    let command = command(1);
    bencher.bench(|| black_box(&command).fingerprint());
}

/// An account's open books, and the meter.
fn books() -> (AccountBooks, Meter) {
    let catalogue = Catalogue::parse(&serde_json::from_str(CONFIGURATION).unwrap()).unwrap();
    let plan = catalogue.plans["free"].clone();
    let version =
        PlanVersion { id: PlanVersionId::new(now()), plan, number: 1, content_hash: String::new(), created_at: now() };
    assert_eq!(version.plan.default_interval(), Interval::Month);
    let period = Period { start: now(), end: now() + TimeDelta::days(30) };
    let current = PlanPeriod { period, version: Arc::new(version), seats: 1, closed: false };
    let account = Account::personal(AccountId::new(now()), UserId::new(now()), "account".to_owned(), now());
    let meter = catalogue.meters["words"].clone();
    (AccountBooks::open(account, SubscriptionStatus::Active, current, None), meter)
}

/// Deciding and booking one command after the other: everything of a consume but reading and writing.
#[divan::bench]
fn books_consume(bencher: Bencher) {
    let ((mut books, meter), mut keys, command) = (books(), KeyAllowances::default(), command(1));
    bencher.bench_local(move || books.consume(&mut keys, black_box(&command), &meter, now()).unwrap());
}
