//! How bills are chased: when they are issued, due, and what happens when nobody pays.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

/// The days of `billing.bills`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BillTerms {
    /// A renewal is billed so many days before its term begins.
    pub renewal_days: u32,
    /// A bill is due so many days after it was issued; a renewal not before its term begins.
    pub due_days: u32,
    /// A reminder comes so many days before a bill is due.
    pub reminder_days: u32,
    /// From past due to suspended.
    pub suspend_days: u32,
    /// From suspended to the end of the plan.
    pub expire_days: u32,
    /// How long after its end a period stays open for what comes late.
    pub close_after_hours: u32,
}

impl Default for BillTerms {
    fn default() -> Self {
        Self { renewal_days: 7, due_days: 7, reminder_days: 3, suspend_days: 7, expire_days: 30, close_after_hours: 1 }
    }
}

impl BillTerms {
    /// Terms that begin before this time are billed now.
    pub fn renewals_before(&self, now: DateTime<Utc>) -> DateTime<Utc> {
        now + days(self.renewal_days)
    }

    /// When a bill issued now is due; `begins` is when a renewed term begins.
    pub fn due(&self, now: DateTime<Utc>, begins: Option<DateTime<Utc>>) -> DateTime<Utc> {
        let due = now + days(self.due_days);
        begins.map_or(due, |begins| begins.max(due))
    }

    /// When a bill that is due then is called to mind, not before it was issued.
    pub fn remind(&self, issued: DateTime<Utc>, due: DateTime<Utc>) -> DateTime<Utc> {
        (due - days(self.reminder_days)).max(issued)
    }

    pub fn suspend(&self, due: DateTime<Utc>) -> DateTime<Utc> {
        due + days(self.suspend_days)
    }

    pub fn expire(&self, due: DateTime<Utc>) -> DateTime<Utc> {
        self.suspend(due) + days(self.expire_days)
    }

    /// Periods that ended by this time are closed now.
    pub fn closing(&self, now: DateTime<Utc>) -> DateTime<Utc> {
        now - TimeDelta::hours(i64::from(self.close_after_hours))
    }
}

fn days(count: u32) -> TimeDelta {
    TimeDelta::days(i64::from(count))
}
