//! Plans: what is sold, at which tariff, and what an account has subscribed to.
//!
//! | where | what |
//! |---|---|
//! | [`meter`] | what is counted |
//! | [`tariff`] | fees on quantities beyond the allowance |
//! | [`plan`] | prices, seats and terms per meter; the version that was sold |
//! | [`catalogue`] | reads meters and plans from the configuration, with every mistake named |
//! | [`subscription`] | one account's plan, its paid term and its open quota period |
//! | [`status`] | which status may follow which |
//! | [`change`] | upgrade or downgrade, and what it costs today |

pub mod catalogue;
pub mod change;
mod code;
pub mod meter;
pub mod plan;
mod ports;
pub mod status;
mod steps;
pub mod subscription;
pub mod tariff;

pub use catalogue::{Catalogue, Mistake};
pub use change::{ChangeKind, Offer, Quote, change_kind};
pub use code::{MeterCode, PlanCode};
pub use meter::{Meter, MeterDisplay, MeterKind};
pub use plan::{Allowance, Interval, MeterTerms, OnExhausted, Percent, Plan, PlanVersion, SeatRule, SeatsOutOfRange};
#[cfg(any(test, feature = "testing"))]
pub use ports::{MockPlanRepository, MockSubscriptionRepository};
pub use ports::{PeriodHook, PlanRepository, SubscriptionRepository};
pub use status::{NoSuchTransition, SubscriptionStatus};
pub use steps::{default_choice, lock_current};
pub use subscription::{Advance, Choice, OpenedPeriod, Subscription};
pub use tariff::{Rounding, Tariff, TariffError, Tier};
