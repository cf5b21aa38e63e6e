//! Logging in and out. A stranger's name costs the same time and gets the same answer as a wrong password.

use super::IdentityService;
use crate::error::{Error, Result};
use crate::identity::credential::{Password, PasswordHash};
use crate::identity::login::Login;
use crate::identity::ports::SecretSource;
use crate::identity::session::Session;
use crate::identity::throttle::{LoginThrottle, ThrottleKey};
use crate::identity::token::{Token, TokenKind};
use crate::identity::user::User;
use crate::store::{Repositories, StoreResult, retrying};
use crate::text::fold;
use chrono::{DateTime, TimeDelta, Utc};
use std::net::IpAddr;

/// A session just opened.
#[derive(Clone, Debug)]
pub struct LoggedIn {
    pub user: User,
    /// Shown once.
    pub token: Token,
    pub expires_at: DateTime<Utc>,
}

/// Opens a session for a user within the caller's unit of work.
pub(crate) async fn open_session(
    work: &dyn Repositories,
    (secrets, lifetime): (&dyn SecretSource, TimeDelta),
    user: &User,
    ip: Option<IpAddr>,
    now: DateTime<Utc>,
) -> Result<(Token, Session)> {
    let token = Token::from_random(TokenKind::Session, secrets.random()?);
    let session = Session { ip, ..Session::new(user.id, token.hash(), lifetime, now) };
    work.sessions().insert(&session).await?;
    Ok((token, session))
}

impl IdentityService {
    /// Opens a session for a user name, e-mail address or phone number and its password.
    pub async fn log_in(&self, login: &str, password: &str, ip: Option<IpAddr>) -> Result<LoggedIn> {
        let keys = throttle_keys(login, ip);
        refuse_if_locked(&*self.store, &keys, self.clock.now()).await?;
        let user = match Login::parse(login) {
            Some(login) => self.store.users().find_by_login(&login).await?,
            None => None,
        };
        let hash = user.as_ref().and_then(|user| user.password_hash.clone()).unwrap_or_else(|| self.hasher.dummy());
        let right = self.hasher.verify(&Password::presented(password), &hash).await?;
        if let Some(user) = user.filter(|user| right && user.may_act()) {
            retrying!(self.store, self.admit((&user, &hash), &keys, ip))
        } else {
            retrying!(self.store, self.count_failure(&keys))
        }
    }

    /// Ends the session of a token; a token that opens nothing is no error.
    pub async fn log_out(&self, token: &Token) -> Result<()> {
        match self.store.sessions().find_by_hash(token.hash()).await? {
            Some(session) => retrying!(self.store, self.end(&session)),
            None => Ok(()),
        }
    }

    async fn end(&self, session: &Session) -> Result<()> {
        let work = self.store.begin().await?;
        work.sessions().end(session.user, session.id).await?;
        Ok(work.commit().await?)
    }

    /// Opens the session if the user's password is still the one that was verified.
    async fn admit(
        &self,
        (user, verified): (&User, &PasswordHash),
        keys: &[ThrottleKey],
        ip: Option<IpAddr>,
    ) -> Result<LoggedIn> {
        let now = self.clock.now();
        let work = self.store.begin().await?;
        let same = |user: &User| user.may_act() && user.password_hash.as_ref() == Some(verified);
        let mut user = work.users().lock(user.id).await?.filter(same).ok_or(Error::Unauthenticated)?;
        // Again, for guesses sent side by side all passed the first look before any of them failed.
        refuse_if_locked(&*work, keys, now).await?;
        if let Some(login) = keys.first() {
            work.throttles().clear(login).await?;
        }
        user.last_login_at = Some(now);
        work.users().save(&user).await?;
        let (token, session) = open_session(&*work, (&*self.secrets, self.session_lifetime), &user, ip, now).await?;
        work.commit().await?;
        Ok(LoggedIn { user, token, expires_at: session.expires_at })
    }

    async fn count_failure(&self, keys: &[ThrottleKey]) -> Result<LoggedIn> {
        let now = self.clock.now();
        let work = self.store.begin().await?;
        for key in keys {
            record_failure(&*work, key, now).await?;
        }
        work.commit().await?;
        Err(Error::Unauthenticated)
    }
}

/// The login name first, then the address: also the order in which they are locked.
fn throttle_keys(login: &str, ip: Option<IpAddr>) -> Vec<ThrottleKey> {
    let name = ThrottleKey::login(&fold(login.trim()));
    std::iter::once(name).chain(ip.map(ThrottleKey::address)).collect()
}

/// Refuses while one of the throttles is locked.
pub(crate) async fn refuse_if_locked(
    repositories: &dyn Repositories,
    keys: &[ThrottleKey],
    now: DateTime<Utc>,
) -> Result<()> {
    for key in keys {
        let throttle = repositories.throttles().find(key).await?;
        if let Some(retry_after_seconds) = throttle.and_then(|throttle| throttle.retry_after_seconds(now)) {
            return Err(Error::RateLimited { retry_after_seconds });
        }
    }
    Ok(())
}

/// Counts a failure in the caller's unit of work.
pub(crate) async fn record_failure(work: &dyn Repositories, key: &ThrottleKey, now: DateTime<Utc>) -> StoreResult<()> {
    match work.throttles().lock(key).await? {
        Some(throttle) => work.throttles().save(&throttle.after_failure(now)).await,
        None => work.throttles().insert(&LoginThrottle::first_failure(key.clone(), now)).await,
    }
}
