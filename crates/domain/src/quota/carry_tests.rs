use super::*;
use crate::id::PlanVersionId;
use crate::money::Currency;
use crate::plans::{Interval, PlanCode, PlanVersion};
use crate::quota::Subject;
use crate::testing::MockWork;
use crate::time::Period;
use chrono::TimeDelta;
use serde_json::json;

fn at(days: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000, 0).unwrap() + TimeDelta::days(days)
}

/// Words only: the gauge `storage` was taken out.
fn catalogue() -> Arc<Catalogue> {
    let document = json!({
        "meters": {"words": {"unit": "word", "scale": 0, "kind": "counter"}},
        "plans": {"free": {"price": {"month": "0.00 CNY"}, "meters": {"words": {"included": 1, "on_exhausted": "refuse"}}}},
        "warnings": {"at": []},
        "billing": {"currency": "CNY", "time_zone": "Asia/Shanghai", "default_plan": "free"}
    });
    Arc::new(Catalogue::parse(&document).unwrap())
}

fn counter(account: AccountId, meter: &str, used: i64) -> Counter {
    let period = Period { start: at(0), end: at(30) };
    let meter = MeterCode::parse(meter).unwrap();
    let used = Quantity::atoms(used);
    Counter { used, ..Counter::opening(account, Subject::Account, meter, period, Currency::CNY) }
}

#[pollster::test]
async fn the_level_of_a_gauge_that_left_the_catalogue_is_carried_and_counters_are_not() {
    let (catalogue, account, version) = (catalogue(), AccountId::new(at(0)), PlanVersionId::new(at(0)));
    let plan = catalogue.plans.values().next().unwrap().clone();
    let sold = PlanVersion { id: version, plan, number: 1, content_hash: String::new(), created_at: at(0) };
    let mut work = MockWork::default();
    let ended = vec![counter(account, "storage", 7), counter(account, "words", 5)];
    work.counters.expect_load_ending_at().return_once(|_, _| Ok(ended));
    let agreement = r#"{"currency": "CNY", "meters": {"storage": {"scale": 3, "kind": "gauge"}, "words": {"scale": 0, "kind": "counter"}}}"#;
    work.options.expect_find().return_once(|_| Ok(Some(agreement.to_owned())));
    work.grants.expect_load_live().return_once(|_, _| Ok(Vec::new()));
    work.plans.expect_find_versions().return_once(|_| Ok(vec![Arc::new(sold)]));
    let carried = |rows: &[Counter], _: &DateTime<Utc>| {
        rows.len() == 1 && rows[0].meter.as_str() == "storage" && rows[0].used == Quantity::atoms(7)
    };
    work.counters.expect_put().once().withf(carried).return_once(|_, _| Ok(()));
    let period = Period { start: at(30), end: at(60) };
    let plan = PlanCode::parse("free").unwrap();
    let opened = [OpenedPeriod { period, version, plan, seats: 1, interval: Interval::Month }];
    GaugeCarry { catalogue }.opened(&work, account, &opened, at(30)).await.unwrap();
}
