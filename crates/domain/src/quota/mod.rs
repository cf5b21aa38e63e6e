//! Quota: counters per period, grants, and the warnings that fire on the way to a limit.

mod carry;
mod counter;
mod grant;
mod ports;
mod service;
mod warning;

pub use carry::{GaugeCarry, levels_at, opened_with};
pub use counter::{Counter, Drawn, Subject};
pub use grant::{Grant, GrantOrigin};
pub use ports::{CounterRepository, GrantRepository, WarningFilter, WarningRepository};
#[cfg(any(test, feature = "testing"))]
pub use ports::{MockCounterRepository, MockGrantRepository, MockWarningRepository};
pub use service::{DEFAULT_PRIORITY, GrantService, GrantWish};
pub use warning::{FiredWarning, WarningState};
