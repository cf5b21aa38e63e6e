//! The rows as the database has them, one file per table.

pub mod account;
pub mod account_debt;
pub mod api_key;
pub mod audit_log;
pub mod idempotency_key;
pub mod lease;
pub mod login_throttle;
pub mod option;
pub mod outbox;
pub mod plan_version;
pub mod quota_counter;
pub mod quota_grant;
pub mod quota_period;
pub mod quota_warning;
pub mod reservation;
pub mod session;
pub mod usage_daily;
pub mod usage_hourly;
pub mod usage_key;
pub mod usage_record;
pub mod user;
pub mod user_subscription;
