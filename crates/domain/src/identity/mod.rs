//! Who acts: users, their sessions and API keys, and how a caller proves to be one of them.

mod api_key;
mod credential;
mod ip_allow_list;
mod login;
mod ports;
#[cfg(any(test, feature = "testing"))]
pub mod samples;
mod service;
mod session;
mod throttle;
mod token;
mod user;

pub use api_key::{ApiKey, KeyAllowance, KeyDraft, KeyStatus, MAX_KEYS_PER_USER};
pub use credential::{Password, PasswordHash};
pub use ip_allow_list::IpAllowList;
pub use login::{Email, Login, Phone, Username};
pub use ports::{
    ApiKeyRepository, MeterScales, PasswordHasher, SecretSource, SessionRepository, ThrottleRepository, UserRepository,
};
#[cfg(any(test, feature = "testing"))]
pub use ports::{
    MockApiKeyRepository, MockMeterScales, MockPasswordHasher, MockSecretSource, MockSessionRepository,
    MockThrottleRepository, MockUserRepository,
};
pub use service::{Authenticated, IdentityService, LoggedIn, PasswordChange, ProfileChange};
pub use session::Session;
pub use throttle::{LoginThrottle, ThrottleKey};
pub use token::{Token, TokenHash, TokenKind};
pub use user::{DEFAULT_GROUP, Profile, User, UserStatus};

pub(crate) use service::{open_session, record_failure, refuse_if_locked};
