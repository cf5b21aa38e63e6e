//! Metering: deciding, recording and summing what accounts use.
//!
//! [`MeteringService::book`] is the one implementation of consuming, reserving and capturing; HTTP, batches,
//! CloudEvents, `replay` and the sweeper all end there.

mod batch;
mod booking;
mod books;
mod command;
mod decide;
mod decide_gauge;
mod holding;
mod holds;
mod load;
mod means;
mod member_books;
mod member_quota;
mod month;
mod ports;
mod purse;
mod quota_view;
mod repeats;
mod report;
mod reports;
mod reservation;
mod reservations;
mod retention;
mod service;
mod summary;
mod upkeep;
mod usage;

pub use batch::{Command, Decided, Done, Outcome, receipts};
pub use books::{AccountBooks, KeyAllowances, PlanPeriod};
pub use command::{
    Consume, Dimensions, MAX_DIMENSIONS, MAX_EARLY, MAX_KEY_CHARS, MAX_LATE, RECEIPT_DELETED, Rejection, UsageKey,
    admit, admit_time,
};
pub use decide::{Denied, Funds, Limit, Part, Source, decide, settle};
pub use decide_gauge::{Gauge, decide_gauge};
pub use holding::{Captured, Shortfall};
pub use member_books::MemberBooks;
pub use member_quota::{MemberMeter, MemberQuota};
pub use month::{Month, first_kept};
pub use ports::{
    Booked, DebtRepository, OverageDueRepository, ReservationRepository, SavedUsage, Standing, StandingRepository,
    UsageFilter, UsageMonthRepository, UsageRepository, UsedKey,
};
#[cfg(any(test, feature = "testing"))]
pub use ports::{
    MockDebtRepository, MockOverageDueRepository, MockReservationRepository, MockStandingRepository,
    MockUsageMonthRepository, MockUsageRepository,
};
pub use purse::Purse;
pub use quota_view::{MeterQuota, QuotaView};
pub use report::UsageReport;
pub use reservation::{
    DEFAULT_TTL, Debt, End, Ended, Ending, MAX_TTL, MIN_TTL, Reservation, ReservationFilter, ReservationStatus,
    Reserve, Settlement,
};
pub use reservations::{EXPIRE_CHUNK, EndWish, HoldWish};
pub use retention::{Removed, RetentionService};
pub use service::MeteringService;
pub use summary::{GroupBy, Rollup, RollupKey, RollupSums, SummaryFilter, SummaryRow};
pub use upkeep::RolledOver;
pub use usage::{Receipt, UsageRecord};
