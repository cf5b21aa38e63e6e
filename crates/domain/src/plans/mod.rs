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
//! | `standing` | what payments, and their lack, do to a subscription |
//! | `bill_terms` | when bills are issued, due and chased |
//! | [`change`] | upgrade or downgrade, and what it costs today |

mod altering;
mod bill_terms;
pub mod catalogue;
pub mod change;
mod code;
pub mod meter;
mod meter_agreement;
mod orders;
pub mod plan;
mod ports;
mod publishing;
mod seller;
mod service;
mod standing;
pub mod status;
mod steps;
pub mod subscription;
pub mod tariff;
mod team_plans;

pub use bill_terms::BillTerms;
pub use catalogue::{Catalogue, Mistake};
pub use change::{ChangeKind, Effective, Offer, Quote, QuoteLine, change_kind, prorate, quote};
pub use code::{MeterCode, PlanCode};
pub use meter::{Meter, MeterDisplay, MeterKind};
pub use meter_agreement::agreed_gauges;
pub use plan::{Allowance, Interval, MeterTerms, OnExhausted, Percent, Plan, PlanVersion, SeatRule, SeatsOutOfRange};
#[cfg(any(test, feature = "testing"))]
pub use ports::{MockPlanRepository, MockSubscriptionRepository};
pub use ports::{PeriodHook, PlanRepository, SubscriptionRepository};
pub use publishing::PlanService;
pub use seller::{MAX_SELLER_TEXT, Seller};
pub use service::{PlanWish, Subscribed, SubscriptionService, SubscriptionView};
pub use status::{NoSuchTransition, SubscriptionStatus};
pub use steps::{current, default_choice, fallback_choice, lock_current, store_change, tell_recovery, version_sold};
pub use subscription::{Advance, Choice, OpenedPeriod, Subscription};
pub use tariff::{Rounding, Tariff, TariffError, Tier};
pub use team_plans::SubscribedTeams;
