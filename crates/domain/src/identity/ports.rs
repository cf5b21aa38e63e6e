//! What identity needs from outside. Every method answers [`StoreError`](crate::store::StoreError)s of storage;
//! `insert` and `save` answer `Duplicate` when a unique name, hash or id is taken.

use super::api_key::{ApiKey, KeyAllowance};
use super::credential::{Password, PasswordHash};
use super::login::Login;
use super::oauth::{ExternalIdentity, OAuthIdentity, Proof, ProviderName, ProviderSummary};
use super::oauth_flow::{FlowSecrets, OAuthFlow};
use super::session::Session;
use super::throttle::{LoginThrottle, ThrottleKey};
use super::token::TokenHash;
use super::user::User;
use super::user_search::UserSearch;
use super::verification::Verification;
use crate::error::Result;
use crate::id::{AccountId, ApiKeyId, IdentityId, SessionId, UserId};
use crate::page::{Page, PageRequest};
use crate::store::StoreResult;
use async_trait::async_trait;
use chrono::{DateTime, Utc};

#[cfg_attr(any(test, feature = "testing"), mockall::automock)]
#[async_trait]
pub trait UserRepository: Send + Sync {
    async fn find(&self, id: UserId) -> StoreResult<Option<User>>;

    /// Finds and locks the row until the unit of work ends.
    async fn lock(&self, id: UserId) -> StoreResult<Option<User>>;

    /// The user of that name, whatever the status.
    async fn find_by_login(&self, login: &Login) -> StoreResult<Option<User>>;

    /// Locks all users with the role root that may act, by ascending id, and names them.
    async fn lock_roots(&self) -> StoreResult<Vec<UserId>>;

    async fn insert(&self, user: &User) -> StoreResult<()>;

    /// The users of these ids that exist, in any order.
    async fn find_many(&self, ids: &[UserId]) -> StoreResult<Vec<User>>;

    /// Writes every field of a user that exists; lock first.
    async fn save(&self, user: &User) -> StoreResult<()>;

    /// For operators: everybody, newest first.
    async fn list(&self, page: PageRequest) -> StoreResult<Page<User>>;

    /// For operators: the users whose name begins so, in the order of that name; by id, newest first.
    async fn search(&self, search: &UserSearch, page: PageRequest) -> StoreResult<Page<User>>;
}

#[cfg_attr(any(test, feature = "testing"), mockall::automock)]
#[async_trait]
pub trait SessionRepository: Send + Sync {
    async fn insert(&self, session: &Session) -> StoreResult<()>;

    /// The session of a token, even when expired.
    async fn find_by_hash(&self, hash: TokenHash) -> StoreResult<Option<Session>>;

    /// A session of a user, even when expired; `None` once it was ended.
    async fn find(&self, user: UserId, id: SessionId) -> StoreResult<Option<Session>>;

    /// Ends one session of a user; ending it again is no error.
    async fn end(&self, user: UserId, id: SessionId) -> StoreResult<()>;

    /// Ends all sessions of a user, but for one that stays.
    async fn end_all(&self, user: UserId, but: Option<SessionId>) -> StoreResult<()>;

    /// Deletes sessions that expired before `time`; how many.
    async fn delete_expired(&self, time: DateTime<Utc>) -> StoreResult<u64>;
}

#[cfg_attr(any(test, feature = "testing"), mockall::automock)]
#[async_trait]
pub trait ApiKeyRepository: Send + Sync {
    async fn insert(&self, key: &ApiKey) -> StoreResult<()>;

    /// The key of a token, even when revoked or expired.
    async fn find_by_hash(&self, hash: TokenHash) -> StoreResult<Option<ApiKey>>;

    /// A key of its owner that is not revoked.
    async fn find(&self, owner: UserId, id: ApiKeyId) -> StoreResult<Option<ApiKey>>;

    /// As `find`, and locks the row until the unit of work ends.
    async fn lock(&self, owner: UserId, id: ApiKeyId) -> StoreResult<Option<ApiKey>>;

    /// Locks those of the keys that have an allowance, by ascending id, and reads it.
    async fn lock_allowances(&self, ids: &[ApiKeyId]) -> StoreResult<Vec<(ApiKeyId, KeyAllowance)>>;

    /// Writes every field of a key that exists but its last use; lock first.
    async fn save(&self, key: &ApiKey) -> StoreResult<()>;

    /// Writes what is used of locked keys' allowances.
    async fn save_allowances(&self, used: &[(ApiKeyId, KeyAllowance)], now: DateTime<Utc>) -> StoreResult<()>;

    /// Notes that a key was used; an older time never replaces a newer one.
    async fn touch(&self, owner: UserId, id: ApiKeyId, now: DateTime<Utc>) -> StoreResult<()>;

    /// The keys of a user that are not revoked, newest first.
    async fn list(&self, owner: UserId, page: PageRequest) -> StoreResult<Page<ApiKey>>;

    /// How many keys of a user are not revoked.
    async fn count(&self, owner: UserId) -> StoreResult<usize>;

    /// Revokes the keys of a user, of all accounts or of one; how many.
    async fn revoke_all(&self, owner: UserId, account: Option<AccountId>, now: DateTime<Utc>) -> StoreResult<u64>;

    /// Revokes all keys that draw from an account, whoever's they are; how many.
    async fn revoke_of_account(&self, account: AccountId, now: DateTime<Utc>) -> StoreResult<u64>;

    /// Revokes the keys that only an operator may have: with the scope `service` or `admin`, or on an account
    /// that is neither the user's nor one of the user's teams'; how many.
    async fn revoke_operating(&self, owner: UserId, now: DateTime<Utc>) -> StoreResult<u64>;
}

#[cfg_attr(any(test, feature = "testing"), mockall::automock)]
#[async_trait]
pub trait ThrottleRepository: Send + Sync {
    async fn find(&self, key: &ThrottleKey) -> StoreResult<Option<LoginThrottle>>;

    /// Finds and locks the row until the unit of work ends.
    async fn lock(&self, key: &ThrottleKey) -> StoreResult<Option<LoginThrottle>>;

    async fn insert(&self, throttle: &LoginThrottle) -> StoreResult<()>;

    /// Writes a throttle that exists; lock first.
    async fn save(&self, throttle: &LoginThrottle) -> StoreResult<()>;

    async fn clear(&self, key: &ThrottleKey) -> StoreResult<()>;

    /// Deletes throttles that last failed before `time`; how many.
    async fn delete_stale(&self, time: DateTime<Utc>) -> StoreResult<u64>;
}

/// Identities at other providers; a provider's subject is unique.
#[cfg_attr(any(test, feature = "testing"), mockall::automock)]
#[async_trait]
pub trait OAuthIdentityRepository: Send + Sync {
    async fn insert(&self, identity: &OAuthIdentity) -> StoreResult<()>;

    /// Writes every field of an identity that exists; lock its user first.
    async fn save(&self, identity: &OAuthIdentity) -> StoreResult<()>;

    /// Whoever the provider calls so.
    async fn find_by_subject(&self, provider: &ProviderName, subject: &str) -> StoreResult<Option<OAuthIdentity>>;

    async fn find(&self, user: UserId, id: IdentityId) -> StoreResult<Option<OAuthIdentity>>;

    /// All of a user, oldest first; [`MAX_IDENTITIES_PER_USER`](super::MAX_IDENTITIES_PER_USER) bounds them.
    async fn list(&self, user: UserId) -> StoreResult<Vec<OAuthIdentity>>;

    async fn delete(&self, user: UserId, id: IdentityId) -> StoreResult<()>;
}

/// Log-ins under way at other providers.
#[cfg_attr(any(test, feature = "testing"), mockall::automock)]
#[async_trait]
pub trait OAuthFlowRepository: Send + Sync {
    async fn insert(&self, flow: &OAuthFlow) -> StoreResult<()>;

    /// The flow of a state or code, even when expired.
    async fn find(&self, hash: TokenHash) -> StoreResult<Option<OAuthFlow>>;

    /// Deletes the flow; false when somebody else did.
    async fn take(&self, hash: TokenHash) -> StoreResult<bool>;

    /// Deletes flows that expired before `time`; how many.
    async fn delete_expired(&self, time: DateTime<Utc>) -> StoreResult<u64>;
}

/// Verified identities, one per user. Whoever writes one holds the lock on the user's row.
#[cfg_attr(any(test, feature = "testing"), mockall::automock)]
#[async_trait]
pub trait VerificationRepository: Send + Sync {
    /// A second one of a user or of a number is `StoreError::Duplicate`.
    async fn insert(&self, verification: &Verification) -> StoreResult<()>;

    async fn find(&self, user: UserId) -> StoreResult<Option<Verification>>;

    async fn find_by_index(&self, number_index: &str) -> StoreResult<Option<Verification>>;

    /// False when there was none.
    async fn delete(&self, user: UserId) -> StoreResult<bool>;
}

/// The providers that people may come through. Answers `NotFound` for one that is not configured, `Unavailable` when
/// the provider cannot be asked, `Forbidden` when what it says does not prove who somebody is.
#[cfg_attr(any(test, feature = "testing"), mockall::automock)]
#[async_trait]
pub trait IdentityProviders: Send + Sync {
    /// In the order of their names.
    fn list(&self) -> Vec<ProviderSummary>;

    /// Where a browser goes to begin. May ask the provider; never call it inside a unit of work.
    async fn authorization_url(&self, provider: &ProviderName, secrets: &FlowSecrets) -> Result<String>;

    /// Whom a proof proves. Asks the provider; never call it inside a unit of work.
    async fn identify(&self, provider: &ProviderName, proof: &Proof, secrets: &FlowSecrets)
    -> Result<ExternalIdentity>;
}

/// A slow hash for passwords; bounded in how many run at once.
#[cfg_attr(any(test, feature = "testing"), mockall::automock)]
#[async_trait]
pub trait PasswordHasher: Send + Sync {
    async fn hash(&self, password: &Password) -> Result<PasswordHash>;

    /// Whether the password has that hash; `Unavailable` when too many wait.
    async fn verify(&self, password: &Password, hash: &PasswordHash) -> Result<bool>;

    /// A hash of today's cost that no password has: what is verified when there is no user.
    fn dummy(&self) -> PasswordHash;
}

/// Where unpredictable bytes come from.
#[cfg_attr(any(test, feature = "testing"), mockall::automock)]
pub trait SecretSource: Send + Sync {
    fn random(&self) -> Result<[u8; 32]>;
}

/// The decimals of each meter, which plans know.
#[cfg_attr(any(test, feature = "testing"), mockall::automock)]
pub trait MeterScales: Send + Sync {
    /// `None` when there is no such meter.
    fn scale(&self, meter: &str) -> Option<u8>;
}
