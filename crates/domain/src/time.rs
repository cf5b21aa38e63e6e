//! Time: the clock port, half-open periods, and the calendar of a billing cycle.
//!
//! Boundaries are local midnights of the billing time zone, always `anchor + n × months` clamped to
//! the month's end (31 Jan → 28 Feb → 31 Mar) and never chained from the boundary before.
//! Source: Stripe's billing-cycle rules and kg-recharge's `quota_reset_date`.

use chrono::{DateTime, Datelike, Days, Months, NaiveDate, NaiveTime, SubsecRound, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

/// Where services read the time; rules get it as an argument.
pub trait Clock: Send + Sync {
    /// Now, UTC, cut to microseconds: what all three databases keep.
    fn now(&self) -> DateTime<Utc>;
}

/// Cuts below the microsecond, as every stored time is.
pub fn cut_to_micros(time: DateTime<Utc>) -> DateTime<Utc> {
    time.trunc_subsecs(6)
}

/// A half-open interval `[start, end)`; `start < end`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Period {
    pub start: DateTime<Utc>,
    pub end: DateTime<Utc>,
}

impl Period {
    pub fn contains(&self, time: DateTime<Utc>) -> bool {
        self.start <= time && time < self.end
    }

    /// The real length; months differ and so do days with a DST change.
    pub fn length(&self) -> TimeDelta {
        self.end - self.start
    }

    /// What is left of the period at `now`, from nothing to its whole length.
    pub fn remaining(&self, now: DateTime<Utc>) -> TimeDelta {
        (self.end - now).clamp(TimeDelta::zero(), self.length())
    }
}

/// A recurring calendar: boundaries every `months` months from an anchor day, in one time zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cycle {
    pub anchor: NaiveDate,
    /// 1 for quota periods and monthly terms, 12 for yearly terms; at least 1.
    pub months: u32,
    pub zone: Tz,
}

impl Cycle {
    /// A cycle anchored on the local day of `start`.
    pub fn anchored_at(start: DateTime<Utc>, months: u32, zone: Tz) -> Self {
        Self { anchor: local_day(start, zone), months: months.max(1), zone }
    }

    /// The local day of boundary `n`; negative before the anchor. `None` past the calendar's range.
    pub fn boundary_day(&self, n: i64) -> Option<NaiveDate> {
        let months = n.checked_mul(i64::from(self.months))?;
        let magnitude = Months::new(u32::try_from(months.unsigned_abs()).ok()?);
        if months < 0 { self.anchor.checked_sub_months(magnitude) } else { self.anchor.checked_add_months(magnitude) }
    }

    /// The period that contains `time`. `None` only past the calendar's range.
    pub fn period_at(&self, time: DateTime<Utc>) -> Option<Period> {
        self.periods_at(time, 1)
    }

    /// `count` periods on end, of which the first contains `time`: a year of monthly periods is a term.
    pub fn periods_at(&self, time: DateTime<Utc>, count: u32) -> Option<Period> {
        let index = self.index_at(time)?;
        let last = index.checked_add(i64::from(count.max(1)) - 1)?;
        Some(Period { start: self.period(index)?.start, end: self.period(last)?.end })
    }

    fn index_at(&self, time: DateTime<Utc>) -> Option<i64> {
        let day = local_day(time, self.zone);
        let elapsed =
            i64::from(day.year() - self.anchor.year()) * 12 + i64::from(day.month0()) - i64::from(self.anchor.month0());
        let index = elapsed.div_euclid(i64::from(self.months));
        if self.boundary_day(index)? > day { Some(index - 1) } else { Some(index) }
    }

    /// The `n`-th period after the anchor, counted from 0.
    pub fn period(&self, n: i64) -> Option<Period> {
        Some(Period {
            start: day_start(self.boundary_day(n)?, self.zone),
            end: day_start(self.boundary_day(n.checked_add(1)?)?, self.zone),
        })
    }
}

/// The calendar day on which `time` falls in `zone`.
pub fn local_day(time: DateTime<Utc>, zone: Tz) -> NaiveDate {
    time.with_timezone(&zone).date_naive()
}

/// The first instant of a local day: midnight, or the first valid time after it where a DST change
/// (or a skipped day, as in Apia 2011) removes midnight.
pub fn day_start(day: NaiveDate, zone: Tz) -> DateTime<Utc> {
    let midnight = day.and_time(NaiveTime::MIN);
    (0..=24 * 4 + 1)
        .map(|quarter| midnight + TimeDelta::minutes(15 * quarter))
        .find_map(|local| zone.from_local_datetime(&local).earliest())
        .map_or_else(|| midnight.and_utc(), |time| time.with_timezone(&Utc))
}

/// The first instant of the day after `day`.
pub fn day_end(day: NaiveDate, zone: Tz) -> DateTime<Utc> {
    day_start(day.checked_add_days(Days::new(1)).unwrap_or(day), zone)
}

/// The start of the UTC hour that contains `time`.
pub fn hour_start(time: DateTime<Utc>) -> DateTime<Utc> {
    let seconds = time.timestamp();
    DateTime::from_timestamp(seconds - seconds.rem_euclid(3600), 0).unwrap_or(time)
}

#[cfg(test)]
#[path = "time_tests.rs"]
mod tests;
