//! Sessions, throttles, identities at other providers, log-ins under way, verified identities.

use super::Repos;
use super::statements::{find, find_where, insert, save, select};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::id::{IdentityId, SessionId, UserId};
use domain::identity::{
    LoginThrottle, OAuthFlow, OAuthFlowRepository, OAuthIdentity, OAuthIdentityRepository, ProviderName, Session,
    SessionRepository, ThrottleKey, ThrottleRepository, TokenHash, Verification, VerificationRepository,
};
use domain::store::StoreResult;

/// DELETE of every row that fits; how many.
macro_rules! delete_where {
    ($repos:ident.$table:ident, $fits:expr) => {
        $repos
            .call(|tables, cx| {
                let rows = tables.$table.iter(cx.tx).filter(|(_, row)| $fits(row));
                let keys: Vec<_> = rows.map(|(key, _)| key.clone()).collect();
                tables.$table.delete(cx, &keys)
            })
            .await
    };
}

#[async_trait]
impl SessionRepository for Repos {
    async fn insert(&self, session: &Session) -> StoreResult<()> {
        insert!(self.sessions[session.id] = session)
    }

    async fn find_by_hash(&self, hash: TokenHash) -> StoreResult<Option<Session>> {
        find_where!(self.sessions, |row| row.token_hash == hash)
    }

    async fn find(&self, user: UserId, id: SessionId) -> StoreResult<Option<Session>> {
        find_where!(self.sessions, |row| row.user == user && row.id == id)
    }

    async fn end(&self, user: UserId, id: SessionId) -> StoreResult<()> {
        delete_where!(self.sessions, |row: &Session| row.user == user && row.id == id).map(drop)
    }

    async fn end_all(&self, user: UserId, but: Option<SessionId>) -> StoreResult<()> {
        delete_where!(self.sessions, |row: &Session| row.user == user && Some(row.id) != but).map(drop)
    }

    async fn delete_expired(&self, time: DateTime<Utc>) -> StoreResult<u64> {
        delete_where!(self.sessions, |row: &Session| row.expires_at < time)
    }
}

#[async_trait]
impl ThrottleRepository for Repos {
    async fn find(&self, key: &ThrottleKey) -> StoreResult<Option<LoginThrottle>> {
        find!(self.throttles[*key])
    }

    async fn lock(&self, key: &ThrottleKey) -> StoreResult<Option<LoginThrottle>> {
        self.call(|tables, cx| Ok(tables.throttles.lock(cx, key)?.cloned())).await
    }

    async fn insert(&self, throttle: &LoginThrottle) -> StoreResult<()> {
        insert!(self.throttles[throttle.key.clone()] = throttle)
    }

    async fn save(&self, throttle: &LoginThrottle) -> StoreResult<()> {
        save!(self.throttles[throttle.key], |_| throttle.clone())
    }

    async fn clear(&self, key: &ThrottleKey) -> StoreResult<()> {
        self.call(|tables, cx| tables.throttles.delete(cx, std::slice::from_ref(key)).map(drop)).await
    }

    async fn delete_stale(&self, time: DateTime<Utc>) -> StoreResult<u64> {
        delete_where!(self.throttles, |row: &LoginThrottle| row.last_failed_at < time)
    }
}

#[async_trait]
impl OAuthIdentityRepository for Repos {
    async fn insert(&self, identity: &OAuthIdentity) -> StoreResult<()> {
        insert!(self.oauth_identities[identity.id] = identity)
    }

    async fn save(&self, identity: &OAuthIdentity) -> StoreResult<()> {
        save!(self.oauth_identities[identity.id], |_| identity.clone())
    }

    async fn find_by_subject(&self, provider: &ProviderName, subject: &str) -> StoreResult<Option<OAuthIdentity>> {
        find_where!(self.oauth_identities, |row| row.provider == *provider && row.subject == subject)
    }

    async fn find(&self, user: UserId, id: IdentityId) -> StoreResult<Option<OAuthIdentity>> {
        find_where!(self.oauth_identities, |row| row.user == user && row.id == id)
    }

    async fn list(&self, user: UserId) -> StoreResult<Vec<OAuthIdentity>> {
        select!(self.oauth_identities, |row| row.user == user)
    }

    async fn delete(&self, user: UserId, id: IdentityId) -> StoreResult<()> {
        delete_where!(self.oauth_identities, |row: &OAuthIdentity| row.user == user && row.id == id).map(drop)
    }
}

#[async_trait]
impl OAuthFlowRepository for Repos {
    async fn insert(&self, flow: &OAuthFlow) -> StoreResult<()> {
        insert!(self.oauth_flows[flow.token_hash.to_hex()] = flow)
    }

    async fn find(&self, hash: TokenHash) -> StoreResult<Option<OAuthFlow>> {
        find!(self.oauth_flows[hash.to_hex()])
    }

    async fn take(&self, hash: TokenHash) -> StoreResult<bool> {
        let key = hash.to_hex();
        self.call(|tables, cx| Ok(tables.oauth_flows.delete(cx, std::slice::from_ref(&key))? == 1)).await
    }

    async fn delete_expired(&self, time: DateTime<Utc>) -> StoreResult<u64> {
        delete_where!(self.oauth_flows, |row: &OAuthFlow| row.expires_at < time)
    }
}

#[async_trait]
impl VerificationRepository for Repos {
    async fn insert(&self, verification: &Verification) -> StoreResult<()> {
        insert!(self.verifications[verification.user] = verification)
    }

    async fn find(&self, user: UserId) -> StoreResult<Option<Verification>> {
        find!(self.verifications[user])
    }

    async fn find_by_index(&self, number_index: &str) -> StoreResult<Option<Verification>> {
        find_where!(self.verifications, |row| row.number_index == number_index)
    }

    async fn delete(&self, user: UserId) -> StoreResult<bool> {
        self.call(|tables, cx| Ok(tables.verifications.delete(cx, &[user])? == 1)).await
    }
}
