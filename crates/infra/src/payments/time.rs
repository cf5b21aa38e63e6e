//! The clocks of Chinese providers: Beijing time, which has no daylight saving and is eight hours ahead of UTC.

use chrono::{DateTime, FixedOffset, NaiveDate, NaiveDateTime, TimeDelta, Utc};

const PLAIN: &str = "%Y-%m-%d %H:%M:%S";
const EIGHT_HOURS: i32 = 8 * 3600;

/// `2026-11-25 20:00:00` as Alipay and all bills write it.
pub fn to_beijing(time: DateTime<Utc>) -> String {
    (time.naive_utc() + TimeDelta::hours(8)).format(PLAIN).to_string()
}

pub fn from_beijing(text: &str) -> Option<DateTime<Utc>> {
    NaiveDateTime::parse_from_str(text.trim(), PLAIN)
        .ok()?
        .checked_sub_signed(TimeDelta::hours(8))
        .map(|at| at.and_utc())
}

/// `2026-11-25T20:00:00+08:00` as WeChat Pay writes it, in whole seconds.
pub fn to_rfc3339_beijing(time: DateTime<Utc>) -> String {
    let seconds = DateTime::from_timestamp(time.timestamp(), 0).unwrap_or(time);
    match FixedOffset::east_opt(EIGHT_HOURS) {
        Some(zone) => seconds.with_timezone(&zone).to_rfc3339(),
        None => seconds.to_rfc3339(),
    }
}

pub fn from_rfc3339(text: &str) -> Option<DateTime<Utc>> {
    DateTime::parse_from_rfc3339(text).ok().map(|time| time.with_timezone(&Utc))
}

/// The seconds since 1970 at which a UTC day begins and ends.
pub fn utc_day(day: NaiveDate) -> (i64, i64) {
    let start = day.and_hms_opt(0, 0, 0).unwrap_or_default().and_utc().timestamp();
    (start, start + 86_400)
}
