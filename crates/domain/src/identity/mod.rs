//! Who acts: users, their sessions and API keys, and how a caller proves to be one of them.

mod api_key;
mod credential;
mod id_number;
mod ip_allow_list;
mod login;
mod oauth;
mod oauth_flow;
mod ports;
mod real_name;
#[cfg(any(test, feature = "testing"))]
pub mod samples;
mod service;
mod session;
mod throttle;
mod token;
mod user;
mod user_search;
mod verification;

pub use api_key::{ApiKey, KeyAllowance, KeyDraft, KeyStatus};
pub use credential::{Password, PasswordHash};
pub use id_number::IdNumber;
pub use ip_allow_list::IpAllowList;
pub use login::{Email, Login, Phone, Username};
pub use oauth::{ExternalIdentity, MAX_IDENTITIES_PER_USER, OAuthIdentity, Proof, ProviderName, ProviderSummary};
pub use oauth_flow::{CODE_LASTS, ExchangeChallenge, FLOW_LASTS, FlowSecrets, OAuthFlow, Purpose};
pub use ports::{
    ApiKeyRepository, IdentityProviders, MeterScales, OAuthFlowRepository, OAuthIdentityRepository, PasswordHasher,
    SecretSource, SessionRepository, ThrottleRepository, UserRepository, VerificationRepository,
};
#[cfg(any(test, feature = "testing"))]
pub use ports::{
    MockApiKeyRepository, MockIdentityProviders, MockMeterScales, MockOAuthFlowRepository, MockOAuthIdentityRepository,
    MockPasswordHasher, MockSecretSource, MockSessionRepository, MockThrottleRepository, MockUserRepository,
    MockVerificationRepository,
};
pub use real_name::RealName;
pub use service::{Authenticated, IdentityService, LoggedIn, PasswordChange, ProfileChange};
pub use session::Session;
pub use throttle::{LoginThrottle, ThrottleKey};
pub use token::{Token, TokenHash, TokenKind};
pub use user::{DEFAULT_GROUP, Profile, User, UserStatus};
pub use user_search::UserSearch;
#[cfg(any(test, feature = "testing"))]
pub use verification::MockIdentityVault;
pub use verification::{IdentityVault, LegalIdentity, MaskedIdentity, Verification};

pub(crate) use service::{open_session, record_failure, refuse_if_locked};
