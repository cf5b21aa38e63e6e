//! Calendar months of usage rows, in UTC by the time of recording, and which of them may be deleted.

use super::command::MAX_EARLY;
use chrono::{DateTime, Datelike, Months, NaiveDate, NaiveTime, TimeDelta, Utc};
use std::fmt;
use std::str::FromStr;

/// A calendar month in UTC, printed `2026-11`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Month {
    first: NaiveDate,
}

/// A text that is not a month.
#[derive(Clone, Copy, Debug, thiserror::Error, PartialEq, Eq)]
#[error("is not a month such as 2026-11")]
pub struct MalformedMonth;

impl Month {
    /// The month that contains `time`.
    pub fn of(time: DateTime<Utc>) -> Self {
        Self::of_day(time.date_naive())
    }

    /// The month of a day, whatever its time zone.
    pub fn of_day(day: NaiveDate) -> Self {
        Self { first: day.with_day(1).unwrap_or(day) }
    }

    pub const fn first_day(self) -> NaiveDate {
        self.first
    }

    /// The first instant.
    pub fn start(self) -> DateTime<Utc> {
        self.first.and_time(NaiveTime::MIN).and_utc()
    }

    /// The first instant after it: the start of the next month.
    pub fn end(self) -> DateTime<Utc> {
        self.next().start()
    }

    /// The month after it; itself at the calendar's end.
    #[must_use]
    pub fn next(self) -> Self {
        self.later(1)
    }

    /// The month so many months before; itself before the calendar's beginning.
    #[must_use]
    pub fn earlier(self, months: u32) -> Self {
        Self { first: self.first.checked_sub_months(Months::new(months)).unwrap_or(self.first) }
    }

    /// The month so many months later; itself past the calendar's end.
    #[must_use]
    pub fn later(self, months: u32) -> Self {
        Self { first: self.first.checked_add_months(Months::new(months)).unwrap_or(self.first) }
    }
}

impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.first.year(), self.first.month())
    }
}

impl FromStr for Month {
    type Err = MalformedMonth;

    fn from_str(text: &str) -> Result<Self, MalformedMonth> {
        let (year, month) = text.split_once('-').ok_or(MalformedMonth)?;
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if year.len() < 4 || month.len() != 2 || !digits(year) || !digits(month) {
            return Err(MalformedMonth);
        }
        let (year, month) = (year.parse().map_err(|_| MalformedMonth)?, month.parse().map_err(|_| MalformedMonth)?);
        NaiveDate::from_ymd_opt(year, month, 1).map(|first| Self { first }).ok_or(MalformedMonth)
    }
}

/// The first month whose rows must stay; all before it may be deleted.
///
/// A row may go `kept` after it was recorded, once the period in which it counts is closed. That period began before
/// the row was recorded, however late the event came, but for the difference of two replicas' clocks: a month is
/// therefore deleted only when every period that began before its end, or within five minutes of it, is closed.
pub fn first_kept(now: DateTime<Utc>, kept: TimeDelta, oldest_open_period: Option<DateTime<Utc>>) -> Month {
    let by_age = now.checked_sub_signed(kept).unwrap_or(DateTime::UNIX_EPOCH);
    let by_periods = oldest_open_period.and_then(|start| start.checked_sub_signed(MAX_EARLY));
    Month::of(by_periods.map_or(by_age, |time| time.min(by_age)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn time(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn month(text: &str) -> Month {
        text.parse().unwrap()
    }

    #[test]
    fn a_month_is_half_open_and_leap_years_count() {
        let february = Month::of(time("2028-02-29T23:59:59.999999Z"));
        assert_eq!(february, month("2028-02"));
        assert_eq!(february.start(), time("2028-02-01T00:00:00Z"));
        assert_eq!(february.end(), time("2028-03-01T00:00:00Z"));
        assert_eq!(Month::of(february.end()), february.next());
        assert_eq!(month("2026-11").later(14), month("2028-01"));
    }

    #[test]
    fn only_months_are_read_as_months() {
        for text in ["2026-13", "2026-00", "2026-1", "202611", "2026-011", "+026-11", "catch_all", "", "-11"] {
            assert_eq!(text.parse::<Month>(), Err(MalformedMonth), "{text}");
        }
        assert_eq!(month("10889-08").to_string(), "10889-08");
    }

    #[test]
    fn a_month_goes_only_when_all_of_it_is_older_than_the_retention() {
        let kept = TimeDelta::days(60);
        assert_eq!(first_kept(time("2026-12-30T23:59:59Z"), kept, None), month("2026-10"));
        assert_eq!(first_kept(time("2026-12-31T00:00:00Z"), kept, None), month("2026-11"));
    }

    #[test]
    fn an_open_period_keeps_the_month_in_which_it_began_and_all_later_ones() {
        let (now, kept) = (time("2027-06-15T00:00:00Z"), TimeDelta::days(60));
        assert_eq!(first_kept(now, kept, Some(time("2026-09-09T16:00:00Z"))), month("2026-09"));
        assert_eq!(first_kept(now, kept, Some(time("2027-06-09T16:00:00Z"))), month("2027-04"), "younger than needed");
    }

    #[test]
    fn a_period_that_begins_with_a_month_keeps_the_month_before_for_clocks_that_are_behind() {
        let (now, kept) = (time("2027-06-15T00:00:00Z"), TimeDelta::days(60));
        assert_eq!(first_kept(now, kept, Some(time("2026-09-01T00:00:00Z"))), month("2026-08"));
        assert_eq!(first_kept(now, kept, Some(time("2026-09-01T00:05:00Z"))), month("2026-09"));
    }

    proptest! {
        #[test]
        fn what_may_go_is_old_enough_and_of_closed_periods(
            now in 0_i64..4_000_000_000, days in 35_i64..4_000, open in proptest::option::of(0_i64..4_000_000_000),
        ) {
            let at = |seconds| DateTime::from_timestamp(seconds, 0).unwrap();
            let (now, kept, open) = (at(now), TimeDelta::days(days), open.map(at));
            let first = first_kept(now, kept, open);
            // The youngest row that may go was recorded just before `first`.
            prop_assert!(first.start() <= now - kept);
            prop_assert!(open.is_none_or(|open| first.start() <= open));
        }

        #[test]
        fn a_month_reads_back(seconds in 0_i64..4_000_000_000) {
            let month = Month::of(DateTime::from_timestamp(seconds, 0).unwrap());
            prop_assert_eq!(month.to_string().parse(), Ok(month));
        }
    }
}
