//! Use cases of identity: logging in and out, proving who calls, and one's own profile.

mod authenticate;
mod log_in;
mod profile;
#[cfg(test)]
mod tests;

pub use authenticate::Authenticated;
pub use log_in::LoggedIn;
pub(crate) use log_in::{open_session, record_failure, refuse_if_locked};
pub use profile::{PasswordChange, ProfileChange};

use super::ports::{PasswordHasher, SecretSource};
use crate::store::Store;
use crate::time::Clock;
use chrono::TimeDelta;
use std::sync::Arc;

#[derive(Clone)]
pub struct IdentityService {
    pub store: Arc<dyn Store>,
    pub clock: Arc<dyn Clock>,
    pub hasher: Arc<dyn PasswordHasher>,
    pub secrets: Arc<dyn SecretSource>,
    pub session_lifetime: TimeDelta,
}
