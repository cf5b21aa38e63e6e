use super::*;
use proptest::prelude::*;

const ZONES: [Tz; 5] = [
    chrono_tz::Asia::Shanghai,
    chrono_tz::America::New_York,
    chrono_tz::Australia::Lord_Howe,
    chrono_tz::Asia::Kolkata,
    chrono_tz::Pacific::Apia,
];

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn day(year: i32, month: u32, day: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(year, month, day).unwrap()
}

fn monthly(anchor: NaiveDate, zone: Tz) -> Cycle {
    Cycle { anchor, months: 1, zone }
}

#[test]
fn a_day_31_anchor_is_clamped_and_never_drifts() {
    let cycle = monthly(day(2027, 1, 31), chrono_tz::Asia::Shanghai);
    let days: Vec<_> = (0..5).map(|n| cycle.boundary_day(n).unwrap()).collect();
    assert_eq!(days, [day(2027, 1, 31), day(2027, 2, 28), day(2027, 3, 31), day(2027, 4, 30), day(2027, 5, 31)]);
}

#[test]
fn a_leap_day_anchor_clamps_in_common_years_and_returns_in_leap_years() {
    let yearly = Cycle { anchor: day(2024, 2, 29), months: 12, zone: chrono_tz::UTC };
    assert_eq!(yearly.boundary_day(1), Some(day(2025, 2, 28)));
    assert_eq!(yearly.boundary_day(4), Some(day(2028, 2, 29)));
}

#[test]
fn boundaries_are_local_midnights() {
    let cycle = monthly(day(2026, 11, 21), chrono_tz::Asia::Shanghai);
    let period = cycle.period_at(at("2026-11-20T16:00:00Z")).unwrap();
    assert_eq!(period, Period { start: at("2026-11-20T16:00:00Z"), end: at("2026-12-20T16:00:00Z") });
    let before = cycle.period_at(at("2026-11-20T15:59:59.999999Z")).unwrap();
    assert_eq!(before.end, period.start);
}

#[test]
fn the_hour_of_a_dst_change_belongs_to_the_period_it_falls_in() {
    let cycle = monthly(day(2026, 3, 8), chrono_tz::America::New_York);
    let period = cycle.period(0).unwrap();
    assert_eq!(period.start, at("2026-03-08T05:00:00Z"));
    assert_eq!(period.end, at("2026-04-08T04:00:00Z"));
    assert_eq!(period.length(), TimeDelta::hours(31 * 24 - 1));
}

#[test]
fn a_day_without_midnight_starts_at_its_first_valid_time() {
    assert_eq!(day_start(day(2018, 11, 4), chrono_tz::America::Sao_Paulo), at("2018-11-04T03:00:00Z"));
    let skipped = day_start(day(2011, 12, 30), chrono_tz::Pacific::Apia);
    assert_eq!(skipped, day_start(day(2011, 12, 31), chrono_tz::Pacific::Apia));
}

/// A slow model: walks the calendar a day at a time and starts a period on each anchor day.
fn model_boundaries(anchor: NaiveDate, months: u32, until: NaiveDate) -> Vec<NaiveDate> {
    let last_of_month = |date: NaiveDate| date.checked_add_days(Days::new(1)).unwrap().day() == 1;
    let mut since = 0;
    let mut date = anchor;
    let mut found = vec![anchor];
    while date <= until {
        let next = date.checked_add_days(Days::new(1)).unwrap();
        if next.day() == 1 {
            since += 1;
        }
        let hit = next.day() == anchor.day() || (last_of_month(next) && next.day() < anchor.day());
        if hit && since % months == 0 && since > 0 && found.last() != Some(&next) {
            found.push(next);
        }
        date = next;
    }
    found
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn every_instant_from_1970_to_2100_lies_in_exactly_one_period(
        seconds in 0_i64..4_102_444_800, zone in 0_usize..5, anchor in 0_i64..4_102_444_800, months in prop::sample::select(vec![1_u32, 12]),
    ) {
        let time = DateTime::from_timestamp(seconds, 0).unwrap();
        let cycle = Cycle::anchored_at(DateTime::from_timestamp(anchor, 0).unwrap(), months, ZONES[zone]);
        let period = cycle.period_at(time).unwrap();
        prop_assert!(period.contains(time), "{cycle:?} {time} {period:?}");
        prop_assert_eq!(cycle.period_at(period.start), Some(period));
        let next = cycle.period_at(period.end).unwrap();
        prop_assert_eq!(next.start, period.end);
        let before = cycle.period_at(period.start - TimeDelta::microseconds(1)).unwrap();
        prop_assert_eq!(before.end, period.start);
    }

    #[test]
    fn boundaries_equal_those_of_a_walk_over_the_calendar(
        days in 0_i64..47_000, months in prop::sample::select(vec![1_u32, 12]),
    ) {
        let anchor = day(1970, 1, 1) + TimeDelta::days(days);
        let cycle = Cycle { anchor, months, zone: chrono_tz::UTC };
        let expected = model_boundaries(anchor, months, anchor + TimeDelta::days(800));
        let actual: Vec<_> = (0_i64..).take(expected.len()).map(|n| cycle.boundary_day(n).unwrap()).collect();
        prop_assert_eq!(actual, expected);
    }
}
