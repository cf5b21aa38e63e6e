//! The clock: the system's, or one that stands where a test put it.

use chrono::{DateTime, TimeDelta, Utc};
use domain::time::{Clock, cut_to_micros};
use std::sync::atomic::{AtomicI64, Ordering};

/// The operating system's time.
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the time")]
    fn now(&self) -> DateTime<Utc> {
        cut_to_micros(Utc::now())
    }
}

/// The system's time moved ahead, so that next month can be seen today. It never goes back.
#[derive(Default)]
pub struct TestClock {
    ahead_micros: AtomicI64,
}

impl TestClock {
    /// Moves the clock to `to`; false when that lies in its past.
    pub fn advance(&self, to: DateTime<Utc>) -> bool {
        let ahead = (to - SystemClock.now()).num_microseconds().unwrap_or(i64::MAX);
        self.ahead_micros.fetch_max(ahead, Ordering::SeqCst) <= ahead
    }
}

impl Clock for TestClock {
    fn now(&self) -> DateTime<Utc> {
        let ahead = TimeDelta::microseconds(self.ahead_micros.load(Ordering::SeqCst));
        SystemClock.now().checked_add_signed(ahead).unwrap_or(DateTime::<Utc>::MAX_UTC)
    }
}

/// The system's time, some way back: for demo data that began in the past.
pub struct ShiftedClock {
    back: TimeDelta,
}

impl ShiftedClock {
    /// A clock that is `back` behind; `now` bounds it to what the calendar has.
    pub fn back(now: DateTime<Utc>, back: TimeDelta) -> Self {
        let back = if now.checked_sub_signed(back).is_some() { back } else { TimeDelta::zero() };
        Self { back }
    }
}

impl Clock for ShiftedClock {
    fn now(&self) -> DateTime<Utc> {
        SystemClock.now().checked_sub_signed(self.back).unwrap_or(DateTime::<Utc>::MIN_UTC)
    }
}
