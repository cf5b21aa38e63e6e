//! Months on end of the billing time zone, as reports ask for them.

use crate::error::{Error, Result};
use crate::metering::Month;
use crate::time::{day_start, local_day};
use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;

/// Most months of one report.
pub const MAX_MONTHS: usize = 120;
/// Months of a report that names none: a year up to now.
const USUAL_MONTHS: u32 = 12;

/// At least one month.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Months {
    months: Vec<Month>,
    /// The first instants, and the end of the last.
    bounds: Vec<DateTime<Utc>>,
}

/// Where a time lies: before the months, in one of them by its place, or after them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Place {
    Before,
    In(usize),
    After,
}

impl Months {
    /// From a month to a month, both with them, such as `2026-01` and `2026-11`. Without `to` it is the current month,
    /// without `from` a year up to `to`.
    pub fn read(from: Option<&str>, to: Option<&str>, now: DateTime<Utc>, zone: Tz) -> Result<Self> {
        let month = |field: &str, text: &str| {
            text.parse::<Month>().map_err(|mistake| Error::invalid(field, mistake.to_string()))
        };
        let current = Month::of_day(local_day(now, zone));
        let to = match to {
            Some(text) => month("to", text)?,
            None => current,
        };
        if to > current {
            return Err(Error::invalid("to", "must not be a month to come"));
        }
        let from = match from {
            Some(text) => month("from", text)?,
            None => to.earlier(USUAL_MONTHS - 1),
        };
        if from > to {
            return Err(Error::invalid("from", "must not be after `to`"));
        }
        let months = Self::between(from, to, zone);
        let months = months.ok_or_else(|| Error::invalid("from", format!("is more than {MAX_MONTHS} months")))?;
        Ok(months.until(now))
    }

    /// The month that goes on ends now, for what is still to come is in none.
    fn until(mut self, now: DateTime<Utc>) -> Self {
        if let Some(end) = self.bounds.last_mut() {
            *end = (*end).min(now + TimeDelta::microseconds(1));
        }
        self
    }

    fn between(from: Month, to: Month, zone: Tz) -> Option<Self> {
        let mut months = vec![from];
        while let Some(last) = months.last().copied().filter(|last| *last < to) {
            let next = last.next();
            if months.len() == MAX_MONTHS || next == last {
                return None;
            }
            months.push(next);
        }
        let after = to.next();
        let starts = months.iter().chain(std::iter::once(&after));
        let bounds = starts.map(|month| day_start(month.first_day(), zone)).collect();
        Some(Self { months, bounds })
    }

    pub fn len(&self) -> usize {
        self.months.len()
    }

    /// Never: there is at least one.
    pub fn is_empty(&self) -> bool {
        self.months.is_empty()
    }

    /// The name of the month at a place: `2026-11`.
    pub fn label(&self, place: usize) -> String {
        self.months.get(place).map(ToString::to_string).unwrap_or_default()
    }

    /// The first instants, and the end of the last.
    pub fn bounds(&self) -> &[DateTime<Utc>] {
        &self.bounds
    }

    pub fn start(&self) -> DateTime<Utc> {
        self.bounds.first().copied().unwrap_or(DateTime::UNIX_EPOCH)
    }

    pub fn end(&self) -> DateTime<Utc> {
        self.bounds.last().copied().unwrap_or(DateTime::UNIX_EPOCH)
    }

    pub fn place(&self, time: DateTime<Utc>) -> Place {
        match self.bounds.iter().filter(|bound| **bound <= time).count() {
            0 => Place::Before,
            begun if begun > self.len() => Place::After,
            begun => Place::In(begun - 1),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono_tz::{Asia, Europe};

    fn time(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn read(from: Option<&str>, to: Option<&str>) -> Result<Months> {
        Months::read(from, to, time("2026-11-30T16:00:00Z"), Asia::Shanghai)
    }

    #[test]
    fn months_are_those_of_the_time_zone_and_end_with_the_last() {
        let months = read(Some("2026-10"), Some("2026-11")).unwrap();
        let bounds = ["2026-09-30T16:00:00Z", "2026-10-31T16:00:00Z", "2026-11-30T16:00:00Z"].map(time);
        assert_eq!((months.bounds(), months.len()), (&bounds[..], 2));
        assert_eq!((months.label(0), months.label(1)), ("2026-10".to_owned(), "2026-11".to_owned()));
        let places = ["2026-09-30T15:59:59.999999Z", "2026-09-30T16:00:00Z", "2026-10-31T16:00:00Z"].map(time);
        assert_eq!(places.map(|place| months.place(place)), [Place::Before, Place::In(0), Place::In(1)]);
        assert_eq!(months.place(time("2026-11-30T15:59:59.999999Z")), Place::In(1));
        assert_eq!(months.place(time("2026-11-30T16:00:00Z")), Place::After);
    }

    #[test]
    fn the_month_that_goes_on_ends_now() {
        let months = read(None, None).unwrap();
        let now = time("2026-11-30T16:00:00Z");
        assert_eq!((months.place(now), months.place(now + TimeDelta::microseconds(1))), (Place::In(11), Place::After));
    }

    #[test]
    fn a_month_with_a_change_of_clocks_is_an_hour_longer_or_shorter() {
        let months = Months::between("2026-03".parse().unwrap(), "2026-03".parse().unwrap(), Europe::Berlin).unwrap();
        assert_eq!((months.end() - months.start()).num_hours(), 31 * 24 - 1);
    }

    #[test]
    fn left_out_they_are_the_year_up_to_now_where_december_began() {
        let months = read(None, None).unwrap();
        assert_eq!((months.len(), months.label(0), months.label(11)), (12, "2026-01".to_owned(), "2026-12".to_owned()));
        assert_eq!(read(None, Some("2026-02")).unwrap().label(0), "2025-03");
    }

    #[test]
    fn what_is_no_month_too_many_or_the_wrong_way_round_is_refused() {
        for (from, to) in [
            ("2026-13", "2026-11"),
            ("2026-11", "nov"),
            ("2026-12", "2026-11"),
            ("2016-11", "2026-11"),
            ("2026-11", "2027-01"),
        ] {
            assert!(read(Some(from), Some(to)).is_err(), "{from} to {to}");
        }
        assert_eq!(read(Some("2016-12"), Some("2026-11")).unwrap().len(), MAX_MONTHS);
        assert!(read(Some("99999999-01"), None).is_err() && read(None, Some("262142-12")).is_err());
    }
}
