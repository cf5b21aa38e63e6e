//! Metering: deciding, recording and summing what accounts use.
//!
//! [`MeteringService::consume`] is the one implementation of consuming; HTTP, batches, CloudEvents and
//! `replay` all end there.

mod booking;
mod books;
mod command;
mod decide;
mod load;
mod member_books;
mod member_quota;
mod ports;
mod quota_view;
mod repeats;
mod report;
mod reports;
mod service;
mod summary;
mod upkeep;
mod usage;

pub use books::{AccountBooks, KeyAllowances, PlanPeriod};
pub use command::{
    Consume, Dimensions, MAX_DIMENSIONS, MAX_EARLY, MAX_KEY_CHARS, MAX_LATE, Rejection, UsageKey, admit, admit_time,
};
pub use decide::{Denied, Funds, Gauge, Limit, Part, Source, decide, decide_gauge};
pub use member_books::MemberBooks;
pub use member_quota::{MemberMeter, MemberQuota};
pub use ports::{Booked, SavedUsage, Standing, StandingRepository, UsageFilter, UsageRepository};
#[cfg(any(test, feature = "testing"))]
pub use ports::{MockStandingRepository, MockUsageRepository};
pub use quota_view::{MeterQuota, QuotaView};
pub use report::UsageReport;
pub use service::{MeteringService, Outcome};
pub use summary::{GroupBy, Rollup, RollupKey, RollupSums, SummaryFilter, SummaryRow};
pub use upkeep::RolledOver;
pub use usage::{Receipt, UsageRecord};
