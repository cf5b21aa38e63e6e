//! Who calls: a bearer token becomes an actor, or nobody.

use super::IdentityService;
use crate::actor::Actor;
use crate::error::{Error, Result};
use crate::id::SessionId;
use crate::identity::api_key::ApiKey;
use crate::identity::token::{Token, TokenKind};
use crate::identity::user::User;
use crate::store::StoreResult;
use chrono::{DateTime, Utc};
use std::net::IpAddr;

/// A caller, and how it proved who it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authenticated {
    pub actor: Actor,
    /// `None` for an API key.
    pub session: Option<SessionId>,
    /// The limit of the API key, if it has one.
    pub requests_per_minute: Option<u32>,
}

impl IdentityService {
    /// Finds the caller of a bearer token that came from `ip`.
    pub async fn authenticate(&self, token: &str, ip: Option<IpAddr>) -> Result<Authenticated> {
        let token = Token::parse(token).ok_or(Error::Unauthenticated)?;
        let now = self.clock.now();
        match token.kind() {
            TokenKind::Session => self.by_session(&token, ip, now).await,
            TokenKind::ApiKey => self.by_key(&token, ip, now).await,
            // Those are presented where they belong, never as who calls.
            TokenKind::SetUp | TokenKind::OAuthState | TokenKind::OAuthBrowser | TokenKind::OAuthCode => {
                Err(Error::Unauthenticated)
            }
        }
    }

    async fn by_session(&self, token: &Token, ip: Option<IpAddr>, now: DateTime<Utc>) -> Result<Authenticated> {
        let session = self.store.sessions().find_by_hash(token.hash()).await?;
        let session = session.filter(|session| session.is_open(now)).ok_or(Error::Unauthenticated)?;
        let user = self.store.users().find(session.user).await?;
        let user = user.filter(User::may_act).ok_or(Error::Unauthenticated)?;
        let actor = Actor { ip, ..user.as_actor() };
        Ok(Authenticated { actor, session: Some(session.id), requests_per_minute: None })
    }

    async fn by_key(&self, token: &Token, ip: Option<IpAddr>, now: DateTime<Utc>) -> Result<Authenticated> {
        let key = self.store.api_keys().find_by_hash(token.hash()).await?.ok_or(Error::Unauthenticated)?;
        let owner = self.store.users().find(key.user).await?.ok_or(Error::Unauthenticated)?;
        key.admits(&owner, now, ip)?;
        if key.needs_touch(now)
            && let Err(error) = self.touch(&key, now).await
        {
            tracing::warn!(key = %key.id, %error, "the last use of an API key was not written down");
        }
        let actor = Actor { key: Some(key.as_actor(&owner)), ip, ..owner.as_actor() };
        Ok(Authenticated { actor, session: None, requests_per_minute: key.draft.requests_per_minute })
    }

    async fn touch(&self, key: &ApiKey, now: DateTime<Utc>) -> StoreResult<()> {
        let work = self.store.begin().await?;
        work.api_keys().touch(key.user, key.id, now).await?;
        work.commit().await
    }
}
