//! The main job on real input: the figures of `suanpan replay` against an independent computation.

use api::cli::{ReplayArguments, ReplayReport, WarningAt, replay};
use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};
use domain::metering::GroupBy;
use domain::plans::MeterCode;
use domain::quantity::Quantity;
use domain::time::cut_to_micros;
use harness::databases::Fresh;
use harness::db_test;
use harness::scene::{Scene, command};
use std::path::PathBuf;

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/data/azure_llm_code_2023.csv");
/// Used beforehand, so that the file crosses both thresholds and goes beyond the plan.
const BEFORE: i64 = 100_000;
const INCLUDED: i64 = 300_000;

/// What the trace should come to, computed without any of our code but the CSV's columns.
struct Expected {
    rows: usize,
    sum: i64,
    warnings: Vec<(usize, u16, DateTime<Utc>)>,
}

fn expected(before: i64) -> Expected {
    let text = std::fs::read_to_string(FILE).unwrap();
    let mut expected = Expected { rows: 0, sum: 0, warnings: Vec::new() };
    for line in text.lines().skip(1).filter(|line| !line.is_empty()) {
        let fields: Vec<&str> = line.split(',').collect();
        let time = NaiveDateTime::parse_from_str(fields[0], "%Y-%m-%d %H:%M:%S%.f").unwrap().and_utc();
        let earlier = before + expected.sum;
        expected.rows += 1;
        expected.sum += fields[2].trim().parse::<i64>().unwrap();
        for threshold in [80_u16, 100] {
            let limit = INCLUDED * i64::from(threshold) / 100;
            if earlier < limit && before + expected.sum >= limit {
                expected.warnings.push((expected.rows, threshold, time));
            }
        }
    }
    expected
}

async fn replayed(scene: &Scene, user: &str) -> ReplayReport {
    let arguments = ReplayArguments {
        file: PathBuf::from(FILE),
        user: user.to_owned(),
        meter: "words".to_owned(),
        quantity: "GeneratedTokens".to_owned(),
        time: "TIMESTAMP".to_owned(),
        model: Some("gpt-4o".to_owned()),
    };
    replay(&scene.services, &arguments, |_, _| {}).await.unwrap()
}

async fn the_trace_comes_to_what_it_should(fresh: &Fresh) {
    let scene = Scene::new(&fresh.url).await;
    let customer = scene.customer(Some("professional")).await;
    let user = scene.services.store.users().find(customer.actor.user).await.unwrap().unwrap();
    let name = user.username.unwrap();
    scene.consume_one(command(customer.account, "words", BEFORE, "before")).await.unwrap();

    let expected = expected(BEFORE);
    let first = replayed(&scene, &name.to_string()).await;
    assert_eq!((first.rows, first.accepted, first.duplicates), (expected.rows, expected.rows, 0));
    let overage = BEFORE + expected.sum - INCLUDED;
    assert_eq!(first.used, (BEFORE + expected.sum).to_string());
    assert_eq!(first.included, INCLUDED.to_string());
    assert_eq!(first.overage, overage.to_string());
    // 0.50 a thousand words, so half a thousandth a word.
    let (whole, rest) = (overage / 2000, overage % 2000 * 5);
    let fee = format!("{whole}.{rest:04}");
    assert_eq!(first.overage_fee.trim_end_matches('0'), fee.trim_end_matches('0'));
    let fired: Vec<_> = first.warnings.iter().map(|warning| (warning.row, warning.threshold)).collect();
    assert_eq!(fired, expected.warnings.iter().map(|(row, threshold, _)| (*row, *threshold)).collect::<Vec<_>>());
    assert_eq!(spacing(&first.warnings), cut_to_micros(expected.warnings[1].2) - cut_to_micros(expected.warnings[0].2));

    let again = replayed(&scene, &name.to_string()).await;
    assert_eq!((again.accepted, again.duplicates), (0, expected.rows));
    assert_eq!(
        ReplayReport { accepted: 0, duplicates: 0, warnings: Vec::new(), ..first.clone() },
        ReplayReport { accepted: 0, duplicates: 0, ..again }
    );
    sums_agree(&scene, customer.account, expected.sum).await;
}

fn spacing(warnings: &[WarningAt]) -> TimeDelta {
    warnings[1].occurred_at - warnings[0].occurred_at
}

/// The rollups by model tell the trace apart from what was used before it.
async fn sums_agree(scene: &Scene, account: domain::id::AccountId, sum: i64) {
    for group_by in [GroupBy::Model, GroupBy::Hour, GroupBy::Day, GroupBy::Meter] {
        let rows =
            scene.services.metering.summarise((account, None), group_by, None, Some(scene.now() + TimeDelta::hours(1)));
        let rows = rows.await.unwrap();
        assert!(rows.iter().all(|row| row.meter == MeterCode::parse("words").unwrap()));
        let total: i64 = rows.iter().map(|row| row.quantity).sum();
        assert_eq!(total, BEFORE + sum, "{group_by:?}");
        if group_by == GroupBy::Model {
            let by_model: Vec<_> = rows.iter().map(|row| (row.group.as_str(), row.quantity)).collect();
            assert_eq!(by_model, [("", BEFORE), ("gpt-4o", sum)]);
        }
    }
    assert_eq!(scene.quota(account, "words").await.used, Quantity::atoms(BEFORE + sum));
}

db_test!(trace, the_trace_comes_to_what_it_should);
